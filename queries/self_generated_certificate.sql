-- assessor: self_generated_certificate
-- purpose: Whether the instance made its own certificate at its start (message 26018, English log).
-- scope: server
-- versions: 11-
-- platform: any
-- permission: VIEW SERVER STATE up to 2019 (older builds: securityadmin); VIEW ANY ERROR LOG from 2022
-- loses: whether the certificate in force is the one that the instance makes for itself
-- returns: LogDate datetime, ProcessInfo nvarchar(100), Text nvarchar(4000)
-- finds: settings
-- rights: VIEW SERVER STATE (11-15) else refused; VIEW ANY ERROR LOG (16-) else refused

-- The wording comes from the server itself, so that we search for what this build writes.
SET NOCOUNT ON;
DECLARE @wording nvarchar(255);
SET @wording = (
    SELECT TOP (1) LEFT(m.text, 255)
    FROM sys.messages AS m
    WHERE m.message_id = 26018 AND m.language_id = 1033
);
SET @wording = COALESCE(@wording, N'A self-generated certificate was successfully loaded for encryption');
EXEC sys.sp_readerrorlog @p1 = 0, @p2 = 1, @p3 = @wording;

-- assessor: self_generated_certificate_local
-- purpose: Whether the instance made its own certificate at its start (message 26018, in the server's language).
-- scope: server
-- versions: 11-
-- platform: any
-- permission: VIEW SERVER STATE up to 2019 (older builds: securityadmin); VIEW ANY ERROR LOG from 2022
-- loses: whether the certificate in force is the one that the instance makes for itself
-- returns: LogDate datetime, ProcessInfo nvarchar(100), Text nvarchar(4000)
-- finds: settings
-- rights: VIEW SERVER STATE (11-15) else refused; VIEW ANY ERROR LOG (16-) else refused

-- Asked only where the English wording was not found. Message 26018 has no untranslated part to search for. The log
-- is written in the language of setup, which is also the default language unless somebody changed it; on an English
-- server there is no other wording, and the search finds nothing.
SET NOCOUNT ON;
DECLARE @wording nvarchar(255);
SET @wording = (
    SELECT TOP (1) LEFT(m.text, 255)
    FROM sys.messages AS m
    INNER JOIN sys.syslanguages AS l ON l.lcid = m.language_id
    INNER JOIN sys.configurations AS c ON CONVERT(int, c.value_in_use) = l.langid
    WHERE m.message_id = 26018 AND c.name = N'default language' AND m.language_id <> 1033
);
SET @wording = COALESCE(@wording, N'(message 26018 has no other wording on this server)');
EXEC sys.sp_readerrorlog @p1 = 0, @p2 = 1, @p3 = @wording;

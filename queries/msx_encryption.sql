-- assessor: msx_encryption
-- purpose: How the Agent of a target server encrypts its connection to the multiserver master.
-- scope: server
-- versions: 11-
-- platform: windows
-- permission: sysadmin (others may be refused by xp_instance_regread)
-- loses: whether this target server validates its master's certificate
-- returns: msx_encrypt_channel_options int
-- finds: settings
-- rights: sysadmin else hidden; EXECUTE ON master.dbo.xp_instance_regread else refused

-- 0 none, 1 without validation, 2 with validation, which is the default.
SET NOCOUNT ON;
DECLARE @options int;
EXEC master.dbo.xp_instance_regread
    N'HKEY_LOCAL_MACHINE', N'SOFTWARE\Microsoft\MSSQLServer\SQLServerAgent', N'MsxEncryptChannelOptions',
    @options OUTPUT, N'no_output';
SELECT @options AS msx_encrypt_channel_options;

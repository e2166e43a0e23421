-- assessor: network_settings_registry
-- purpose: The same settings by the registry procedure, as a second opinion where the view is silent.
-- scope: server
-- versions: 11-
-- platform: windows
-- permission: EXECUTE on master.dbo.xp_instance_regread
-- loses: the second opinion about forced encryption, strict encryption, hidden instance and certificate
-- returns: force_encryption int, force_strict int, hide_instance int, certificate nvarchar(256)
-- finds: settings
-- rights: EXECUTE ON master.dbo.xp_instance_regread else refused

-- xp_instance_regread turns the generic path into the instance's own hive; a value that is missing leaves its
-- variable NULL, which is unknown and not 0. Tools disagree about the generic path, so both are asked.
SET NOCOUNT ON;
DECLARE @force1 int, @force2 int, @strict1 int, @strict2 int, @hide1 int, @hide2 int,
        @certificate1 nvarchar(256), @certificate2 nvarchar(256);
EXEC master.dbo.xp_instance_regread
    N'HKEY_LOCAL_MACHINE', N'SOFTWARE\Microsoft\MSSQLServer\MSSQLServer\SuperSocketNetLib',
    N'ForceEncryption', @force1 OUTPUT, N'no_output';
EXEC master.dbo.xp_instance_regread
    N'HKEY_LOCAL_MACHINE', N'SOFTWARE\Microsoft\Microsoft SQL Server\MSSQLServer\SuperSocketNetLib',
    N'ForceEncryption', @force2 OUTPUT, N'no_output';
EXEC master.dbo.xp_instance_regread
    N'HKEY_LOCAL_MACHINE', N'SOFTWARE\Microsoft\MSSQLServer\MSSQLServer\SuperSocketNetLib',
    N'ForceStrict', @strict1 OUTPUT, N'no_output';
EXEC master.dbo.xp_instance_regread
    N'HKEY_LOCAL_MACHINE', N'SOFTWARE\Microsoft\Microsoft SQL Server\MSSQLServer\SuperSocketNetLib',
    N'ForceStrict', @strict2 OUTPUT, N'no_output';
EXEC master.dbo.xp_instance_regread
    N'HKEY_LOCAL_MACHINE', N'SOFTWARE\Microsoft\MSSQLServer\MSSQLServer\SuperSocketNetLib',
    N'HideInstance', @hide1 OUTPUT, N'no_output';
EXEC master.dbo.xp_instance_regread
    N'HKEY_LOCAL_MACHINE', N'SOFTWARE\Microsoft\Microsoft SQL Server\MSSQLServer\SuperSocketNetLib',
    N'HideInstance', @hide2 OUTPUT, N'no_output';
EXEC master.dbo.xp_instance_regread
    N'HKEY_LOCAL_MACHINE', N'SOFTWARE\Microsoft\MSSQLServer\MSSQLServer\SuperSocketNetLib',
    N'Certificate', @certificate1 OUTPUT, N'no_output';
EXEC master.dbo.xp_instance_regread
    N'HKEY_LOCAL_MACHINE', N'SOFTWARE\Microsoft\Microsoft SQL Server\MSSQLServer\SuperSocketNetLib',
    N'Certificate', @certificate2 OUTPUT, N'no_output';
SELECT
    COALESCE(@force1, @force2) AS force_encryption,
    COALESCE(@strict1, @strict2) AS force_strict,
    COALESCE(@hide1, @hide2) AS hide_instance,
    COALESCE(@certificate1, @certificate2) AS certificate;

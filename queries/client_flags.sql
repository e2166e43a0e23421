-- assessor: client_flags
-- purpose: The registry flags by which the host's OLE DB drivers 18 and 19 change every connection they open.
-- scope: server
-- versions: 11-
-- platform: windows
-- permission: sysadmin (for others the keys lie outside the hives that xp_regread may read)
-- loses: whether the host forces encryption, or allows trust without validation, for all its outgoing connections
-- returns: sni18_flag1 int, sni18_flag1_label nvarchar(256), sni18_flag2 int, sni18_flag2_label nvarchar(256),
--   sni19_flag1 int, sni19_flag1_label nvarchar(256), sni19_flag2 int, sni19_flag2_label nvarchar(256)
-- finds: settings
-- rights: sysadmin else hidden; EXECUTE ON master.dbo.xp_regread else refused

-- A flag is what its label says, whatever its number. Keys that are missing ("error 2") or refused ("error 5")
-- are told by a message and leave the variable NULL.
SET NOCOUNT ON;
DECLARE @value18_1 int, @label18_1 nvarchar(256), @value18_2 int, @label18_2 nvarchar(256),
        @value19_1 int, @label19_1 nvarchar(256), @value19_2 int, @label19_2 nvarchar(256);
EXEC master.dbo.xp_regread
    N'HKEY_LOCAL_MACHINE', N'SOFTWARE\Microsoft\MSSQLServer\Client\SNI18.0\GeneralFlags\Flag1',
    N'Value', @value18_1 OUTPUT, N'no_output';
EXEC master.dbo.xp_regread
    N'HKEY_LOCAL_MACHINE', N'SOFTWARE\Microsoft\MSSQLServer\Client\SNI18.0\GeneralFlags\Flag1',
    N'Label', @label18_1 OUTPUT, N'no_output';
EXEC master.dbo.xp_regread
    N'HKEY_LOCAL_MACHINE', N'SOFTWARE\Microsoft\MSSQLServer\Client\SNI18.0\GeneralFlags\Flag2',
    N'Value', @value18_2 OUTPUT, N'no_output';
EXEC master.dbo.xp_regread
    N'HKEY_LOCAL_MACHINE', N'SOFTWARE\Microsoft\MSSQLServer\Client\SNI18.0\GeneralFlags\Flag2',
    N'Label', @label18_2 OUTPUT, N'no_output';
EXEC master.dbo.xp_regread
    N'HKEY_LOCAL_MACHINE', N'SOFTWARE\Microsoft\MSSQLServer\Client\SNI19.0\GeneralFlags\Flag1',
    N'Value', @value19_1 OUTPUT, N'no_output';
EXEC master.dbo.xp_regread
    N'HKEY_LOCAL_MACHINE', N'SOFTWARE\Microsoft\MSSQLServer\Client\SNI19.0\GeneralFlags\Flag1',
    N'Label', @label19_1 OUTPUT, N'no_output';
EXEC master.dbo.xp_regread
    N'HKEY_LOCAL_MACHINE', N'SOFTWARE\Microsoft\MSSQLServer\Client\SNI19.0\GeneralFlags\Flag2',
    N'Value', @value19_2 OUTPUT, N'no_output';
EXEC master.dbo.xp_regread
    N'HKEY_LOCAL_MACHINE', N'SOFTWARE\Microsoft\MSSQLServer\Client\SNI19.0\GeneralFlags\Flag2',
    N'Label', @label19_2 OUTPUT, N'no_output';
SELECT
    @value18_1 AS sni18_flag1, @label18_1 AS sni18_flag1_label,
    @value18_2 AS sni18_flag2, @label18_2 AS sni18_flag2_label,
    @value19_1 AS sni19_flag1, @label19_1 AS sni19_flag1_label,
    @value19_2 AS sni19_flag2, @label19_2 AS sni19_flag2_label;

-- assessor: host_domain
-- purpose: The DNS suffix of the host, which makes the full name that other servers may dial.
-- scope: server
-- versions: 11-
-- platform: windows
-- permission: sysadmin (for others the key lies outside the hives that xp_regread may read)
-- loses: the full DNS name of the host, so a definition that dials it may not be recognised as this instance
-- returns: dns_suffix nvarchar(256)
-- finds: settings
-- rights: sysadmin else hidden; EXECUTE ON master.dbo.xp_regread else refused

-- Refused reads are told by a message ("error 5"), not by an error, and leave the variable NULL.
SET NOCOUNT ON;
DECLARE @dns_suffix nvarchar(256);
EXEC master.dbo.xp_regread
    N'HKEY_LOCAL_MACHINE', N'SYSTEM\CurrentControlSet\Services\Tcpip\Parameters', N'Domain',
    @dns_suffix OUTPUT, N'no_output';
SELECT @dns_suffix AS dns_suffix;

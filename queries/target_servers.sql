-- assessor: target_servers
-- purpose: The target servers that are enlisted at this instance, the multiserver master; each polls it.
-- scope: server
-- versions: 11-
-- platform: any
-- permission: SELECT on msdb.dbo.systargetservers
-- loses: which servers' Agents poll this instance
-- returns: server_name nvarchar(128) not null
-- finds: edges
-- rights: SELECT ON msdb.dbo.systargetservers else refused

SET NOCOUNT ON;
SET LOCK_TIMEOUT 10000;
SELECT TOP (5001)
    t.server_name
FROM msdb.dbo.systargetservers AS t WITH (READUNCOMMITTED)
ORDER BY t.server_name;

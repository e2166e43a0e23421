-- assessor: master_server
-- purpose: The multiserver master whose jobs this instance downloads, if it is a target server.
-- scope: server
-- versions: 11-
-- platform: any
-- permission: SELECT on msdb.dbo.sysoriginatingservers_view
-- loses: whether the Agent of this instance polls a master server
-- returns: originating_server nvarchar(128), is_master int
-- finds: edges
-- rights: SELECT ON msdb.dbo.sysoriginatingservers_view else refused

SET NOCOUNT ON;
SET LOCK_TIMEOUT 10000;
SELECT TOP (1001)
    v.originating_server,
    CONVERT(int, v.master_server) AS is_master
FROM msdb.dbo.sysoriginatingservers_view AS v
WHERE v.master_server = 1
ORDER BY v.originating_server;

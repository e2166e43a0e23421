-- assessor: registered_servers
-- purpose: The servers that a Central Management Server lists, for assessor init --from cms:SERVER.
-- scope: server
-- versions: 11-
-- platform: any
-- permission: role ServerGroupReaderRole in msdb
-- loses: the list, so the estate file has to be written by hand
-- returns: server_name nvarchar(256), label nvarchar(128), group_name nvarchar(128), parent_name nvarchar(128)
-- finds: edges
-- rights: SELECT ON msdb.dbo.sysmanagement_shared_registered_servers else refused;
--   SELECT ON msdb.dbo.sysmanagement_shared_server_groups else refused

-- server_type 0 is the database engine. No credentials are kept on a Central Management Server.
SELECT TOP (20001)
    CONVERT(nvarchar(256), s.server_name) AS server_name,
    s.name AS label,
    g.name AS group_name,
    p.name AS parent_name
FROM msdb.dbo.sysmanagement_shared_registered_servers AS s
LEFT JOIN msdb.dbo.sysmanagement_shared_server_groups AS g ON g.server_group_id = s.server_group_id
LEFT JOIN msdb.dbo.sysmanagement_shared_server_groups AS p ON p.server_group_id = g.parent_id AND p.parent_id IS NOT NULL
WHERE s.server_type = 0
ORDER BY p.name, g.name, s.name, s.server_id;

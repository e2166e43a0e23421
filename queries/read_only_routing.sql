-- assessor: read_only_routing
-- purpose: The replicas that sessions with read-only intent are sent to.
-- scope: server
-- versions: 11-
-- platform: any
-- permission: VIEW ANY DEFINITION (without it there are no rows, exactly as without routing)
-- loses: which further servers a definition with ApplicationIntent=ReadOnly leads to
-- returns: group_name nvarchar(128), routed_replica nvarchar(256) not null
-- finds: edges
-- rights: VIEW ANY DEFINITION else hidden

SELECT DISTINCT TOP (1000)
    g.name AS group_name,
    t.replica_server_name AS routed_replica
FROM sys.availability_read_only_routing_lists AS l
INNER JOIN sys.availability_replicas AS t ON t.replica_id = l.read_only_replica_id
LEFT JOIN sys.availability_groups AS g ON g.group_id = t.group_id
ORDER BY g.name, t.replica_server_name;

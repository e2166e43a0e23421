-- assessor: availability_replicas
-- purpose: Whether the instance is part of an availability group, for some settings must then be made on every node.
-- scope: server
-- versions: 11-
-- platform: any
-- permission: VIEW ANY DEFINITION (without it there are no rows, exactly as without groups)
-- loses: which replicas the instance exchanges data with, and whether settings of the distributor have to be made on
--   other nodes too
-- returns: group_name nvarchar(128), replica_server_name nvarchar(256),
--   endpoint_url nvarchar(128), read_only_routing_url nvarchar(256)
-- finds: edges
-- rights: VIEW ANY DEFINITION else hidden

SELECT TOP (1000)
    g.name AS group_name,
    r.replica_server_name,
    r.endpoint_url,
    r.read_only_routing_url
FROM sys.availability_replicas AS r
LEFT JOIN sys.availability_groups AS g ON g.group_id = r.group_id
ORDER BY g.name, r.replica_server_name;

-- assessor: availability_listeners
-- purpose: The names and ports under which the primary of each availability group is dialled.
-- scope: server
-- versions: 16-
-- platform: any
-- permission: VIEW ANY DEFINITION (without it there are no rows, exactly as without listeners)
-- loses: which dialled names are listeners, so that a certificate is looked at on one replica only
-- returns: group_name nvarchar(128), dns_name nvarchar(63) not null, port int, is_distributed_network_name int
-- finds: edges
-- rights: VIEW ANY DEFINITION else hidden

SELECT TOP (1000)
    g.name AS group_name,
    l.dns_name,
    CONVERT(int, l.port) AS port,
    CONVERT(int, l.is_distributed_network_name) AS is_distributed_network_name
FROM sys.availability_group_listeners AS l
LEFT JOIN sys.availability_groups AS g ON g.group_id = l.group_id
ORDER BY g.name, l.dns_name;

-- assessor: availability_groups
-- purpose: The availability groups that the instance has a replica of.
-- scope: server
-- versions: 17-
-- platform: any
-- permission: VIEW ANY DEFINITION (without it there are no rows, exactly as without groups)
-- loses: the groups, and how the cluster connects to the instance
-- returns: group_name nvarchar(128) not null, is_distributed int, cluster_type nvarchar(60), is_contained int,
--   cluster_connection_options nvarchar(4000)
-- finds: edges
-- rights: VIEW ANY DEFINITION else hidden

-- is_distributed came with 2016, cluster_type_desc with 2017, is_contained with 2022, cluster_connection_options with 2025.
SELECT TOP (1000)
    g.name AS group_name,
    CONVERT(int, g.is_distributed) AS is_distributed,
    g.cluster_type_desc AS cluster_type,
    CONVERT(int, g.is_contained) AS is_contained,
    g.cluster_connection_options
FROM sys.availability_groups AS g
ORDER BY g.name;

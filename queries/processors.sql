-- assessor: processors
-- purpose: How many logical cores the host has, for SQL Server 2025 may not start with more than 64 in a NUMA node.
-- scope: server
-- versions: 11-
-- platform: any
-- permission: VIEW SERVER STATE up to 2019; VIEW SERVER PERFORMANCE STATE from 2022
-- loses: whether the host has so many cores that SQL Server 2025 may not start
-- returns: cpu_count int not null
-- finds: findings
-- rights: VIEW SERVER STATE (11-15) else refused; VIEW SERVER PERFORMANCE STATE (16-) else refused

SELECT i.cpu_count
FROM sys.dm_os_sys_info AS i;

-- assessor: databases
-- purpose: The databases, which of them we may enter, and their part in replication.
-- scope: server
-- versions: 11-
-- platform: any
-- permission: VIEW ANY DATABASE (everyone has it unless it was revoked); CONNECT ANY DATABASE to enter them (2014 on)
-- loses: which databases publish, distribute or subscribe
-- returns: name nvarchar(128) not null, state_desc nvarchar(60), has_access int, is_published bit,
--   is_merge_published bit, is_distributor bit
-- finds: edges
-- rights: VIEW ANY DATABASE else hidden; CONNECT ANY DATABASE (12-) else hidden

-- is_subscribed is left out on purpose: it is always 0. Subscribers are found by their tables.
SELECT TOP (40000)
    d.name,
    d.state_desc,
    HAS_DBACCESS(d.name) AS has_access,
    d.is_published,
    d.is_merge_published,
    d.is_distributor
FROM sys.databases AS d
ORDER BY d.database_id;

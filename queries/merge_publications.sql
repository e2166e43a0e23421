-- assessor: merge_publications
-- purpose: The merge publications of a merge-published database.
-- scope: database
-- versions: 11-
-- platform: windows
-- permission: SELECT on dbo.sysmergepublications of the publication database
-- loses: what the database publishes by merge replication
-- returns: name nvarchar(128) not null, publisher nvarchar(128) not null, publisher_db nvarchar(128) not null,
--   distributor nvarchar(128)
-- finds: edges
-- rights: SELECT ON $(database).dbo.sysmergepublications
--   [name, pubid, publisher, publisher_db, distributor] else refused

-- The table also holds publications that this database subscribes to; publisher and publisher_db tell them apart.
SET NOCOUNT ON;
SET LOCK_TIMEOUT 10000;
SELECT TOP (5001)
    p.name,
    p.publisher,
    p.publisher_db,
    p.distributor
FROM $(database).dbo.sysmergepublications AS p WITH (READUNCOMMITTED)
ORDER BY p.name;

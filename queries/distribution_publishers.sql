-- assessor: distribution_publishers
-- purpose: The publishers that use this instance as their distributor.
-- scope: server
-- versions: 11-
-- platform: any
-- permission: SELECT on msdb.dbo.MSdistpublishers, columns name, distribution_db and active
-- loses: which publishers the agents of this distributor connect to
-- returns: name nvarchar(128) not null, distribution_db nvarchar(128), active bit
-- finds: edges
-- rights: SELECT ON msdb.dbo.MSdistpublishers [name, distribution_db, active] else refused

-- Asked only where a distribution database exists, for the table appears with it. Its columns for logins,
-- passwords and storage keys are never read.
SET NOCOUNT ON;
SET LOCK_TIMEOUT 10000;
SELECT TOP (5001)
    p.name,
    p.distribution_db,
    p.active
FROM msdb.dbo.MSdistpublishers AS p WITH (READUNCOMMITTED)
ORDER BY p.name;

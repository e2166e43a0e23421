-- assessor: pull_distributors
-- purpose: The distributors that the pull agents of a subscribing database connect to.
-- scope: database
-- versions: 11-
-- platform: any
-- permission: SELECT on dbo.MSsubscription_properties of the database, columns publisher, publisher_db, publication
--   and distributor
-- loses: which distributor the pull subscriptions of the database connect to
-- returns: publisher nvarchar(128) not null, publisher_db nvarchar(128) not null,
--   publication nvarchar(128) not null, distributor nvarchar(128)
-- finds: edges
-- rights: SELECT ON $(database).dbo.MSsubscription_properties
--   [publisher, publisher_db, publication, distributor] else refused

-- Asked only where the database holds a pull subscription, for the table appears with the first one. Its columns
-- for logins and passwords are never read.
SET NOCOUNT ON;
SET LOCK_TIMEOUT 10000;
SELECT TOP (5001)
    s.publisher,
    s.publisher_db,
    s.publication,
    s.distributor
FROM $(database).dbo.MSsubscription_properties AS s WITH (READUNCOMMITTED)
ORDER BY s.publisher, s.publisher_db, s.publication;

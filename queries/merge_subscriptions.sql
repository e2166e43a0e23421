-- assessor: merge_subscriptions
-- purpose: The subscribers of the merge publications of a merge-published database.
-- scope: database
-- versions: 11-
-- platform: windows
-- permission: SELECT on dbo.sysmergesubscriptions and dbo.sysmergepublications of the publication database
-- loses: who subscribes to the database by merge replication
-- returns: publication nvarchar(128) not null, publisher nvarchar(128) not null,
--   publisher_db nvarchar(128) not null, subscriber nvarchar(128), subscriber_db nvarchar(128),
--   subscription_type int
-- finds: edges
-- rights: SELECT ON $(database).dbo.sysmergepublications
--   [name, pubid, publisher, publisher_db, distributor] else refused;
--   SELECT ON $(database).dbo.sysmergesubscriptions else refused

-- The publisher has a row of its own among the subscriptions, with equal ids.
SET NOCOUNT ON;
SET LOCK_TIMEOUT 10000;
SELECT TOP (20001)
    p.name AS publication,
    p.publisher,
    p.publisher_db,
    s.subscriber_server AS subscriber,
    s.db_name AS subscriber_db,
    s.subscription_type
FROM $(database).dbo.sysmergesubscriptions AS s WITH (READUNCOMMITTED)
INNER JOIN $(database).dbo.sysmergepublications AS p WITH (READUNCOMMITTED) ON p.pubid = s.pubid
WHERE s.subid <> s.pubid;

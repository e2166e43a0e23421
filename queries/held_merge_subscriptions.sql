-- assessor: held_merge_subscriptions
-- purpose: The merge subscriptions that a database holds: this instance is the subscriber.
-- scope: database
-- versions: 11-
-- platform: windows
-- permission: VIEW ANY DEFINITION to know that there are none; SELECT on dbo.sysmergesubscriptions and
--   dbo.sysmergepublications of the database
-- loses: whether the database subscribes to another server by merge replication
-- returns: publication nvarchar(128) not null, publisher nvarchar(128) not null,
--   publisher_db nvarchar(128) not null, distributor nvarchar(128), subscriber nvarchar(128),
--   subscriber_db nvarchar(128), subscription_type int
-- finds: edges
-- rights: SELECT ON $(database).dbo.sysmergepublications
--   [name, pubid, publisher, publisher_db, distributor] else refused;
--   SELECT ON $(database).dbo.sysmergesubscriptions else refused; VIEW ANY DEFINITION else hidden

-- Both tables exist at the publisher and at the subscriber, with rows for both; publisher and publisher_db tell.
SET NOCOUNT ON;
SET LOCK_TIMEOUT 10000;
IF OBJECT_ID(N'$(database_text).dbo.sysmergesubscriptions') IS NULL
   AND HAS_PERMS_BY_NAME(N'$(database_text)', N'DATABASE', N'VIEW DEFINITION') = 1
    SELECT
        CONVERT(nvarchar(128), NULL) AS publication,
        CONVERT(nvarchar(128), NULL) AS publisher,
        CONVERT(nvarchar(128), NULL) AS publisher_db,
        CONVERT(nvarchar(128), NULL) AS distributor,
        CONVERT(nvarchar(128), NULL) AS subscriber,
        CONVERT(nvarchar(128), NULL) AS subscriber_db,
        CONVERT(int, NULL) AS subscription_type
    WHERE 1 = 0
ELSE
    SELECT TOP (5001)
        p.name AS publication,
        p.publisher,
        p.publisher_db,
        p.distributor,
        s.subscriber_server AS subscriber,
        s.db_name AS subscriber_db,
        s.subscription_type
    FROM $(database).dbo.sysmergesubscriptions AS s WITH (READUNCOMMITTED)
    INNER JOIN $(database).dbo.sysmergepublications AS p WITH (READUNCOMMITTED) ON p.pubid = s.pubid
    WHERE s.subid <> s.pubid;

-- assessor: held_subscriptions
-- purpose: The transactional and snapshot subscriptions that a database holds: this instance is the subscriber.
-- scope: database
-- versions: 11-
-- platform: any
-- permission: VIEW ANY DEFINITION to know that there are none; SELECT on dbo.MSreplication_subscriptions of the database
-- loses: whether the database subscribes to another server
-- returns: publisher nvarchar(128) not null, publisher_db nvarchar(128) not null,
--   publication nvarchar(128) not null, subscription_type int, update_mode int
-- finds: edges
-- rights: SELECT ON $(database).dbo.MSreplication_subscriptions else refused;
--   VIEW ANY DEFINITION else hidden

-- A table that we may not see looks like one that is not there, so its absence counts only for a login that may see
-- every definition of the database. For others we try to read it, and the error tells.
SET NOCOUNT ON;
SET LOCK_TIMEOUT 10000;
IF OBJECT_ID(N'$(database_text).dbo.MSreplication_subscriptions') IS NULL
   AND HAS_PERMS_BY_NAME(N'$(database_text)', N'DATABASE', N'VIEW DEFINITION') = 1
    SELECT
        CONVERT(nvarchar(128), NULL) AS publisher,
        CONVERT(nvarchar(128), NULL) AS publisher_db,
        CONVERT(nvarchar(128), NULL) AS publication,
        CONVERT(int, NULL) AS subscription_type,
        CONVERT(int, NULL) AS update_mode
    WHERE 1 = 0
ELSE
    SELECT TOP (5001)
        s.publisher,
        s.publisher_db,
        s.publication,
        CONVERT(int, s.subscription_type) AS subscription_type,
        CONVERT(int, s.update_mode) AS update_mode
    FROM $(database).dbo.MSreplication_subscriptions AS s WITH (READUNCOMMITTED)
    ORDER BY s.publisher, s.publisher_db, s.publication;

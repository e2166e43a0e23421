-- assessor: distributed_merge_subscriptions
-- purpose: The merge subscriptions that a distribution database serves.
-- scope: database
-- versions: 11-
-- platform: windows
-- permission: SELECT on dbo.MSmerge_subscriptions and dbo.MSpublications of the distribution database
-- loses: which merge subscribers the agents of this distributor connect to
-- returns: publisher nvarchar(128), publisher_db nvarchar(128), publication nvarchar(128),
--   subscriber nvarchar(128), subscriber_db nvarchar(128), subscription_type int
-- finds: edges
-- rights: SELECT ON $(database).dbo.MSmerge_subscriptions else refused;
--   SELECT ON $(database).dbo.MSpublications else refused

SET NOCOUNT ON;
SET LOCK_TIMEOUT 10000;
SELECT DISTINCT TOP (20001)
    s.publisher,
    s.publisher_db,
    p.publication,
    s.subscriber,
    s.subscriber_db,
    s.subscription_type
FROM $(database).dbo.MSmerge_subscriptions AS s WITH (READUNCOMMITTED)
LEFT JOIN $(database).dbo.MSpublications AS p WITH (READUNCOMMITTED) ON p.publication_id = s.publication_id;

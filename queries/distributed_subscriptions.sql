-- assessor: distributed_subscriptions
-- purpose: The transactional and snapshot subscriptions that a distribution database serves, with names.
-- scope: database
-- versions: 11-
-- platform: any
-- permission: SELECT on dbo.MSsubscriptions, dbo.MSpublications and dbo.MSreplservers of the distribution database
-- loses: which subscribers the agents of this distributor connect to
-- returns: publisher nvarchar(128), publisher_db nvarchar(128), publication nvarchar(128),
--   publication_type int, subscriber_id int, subscriber nvarchar(128), subscriber_db nvarchar(128),
--   subscription_type int
-- finds: edges
-- rights: SELECT ON $(database).dbo.MSsubscriptions else refused;
--   SELECT ON $(database).dbo.MSpublications else refused; SELECT ON $(database).dbo.MSreplservers else refused

-- Newer distribution databases have their own list of servers, MSreplservers; joining their ids to sys.servers gives
-- wrong names without an error. The old join is right only where the list is known to be absent: we do not see it
-- although we may see every definition. One row an article, hence DISTINCT. Ids below zero are virtual subscribers.
SET NOCOUNT ON;
SET LOCK_TIMEOUT 10000;
IF OBJECT_ID(N'$(database_text).dbo.MSreplservers') IS NULL
   AND HAS_PERMS_BY_NAME(N'$(database_text)', N'DATABASE', N'VIEW DEFINITION') = 1
    SELECT DISTINCT TOP (20001)
        publisher.name AS publisher,
        s.publisher_db,
        p.publication,
        p.publication_type,
        CONVERT(int, s.subscriber_id) AS subscriber_id,
        subscriber.name AS subscriber,
        s.subscriber_db,
        s.subscription_type
    FROM $(database).dbo.MSsubscriptions AS s WITH (READUNCOMMITTED)
    LEFT JOIN $(database).dbo.MSpublications AS p WITH (READUNCOMMITTED) ON p.publication_id = s.publication_id
    LEFT JOIN master.sys.servers AS publisher ON publisher.server_id = s.publisher_id
    LEFT JOIN master.sys.servers AS subscriber ON subscriber.server_id = s.subscriber_id
    WHERE s.subscriber_id >= 0
ELSE
    SELECT DISTINCT TOP (20001)
        publisher.srvname AS publisher,
        s.publisher_db,
        p.publication,
        p.publication_type,
        CONVERT(int, s.subscriber_id) AS subscriber_id,
        subscriber.srvname AS subscriber,
        s.subscriber_db,
        s.subscription_type
    FROM $(database).dbo.MSsubscriptions AS s WITH (READUNCOMMITTED)
    LEFT JOIN $(database).dbo.MSpublications AS p WITH (READUNCOMMITTED) ON p.publication_id = s.publication_id
    LEFT JOIN $(database).dbo.MSreplservers AS publisher WITH (READUNCOMMITTED) ON publisher.srvid = s.publisher_id
    LEFT JOIN $(database).dbo.MSreplservers AS subscriber WITH (READUNCOMMITTED) ON subscriber.srvid = s.subscriber_id
    WHERE s.subscriber_id >= 0;

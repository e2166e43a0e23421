-- assessor: subscriptions
-- purpose: The subscribers of the transactional and snapshot publications of a published database.
-- scope: database
-- versions: 11-
-- platform: any
-- permission: SELECT on dbo.syssubscriptions, dbo.syspublications and dbo.sysextendedarticlesview of the database
-- loses: who subscribes to the database
-- returns: publication nvarchar(128), subscriber nvarchar(128), subscriber_db nvarchar(128), subscription_type int
-- finds: edges
-- rights: SELECT ON $(database).dbo.syspublications [name, pubid, repl_freq, options] else refused;
--   SELECT ON $(database).dbo.syssubscriptions else refused;
--   SELECT ON $(database).dbo.sysextendedarticlesview else refused

-- One row an article, hence DISTINCT. Ids below zero are virtual subscribers: bookkeeping.
SET NOCOUNT ON;
SET LOCK_TIMEOUT 10000;
SELECT DISTINCT TOP (20001)
    p.name AS publication,
    s.srvname AS subscriber,
    s.dest_db AS subscriber_db,
    s.subscription_type
FROM $(database).dbo.syssubscriptions AS s WITH (READUNCOMMITTED)
LEFT JOIN $(database).dbo.sysextendedarticlesview AS a WITH (READUNCOMMITTED) ON a.artid = s.artid
LEFT JOIN $(database).dbo.syspublications AS p WITH (READUNCOMMITTED) ON p.pubid = a.pubid
WHERE s.srvid >= 0;

-- assessor: log_shipping_primaries
-- purpose: The databases that this instance ships, the monitor that it reports to, and the secondaries.
-- scope: server
-- versions: 17-
-- platform: any
-- permission: SELECT on msdb.dbo.log_shipping_primary_databases and msdb.dbo.log_shipping_primary_secondaries
-- loses: whether this instance is a log-shipping primary, and which monitor it connects to
-- returns: primary_database nvarchar(128) not null, monitor_server nvarchar(128),
--   primary_connection_options nvarchar(4000), monitor_connection_options nvarchar(4000),
--   secondary_server nvarchar(128)
-- finds: edges
-- rights: SELECT ON msdb.dbo.log_shipping_primary_databases else refused;
--   SELECT ON msdb.dbo.log_shipping_primary_secondaries else refused

-- The options are connection-string text: all but harmless values are masked before anything is kept of them.
SET NOCOUNT ON;
SET LOCK_TIMEOUT 10000;
SELECT TOP (5001)
    p.primary_database,
    p.monitor_server,
    p.primary_connection_options,
    p.monitor_connection_options,
    s.secondary_server
FROM msdb.dbo.log_shipping_primary_databases AS p WITH (READUNCOMMITTED)
LEFT JOIN msdb.dbo.log_shipping_primary_secondaries AS s WITH (READUNCOMMITTED) ON s.primary_id = p.primary_id
ORDER BY p.primary_database, s.secondary_server;

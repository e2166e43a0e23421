-- assessor: log_shipping_secondaries
-- purpose: The databases that are shipped to this instance, and the monitor that it reports to.
-- scope: server
-- versions: 11-
-- platform: any
-- permission: SELECT on msdb.dbo.log_shipping_secondary and msdb.dbo.log_shipping_secondary_databases
-- loses: whether this instance is a log-shipping secondary, and which monitor it connects to
-- returns: primary_server nvarchar(128) not null, primary_database nvarchar(128) not null,
--   monitor_server nvarchar(128), secondary_database nvarchar(128)
-- finds: edges
-- rights: SELECT ON msdb.dbo.log_shipping_secondary else refused;
--   SELECT ON msdb.dbo.log_shipping_secondary_databases else refused

-- 2025 has connection options for the secondary, too; no published page says where they are kept, so they are not read.
SET NOCOUNT ON;
SET LOCK_TIMEOUT 10000;
SELECT TOP (5001)
    s.primary_server,
    s.primary_database,
    s.monitor_server,
    d.secondary_database
FROM msdb.dbo.log_shipping_secondary AS s WITH (READUNCOMMITTED)
LEFT JOIN msdb.dbo.log_shipping_secondary_databases AS d WITH (READUNCOMMITTED) ON d.secondary_id = s.secondary_id
ORDER BY s.primary_server, s.primary_database;

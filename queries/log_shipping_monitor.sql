-- assessor: log_shipping_monitor
-- purpose: The log-shipping primaries and secondaries that this instance has monitor rows of.
-- scope: server
-- versions: 11-
-- platform: any
-- permission: SELECT on msdb.dbo.log_shipping_monitor_primary and msdb.dbo.log_shipping_monitor_secondary
-- loses: which servers outside the estate report to this instance as their monitor
-- returns: member nvarchar(128) not null, database_name nvarchar(128) not null, is_primary int not null
-- finds: edges
-- rights: SELECT ON msdb.dbo.log_shipping_monitor_primary else refused;
--   SELECT ON msdb.dbo.log_shipping_monitor_secondary else refused

-- A member has rows of itself, too.
SET NOCOUNT ON;
SET LOCK_TIMEOUT 10000;
SELECT TOP (5001)
    m.member,
    m.database_name,
    m.is_primary
FROM (
    SELECT p.primary_server AS member, p.primary_database AS database_name, 1 AS is_primary
    FROM msdb.dbo.log_shipping_monitor_primary AS p WITH (READUNCOMMITTED)
    UNION ALL
    SELECT s.secondary_server, s.secondary_database, 0
    FROM msdb.dbo.log_shipping_monitor_secondary AS s WITH (READUNCOMMITTED)
) AS m
ORDER BY m.member, m.database_name;

-- assessor: permission_test
-- purpose: Which of the rights that the other queries need our login has; all that `assessor check` asks.
-- scope: server
-- versions: 11-
-- platform: any
-- permission: none
-- loses: which queries will work, will be refused or will be silently empty
-- returns: permission nvarchar(60) not null, securable nvarchar(400), column_name nvarchar(128),
--   name nvarchar(128), state_desc nvarchar(60), is_published bit, is_merge_published bit, is_distributor bit,
--   granted int
-- finds: rights
-- rights: none

-- Drawn by assessor/collect/permission_test.py from the headers of all other queries; not to be changed by hand.
-- NULL means that the version does not know the right, or that the object is absent or hidden from us. The function
-- checks rights and reads nothing; a database that we may not enter is not looked into.
SET NOCOUNT ON;
SET LOCK_TIMEOUT 10000;
SELECT
    s.permission,
    CONVERT(nvarchar(400), NULL) AS securable,
    CONVERT(nvarchar(128), NULL) AS column_name,
    CONVERT(nvarchar(128), NULL) AS name,
    CONVERT(nvarchar(60), NULL) AS state_desc,
    CONVERT(bit, NULL) AS is_published,
    CONVERT(bit, NULL) AS is_merge_published,
    CONVERT(bit, NULL) AS is_distributor,
    HAS_PERMS_BY_NAME(NULL, NULL, s.permission) AS granted
FROM (
    VALUES
        (N'ALTER ANY LINKED SERVER'),
        (N'CONNECT ANY DATABASE'),
        (N'VIEW ANY DATABASE'),
        (N'VIEW ANY DEFINITION'),
        (N'VIEW ANY ERROR LOG'),
        (N'VIEW SERVER PERFORMANCE STATE'),
        (N'VIEW SERVER SECURITY STATE'),
        (N'VIEW SERVER STATE')
) AS s (permission)
UNION ALL
SELECT
    r.permission,
    CONVERT(nvarchar(400), NULL) AS securable,
    CONVERT(nvarchar(128), NULL) AS column_name,
    CONVERT(nvarchar(128), NULL) AS name,
    CONVERT(nvarchar(60), NULL) AS state_desc,
    CONVERT(bit, NULL) AS is_published,
    CONVERT(bit, NULL) AS is_merge_published,
    CONVERT(bit, NULL) AS is_distributor,
    IS_SRVROLEMEMBER(r.permission) AS granted
FROM (
    VALUES
        (N'sysadmin')
) AS r (permission)
UNION ALL
SELECT
    o.permission,
    o.securable,
    o.column_name,
    CONVERT(nvarchar(128), NULL) AS name,
    CONVERT(nvarchar(60), NULL) AS state_desc,
    CONVERT(bit, NULL) AS is_published,
    CONVERT(bit, NULL) AS is_merge_published,
    CONVERT(bit, NULL) AS is_distributor,
    CASE
        WHEN o.column_name IS NULL THEN HAS_PERMS_BY_NAME(o.securable, N'OBJECT', o.permission)
        ELSE HAS_PERMS_BY_NAME(o.securable, N'OBJECT', o.permission, o.column_name, N'COLUMN')
    END AS granted
FROM (
    VALUES
        (N'EXECUTE', N'master.dbo.xp_instance_regread', NULL),
        (N'EXECUTE', N'master.dbo.xp_regread', NULL),
        (N'SELECT', N'msdb.dbo.MSagent_parameters', N'parameter_name'),
        (N'SELECT', N'msdb.dbo.MSagent_parameters', N'profile_id'),
        (N'SELECT', N'msdb.dbo.MSagent_parameters', N'value'),
        (N'SELECT', N'msdb.dbo.MSagent_profiles', N'profile_id'),
        (N'SELECT', N'msdb.dbo.MSagent_profiles', N'profile_name'),
        (N'SELECT', N'msdb.dbo.MSdistpublishers', N'active'),
        (N'SELECT', N'msdb.dbo.MSdistpublishers', N'distribution_db'),
        (N'SELECT', N'msdb.dbo.MSdistpublishers', N'name'),
        (N'SELECT', N'msdb.dbo.MSdistributor', NULL),
        (N'SELECT', N'msdb.dbo.log_shipping_monitor_primary', NULL),
        (N'SELECT', N'msdb.dbo.log_shipping_monitor_secondary', NULL),
        (N'SELECT', N'msdb.dbo.log_shipping_primary_databases', NULL),
        (N'SELECT', N'msdb.dbo.log_shipping_primary_secondaries', NULL),
        (N'SELECT', N'msdb.dbo.log_shipping_secondary', NULL),
        (N'SELECT', N'msdb.dbo.log_shipping_secondary_databases', NULL),
        (N'SELECT', N'msdb.dbo.sysjobs', NULL),
        (N'SELECT', N'msdb.dbo.sysjobs', N'enabled'),
        (N'SELECT', N'msdb.dbo.sysjobs', N'job_id'),
        (N'SELECT', N'msdb.dbo.sysjobs', N'name'),
        (N'SELECT', N'msdb.dbo.sysjobsteps', NULL),
        (N'SELECT', N'msdb.dbo.sysjobsteps', N'command'),
        (N'SELECT', N'msdb.dbo.sysjobsteps', N'job_id'),
        (N'SELECT', N'msdb.dbo.sysjobsteps', N'step_id'),
        (N'SELECT', N'msdb.dbo.sysjobsteps', N'subsystem'),
        (N'SELECT', N'msdb.dbo.sysoriginatingservers_view', NULL),
        (N'SELECT', N'msdb.dbo.systargetservers', NULL)
) AS o (permission, securable, column_name)
UNION ALL
SELECT TOP (50001)
    t.permission,
    t.securable,
    t.column_name,
    d.name,
    d.state_desc,
    d.is_published,
    d.is_merge_published,
    d.is_distributor,
    CASE
        WHEN t.permission = N'ENTER' THEN HAS_DBACCESS(d.name)
        WHEN d.state_desc <> N'ONLINE' OR COALESCE(HAS_DBACCESS(d.name), 0) = 0 THEN NULL
        WHEN t.column_name IS NULL
            THEN HAS_PERMS_BY_NAME(QUOTENAME(d.name) + N'.' + t.securable, N'OBJECT', t.permission)
        ELSE HAS_PERMS_BY_NAME(
            QUOTENAME(d.name) + N'.' + t.securable, N'OBJECT', t.permission, t.column_name, N'COLUMN')
    END AS granted
FROM sys.databases AS d
CROSS JOIN (
    VALUES
        (N'ENTER', CONVERT(nvarchar(400), NULL), CONVERT(nvarchar(128), NULL)),
        (N'SELECT', N'dbo.MSdistribution_agents', N'name'),
        (N'SELECT', N'dbo.MSdistribution_agents', N'profile_id'),
        (N'SELECT', N'dbo.MSdistribution_agents', N'publication'),
        (N'SELECT', N'dbo.MSdistribution_agents', N'publisher_db'),
        (N'SELECT', N'dbo.MSdistribution_agents', N'subscriber_db'),
        (N'SELECT', N'dbo.MSlogreader_agents', N'name'),
        (N'SELECT', N'dbo.MSlogreader_agents', N'profile_id'),
        (N'SELECT', N'dbo.MSlogreader_agents', N'publication'),
        (N'SELECT', N'dbo.MSlogreader_agents', N'publisher_db'),
        (N'SELECT', N'dbo.MSmerge_agents', N'name'),
        (N'SELECT', N'dbo.MSmerge_agents', N'profile_id'),
        (N'SELECT', N'dbo.MSmerge_agents', N'publication'),
        (N'SELECT', N'dbo.MSmerge_agents', N'publisher_db'),
        (N'SELECT', N'dbo.MSmerge_agents', N'subscriber_db'),
        (N'SELECT', N'dbo.MSmerge_subscriptions', NULL),
        (N'SELECT', N'dbo.MSpublications', NULL),
        (N'SELECT', N'dbo.MSredirected_publishers', NULL),
        (N'SELECT', N'dbo.MSreplication_subscriptions', NULL),
        (N'SELECT', N'dbo.MSreplservers', NULL),
        (N'SELECT', N'dbo.MSsnapshot_agents', N'name'),
        (N'SELECT', N'dbo.MSsnapshot_agents', N'profile_id'),
        (N'SELECT', N'dbo.MSsnapshot_agents', N'publication'),
        (N'SELECT', N'dbo.MSsnapshot_agents', N'publisher_db'),
        (N'SELECT', N'dbo.MSsubscription_properties', N'distributor'),
        (N'SELECT', N'dbo.MSsubscription_properties', N'publication'),
        (N'SELECT', N'dbo.MSsubscription_properties', N'publisher'),
        (N'SELECT', N'dbo.MSsubscription_properties', N'publisher_db'),
        (N'SELECT', N'dbo.MSsubscriptions', NULL),
        (N'SELECT', N'dbo.sysextendedarticlesview', NULL),
        (N'SELECT', N'dbo.sysmergepublications', N'distributor'),
        (N'SELECT', N'dbo.sysmergepublications', N'name'),
        (N'SELECT', N'dbo.sysmergepublications', N'pubid'),
        (N'SELECT', N'dbo.sysmergepublications', N'publisher'),
        (N'SELECT', N'dbo.sysmergepublications', N'publisher_db'),
        (N'SELECT', N'dbo.sysmergesubscriptions', NULL),
        (N'SELECT', N'dbo.syspublications', N'name'),
        (N'SELECT', N'dbo.syspublications', N'options'),
        (N'SELECT', N'dbo.syspublications', N'pubid'),
        (N'SELECT', N'dbo.syspublications', N'repl_freq'),
        (N'SELECT', N'dbo.syssubscriptions', NULL)
) AS t (permission, securable, column_name);

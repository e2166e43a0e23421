-- assessor: permissions
-- purpose: Who we are to this instance, what we may see there, and through which port we came.
-- scope: server
-- versions: 11-
-- platform: any
-- permission: none
-- loses: which of the empty answers below are really empty, and which were hidden from this login
-- returns: login_name nvarchar(128), local_net_address nvarchar(48), local_tcp_port int,
--   is_sysadmin int, view_server_state int, view_any_definition int, view_any_database int,
--   alter_any_linked_server int, view_server_performance_state int, view_server_security_state int,
--   view_any_error_log int, product_version nvarchar(128), engine_edition int, path_separator nvarchar(10)
-- finds: rights
-- rights: none

-- HAS_PERMS_BY_NAME answers NULL to a right that the version does not know (the last three are of 2022).
SELECT
    CONVERT(nvarchar(128), SUSER_SNAME()) AS login_name,
    CONVERT(nvarchar(48), CONNECTIONPROPERTY('local_net_address')) AS local_net_address,
    CONVERT(int, CONNECTIONPROPERTY('local_tcp_port')) AS local_tcp_port,
    IS_SRVROLEMEMBER('sysadmin') AS is_sysadmin,
    HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE') AS view_server_state,
    HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW ANY DEFINITION') AS view_any_definition,
    HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW ANY DATABASE') AS view_any_database,
    HAS_PERMS_BY_NAME(NULL, NULL, 'ALTER ANY LINKED SERVER') AS alter_any_linked_server,
    HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER PERFORMANCE STATE') AS view_server_performance_state,
    HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER SECURITY STATE') AS view_server_security_state,
    HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW ANY ERROR LOG') AS view_any_error_log,
    CONVERT(nvarchar(128), SERVERPROPERTY('ProductVersion')) AS product_version,
    CONVERT(int, SERVERPROPERTY('EngineEdition')) AS engine_edition,
    CONVERT(nvarchar(10), SERVERPROPERTY('PathSeparator')) AS path_separator;

-- assessor: identity
-- purpose: Who the instance is: its names, version, edition and platform.
-- scope: server
-- versions: 11-
-- platform: any
-- permission: none
-- loses: everything about the instance, for its version decides which other queries fit
-- returns: server_name nvarchar(128) not null, registered_name nvarchar(128), machine_name nvarchar(128),
--   physical_name nvarchar(128), instance_name nvarchar(128), product_version nvarchar(128) not null,
--   edition nvarchar(128), engine_edition int, path_separator nvarchar(10), is_hadr_enabled int,
--   is_clustered int
-- finds: edges
-- rights: none

-- SERVERPROPERTY answers NULL to a name that the version does not know, never an error.
-- PathSeparator (2017 and later) tells Linux from Windows without any right.
SELECT
    CONVERT(nvarchar(128), SERVERPROPERTY('ServerName')) AS server_name,
    CONVERT(nvarchar(128), @@SERVERNAME) AS registered_name,
    CONVERT(nvarchar(128), SERVERPROPERTY('MachineName')) AS machine_name,
    CONVERT(nvarchar(128), SERVERPROPERTY('ComputerNamePhysicalNetBIOS')) AS physical_name,
    CONVERT(nvarchar(128), SERVERPROPERTY('InstanceName')) AS instance_name,
    CONVERT(nvarchar(128), SERVERPROPERTY('ProductVersion')) AS product_version,
    CONVERT(nvarchar(128), SERVERPROPERTY('Edition')) AS edition,
    CONVERT(int, SERVERPROPERTY('EngineEdition')) AS engine_edition,
    CONVERT(nvarchar(10), SERVERPROPERTY('PathSeparator')) AS path_separator,
    CONVERT(int, SERVERPROPERTY('IsHadrEnabled')) AS is_hadr_enabled,
    CONVERT(int, SERVERPROPERTY('IsClustered')) AS is_clustered;

-- assessor: startup_parameters
-- purpose: The start-up parameters, for a trace flag that is not among them is gone after the next restart.
-- scope: server
-- versions: 11-
-- platform: windows
-- permission: VIEW SERVER STATE up to 2019; VIEW SERVER PERFORMANCE STATE from 2022
-- loses: whether trace flag 17600 survives a restart
-- returns: value_name nvarchar(256) not null, value_data nvarchar(4000)
-- finds: settings
-- rights: VIEW SERVER STATE (11-15) else refused; VIEW SERVER PERFORMANCE STATE (16-) else refused

-- There is always one for the master database, so no rows means unknown.
SELECT TOP (200)
    r.value_name,
    TRY_CONVERT(nvarchar(4000), r.value_data) AS value_data
FROM sys.dm_server_registry AS r
WHERE r.value_name LIKE N'SQLArg%';

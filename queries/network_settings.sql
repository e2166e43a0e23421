-- assessor: network_settings
-- purpose: Whether the instance forces encryption, forces strict encryption or hides itself, and its certificate.
-- scope: server
-- versions: 11-
-- platform: windows
-- permission: VIEW SERVER STATE up to 2019; VIEW SERVER PERFORMANCE STATE from 2022
-- loses: what the instance is configured to do at its next start: forced encryption, certificate, hidden or not
-- returns: registry_key nvarchar(256), value_name nvarchar(256) not null, value_data nvarchar(4000)
-- finds: settings
-- rights: VIEW SERVER STATE (11-15) else refused; VIEW SERVER PERFORMANCE STATE (16-) else refused

-- No rows means unknown, never "off": so it is on Linux, and so it may be for a single value.
SELECT TOP (100)
    r.registry_key,
    r.value_name,
    TRY_CONVERT(nvarchar(4000), r.value_data) AS value_data
FROM sys.dm_server_registry AS r
WHERE (r.registry_key LIKE N'%\SuperSocketNetLib' OR r.registry_key LIKE N'%\SuperSocketNetLib\')
  AND r.value_name IN (N'ForceEncryption', N'Encrypt', N'ForceStrict', N'HideInstance', N'Certificate');

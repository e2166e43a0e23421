-- assessor: feature_settings
-- purpose: The settings that say whether ad hoc queries and PolyBase are in use.
-- scope: server
-- versions: 11-
-- platform: any
-- permission: none
-- loses: whether OPENROWSET with a provider is allowed at all, and whether PolyBase encrypts its local hop
-- returns: is_polybase_installed int, ad_hoc_distributed_queries int, polybase_network_encryption int
-- finds: edges
-- rights: none

-- An option that the version does not know has no row, and NULL comes back.
SELECT
    CONVERT(int, SERVERPROPERTY('IsPolyBaseInstalled')) AS is_polybase_installed,
    (SELECT CONVERT(int, c.value_in_use) FROM sys.configurations AS c
     WHERE c.name = N'Ad Hoc Distributed Queries') AS ad_hoc_distributed_queries,
    (SELECT CONVERT(int, c.value_in_use) FROM sys.configurations AS c
     WHERE c.name = N'polybase network encryption') AS polybase_network_encryption;

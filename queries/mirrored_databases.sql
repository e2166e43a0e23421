-- assessor: mirrored_databases
-- purpose: The mirrored databases of the instance, their partners and witnesses.
-- scope: server
-- versions: 11-
-- platform: windows
-- permission: VIEW ANY DEFINITION; on the instance with the mirror copy sysadmin (others see no rows, as without mirroring)
-- loses: which partners and witnesses the mirroring endpoints talk to
-- returns: database_name nvarchar(128), role_desc nvarchar(60), partner_name nvarchar(128),
--   partner_instance nvarchar(128), witness_name nvarchar(128)
-- finds: edges
-- rights: VIEW ANY DEFINITION else hidden

SELECT TOP (5001)
    d.name AS database_name,
    m.mirroring_role_desc AS role_desc,
    m.mirroring_partner_name AS partner_name,
    m.mirroring_partner_instance AS partner_instance,
    m.mirroring_witness_name AS witness_name
FROM sys.database_mirroring AS m
LEFT JOIN sys.databases AS d ON d.database_id = m.database_id
WHERE m.mirroring_guid IS NOT NULL
ORDER BY d.name;

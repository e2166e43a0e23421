-- assessor: external_data_sources
-- purpose: The external data sources of a database: PolyBase dials those whose location begins with sqlserver://.
-- scope: database
-- versions: 13-14
-- platform: any
-- permission: VIEW ANY DEFINITION (without it there are no rows, exactly as without sources)
-- loses: which servers PolyBase connects to from this database
-- returns: name nvarchar(128) not null, type_desc nvarchar(255), location nvarchar(4000),
--   connection_options nvarchar(4000)
-- finds: edges
-- rights: VIEW ANY DEFINITION else hidden

-- Options came with 2019: before it there are none.
SELECT TOP (5001)
    e.name,
    e.type_desc,
    e.[location] AS location,
    CONVERT(nvarchar(4000), NULL) AS connection_options
FROM $(database).sys.external_data_sources AS e
ORDER BY e.name;

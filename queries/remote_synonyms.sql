-- assessor: remote_synonyms
-- purpose: The synonyms that stand for an object on a linked server.
-- scope: database
-- versions: 11-
-- platform: any
-- permission: VIEW ANY DEFINITION (without it there are no rows, exactly as without synonyms)
-- loses: which synonyms use a linked server
-- returns: schema_name nvarchar(128), synonym_name nvarchar(128) not null, base_object_name nvarchar(1035) not null
-- finds: findings
-- rights: VIEW ANY DEFINITION else hidden

SET NOCOUNT ON;
SET LOCK_TIMEOUT 10000;
SELECT TOP (5001)
    s.name AS schema_name,
    y.name AS synonym_name,
    y.base_object_name
FROM $(database).sys.synonyms AS y
LEFT JOIN $(database).sys.schemas AS s ON s.schema_id = y.schema_id
WHERE y.base_object_name LIKE N'%.%.%.%'
ORDER BY s.name, y.name;

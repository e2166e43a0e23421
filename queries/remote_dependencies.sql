-- assessor: remote_dependencies
-- purpose: The four-part names that the server itself found in modules, encrypted ones included.
-- scope: database
-- versions: 11-
-- platform: any
-- permission: SELECT on sys.sql_expression_dependencies of the database (db_owner has it), and VIEW DEFINITION
-- loses: which encrypted modules use a linked server
-- returns: object_id int, schema_name nvarchar(128), object_name nvarchar(128), server_name nvarchar(128) not null
-- finds: findings
-- rights: none

-- Read by a login that may not, this view can spin for ever instead of being refused (seen on 2016 to 2025), so the
-- right is asked for first; without it nothing is lost but encrypted modules, for the texts are searched as well.
SET NOCOUNT ON;
SET LOCK_TIMEOUT 10000;
IF HAS_PERMS_BY_NAME(N'$(database_text).sys.sql_expression_dependencies', N'OBJECT', N'SELECT') = 1
    SELECT DISTINCT TOP (5001)
        o.object_id,
        s.name AS schema_name,
        o.name AS object_name,
        d.referenced_server_name AS server_name
    FROM $(database).sys.sql_expression_dependencies AS d
    LEFT JOIN $(database).sys.objects AS o ON o.object_id = d.referencing_id
    LEFT JOIN $(database).sys.schemas AS s ON s.schema_id = o.schema_id
    WHERE d.referenced_server_name IS NOT NULL
ELSE
    SELECT
        CONVERT(int, NULL) AS object_id,
        CONVERT(nvarchar(128), NULL) AS schema_name,
        CONVERT(nvarchar(128), NULL) AS object_name,
        CONVERT(nvarchar(128), NULL) AS server_name
    WHERE 1 = 0;

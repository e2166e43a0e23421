-- assessor: database_features
-- purpose: Features of a database that the upgrade removes or changes: full-text indexes, Master Data Services.
-- scope: database
-- versions: 17-
-- platform: any
-- permission: VIEW ANY DEFINITION
-- loses: whether the database has full-text indexes of the old version, or features that SQL Server 2025 does not have
-- returns: full_text_indexes int, old_full_text_indexes int, master_data_tables int, stretched_tables int, sees_all int
-- finds: findings
-- rights: VIEW ANY DEFINITION else hidden

-- Without the right the views show fewer rows and no error, so a zero counts only where sees_all is 1.
-- Since 2025 an index says its version; one that was there before the upgrade stays at 1 until it is rebuilt.
SET NOCOUNT ON;
SET LOCK_TIMEOUT 10000;
SELECT
    (SELECT COUNT(i.object_id) FROM $(database).sys.fulltext_indexes AS i) AS full_text_indexes,
    (SELECT COUNT(o.object_id) FROM $(database).sys.fulltext_indexes AS o WHERE o.index_version = 1)
        AS old_full_text_indexes,
    (
        SELECT COUNT(t.object_id)
        FROM $(database).sys.tables AS t
        INNER JOIN $(database).sys.schemas AS s ON s.schema_id = t.schema_id
        WHERE s.name = N'mdm' AND t.name = N'tblSystemSetting'
    ) AS master_data_tables,
    0 AS stretched_tables,
    HAS_PERMS_BY_NAME(N'$(database_text)', N'DATABASE', N'VIEW DEFINITION') AS sees_all;

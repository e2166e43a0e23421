-- assessor: database_features
-- purpose: Features of a database that the upgrade removes or changes: full-text indexes, Master Data Services, Stretch.
-- scope: database
-- versions: 13-16
-- platform: any
-- permission: VIEW ANY DEFINITION
-- loses: whether the database has full-text indexes of the old version, or features that SQL Server 2025 does not have
-- returns: full_text_indexes int, old_full_text_indexes int, master_data_tables int, stretched_tables int, sees_all int
-- finds: findings
-- rights: VIEW ANY DEFINITION else hidden

-- Without the right the views show fewer rows and no error, so a zero counts only where sees_all is 1.
-- Before 2025 every full-text index is of version 1 in the words of 2025.
SET NOCOUNT ON;
SET LOCK_TIMEOUT 10000;
SELECT
    (SELECT COUNT(i.object_id) FROM $(database).sys.fulltext_indexes AS i) AS full_text_indexes,
    (SELECT COUNT(o.object_id) FROM $(database).sys.fulltext_indexes AS o) AS old_full_text_indexes,
    (
        SELECT COUNT(t.object_id)
        FROM $(database).sys.tables AS t
        INNER JOIN $(database).sys.schemas AS s ON s.schema_id = t.schema_id
        WHERE s.name = N'mdm' AND t.name = N'tblSystemSetting'
    ) AS master_data_tables,
    (SELECT COUNT(r.object_id) FROM $(database).sys.tables AS r WHERE r.is_remote_data_archive_enabled = 1)
        AS stretched_tables,
    HAS_PERMS_BY_NAME(N'$(database_text)', N'DATABASE', N'VIEW DEFINITION') AS sees_all;

-- assessor: module_texts
-- purpose: The text of those modules that name a linked server or open an ad hoc connection; read, then thrown away.
-- scope: database
-- versions: 11-
-- platform: any
-- permission: VIEW ANY DEFINITION (without it there are no rows, exactly as without modules)
-- loses: which modules use a linked server, and the connections that OPENROWSET and OPENDATASOURCE open
-- returns: object_id int not null, schema_name nvarchar(128), object_name nvarchar(128), piece int not null,
--   text_piece nvarchar(4000), text_bytes int
-- finds: edges
-- rights: VIEW ANY DEFINITION else hidden

-- Only modules that may matter leave the server, in pieces of 4000 characters, 16 at most. The names are compared
-- without regard to the database's collation, for a module may write OpenRowset. A text that is NULL is encrypted
-- (or hidden from us, which the permissions tell).
SET NOCOUNT ON;
SET LOCK_TIMEOUT 10000;
SELECT TOP (4001)
    m.object_id,
    s.name AS schema_name,
    COALESCE(o.name, t.name) AS object_name,
    n.piece,
    SUBSTRING(m.definition, n.piece * 4000 + 1, 4000) AS text_piece,
    CONVERT(int, DATALENGTH(m.definition)) AS text_bytes
FROM $(database).sys.sql_modules AS m
LEFT JOIN $(database).sys.objects AS o ON o.object_id = m.object_id
LEFT JOIN $(database).sys.schemas AS s ON s.schema_id = o.schema_id
LEFT JOIN $(database).sys.triggers AS t ON t.object_id = m.object_id
INNER JOIN (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12), (13), (14), (15)) AS n (piece)
    ON n.piece = 0 OR n.piece * 8000 < DATALENGTH(m.definition)
WHERE COALESCE(o.is_ms_shipped, t.is_ms_shipped, 0) = 0
  AND (
    m.definition IS NULL
    OR m.definition COLLATE Latin1_General_100_CI_AS LIKE N'%OPENROWSET%'
    OR m.definition COLLATE Latin1_General_100_CI_AS LIKE N'%OPENDATASOURCE%'
    OR EXISTS (
        SELECT v.name FROM master.sys.servers AS v
        WHERE v.server_id <> 0
          AND CHARINDEX(
            REPLACE(v.name, N']', N']]') COLLATE Latin1_General_100_CI_AS,
            m.definition COLLATE Latin1_General_100_CI_AS) > 0
    )
  )
ORDER BY m.object_id, n.piece;

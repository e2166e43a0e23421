-- assessor: publications
-- purpose: The transactional, snapshot and peer-to-peer publications of a published database.
-- scope: database
-- versions: 11-
-- platform: any
-- permission: SELECT on dbo.syspublications of the publication database
-- loses: what the database publishes
-- returns: name nvarchar(128) not null, repl_freq int, options int
-- finds: edges
-- rights: SELECT ON $(database).dbo.syspublications [name, pubid, repl_freq, options] else refused

SET NOCOUNT ON;
SET LOCK_TIMEOUT 10000;
SELECT TOP (5001)
    p.name,
    CONVERT(int, p.repl_freq) AS repl_freq,
    CONVERT(int, p.options) AS options
FROM $(database).dbo.syspublications AS p WITH (READUNCOMMITTED)
ORDER BY p.name;

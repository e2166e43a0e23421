-- assessor: module_last_runs
-- purpose: When procedures and triggers last ran, as far as the plan cache remembers; a hint beside what uses a link.
-- scope: server
-- versions: 11-
-- platform: any
-- permission: VIEW SERVER STATE (2022 and later: VIEW SERVER PERFORMANCE STATE)
-- loses: when a module that uses a linked server was last seen to run
-- returns: database_name nvarchar(128), object_id int not null, last_execution_time datetime
-- finds: findings
-- rights: VIEW SERVER STATE (11-15) else refused; VIEW SERVER PERFORMANCE STATE (16-) else refused

-- What was never cached, or has left the cache, is not here: no row proves nothing.
SET NOCOUNT ON;
SELECT TOP (20001)
    DB_NAME(r.database_id) AS database_name,
    r.object_id,
    MAX(r.last_execution_time) AS last_execution_time
FROM (
    SELECT p.database_id, p.object_id, p.last_execution_time FROM sys.dm_exec_procedure_stats AS p
    UNION ALL
    SELECT t.database_id, t.object_id, t.last_execution_time FROM sys.dm_exec_trigger_stats AS t
) AS r
WHERE r.database_id <> 32767
GROUP BY r.database_id, r.object_id
ORDER BY MAX(r.last_execution_time) DESC;

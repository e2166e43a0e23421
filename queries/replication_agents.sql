-- assessor: replication_agents
-- purpose: The command lines of the replication agents that run on this instance, for the servers and the encryption
--   level that they name.
-- scope: server
-- versions: 11-
-- platform: any
-- permission: SELECT on msdb.dbo.sysjobs and msdb.dbo.sysjobsteps (they show every command: the owner's decision)
-- loses: what the agents' own switches say about servers and encryption, which overrides what replication's tables say
-- returns: job_name nvarchar(128) not null, enabled int, subsystem nvarchar(40) not null, command nvarchar(4000)
-- finds: settings
-- rights: SELECT ON msdb.dbo.sysjobs [job_id, name, enabled] else refused;
--   SELECT ON msdb.dbo.sysjobsteps [job_id, step_id, subsystem, command] else refused

-- A command may hold passwords (-SubscriberPassword). It is cut here, and all but harmless values are masked before
-- anything is kept of it.
SET NOCOUNT ON;
SET LOCK_TIMEOUT 10000;
SELECT TOP (5001)
    j.name AS job_name,
    CONVERT(int, j.enabled) AS enabled,
    s.subsystem,
    LEFT(s.command, 4000) AS command
FROM msdb.dbo.sysjobsteps AS s WITH (READUNCOMMITTED)
INNER JOIN msdb.dbo.sysjobs AS j WITH (READUNCOMMITTED) ON j.job_id = s.job_id
WHERE s.subsystem IN (N'Distribution', N'LogReader', N'Merge', N'QueueReader', N'Snapshot')
ORDER BY j.name, s.step_id;

-- assessor: job_steps
-- purpose: The Agent job steps that run a program or script, or whose T-SQL names a linked server or dials by itself.
-- scope: server
-- versions: 11-
-- platform: any
-- permission: SELECT on msdb.dbo.sysjobs and msdb.dbo.sysjobsteps
-- loses: the connections that job steps open by sqlcmd, bcp, dtexec and PowerShell, and which steps use a linked server
-- returns: job_name nvarchar(128) not null, is_enabled int, step_id int not null, step_name nvarchar(128),
--   subsystem nvarchar(40), database_name nvarchar(128), command nvarchar(4000), command_bytes int,
--   last_run_date int, last_run_time int
-- finds: edges
-- rights: SELECT ON msdb.dbo.sysjobs else refused; SELECT ON msdb.dbo.sysjobsteps else refused

-- A command can hold passwords: it is cut here, taken apart where it arrives, and never stored.
SET NOCOUNT ON;
SET LOCK_TIMEOUT 10000;
SELECT TOP (5001)
    j.name AS job_name,
    CONVERT(int, j.enabled) AS is_enabled,
    s.step_id,
    s.step_name,
    s.subsystem,
    s.database_name,
    LEFT(s.command, 4000) AS command,
    CONVERT(int, DATALENGTH(s.command)) AS command_bytes,
    s.last_run_date,
    s.last_run_time
FROM msdb.dbo.sysjobsteps AS s WITH (READUNCOMMITTED)
INNER JOIN msdb.dbo.sysjobs AS j WITH (READUNCOMMITTED) ON j.job_id = s.job_id
WHERE s.subsystem IN (N'CmdExec', N'PowerShell', N'SSIS', N'Dts', N'ActiveScripting')
   OR (
    s.subsystem = N'TSQL'
    AND (
      s.command COLLATE Latin1_General_100_CI_AS LIKE N'%xp[_]cmdshell%'
      OR s.command COLLATE Latin1_General_100_CI_AS LIKE N'%OPENROWSET%'
      OR s.command COLLATE Latin1_General_100_CI_AS LIKE N'%OPENDATASOURCE%'
      OR EXISTS (
          SELECT v.name FROM master.sys.servers AS v
          WHERE v.server_id <> 0
            AND CHARINDEX(
              REPLACE(v.name, N']', N']]') COLLATE Latin1_General_100_CI_AS,
              s.command COLLATE Latin1_General_100_CI_AS) > 0
      )
    )
  )
ORDER BY j.name, s.step_id;

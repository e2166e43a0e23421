-- assessor: agent_profiles
-- purpose: The agents of a distribution database whose profile states an encryption level.
-- scope: database
-- versions: 11-
-- platform: any
-- permission: SELECT on msdb.dbo.MSagent_profiles and msdb.dbo.MSagent_parameters, and on dbo.MSdistribution_agents,
--   dbo.MSlogreader_agents, dbo.MSsnapshot_agents and dbo.MSmerge_agents of the distribution database
-- loses: whether an agent verifies certificates because its profile says so
-- returns: subsystem nvarchar(40) not null, agent_name nvarchar(128) not null, publisher_db nvarchar(128),
--   publication nvarchar(128), subscriber_db nvarchar(128), profile_name nvarchar(128) not null, value nvarchar(255)
-- finds: settings
-- rights: SELECT ON msdb.dbo.MSagent_profiles [profile_id, profile_name] else refused;
--   SELECT ON msdb.dbo.MSagent_parameters [profile_id, parameter_name, value] else refused;
--   SELECT ON $(database).dbo.MSdistribution_agents [name, publisher_db, publication, subscriber_db, profile_id]
--   else refused;
--   SELECT ON $(database).dbo.MSlogreader_agents [name, publisher_db, publication, profile_id] else refused;
--   SELECT ON $(database).dbo.MSsnapshot_agents [name, publisher_db, publication, profile_id] else refused;
--   SELECT ON $(database).dbo.MSmerge_agents [name, publisher_db, publication, subscriber_db, profile_id] else refused

-- A pull agent's row stands at the distributor, too, though its job runs at the subscriber.
SET NOCOUNT ON;
SET LOCK_TIMEOUT 10000;
SELECT TOP (5001)
    a.subsystem,
    a.agent_name,
    a.publisher_db,
    a.publication,
    a.subscriber_db,
    f.profile_name,
    p.value
FROM (
    SELECT
        N'Distribution' AS subsystem, d.name AS agent_name, d.publisher_db, d.publication, d.subscriber_db, d.profile_id
    FROM $(database).dbo.MSdistribution_agents AS d WITH (READUNCOMMITTED)
    UNION ALL
    SELECT N'LogReader', l.name, l.publisher_db, l.publication, CONVERT(nvarchar(128), NULL), l.profile_id
    FROM $(database).dbo.MSlogreader_agents AS l WITH (READUNCOMMITTED)
    UNION ALL
    SELECT N'Snapshot', s.name, s.publisher_db, s.publication, CONVERT(nvarchar(128), NULL), s.profile_id
    FROM $(database).dbo.MSsnapshot_agents AS s WITH (READUNCOMMITTED)
    UNION ALL
    SELECT N'Merge', m.name, m.publisher_db, m.publication, m.subscriber_db, m.profile_id
    FROM $(database).dbo.MSmerge_agents AS m WITH (READUNCOMMITTED)
) AS a
INNER JOIN msdb.dbo.MSagent_profiles AS f WITH (READUNCOMMITTED) ON f.profile_id = a.profile_id
INNER JOIN msdb.dbo.MSagent_parameters AS p WITH (READUNCOMMITTED) ON p.profile_id = a.profile_id
WHERE p.parameter_name IN (N'-EncryptionLevel', N'EncryptionLevel')
ORDER BY a.subsystem, a.agent_name;

-- assessor: security_log_audits
-- purpose: How many server audits write to the Windows Security log, for on 2025 only the first one does.
-- scope: server
-- versions: 11-
-- platform: windows
-- permission: VIEW ANY DEFINITION
-- loses: whether several server audits write to the Windows Security log
-- returns: audits int not null, sees_all int
-- finds: findings
-- rights: VIEW ANY DEFINITION else hidden

-- Without the right there are no rows and no error, so a zero counts only where sees_all is 1.
SELECT
    (SELECT COUNT(a.audit_id) FROM sys.server_audits AS a WHERE a.type = N'SL' AND a.is_state_enabled = 1) AS audits,
    HAS_PERMS_BY_NAME(NULL, NULL, N'VIEW ANY DEFINITION') AS sees_all;

-- assessor: login_mappings
-- purpose: Which local login becomes which remote login on each linked server; never a password.
-- scope: server
-- versions: 11-
-- platform: any
-- permission: ALTER ANY LINKED SERVER or ALTER ANY LOGIN; VIEW ANY DEFINITION for the names of other logins
-- loses: as whom connections to the linked servers are made
-- returns: server_name nvarchar(128) not null, local_principal_id int not null, local_login nvarchar(128),
--   uses_self_credential bit, remote_name nvarchar(128)
-- finds: settings
-- rights: ALTER ANY LINKED SERVER else hidden; VIEW ANY DEFINITION else hidden

-- The name of a principal that we may not see is NULL; that must not lose the mapping.
SELECT TOP (50001)
    s.name AS server_name,
    l.local_principal_id,
    p.name AS local_login,
    l.uses_self_credential,
    l.remote_name
FROM sys.linked_logins AS l
INNER JOIN sys.servers AS s ON s.server_id = l.server_id
LEFT JOIN sys.server_principals AS p ON p.principal_id = l.local_principal_id AND l.local_principal_id <> 0
WHERE s.server_id <> 0
ORDER BY s.name, l.local_principal_id;

-- assessor: listeners
-- purpose: The addresses and ports that the instance listens on.
-- scope: server
-- versions: 11-
-- platform: any
-- permission: VIEW SERVER STATE up to 2019; VIEW SERVER SECURITY STATE from 2022
-- loses: the other ports of the instance, so a definition that dials one may not be recognised as this instance
-- returns: ip_address nvarchar(48) not null, port int not null, type_desc nvarchar(20) not null,
--   state_desc nvarchar(16)
-- finds: settings
-- rights: VIEW SERVER STATE (11-15) else refused; VIEW SERVER SECURITY STATE (16-) else refused

SELECT TOP (1000)
    l.ip_address,
    CONVERT(int, l.port) AS port,
    l.type_desc,
    l.state_desc
FROM sys.dm_tcp_listener_states AS l
ORDER BY l.type_desc, l.port, l.ip_address;

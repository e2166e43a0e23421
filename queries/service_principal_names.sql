-- assessor: service_principal_names
-- purpose: The full DNS name of the host, as the start-up lines about service principal names spell it.
-- scope: server
-- versions: 11-
-- platform: any
-- permission: VIEW SERVER STATE up to 2019 (older builds: securityadmin); VIEW ANY ERROR LOG from 2022
-- loses: the full DNS name of the host, where the registry does not tell it either
-- returns: LogDate datetime, ProcessInfo nvarchar(100), Text nvarchar(4000)
-- finds: settings
-- rights: VIEW SERVER STATE (11-15) else refused; VIEW ANY ERROR LOG (16-) else refused

-- "MSSQLSvc/host.domain:port" stands in messages 26037 and 26059 and is not translated.
EXEC sys.sp_readerrorlog @p1 = 0, @p2 = 1, @p3 = N'MSSQLSvc/';

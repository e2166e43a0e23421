-- assessor: loaded_certificate
-- purpose: The thumbprint of the certificate that the instance loaded at its start (message 26013).
-- scope: server
-- versions: 11-
-- platform: any
-- permission: VIEW SERVER STATE up to 2019 (older builds: securityadmin); VIEW ANY ERROR LOG from 2022
-- loses: which certificate is in force, so a changed setting that waits for a restart goes unseen
-- returns: LogDate datetime, ProcessInfo nvarchar(100), Text nvarchar(4000)
-- finds: settings
-- rights: VIEW SERVER STATE (11-15) else refused; VIEW ANY ERROR LOG (16-) else refused

-- The words around "Cert Hash(sha1)" are translated on localised servers, this part is not.
EXEC sys.sp_readerrorlog @p1 = 0, @p2 = 1, @p3 = N'Cert Hash(sha1)';

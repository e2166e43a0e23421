-- assessor: trace_flags
-- purpose: Whether trace flag 17600 is on, which keeps the behaviour of OLE DB driver 18 on SQL Server 2025.
-- scope: server
-- versions: 11-
-- platform: any
-- permission: none
-- loses: whether trace flag 17600 is on now
-- returns: TraceFlag int not null, Status int, Global int not null, Session int
-- finds: settings
-- rights: none

DBCC TRACESTATUS (17600, -1) WITH NO_INFOMSGS;

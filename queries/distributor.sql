-- assessor: distributor
-- purpose: The distributor that this instance publishes through.
-- scope: server
-- versions: 11-
-- platform: any
-- permission: none
-- loses: the name of the distributor, where the hidden linked server repl_distributor does not tell it
-- returns: distributor nvarchar(128), [distribution database] nvarchar(128)
-- finds: edges
-- rights: none

-- The procedure returns more columns than these two; they are its own names, and the rest is not read.
EXEC master.sys.sp_helpdistributor;

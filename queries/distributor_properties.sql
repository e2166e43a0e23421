-- assessor: distributor_properties
-- purpose: How this publisher's hidden link to its distributor encrypts and validates.
-- scope: server
-- versions: 17-
-- platform: any
-- permission: SELECT on msdb.dbo.MSdistributor
-- loses: whether the link to the distributor validates the distributor's certificate
-- returns: property nvarchar(128) not null, value nvarchar(3000)
-- finds: settings
-- rights: SELECT ON msdb.dbo.MSdistributor else refused

-- Asked only where a distributor is known, for the table appears with it.
SET NOCOUNT ON;
SET LOCK_TIMEOUT 10000;
SELECT TOP (51)
    d.property,
    d.value
FROM msdb.dbo.MSdistributor AS d WITH (READUNCOMMITTED)
WHERE d.property IN (
    N'encrypt_distributor_connection', N'trust_distributor_certificate', N'host_name_in_distributor_certificate'
)
ORDER BY d.property;

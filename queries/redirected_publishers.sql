-- assessor: redirected_publishers
-- purpose: Publishers that the agents of a distribution database reach through an availability group listener.
-- scope: database
-- versions: 11-
-- platform: any
-- permission: VIEW ANY DEFINITION to know that there are none; SELECT on dbo.MSredirected_publishers of the
--   distribution database
-- loses: which listener the agents connect to instead of the publisher
-- returns: original_publisher nvarchar(128) not null, publisher_db nvarchar(128) not null,
--   redirected_publisher nvarchar(128) not null
-- finds: edges
-- rights: SELECT ON $(database).dbo.MSredirected_publishers else refused; VIEW ANY DEFINITION else refused

SET NOCOUNT ON;
SET LOCK_TIMEOUT 10000;
IF OBJECT_ID(N'$(database_text).dbo.MSredirected_publishers') IS NULL
   AND HAS_PERMS_BY_NAME(N'$(database_text)', N'DATABASE', N'VIEW DEFINITION') = 1
    SELECT
        CONVERT(nvarchar(128), NULL) AS original_publisher,
        CONVERT(nvarchar(128), NULL) AS publisher_db,
        CONVERT(nvarchar(128), NULL) AS redirected_publisher
    WHERE 1 = 0
ELSE
    SELECT TOP (5001)
        r.original_publisher,
        r.publisher_db,
        r.redirected_publisher
    FROM $(database).dbo.MSredirected_publishers AS r WITH (READUNCOMMITTED)
    ORDER BY r.original_publisher, r.publisher_db;

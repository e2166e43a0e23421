-- assessor: linked_servers
-- purpose: Every server that this instance knows: linked servers, remote servers and the entries of replication.
-- scope: server
-- versions: 11-
-- platform: any
-- permission: ALTER ANY LINKED SERVER
-- loses: the encryption options of all linked servers, and servers whose mapping for everyone was dropped
-- returns: name nvarchar(128) not null, product nvarchar(128), provider nvarchar(128),
--   data_source nvarchar(4000), location nvarchar(4000), provider_string nvarchar(4000), catalog nvarchar(128),
--   is_linked bit, is_data_access_enabled bit, is_rpc_out_enabled bit, is_publisher bit, is_subscriber bit,
--   is_distributor bit, is_nonsql_subscriber bit, is_system bit, modify_date datetime, sees_all int,
--   is_remote_login_enabled bit, is_collation_compatible bit, uses_remote_collation bit, collation_name nvarchar(128),
--   connect_timeout int, query_timeout int, lazy_schema_validation bit,
--   is_remote_proc_transaction_promotion_enabled bit
-- finds: edges
-- rights: ALTER ANY LINKED SERVER else hidden

-- Without ALTER ANY LINKED SERVER provider_string is NULL, which looks like "no options": the last column tells
-- the two apart. Not filtered by is_linked, for the hidden server of replication is a row too.
SELECT TOP (10001)
    s.name,
    s.product,
    s.provider,
    s.data_source,
    s.[location],
    s.provider_string,
    s.[catalog],
    s.is_linked,
    s.is_data_access_enabled,
    s.is_rpc_out_enabled,
    s.is_publisher,
    s.is_subscriber,
    s.is_distributor,
    s.is_nonsql_subscriber,
    s.is_system,
    s.modify_date,
    HAS_PERMS_BY_NAME(NULL, NULL, 'ALTER ANY LINKED SERVER') AS sees_all,
    s.is_remote_login_enabled,
    s.is_collation_compatible,
    s.uses_remote_collation,
    s.collation_name,
    s.connect_timeout,
    s.query_timeout,
    s.lazy_schema_validation,
    s.is_remote_proc_transaction_promotion_enabled
FROM sys.servers AS s
WHERE s.server_id <> 0
ORDER BY s.name;

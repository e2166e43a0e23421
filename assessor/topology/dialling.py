"""What the source's driver is told to dial, and the endpoint that answers there."""

from __future__ import annotations

from dataclasses import dataclass

from assessor.clients.odbc_drivers import OTHER, client_of_driver
from assessor.clients.options import ConnectionOptions, parse_provider_string
from assessor.clients.providers import MSDASQL, ProviderFamily
from assessor.collect.inventory import LinkedServer
from assessor.names import BadDataSource, DataSource, parse_data_source
from assessor.probe.endpoints import Unprobed, endpoint_for
from assessor.probe.evidence import Endpoint

HIDDEN_PROVIDER_STRING = (
    "the provider string is hidden from a login without ALTER ANY LINKED SERVER, "
    "so what it says about encryption is unknown"
)


@dataclass(frozen=True, slots=True)
class Dialled:
    """A data source as parsed and the endpoint behind it; what is missing has its reason in ``gap``."""

    source: DataSource | None
    endpoint: Endpoint | None
    gap: str | None


def dial(text: str, local_host: str) -> Dialled:
    """Parse what a SQL Server client is told to dial on ``local_host``."""
    try:
        source = parse_data_source(text)
    except BadDataSource as error:
        return Dialled(None, None, str(error))
    endpoint = endpoint_for(source, local_host)
    if isinstance(endpoint, Unprobed):
        return Dialled(source, None, endpoint.reason)
    return Dialled(source, endpoint, None)


def dialled_text(row: LinkedServer) -> str | None:
    """The text that the driver of a definition dials, or ``None`` where the definition does not say it.

    A data source beats the provider string's server (a property that is set beats the string: sql-docs
    ``using-connection-string-keywords-with-oledb-driver-for-sql-server.md``, 2020-09-30). The short form, product
    ``SQL Server`` alone, dials the linked server's name (``sp-addlinkedserver-transact-sql.md``, 2026-05-01).
    """
    if row.data_source is not None and row.data_source.strip():
        return row.data_source
    if row.product.strip().lower() == "sql server":
        return row.name
    return parse_provider_string(row.provider_string).server


def dial_row(row: LinkedServer, family: ProviderFamily, local_host: str) -> Dialled:
    """What a definition dials, by the client that its provider loads."""
    if not family.is_known:
        return Dialled(None, None, "the provider is not one that assessor knows, so it is unknown what it dials")
    if family.client == MSDASQL:
        return _dial_by_odbc(row, local_host)
    if not family.is_sql_server_client:
        return Dialled(None, None, "the provider is no SQL Server client; what it dials is not probed")
    text = dialled_text(row)
    if text is not None:
        return dial(text, local_host)
    if not row.provider_string_known:
        return Dialled(None, None, "the definition has no data source, and its provider string is hidden")
    return Dialled(None, None, "the definition names no server, neither as data source nor in its provider string")


def _dial_by_odbc(row: LinkedServer, local_host: str) -> Dialled:
    """What an MSDASQL definition dials: seen only where its string names a SQL Server driver of Microsoft's."""
    options = parse_provider_string(row.provider_string)
    if options.driver is None or client_of_driver(options.driver) in (None, OTHER) or options.server is None:
        return Dialled(None, None, "MSDASQL dials what its ODBC driver or DSN says; it is not probed")
    return dial(options.server, local_host)


def options_of(row: LinkedServer) -> tuple[ConnectionOptions | None, str | None]:
    """What a definition says about encryption, or why that is unknown."""
    if not row.provider_string_known:
        return None, HIDDEN_PROVIDER_STRING
    return parse_provider_string(row.provider_string), None

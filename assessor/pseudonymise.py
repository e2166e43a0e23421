r"""A snapshot without the names: hosts, instances, domains, databases, logins, linked servers, jobs, publications, names in
certificates, thumbprints, addresses and paths become pseudonyms, the same name the same one wherever it stands. Pure.

Who sees the result can still tell which edges share a server, and read every verdict, rule, date, version and number.
What each text field holds is written down in one table, :data:`FIELDS`; a field that is not in it is replaced whole, so that
a new one can't leak before somebody has thought about it. Sentences are searched for every name that is known from the
other fields, in any case and escaped in any way that our own texts escape names, and for what looks like an address, a
path, an e-mail or a thumbprint. Certificates themselves are left out, for they hold names in every form; their facts stay.

A name that is also an ordinary word, such as a database called *data*, is replaced in sentences where it is spelled as the
server spells it; they then read oddly, but give nothing away.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import Enum, StrEnum
from functools import cache
from typing import Any, Final
from urllib.parse import quote, unquote

from assessor.certificates.certificate import Certificate, UnreadableCertificate
from assessor.clients.providers import resolve
from assessor.errors import UsageError
from assessor.judge.rules import load_rules
from assessor.pseudonym_key import Pseudonym, PseudonymKey
from assessor.report.text import prose, visible
from assessor.snapshot import Snapshot
from assessor.topology.edges import AvailabilityRole, EdgeKind, LogShippingRole, ReplicationRole


class Holds(StrEnum):
    """What a text field holds, and so how it is made anonymous."""

    KEPT = "kept"  #: a word of ours or of a published list: an id of a rule, a version, an edition
    ADDRESS = "address"  #: a host, with or without domain, instance and port; a data source; a URL of an endpoint
    INSTANCE = "instance"
    DOMAIN = "domain"
    DATABASE = "database"
    LOGIN = "login"
    LINK = "link"  #: a linked server's name, which often is an address
    PUBLICATION = "publication"
    JOB = "job"
    GROUP = "group"  #: an availability group
    OBJECT = "object"  #: a procedure, a job step, a profile
    ESTATE = "estate"
    CERTIFICATE_NAME = "certificate_name"  #: a distinguished name, or ``DNS:…`` of a SAN
    THUMBPRINT = "thumbprint"
    PATH = "path"
    PROVIDER = "provider"  #: or product: public where it is in a list
    OPTIONS = "options"  #: ``keyword=value;…``, or one value
    COMMAND = "command"  #: ``-Switch [value] …``
    SUBJECT = "subject"  #: of a remedy: a linked server or a CA
    ID = "id"  #: parts quoted as in a URL, with colons between
    SENTENCE = "sentence"  #: of ours
    MESSAGE = "message"  #: of a server, driver or operating system: what it quotes is taken for a name
    PEM = "pem"  #: left out
    UNKNOWN = "unknown"  #: not in the table: replaced whole


#: What each text field holds, by type and field, else by field alone. The list is checked against the types by a test.
FIELDS: Final[dict[str, Holds]] = {
    **dict.fromkeys(
        (
            "AgentProfile.subsystem", "AdHocCall.function", "AssessedEdge.rules", "AvailabilityGroup.cluster_type",
            "CertificateSummary.key", "CertificateSummary.signature", "ClientExpectation.client", "DistributorProperty.name",
            "Evidence.server_version", "ExternalDataSource.kind", "FindingRecord.code", "Gap.query", "Identity.edition",
            "Identity.platform", "Identity.product_version", "Listener.kind", "MirroredDatabase.role", "Outcome.client",
            "Outcome.sources", "PlannedInstance.connection", "PlannedInstance.login", "PredictedError.source",
            "Publication.kind", "ReplicationAgent.subsystem", "Run.rules_version", "Run.tool_version", "TlsSession.alpn",
            "TlsSession.cipher", "TlsSession.version", "ToolCall.subsystem", "ToolCall.tool", "UpgradeFinding.rule",
            "UpgradeFinding.sources", "collation_name",
        ),
        Holds.KEPT,
    ),
    **dict.fromkeys(
        (
            "AssessedEdge.also_endpoints", "AssessedEdge.data_source", "AssessedEdge.endpoint", "AssessedEdge.source",
            "AssessedEdge.target", "AssessedEndpoint.id", "AvailabilityGroup.read_only_routed",
            "AvailabilityListener.dns_name", "AvailabilityReplica.endpoint_url", "AvailabilityReplica.read_only_url",
            "AvailabilityReplica.server_name", "ConnectionOptions.failover_partner",
            "ConnectionOptions.host_name_in_certificate", "ConnectionOptions.server", "Distributor.name", "Endpoint.host",
            "Evidence.address", "ExternalDataSource.location", "Identity.machine_name", "Identity.physical_name",
            "Identity.registered_name", "Identity.server_name", "LinkedServer.location", "Listener.address",
            "LogShippingMember.server", "LogShippingPrimary.secondaries", "LogShippingSecondary.primary", "MasterServer.name",
            "MirroredDatabase.partner_instance", "MirroredDatabase.partner_url", "MirroredDatabase.witness_url",
            "PlannedInstance.address", "Publisher.name", "RedirectedPublisher.original", "RedirectedPublisher.redirected_to",
            "ReferencedServer.name", "ReferencedServer.sources", "Remedy.on", "TargetServer.name", "ToolCall.server",
            "data_source", "distributor", "monitor", "publisher", "subscriber", "vantage", "Inventory.instance",
            "UpgradeFinding.instance",
        ),
        Holds.ADDRESS,
    ),
    **dict.fromkeys(("Endpoint.instance", "Identity.instance_name"), Holds.INSTANCE),
    "Identity.domain": Holds.DOMAIN,
    **dict.fromkeys(
        (
            "DatabaseRoles.name", "catalog", "database", "distribution_database", "primary_database", "publisher_database",
            "subscriber_database",
        ),
        Holds.DATABASE,
    ),
    **dict.fromkeys(("Inventory.collected_as", "LoginMapping.local_login", "LoginMapping.remote_login"), Holds.LOGIN),
    **dict.fromkeys(("AssessedEdge.name", "LinkedServer.name", "Usage.server"), Holds.LINK),
    **dict.fromkeys(("Publication.name", "publication"), Holds.PUBLICATION),
    **dict.fromkeys(("AgentProfile.agent", "job"), Holds.JOB),
    "AvailabilityGroup.name": Holds.GROUP,
    **dict.fromkeys(
        ("AdHocCall.name", "AgentProfile.profile", "ExternalDataSource.name", "ToolCall.step_name", "Usage.name"), Holds.OBJECT
    ),
    "EstatePlan.name": Holds.ESTATE,
    **dict.fromkeys(
        ("CertificateSummary.issuer", "CertificateSummary.names", "CertificateSummary.subject"), Holds.CERTIFICATE_NAME
    ),
    # A hash of a name is no secret: who suspects a name can hash it.
    **dict.fromkeys(
        ("thumbprint", "configured_thumbprint", "loaded_thumbprint", "TrustStoreRecord.issuers"), Holds.THUMBPRINT
    ),
    **dict.fromkeys(
        ("ConnectionOptions.server_certificate", "ToolCall.runs", "TrustStoreRecord.id", "trust_store"), Holds.PATH
    ),
    **dict.fromkeys(("ConnectionOptions.driver", "product", "provider"), Holds.PROVIDER),
    **dict.fromkeys(
        (
            "AvailabilityGroup.cluster_options", "ConnectionOptions.authentication", "ConnectionOptions.encrypt_word",
            "ConnectionOptions.ineffective", "ConnectionOptions.invalid", "DistributorProperty.value",
            "ExternalDataSource.connection_options", "LogShippingPrimary.monitor_options",
            "LogShippingPrimary.primary_options", "Remedy.setting", "ToolCall.options", "provider_string",
        ),
        Holds.OPTIONS,
    ),
    **dict.fromkeys(("ReplicationAgent.command", "ToolCall.switches"), Holds.COMMAND),
    "Remedy.subject": Holds.SUBJECT,
    **dict.fromkeys(("AssessedEdge.id", "ReferencedServer.edges"), Holds.ID),
    **dict.fromkeys(
        (
            "AgentSwitches.stated_in", "AssessedEdge.assumptions", "AssessedEdge.detail", "AssessedEdge.missing",
            "AssessedEdge.reasons", "FindingRecord.message", "Gap.loses", "Gap.permission", "Outcome.depends_on",
            "Outcome.explanation", "PredictedError.text", "PredictedError.wrapped_in", "Remedy.detail", "Remedy.price",
            "Remedy.title", "Run.driver", "TrustStoreRecord.origin", "UpgradeFinding.message", "UpgradeFinding.subject",
            "UpgradeFinding.what_to_do",
        ),
        Holds.SENTENCE,
    ),
    **dict.fromkeys(
        ("Evidence.failure_detail", "Evidence.strict_failure_detail", "Evidence.tls_failure_detail", "Gap.message"),
        Holds.MESSAGE,
    ),
    **dict.fromkeys(("TlsSession.certificates", "TrustStoreRecord.certificates", "unfinished_chain"), Holds.PEM),
}  # fmt: skip

#: In which order kinds claim a name that is several things at once: a host's name is mostly a linked server's too.
_STRENGTH: Final = (
    "ip", "host", "domain", "instance", "login", "database", "group", "publication", "job", "link", "object", "estate",
    "certificate", "thumbprint", "path", "mail", "provider", "name",
)  # fmt: skip

#: Names that everybody has, so that they tell nothing.
_PUBLIC: Final = frozenset(
    {
        "0.0.0.0",  # noqa: S104 - what a server listens on, not what we bind
        ".", "(local)", "localhost", "127.0.0.1", "::1", "::", "0", "sa", "dbo", "guest", "public",
        "sysadmin", "securityadmin", "serveradmin", "everyone", "master", "model", "msdb", "tempdb", "distribution",
        "mssqlserver", "repl_distributor", "distributor_admin", "mssqlsystemresource", "ssl_self_signed_fallback",
        "system", "nt authority", "nt service", "builtin", "tcp", "np", "lpc", "admin", "pipe", "sql", "query",
        "sqlserver", "sql server", "http", "https", "odbc", "oracle", "teradata", "mongodb", "select", "insert",
        "update", "delete", "execute", "connect", "view", "control", "alter", "microsoft", "windows", "oledb", "blob",
        "core",
    }
)  # fmt: skip
#: Values of options that say nothing about anybody.
_HARMLESS_VALUE: Final = re.compile(
    r"(?i)\*{3}|-?\d*|yes|no|true|false|optional|mandatory|strict|sspi|readonly|readwrite|renew|default|"
    r"ActiveDirectory\w*|SqlPassword|Windows|Excel [\d.]+(?: \w+)?|[\w.]*OLEDB[\w.]*|dbmssocn|us_english|MSOLEDBSQL\d*|SQLNCLI\d*"
)
_PUBLIC_PRODUCT: Final = re.compile(
    r"(?i)|none|rdbms|hadoop|blob_storage|abs|adls|s3|cmdexec|ssis|tsql|powershell|script|sqlcmd|osql|bcp|dtexec|sqlps|"
    r"invoke-sqlcmd|dbatools|sqlclient|[\w.]*oledb[\w.]*|"
    r"sql server|sqlserver|oracle|mysql|postgresql|db2|access|excel|jet(?: [\d.]+)?|any|odbc|active directory.*|"
    r"sql_server|mongodb|teradata|msolap|olap|analysis services"
)
#: Texts with dots that are no host names.
_PUBLIC_DOTTED: Final = re.compile(
    r"(?i)\w*(?:oledb|adodb)\w*\..*|(?:sys|msdb|mdm|sni\d+|master|tempdb|model|dbo|microsoft|system|information_schema)\..*|.*\bmicrosoft\.com|.*\bgithub\.com|"
    r"aka\.ms|.*\.(?:md|toml|conf|sql|log|exe|dll|so|ps1|json|xlsx|inf|[a-z]*\d[\w]*)"
)
#: Several words that are a product, not a name: matched before a server that somebody called *SQL*.
_PHRASES: Final = (
    "SQL Server", "OLE DB", "SQL Browser", "SQL Server Agent", "Configuration Manager", "Server Authentication",
    "Trusted Root", "linked server", "linked servers",
)  # fmt: skip
_COMPANY_WORDS: Final = frozenset(
    {
        "authority", "certificate", "certification", "class", "company", "corp", "corporation", "enterprise", "example", "global",
        "gmbh", "group", "internal", "issuing", "limited", "network", "policy", "private", "public", "root", "secure", "server",
        "services", "signing", "trust", "self_signed_fallback", "ssl_self_signed_fallback",
    }
)  # fmt: skip
_PUBLIC_FOLDERS: Final = frozenset(
    {
        "certs", "certificates", "data", "home", "keys", "microsoft", "microsoft sql server", "mssql", "private", "program files",
        "program files (x86)", "programdata", "root", "share", "temp", "trust", "users", "windows", "work",
    }
)  # fmt: skip
_GENERIC_LABELS: Final = frozenset(
    {
        "com", "net", "org", "local", "corp", "internal", "intranet", "example", "test", "invalid", "home", "info",
    }
)  # fmt: skip
_ID_WORDS: Final = frozenset(
    str(word) for words in (EdgeKind, ReplicationRole, LogShippingRole, AvailabilityRole) for word in words
)
_MIN_ANYWHERE: Final = 6  #: a name so long, and no mere word, is replaced inside longer words too
_QUOTES: Final = "'\"`[]“”‘’()"

_SCHEME: Final = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://")
_IPV6: Final = re.compile(r"\[?(?P<ip>[0-9A-Fa-f:]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*(?:%\w+)?)\]?")
_SEPARATORS: Final = re.compile(r"(\s*[\\/,:;|()\[\]\"'<>=@]+\s*)")
#: A linked server's name that is an address and not just any name.
_LINKED_ADDRESS: Final = re.compile(r"[\w.-]+(?:\\[\w$#-]+|,\d+|\.[\w-]+)(?:,\d+)?")
#: Names of ODBC drivers as their makers register them, version and bits included.
_DRIVER: Final = re.compile(
    r"(?i)\{?(?:Microsoft )?(?:(?:ODBC Driver [\d.]+ for )?SQL Server(?: Native Client [\d.]+)?|Oracle in \w+|"
    r"MySQL ODBC [\d.]+ \w+ Driver|PostgreSQL (?:ANSI|Unicode|ODBC Driver)[\w() ]*|FreeTDS|"
    r"(?:Access|Excel|Text) Driver[\w*.(), ]*)\}?"
)
_LABELS: Final = re.compile(r"[\w-]+(?:\.[\w-]+)+\.?")
_FILE: Final = re.compile(r"(?:[A-Za-z]:[\\/]|\\\\[^\\/]+\\(?!pipe\\)|~?/)[^\n]*", re.IGNORECASE)
_SQL_SERVICE: Final = re.compile(r"(?i)(?P<before>(?:MSSQL|SQLAGENT|MSOLAP)\$)(?P<instance>.+)")
_ATTRIBUTE: Final = re.compile(r"(?P<type>(?:[A-Za-z]+|\d+(?:\.\d+)+))=(?P<value>(?:\\.|[^,+\\])*)")
_SAN: Final = re.compile(
    r"(?P<type>DNS|IP|CN|URI|email|RID|dirname|other)(?P<colon>:)(?P<value>.*)", re.IGNORECASE | re.DOTALL
)
_DRIVER_FILE: Final = re.compile(r"(?i)(?:lib)?(?:msodbcsql|msoledbsql|sqlncli|tdsodbc)[\w.-]*")
_IN_TEXT: Final = re.compile(
    r"""
    (?P<mail>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)
  | (?P<url>https?://[^\s"'<>]+)
  | (?P<file>[A-Za-z]:\\(?:[^\\\s"'<>|;,()]+(?:[ ][^\\\s"'<>|;,()]+)*\\)*[^\\\s"'<>|;,()]*
           | \\\\[^\\\s"'<>|;,()]+(?:\\[^\\\s"'<>|;,()]+)+
           | (?<![\w/.:])/(?:[\w.@+-]+/)+[\w.@+-]+)
  | (?P<ip6>(?<![\w:.])[0-9A-Fa-f]{0,4}:(?:[0-9A-Fa-f]{0,4}:)+[0-9A-Fa-f.]*)
  | (?P<ip4>(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d))
  | (?P<host>(?<![\w./\\-])(?:\*\.)?[^\W_](?:[\w-]*[^\W_])?(?:\.[^\W_](?:[\w-]*[^\W_])?)+(?![\w-]))
  | (?P<hex>(?<![0-9A-Za-z])(?:[0-9A-Fa-f]{64}|[0-9A-Fa-f]{40})(?![0-9A-Za-z]))
    """,
    re.VERBOSE,
)
_PUBLIC_QUOTE: Final = re.compile(
    r"(?:sys|sp_|xp_|fn_|dm_|MS[a-z]|msdb|dbo\.)[\w.]*|[A-Z ]*\b(?:STATE|DEFINITION|SERVER|LOGIN)\b[A-Z ]*"
)
_QUOTED: Final = re.compile(r"'([^'\n]{1,200})'|\"([^\"\n]{1,200})\"|\[([^\]\n]{1,200})\]|“([^”\n]{1,200})”")


def pseudonymise(snapshot: Snapshot, key: PseudonymKey) -> tuple[Snapshot, PseudonymKey]:
    """The snapshot with pseudonyms, and the key with what was added to it.

    Raises :class:`~assessor.errors.UsageError` for a snapshot that is pseudonymised already.
    """
    if snapshot.run.pseudonymised:
        raise UsageError("The snapshot is pseudonymised already; draw the report from it without --pseudonymise.")
    names = _Names(key)
    replacing = _Replacing(names)
    # Ids last: they repeat in lower case what other fields say as it is spelled.
    for text, holds in sorted(_texts(snapshot), key=lambda item: item[1] is Holds.ID):
        replacing.learn(text, holds)
    names.settle()
    replaced = replacing.applied(snapshot)
    replaced = replace(replaced, run=replace(replaced.run, pseudonymised=True))
    return replaced, names.key()


def holds_of(owner: type[Any], field: str) -> Holds:
    """What a text field of a type holds; :attr:`Holds.UNKNOWN` when nobody has said so."""
    return FIELDS.get(f"{owner.__name__}.{field}", FIELDS.get(field, Holds.UNKNOWN))


def _texts(value: Any) -> Iterator[tuple[str, Holds]]:
    """Every text below a dataclass, with what it holds."""
    for field in fields(value):
        for text in _leaves(getattr(value, field.name)):
            if isinstance(text, str):
                yield text, holds_of(type(value), field.name)
            else:
                yield from _texts(text)


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, tuple):
        for item in value:
            yield from _leaves(item)
    elif (isinstance(value, str) and not isinstance(value, Enum)) or is_dataclass(value):
        yield value


def _fold(text: str) -> str:
    """Lower case, one character for one, so that places in the text stay what they are."""
    return "".join(low if len(low := character.lower()) == 1 else character for character in text)


@cache
def _ordinary_words() -> frozenset[str]:
    """The words that our own sentences are made of."""
    texts = (
        text for rule in load_rules() for text in (rule.title, rule.precondition, rule.consequence, *rule.remedies)
    )
    return frozenset(word for text in texts for word in re.findall(r"[a-z]+", text.lower()))


@dataclass(frozen=True, slots=True)
class _Known:
    """A text to be found in sentences, and what to put there."""

    replacement: str
    spellings: set[str]
    anywhere: bool  #: also inside a longer word
    as_spelled: bool  #: only in a spelling that was met
    only_quoted: bool


class _Names:
    """The names met so far and their pseudonyms."""

    def __init__(self, key: PseudonymKey) -> None:
        self._entries: list[Pseudonym] = []
        self._by_name: dict[str, str] = {}
        self._taken: set[str] = set()
        self._numbers: dict[str, int] = defaultdict(int)
        self._wanted: dict[str, tuple[str, str]] = {}  #: folded name → kind and spelling, until they are settled
        self._spellings: dict[str, set[str]] = defaultdict(set)
        self.domains: set[str] = set()
        for entry in key.entries:
            self._add(entry)

    def want(self, kind: str, name: str) -> None:
        """A name of some kind was met; it gets its pseudonym when all have been met."""
        folded = _fold(name)
        self._spellings[folded].add(name)
        if kind == "domain":
            self.domains.add(folded)
        if folded in self._by_name:
            return
        before = self._wanted.get(folded)
        if before is None or _STRENGTH.index(kind) < _STRENGTH.index(before[0]):
            self._wanted[folded] = (kind, before[1] if before else name)

    def settle(self) -> None:
        """Give pseudonyms to all names met, by kind and then in the order met."""
        wanted = sorted(self._wanted.items(), key=lambda item: _STRENGTH.index(item[1][0]))
        self._wanted = {}
        for folded, (kind, name) in wanted:
            if folded not in self._by_name:
                self._add(Pseudonym(kind, name, self._new(kind, {each for each, _ in wanted})))

    def of(self, kind: str, name: str) -> str:
        """The pseudonym of a name; a name met only now gets the next one of its kind."""
        folded = _fold(name)
        if folded not in self._by_name:
            self._spellings[folded].add(name)
            self._add(Pseudonym(kind, name, self._new(kind, set())))
        return self._by_name[folded]

    def is_met(self, name: str) -> bool:
        """The name has a pseudonym, or will get one."""
        return _fold(name) in self._by_name or _fold(name) in self._wanted

    def find(self, name: str) -> str | None:
        """The pseudonym of a name that has one."""
        return self._by_name.get(_fold(name))

    def all(self) -> Iterator[tuple[str, str, set[str]]]:
        for entry in self._entries:
            folded = _fold(entry.name)
            yield entry.name, entry.pseudonym, self._spellings[folded] | {entry.name}

    def key(self) -> PseudonymKey:
        return PseudonymKey(tuple(self._entries))

    def _add(self, entry: Pseudonym) -> None:
        self._entries.append(entry)
        self._by_name[_fold(entry.name)] = entry.pseudonym
        self._taken.add(entry.pseudonym)
        if entry.kind == "domain":
            self.domains.add(_fold(entry.name))

    def _new(self, kind: str, wanted: set[str]) -> str:
        # Never a word that is somebody's real name.
        while True:
            self._numbers[kind] += 1
            pseudonym = f"{kind}-{self._numbers[kind]:03}{'.example' if kind == 'domain' else ''}"
            if pseudonym not in self._taken and pseudonym not in self._by_name and pseudonym not in wanted:
                return pseudonym


class _Replacing:
    """Learns names from fields, then replaces them in fields and sentences."""

    def __init__(self, names: _Names) -> None:
        self._names = names
        self._name: Callable[[str, str], str] = self._learnt
        self._aliases: dict[str, tuple[str, Holds]] = {}  #: folded whole text of a field → as written, what it holds
        self._known: dict[str, list[tuple[str, _Known]]] = {}  #: by the first two characters, longest first
        self._done: dict[tuple[str, Holds], str] = {}

    def learn(self, text: str, holds: Holds) -> None:
        """Meet the names in the text of one field."""
        match holds:
            case Holds.KEPT | Holds.SENTENCE | Holds.MESSAGE:
                if origin := re.fullmatch(r"file (?P<file>.+)", text, re.DOTALL):
                    self._names.want("path", origin["file"])
                if origin := re.fullmatch(r"system store of (?P<host>.+)", text, re.DOTALL):
                    self.learn(origin["host"], Holds.ADDRESS)
            case Holds.PEM:
                self._learn_certificate(text)
            case _:
                self._replaced(text, holds)
                if holds is not Holds.ID and len(text) <= 2048:
                    self._aliases.setdefault(_fold(text), (text, holds))

    def applied(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot with pseudonyms; call it when all has been learnt."""
        self._name = self._names.of
        self._index()
        replaced = self._walked(snapshot)
        assert isinstance(replaced, Snapshot)
        return replaced

    def _walked(self, value: Any) -> Any:
        changed = {}
        for field in fields(value):
            before = getattr(value, field.name)
            changed[field.name] = self._walked_value(before, holds_of(type(value), field.name))
        return replace(value, **changed)

    def _walked_value(self, value: Any, holds: Holds) -> Any:
        if isinstance(value, tuple):
            if holds is Holds.PEM:
                return ()
            return tuple(self._walked_value(item, holds) for item in value)
        if isinstance(value, Enum):
            return value
        if isinstance(value, str):
            if (value, holds) not in self._done:
                self._done[value, holds] = self._replaced(value, holds)
            return self._done[value, holds]
        return self._walked(value) if is_dataclass(value) else value

    # --- fields ----------------------------------------------------------------------------------------------

    def _replaced(self, text: str, holds: Holds) -> str:
        if holds is Holds.KEPT or not text.strip():
            return text
        if holds is Holds.SENTENCE:
            return self._sentence(text)
        if holds is Holds.MESSAGE:
            return self._message(text)
        if holds is Holds.ID:
            return self._id(text)
        if _fold(text) in _PUBLIC:
            return text
        match holds:
            case Holds.ADDRESS:
                return self._address(text)
            case Holds.LINK:
                is_address = _LINKED_ADDRESS.fullmatch(text) and not self._names.is_met(text)
                return self._address(text) if is_address else self._name("link", text)
            case Holds.DOMAIN:
                return self._domain(text)
            case Holds.LOGIN:
                return self._login(text)
            case Holds.CERTIFICATE_NAME:
                return self._certificate_name(text)
            case Holds.SUBJECT:
                return self._replaced(text, Holds.CERTIFICATE_NAME if _ATTRIBUTE.match(text) else Holds.LINK)
            case Holds.PATH:
                return self._path(text)
            case Holds.PROVIDER:
                is_public = _PUBLIC_PRODUCT.fullmatch(text) or _DRIVER.fullmatch(text) or resolve(text, "", 16).is_known
                return text if is_public else self._name("provider", text)
            case Holds.OPTIONS:
                return ";".join(self._option(part) for part in text.split(";"))
            case Holds.COMMAND:
                return self._command(text)
            case Holds.UNKNOWN | Holds.PEM:
                return self._name("name", text)
            case Holds.ESTATE:
                self._words(text)
                return self._name("estate", text)
            case _:
                return self._name(holds.value, text)

    def _address(self, text: str) -> str:
        if scheme := _SCHEME.match(text):
            return scheme[0] + self._address(text[scheme.end() :])
        if _FILE.fullmatch(text):
            return self._path(text)
        if _is_ip(text.strip("[]")):
            return text.replace(text.strip("[]"), self._host(text.strip("[]")))
        pieces = _SEPARATORS.split(text)
        # Pieces at even places are words; the separator before a word says what it is.
        for place in range(0, len(pieces), 2):
            before = pieces[place - 1] if place else ""
            pieces[place] = self._word(pieces[place], after_backslash=before.strip() == "\\" and place > 1)
        return "".join(pieces)

    def _word(self, word: str, *, after_backslash: bool) -> str:
        if not any(character.isalpha() for character in word) and not _is_ip(word):
            return word
        if _fold(word) in _PUBLIC:
            return word
        if service := _SQL_SERVICE.fullmatch(word):
            return service["before"] + self._name("instance", service["instance"])
        return self._name("instance", word) if after_backslash else self._host(word)

    def _path(self, text: str) -> str:
        """A path becomes one pseudonym; its folders and its file are known from then on, for sentences name them."""
        if text == "system":
            return text
        pieces = [piece for piece in re.split(r"[\\/]", text) if piece]
        for place, piece in enumerate(pieces):
            if place == 0 and text.startswith("\\\\"):
                self._host(piece)
            elif len(piece) > 3 and _fold(piece) not in _PUBLIC_FOLDERS:
                self._name("path", piece)
                if place == len(pieces) - 1 and "." in piece.strip("."):
                    self._name("path", piece.rpartition(".")[0])
        return self._name("path", text)

    def _host(self, word: str) -> str:
        if _fold(word) in _PUBLIC:
            return word
        if _is_ip(word):
            return self._name("ip", word)
        label, dot, domain = word.partition(".")
        if not dot or not label or not domain.strip("."):
            return self._name("host", word)
        end = "." if domain.endswith(".") else ""
        shown = label if label == "*" or _fold(label) in _PUBLIC else self._name("host", label)
        return f"{shown}.{self._domain(domain.removesuffix('.'))}{end}"

    def _domain(self, text: str) -> str:
        for label in text.split(".")[:-1] if "." in text else ():
            if len(label) > 3 and _fold(label) not in _GENERIC_LABELS:
                self._name("name", label)
        return self._name("domain", text)

    def _login(self, text: str) -> str:
        domain, backslash, user = text.partition("\\")
        if not backslash:
            return self._mail(text) if "@" in text else self._name("login", text)
        shown = domain if _fold(domain) in _PUBLIC else self._name("host", domain)
        if service := _SQL_SERVICE.fullmatch(user):
            return f"{shown}\\{service['before']}{self._name('instance', service['instance'])}"
        return f"{shown}\\{user if _fold(user) in _PUBLIC else self._name('login', user)}"

    def _mail(self, text: str) -> str:
        user, _, domain = text.rpartition("@")
        return f"{self._name('login', user) if user else ''}@{self._host(domain) if domain else ''}"

    def _certificate_name(self, text: str) -> str:
        if san := _SAN.fullmatch(text):
            return san["type"] + san["colon"] + self._certificate_value(san["value"])
        if not _ATTRIBUTE.match(text):
            return self._certificate_value(text)
        return _ATTRIBUTE.sub(lambda match: f"{match['type']}={self._certificate_value(match['value'])}", text)

    def _certificate_value(self, text: str) -> str:
        if not text or _fold(text) in _PUBLIC:
            return text
        if _is_ip(text) or _LABELS.fullmatch(text) or text.startswith("*."):
            return self._host(text)
        self._words(text)
        return self._name("certificate", text)

    def _words(self, text: str) -> None:
        """Words of a longer name that give its owner away when they stand alone: *Contoso* of *Contoso Root CA*."""
        for word in re.findall(r"\w{4,}", text):
            if _fold(word) not in _ordinary_words() and _fold(word) not in _COMPANY_WORDS and not word.isdigit():
                self._name("name", word)

    def _option(self, part: str) -> str:
        keyword, equals, value = part.partition("=")
        if not equals:
            keyword, value = "", part
        shown = value.strip().strip("{}\"'")
        if _HARMLESS_VALUE.fullmatch(shown) or not shown or resolve(shown, "-", 16).is_known:
            return part
        what = _fold(keyword.strip())
        if what in ("driver", "provider"):
            replacement = shown if _DRIVER.fullmatch(shown) else self._name("provider", shown)
        elif "certificate" in what and _FILE.fullmatch(shown):
            replacement = self._path(shown)
        elif what in ("app", "application name", "wsid", "workstation id", "database", "catalog", "initial catalog"):
            replacement = self._name(
                "database" if "a" in what and what.endswith(("base", "catalog")) else "name", shown
            )
        else:
            replacement = self._address(shown)
        return f"{keyword}{equals}{value.replace(shown, replacement)}"

    def _command(self, text: str) -> str:
        def word(match: re.Match[str]) -> str:
            inner = match[0].strip("[]\"'")
            if match[0].startswith("-") or not inner or _HARMLESS_VALUE.fullmatch(inner) or _fold(inner) in _PUBLIC:
                return match[0]
            known = self._names.find(inner)
            return match[0].replace(
                inner, known or (self._address(inner) if "\\" in inner or "." in inner else self._name("name", inner))
            )

        return re.sub(r"\[[^\]]*\]|\"[^\"]*\"|\S+", word, text)

    def _id(self, text: str) -> str:
        body, tilde, number = text.rpartition("~")
        if not (tilde and number.isdigit()):
            body, tilde, number = text, "", ""
        parts = [unquote(part, errors="surrogatepass") for part in body.split(":")]
        shown = [part if place == 0 and part in _ID_WORDS else self._id_part(part) for place, part in enumerate(parts)]
        return (
            ":".join(quote(part.lower(), safe=",", errors="surrogatepass").lower() for part in shown) + tilde + number
        )

    def _id_part(self, part: str) -> str:
        if not part or part in _ID_WORDS or _fold(part) in _PUBLIC:
            return part
        alias = self._aliases.get(_fold(part))
        if alias is not None:
            return self._replaced(*alias)
        if self._names.is_met(part):
            return self._names.find(part) or part
        return self._address(part)

    # --- sentences -------------------------------------------------------------------------------------------

    def _index(self) -> None:
        """Everything to be found in sentences: names, whole fields, and both as our texts escape them."""
        found: dict[str, _Known] = {}
        for phrase in _PHRASES:
            found[_fold(phrase)] = _Known(phrase, {phrase}, anywhere=False, as_spelled=False, only_quoted=False)
        for name, pseudonym, spellings in list(self._names.all()):
            self._index_one(found, name, pseudonym, spellings)
        for text, holds in self._aliases.values():
            replacement = self._replaced(text, holds)
            if replacement != text:
                self._index_one(found, text, replacement, {text})
        for folded, known in found.items():
            self._known.setdefault(folded[:2], []).append((folded, known))
        for candidates in self._known.values():
            candidates.sort(key=lambda item: -len(item[0]))

    def _index_one(self, found: dict[str, _Known], name: str, replacement: str, spellings: set[str]) -> None:
        folded = _fold(name)
        if folded in _PUBLIC or not folded.strip():
            return
        is_word = folded in _ordinary_words() or len(folded) <= 2
        is_number = all(not character.isalpha() for character in folded)
        known = _Known(
            replacement,
            set(spellings),
            anywhere=len(folded) >= _MIN_ANYWHERE and not is_word and not is_number,
            as_spelled=is_word,
            only_quoted=len(folded) == 1 or (is_number and not _is_ip(name)),
        )
        found.setdefault(folded, known)
        for form in _escaped_forms(name):
            if form.strip() and _fold(form) != folded:
                found.setdefault(_fold(form), replace(known, spellings={form}))

    def _sentence(self, text: str) -> str:
        folded = _fold(text)
        pieces: list[str] = []
        position = 0
        while position < len(text):
            length, replacement = self._name_at(text, folded, position)
            match = _IN_TEXT.match(text, position)
            if match is not None and match.end() - position > length:
                pattern = self._pattern(match)
                if pattern is not None:
                    length, replacement = match.end() - position, pattern
            if length:
                pieces.append(replacement)
                position += length
            else:
                pieces.append(text[position])
                position += 1
        return "".join(pieces)

    def _name_at(self, text: str, folded: str, position: int) -> tuple[int, str]:
        for beginning in (folded[position : position + 2], folded[position]):
            for form, known in self._known.get(beginning, ()):
                if folded.startswith(form, position) and self._fits(text, position, position + len(form), known):
                    return len(form), known.replacement
        return 0, ""

    @staticmethod
    def _fits(text: str, start: int, end: int, known: _Known) -> bool:
        before, after = text[start - 1 : start], text[end : end + 1]
        if known.only_quoted:
            return bool(before) and before in _QUOTES and bool(after) and after in _QUOTES
        if known.as_spelled and text[start:end] not in known.spellings:
            return False
        if known.anywhere:
            return True
        return not (before.isalnum() and text[start].isalnum()) and not (after.isalnum() and text[end - 1].isalnum())

    def _pattern(self, match: re.Match[str]) -> str | None:
        """What stands for something that looks like an address and so on; ``None`` for what is public."""
        text = match[0]
        match match.lastgroup:
            case "mail":
                return self._mail(text)
            case "url":
                host = re.split(r"[/:?#]", text.split("://", 1)[1], maxsplit=1)[0]
                return text if _PUBLIC_DOTTED.fullmatch(host) else text.split("://", 1)[0] + "://" + self._host(host)
            case "file":
                last = re.split(r"[\\/]", text)[-1]
                kept = last if _DRIVER_FILE.fullmatch(last) else ""
                folder = text.removesuffix(kept)
                return self._name("path", folder) + ("/" + kept if kept else "")
            case "ip4" | "ip6":
                return self._host(text) if _is_ip(text) and _fold(text) not in _PUBLIC else None
            case "hex":
                return self._name("thumbprint", text)
            case _:
                is_known = any(_fold(text).endswith(f".{domain}") for domain in self._names.domains)
                if is_known:
                    return self._host(text)
                last = text.rpartition(".")[2]
                if (
                    _PUBLIC_DOTTED.fullmatch(text)
                    or not last.isalpha()
                    or len(last) < 2
                    or _DRIVER_FILE.fullmatch(text)
                ):
                    return None
                return self._host(text)

    def _message(self, text: str) -> str:
        def quoted(match: re.Match[str]) -> str:
            inner = next(group for group in match.groups() if group is not None)
            shown = self._sentence(inner)
            if shown == inner and _fold(inner) not in _PUBLIC and not _is_public_quote(inner):
                shown = self._name("name", inner)
            return match[0][0] + shown + match[0][-1]

        pieces = []
        position = 0
        for match in _QUOTED.finditer(text):
            pieces += [self._sentence(text[position : match.start()]), quoted(match)]
            position = match.end()
        return "".join([*pieces, self._sentence(text[position:])])

    # --- learning --------------------------------------------------------------------------------------------

    def _learnt(self, kind: str, name: str) -> str:
        self._names.want(kind, name)
        return name

    def _learn_certificate(self, pem: str) -> None:
        try:
            certificate = Certificate.from_pem(pem)
        except UnreadableCertificate:
            return  # it is left out in any case, and nothing can have been said about names in it
        for text in (certificate.subject, certificate.issuer, *certificate.names):
            self.learn(text, Holds.CERTIFICATE_NAME)
        self.learn(certificate.thumbprint, Holds.THUMBPRINT)


def _escaped_forms(name: str) -> Iterator[str]:
    """The name as T-SQL, JSON, XML, a URL and our own reports would write it."""
    yield name.replace("'", "''")
    yield name.replace('"', '""')
    yield name.replace("]", "]]")
    yield name.replace("\\", "\\\\")
    yield json.dumps(name)[1:-1]
    yield json.dumps(name, ensure_ascii=False)[1:-1]
    yield name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    yield quote(name.lower(), safe=",", errors="surrogatepass").lower()
    yield quote(name, safe="", errors="surrogatepass")
    yield visible(name)
    yield prose(name)
    yield repr(name)[1:-1]


def _is_public_quote(text: str) -> bool:
    """A name of SQL Server's own objects or rights, or a number."""
    return _PUBLIC_QUOTE.fullmatch(text) is not None or not any(character.isalpha() for character in text)


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True

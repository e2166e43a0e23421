"""The estate file: which instances there are, when they are upgraded and how we log in to them.

TOML, written by a DBA. :func:`load_estate` turns it into frozen types and refuses what it does not understand
with one sentence that names file, line, key and mend. Keys are explained where they are read, by the models
below, and for people in ``docs/estate-file.md`` and in the file that ``assessor init`` writes.
"""

from __future__ import annotations

import datetime
import difflib
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from assessor.clients.options import Encrypt
from assessor.errors import EstateError
from assessor.names import BadDataSource, DataSource, Protocol, parse_data_source, same_server_key
from assessor.passwords import EnvironmentVariable, KeyringEntry, PasswordFile, PasswordSource, Prompt
from assessor.routes import RouteError, Routes

_LARGEST_FILE = 8 * 1024 * 1024  #: bytes; some ten thousand instances


class LoginMethod(StrEnum):
    """How we log in to an instance."""

    WINDOWS = "windows"  #: the account that runs assessor: SSPI on Windows, Kerberos elsewhere
    SQL = "sql"  #: a SQL Server login with a password
    ENTRA = "entra"  #: Microsoft Entra ID, by one of ODBC Driver 18's ``Authentication`` methods


@dataclass(frozen=True, slots=True)
class Login:
    """Who we are to an instance. Holds the place of a password, never a password."""

    method: LoginMethod = LoginMethod.WINDOWS
    user: str | None = None
    authentication: str | None = None  #: ODBC Driver 18's word, for :attr:`LoginMethod.ENTRA`
    password: PasswordSource | None = None


@dataclass(frozen=True, slots=True)
class ConnectionPolicy:
    """How our own connection is made: encrypted and validated, unless the estate file says otherwise."""

    encrypt: Encrypt = Encrypt.MANDATORY
    validate: bool = True
    host_name_in_certificate: str | None = None
    login_timeout_seconds: int = 15
    query_timeout_seconds: int = 60

    @property
    def word(self) -> str:
        """What the report states about it: ``validated``, ``trusted_without_validation`` or ``unencrypted``."""
        if self.encrypt is Encrypt.OPTIONAL:
            return "unencrypted"
        return "validated" if self.validate else "trusted_without_validation"


@dataclass(frozen=True, slots=True)
class EstateInstance:
    """One instance of the estate, with the defaults already filled in."""

    address: str  #: as written, blanks around it removed
    data_source: DataSource
    wave: int | None = None  #: ``None``: not upgraded
    login: Login = Login()
    trust_store: Path | None = None  #: PEM file or folder of the host's roots; ``None``: the default store
    connection: ConnectionPolicy = ConnectionPolicy()


@dataclass(frozen=True, slots=True)
class Estate:
    """The estate file, read and checked.

    ``connect_trust_store`` is what *our own* connections trust in addition, where OpenSSL decides (Linux and
    macOS); ``trust_store`` is what the hosts of the estate trust unless an instance says otherwise.
    """

    name: str
    upgrade_date: datetime.date
    instances: tuple[EstateInstance, ...]
    horizon_days: int = 90
    trust_store: Path | None = None
    connect_trust_store: Path | None = None
    routes: Routes = field(default_factory=Routes)
    path: Path | None = None


# --- the file's grammar -------------------------------------------------------------------------------------


class _Table(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class _KeyringTable(_Table):
    service: str = Field(min_length=1)
    user: str = Field(min_length=1)


class _PasswordTable(_Table):
    env: str | None = Field(default=None, min_length=1)
    keyring: _KeyringTable | None = None
    file: str | None = Field(default=None, min_length=1)
    prompt: Literal[True] | None = None


class _LoginTable(_Table):
    method: Literal["windows", "sql", "entra"]
    user: str | None = Field(default=None, min_length=1, max_length=128)
    authentication: str | None = None
    password: _PasswordTable | None = None


class _ConnectionTable(_Table):
    encrypt: Literal["mandatory", "strict", "optional"] | None = None
    validate_: bool | None = Field(default=None, alias="validate")
    host_name_in_certificate: str | None = Field(default=None, min_length=1, max_length=253)
    login_timeout_seconds: int | None = Field(default=None, ge=1, le=600)
    query_timeout_seconds: int | None = Field(default=None, ge=1, le=3600)


class _PlanTable(_Table):
    wave: Annotated[int, Field(ge=0, le=9999)] | Literal["none"] | None = None
    login: _LoginTable | None = None
    trust_store: str | None = Field(default=None, min_length=1)
    connection: _ConnectionTable = _ConnectionTable()


class _InstanceTable(_PlanTable):
    address: str
    upgrade: bool | None = None


class _EstateTable(_Table):
    name: str = Field(min_length=1, max_length=200)
    upgrade_date: datetime.date
    horizon_days: int = Field(default=90, ge=0, le=3650)
    connect_trust_store: str | None = Field(default=None, min_length=1)
    defaults: _PlanTable = _PlanTable()
    instances: list[_InstanceTable] = Field(min_length=1)
    routes: dict[str, str] = {}


#: The table that stands under a key, to say which keys it knows.
_TABLES: Final[dict[str, type[_Table]]] = {
    "defaults": _PlanTable,
    "instances": _InstanceTable,
    "login": _LoginTable,
    "connection": _ConnectionTable,
    "password": _PasswordTable,
    "keyring": _KeyringTable,
}

#: What to write, by the last part of the key; shown whenever the value there is of no use.
_MENDS = {
    "name": 'write a name for the estate, such as name = "Production"',
    "upgrade_date": "write the day of the upgrade without quotes, such as upgrade_date = 2027-03-20",
    "horizon_days": "write a number of days from 0 to 3650, such as horizon_days = 90",
    "instances": "list every instance in a table of its own that begins with [[instances]]",
    "defaults": "write it as a table that begins with [defaults]",
    "routes": 'write a table [routes] with lines such as "sql01:1433" = "10.0.0.5:1433"',
    "address": "write the address as a client dials it, such as address = 'SQL01\\SALES'",
    "wave": 'write a whole number such as wave = 1, or wave = "none" for an instance that is not upgraded',
    "upgrade": "write upgrade = false for an instance that is not upgraded, or leave the key out",
    "login": 'write a table, such as login = { method = "windows" }',
    "method": 'write method = "windows", "sql" or "entra"',
    "user": "write the login's name in quotes, at most 128 characters",
    "password": 'write where it comes from, such as password = { env = "ASSESSOR_PASSWORD" }',
    "env": 'write the name of an environment variable, such as env = "ASSESSOR_PASSWORD"',
    "keyring": 'write keyring = { service = "assessor", user = "inventory" }',
    "service": "write the name of the keyring's service in quotes",
    "file": 'write the path of the password file, such as file = "password.txt"',
    "prompt": "write prompt = true, or leave the key out",
    "trust_store": "write the path of a PEM file, or of a folder of them, in quotes",
    "connect_trust_store": "write the path of a PEM file in quotes",
    "connection": "write a table, such as connection = { validate = true }",
    "encrypt": 'write encrypt = "mandatory", "strict" or "optional"',
    "validate": "write validate = true or validate = false",
    "host_name_in_certificate": "write the host name that the certificate carries, in quotes",
    "login_timeout_seconds": "write a number of seconds from 1 to 600",
    "query_timeout_seconds": "write a number of seconds from 1 to 3600",
}

#: Authentication words of ODBC Driver 18 (sql-docs ``connect/odbc/using-azure-active-directory.md``; the same words
#: are in the driver's binary, 18.6): whether each needs a user name and a password.
_ENTRA_METHODS = {
    "ActiveDirectoryIntegrated": (False, False),
    "ActiveDirectoryInteractive": (False, False),
    "ActiveDirectoryMSI": (False, False),
    "ActiveDirectoryServicePrincipal": (True, True),
    "ActiveDirectoryPassword": (True, True),
}


def load_estate(path: Path) -> Estate:
    """Read and check the estate file at ``path``. Relative paths in it are relative to its folder.

    Raises :class:`EstateError`: one sentence that names the file, the key and what to write instead.
    """
    text = _read_text(path)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise EstateError(
            f"{path} is not valid TOML: {_without_values(str(error))}; {_toml_hint(text, error)}"
        ) from None
    except RecursionError:
        raise EstateError(f"{path} nests tables or lists too deeply; keep to the keys of docs/estate-file.md") from None
    return _Reader(path, text, document).read()


def _read_text(path: Path) -> str:
    try:
        if path.is_dir():
            raise EstateError(f"{path} is a folder; name the estate file in it")
        with path.open("rb") as file:
            data = file.read(_LARGEST_FILE + 1)
    except FileNotFoundError:
        raise EstateError(f"{path} does not exist; write an estate file with: assessor init {path}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a usable path"
        raise EstateError(f"{path} can't be read ({reason}); check its path and permissions") from None
    if len(data) > _LARGEST_FILE:
        raise EstateError(f"{path} is larger than 8 MB; that is no estate file, name the right one")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise EstateError(f"{path} is saved as UTF-16; save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise EstateError(f"{path}, line {line}: not UTF-8 text; save the file as UTF-8") from None
    if not text.strip():
        raise EstateError(f"{path} is empty; write an estate file with: assessor init {path} --force")
    return text


def _without_values(message: str) -> str:
    """A parser's message without quoted pieces of the file, any of which may be part of a misplaced password."""
    return re.sub(r"'[^']*'", "a character", message)


def _toml_hint(text: str, error: tomllib.TOMLDecodeError) -> str:
    found = re.search(r"line (\d+)", str(error))
    if found:
        lines = text.splitlines()
        line = lines[int(found[1]) - 1] if int(found[1]) <= len(lines) else ""
        if "\\" in line and '"' in line:
            return r"put a value with a backslash into single quotes, such as address = 'SQL01\SALES'"
    return "mend it there"


class _Reader:
    """Turns one parsed document into an :class:`Estate`; keeps what an error message needs at hand."""

    def __init__(self, path: Path, text: str, document: dict[str, Any]) -> None:
        self._path = path
        self._folder = path.resolve().parent
        self._document = document
        self._lines = _KeyLines(text)

    def read(self) -> Estate:
        self._refuse_literal_passwords(self._document, ())
        try:
            table = _EstateTable.model_validate(self._document)
        except ValidationError as error:
            raise self._translate(error.errors(include_url=False)) from None
        try:
            routes = Routes.parse(table.routes)
        except RouteError as error:
            raise EstateError(f"{self._path}: {error}") from None
        trust_store = self._existing(("defaults", "trust_store"), table.defaults.trust_store)
        own_store = self._existing(("connect_trust_store",), table.connect_trust_store)
        if own_store is not None and own_store.is_dir():
            raise self._error(
                ("connect_trust_store",), "is a folder; name one PEM file, for the driver reads only that"
            )
        return Estate(
            name=table.name,
            upgrade_date=table.upgrade_date,
            horizon_days=table.horizon_days,
            instances=self._instances(table),
            trust_store=trust_store,
            connect_trust_store=own_store,
            routes=routes,
            path=self._path,
        )

    def _instances(self, table: _EstateTable) -> tuple[EstateInstance, ...]:
        default_login = self._login(("defaults", "login"), table.defaults.login) if table.defaults.login else Login()
        self._connection(("defaults", "connection"), _ConnectionTable(), table.defaults.connection)
        read: list[EstateInstance] = []
        first_with: dict[str, int] = {}
        for index, entry in enumerate(table.instances):
            where = ("instances", index)
            data_source = self._address((*where, "address"), entry.address)
            key = same_server_key(data_source)
            if key in first_with:
                other = first_with[key]
                raise self._error(
                    (*where, "address"),
                    f"is the same server as instances[{other + 1}] ({read[other].address}); keep one of the two",
                )
            first_with[key] = index
            trust_store = entry.trust_store
            read.append(
                EstateInstance(
                    address=entry.address.strip(),
                    data_source=data_source,
                    wave=self._wave(where, entry, table.defaults),
                    login=self._login((*where, "login"), entry.login) if entry.login else default_login,
                    trust_store=self._existing((*where, "trust_store"), trust_store)
                    if trust_store is not None
                    else self._existing(("defaults", "trust_store"), table.defaults.trust_store),
                    connection=self._connection((*where, "connection"), table.defaults.connection, entry.connection),
                )
            )
        return tuple(read)

    def _address(self, where: tuple[str | int, ...], address: str) -> DataSource:
        if not address.strip():
            raise self._error(where, f"is empty; {_MENDS['address']}")
        try:
            data_source = parse_data_source(address)
        except BadDataSource as error:
            raise self._error(where, f"can't be read: {error}") from None
        if data_source.is_local_db or data_source.protocol not in (None, Protocol.TCP):
            raise self._error(where, "is not dialled over TCP; write HOST, HOST\\INSTANCE or HOST,PORT")
        return data_source

    def _wave(self, where: tuple[str | int, ...], entry: _InstanceTable, defaults: _PlanTable) -> int | None:
        if entry.upgrade is False and entry.wave not in (None, "none"):
            raise self._error(
                (*where, "upgrade"), "is false, yet the instance has a wave of its own; keep one of the two keys"
            )
        wave = entry.wave if entry.wave is not None else defaults.wave
        if entry.upgrade is False or wave == "none":
            wave = None
        if entry.upgrade is True and wave is None:
            raise self._error((*where, "upgrade"), "is true, yet no wave is given; write wave = 1 beside it")
        return wave

    def _login(self, where: tuple[str | int, ...], table: _LoginTable) -> Login:
        method = LoginMethod(table.method)
        if method is not LoginMethod.ENTRA and table.authentication is not None:
            raise self._error((*where, "authentication"), 'is only for method = "entra"; leave it out')
        needs_user = needs_password = method is LoginMethod.SQL
        if method is LoginMethod.ENTRA:
            needs_user, needs_password = self._entra(where, table.authentication)
        if method is LoginMethod.WINDOWS and table.user is not None:
            raise self._error(
                (*where, "user"),
                "can't be used with Windows authentication, which takes the account that runs assessor; "
                "leave it out, and start assessor as that user",
            )
        if needs_user and table.user is None:
            raise self._error(where, f"has no user; {_MENDS['user']}")
        if needs_password and table.password is None:
            raise self._error(where, f"has no password; {_MENDS['password']}")
        if not needs_password and table.password is not None:
            raise self._error((*where, "password"), "is of no use to this login method; leave it out")
        password = None
        if table.password is not None:
            password = self._password((*where, "password"), table.password, table.user or "")
        return Login(method, table.user, table.authentication, password)

    def _entra(self, where: tuple[str | int, ...], authentication: str | None) -> tuple[bool, bool]:
        known = ", ".join(_ENTRA_METHODS)
        if authentication is None:
            raise self._error(where, f"has no authentication; write authentication = one of {known}")
        if authentication not in _ENTRA_METHODS:
            raise self._error((*where, "authentication"), f"is no method of ODBC Driver 18; write one of {known}")
        return _ENTRA_METHODS[authentication]

    def _password(self, where: tuple[str | int, ...], table: _PasswordTable, user: str) -> PasswordSource:
        given = [key for key in ("env", "keyring", "file", "prompt") if getattr(table, key) is not None]
        if len(given) != 1:
            found = f"names {len(given)} places" if given else "names no place"
            raise self._error(where, f"{found}; write exactly one of env, keyring, file and prompt")
        if table.env is not None:
            return EnvironmentVariable(table.env)
        if table.keyring is not None:
            return KeyringEntry(table.keyring.service, table.keyring.user)
        if table.file is not None:
            return PasswordFile(self._folder / Path(table.file).expanduser())
        return Prompt(user)

    def _connection(
        self, where: tuple[str | int, ...], defaults: _ConnectionTable, table: _ConnectionTable
    ) -> ConnectionPolicy:
        values = {
            **defaults.model_dump(exclude_none=True),
            **table.model_dump(exclude_none=True),
        }
        policy = ConnectionPolicy(
            encrypt=Encrypt(values.get("encrypt", Encrypt.MANDATORY)),
            validate=values.get("validate_", True),
            host_name_in_certificate=values.get("host_name_in_certificate"),
            login_timeout_seconds=values.get("login_timeout_seconds", 15),
            query_timeout_seconds=values.get("query_timeout_seconds", 60),
        )
        if policy.encrypt is Encrypt.STRICT and not policy.validate:
            raise self._error(
                where, 'has encrypt = "strict", which always validates, and validate = false; change one of them'
            )
        return policy

    def _existing(self, where: tuple[str | int, ...], text: str | None) -> Path | None:
        if text is None:
            return None
        path = self._folder / Path(text).expanduser()
        try:
            exists = path.exists()
        except (OSError, ValueError):
            exists = False
        if not exists:
            raise self._error(where, f"names {str(path)!r}, which does not exist; {_MENDS[str(where[-1])]}")
        return path

    # --- errors ---------------------------------------------------------------------------------------------

    def _refuse_literal_passwords(self, node: object, where: tuple[str | int, ...]) -> None:
        if isinstance(node, dict):
            for key, value in node.items():
                inner = (*where, key)
                if str(key).lower() in ("password", "pwd", "passwd") and not isinstance(value, dict):
                    raise self._error(
                        inner,
                        "is written out, and this file is copied, mailed and kept; change that password and "
                        f"{_MENDS['password']} (or keyring, file or prompt)",
                    )
                self._refuse_literal_passwords(value, inner)
        elif isinstance(node, list):
            for index, value in enumerate(node):
                self._refuse_literal_passwords(value, (*where, index))

    def _translate(self, errors: list[ErrorDetails]) -> EstateError:
        located = [(self._own_location(error["loc"]), error) for error in errors]
        # A misspelt key explains a missing one, so it is named first; then in the file's order.
        located.sort(key=lambda item: (item[1]["type"] != "extra_forbidden", self._lines.find(item[0]) or 0))
        where, error = located[0]
        key = str(where[-1]) if where else ""
        if error["type"] == "extra_forbidden":
            return self._error(where, self._unknown_key(where, key))
        if error["type"] == "missing":
            return self._error(where, f"is missing; {_MENDS.get(key, 'write it')}")
        if where[:1] == ("routes",):
            return self._error(where, f"must be text; {_MENDS['routes']}")
        mend = _MENDS.get(key) or (_MENDS["address"] if where[:1] == ("instances",) else "see docs/estate-file.md")
        if where[:1] == ("instances",) and len(where) <= 2:
            mend = _MENDS["instances"]
        return self._error(where, f"has a value of the wrong kind; {mend}")

    def _own_location(self, loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
        """The location without what pydantic adds to it for unions (``literal['none']``, ``int``)."""
        node: object = self._document
        own: list[str | int] = []
        for part in loc:
            if isinstance(node, dict) and isinstance(part, str):
                own.append(part)
                node = node.get(part)
            elif isinstance(node, list) and isinstance(part, int) and part < len(node):
                own.append(part)
                node = node[part]
            else:
                break
        return tuple(own)

    def _unknown_key(self, where: tuple[str | int, ...], key: str) -> str:
        model: type[_Table] = _EstateTable
        for part in where[:-1]:
            model = _TABLES.get(str(part), model)
        known = [entry.alias or name for name, entry in model.model_fields.items()]
        close = difflib.get_close_matches(key.lower(), known, n=1)
        if close:
            return f"is no key that is known here; did you mean {close[0]}?"
        return f"is no key that is known here; known are {', '.join(known)}"

    def _error(self, where: tuple[str | int, ...], sentence: str) -> EstateError:
        line = self._lines.find(where)
        place = f"{self._path}, line {line}" if line else f"{self._path}"
        return EstateError(f"{place}: {self._spelled(where)} {sentence}")

    def _spelled(self, where: tuple[str | int, ...]) -> str:
        """``instances[3].login.password``, counted from 1, as a person counts tables."""
        text = ""
        for part in where:
            if isinstance(part, int):
                text += f"[{part + 1}]"
            else:
                shown = part if re.fullmatch(r"[\w-]{1,60}", part) else repr(part[:60])
                text += f".{shown}" if text else shown
        return text or "the file"


class _KeyLines:
    """On which line a key stands. tomllib does not say, so the text is read once more, roughly.

    Knows table headers and ``key = value`` lines. In a file with multi-line strings, which could hold
    anything, it knows nothing, for no line is better than a wrong one.
    """

    def __init__(self, text: str) -> None:
        self._lines: dict[tuple[str | int, ...], int] = {}
        if "'''" in text or '"""' in text:
            return
        table: tuple[str | int, ...] = ()
        count: dict[tuple[str | int, ...], int] = {}
        for number, line in enumerate(text.splitlines(), start=1):
            if found := re.match(r"\s*\[\[\s*([\w.\-\s]+?)\s*\]\]", line):
                name = self._resolve(tuple(self._parts(found[1])), count)
                count[name] = count.get(name, -1) + 1
                table = (*name, count[name])
            elif found := re.match(r"\s*\[\s*([\w.\-\s]+?)\s*\]\s*(?:#|$)", line):
                table = self._resolve(tuple(self._parts(found[1])), count)
            elif found := re.match(r"""\s*("[^"\\]*"|'[^']*'|[\w.\-]+(?:\s*\.\s*[\w\-]+)*)\s*=""", line):
                key = found[1]
                parts = (key[1:-1],) if key[0] in "\"'" else tuple(self._parts(key))
                self._lines.setdefault((*table, *parts), number)
                continue
            else:
                continue
            self._lines.setdefault(table, number)

    def find(self, where: tuple[str | int, ...]) -> int | None:
        """The line of the key, or of the innermost table around it that was found."""
        while where:
            if where in self._lines:
                return self._lines[where]
            where = where[:-1]
        return None

    @staticmethod
    def _parts(text: str) -> Iterator[str]:
        return (part.strip() for part in text.split("."))

    @staticmethod
    def _resolve(name: tuple[str | int, ...], count: dict[tuple[str | int, ...], int]) -> tuple[str | int, ...]:
        """``instances.login`` under ``[[instances]]`` belongs to the last instance so far."""
        resolved: tuple[str | int, ...] = ()
        for position, part in enumerate(name):
            resolved = (*resolved, part)
            if resolved in count and position < len(name) - 1:
                resolved = (*resolved, count[resolved])
        return resolved

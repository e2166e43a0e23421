"""The lab: every server of ``sample_data/`` on loopback, each host on an address of its own.

>>> with Lab(sample_data_dir(), workdir) as lab:
...     load_estate(lab.estate_file)

Hosts get addresses of one free 127.x.y.0/24 and keep their natural ports. Where only 127.0.0.1 exists (macOS),
or where a natural port is taken on every address (a real SQL Server listens here), everything moves to 127.0.0.1
and free ports, and the routes say so port by port.
"""

from __future__ import annotations

import contextlib
import errno
import re
import secrets
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from assessor.collect.queries import Query, load_queries
from assessor.errors import AssessorError, UsageError
from assessor.lab.behaviour import Behaviour, Encryption, Manner
from assessor.lab.browser import BROWSER_PORT, BrowserEntry, BrowserServer
from assessor.lab.canned import CannedAnswers
from assessor.lab.certificates import CertificateProblem, CertificateShop, pem, thumbprint
from assessor.lab.instance_files import (
    CertificatesFile,
    InstanceFile,
    Remediation,
    State,
    read_certificates,
    read_instance,
    read_remediation,
)
from assessor.lab.server import ServerLoop, TdsServer, bind
from assessor.lab.tls import Credentials
from assessor.routes import Routes

_NETWORKS_TRIED: Final = 20
_MOST_HOSTS: Final = 250
_ONLY_ADDRESS: Final = "127.0.0.1"
_UPGRADE_DATE = re.compile(r"^(\s*upgrade_date\s*=\s*)\d{4}-\d\d-\d\d", re.MULTILINE)
_ROUTES_TABLE = re.compile(r"^\s*\[\s*routes\s*\]", re.MULTILINE)
_SHA256_FALLBACK_SINCE: Final = 14
_MANNERS: Final = {
    State.UP: Manner.TDS,
    State.SILENT: Manner.SILENT,
    State.CLOSES: Manner.CLOSES,
    State.OTHER_SERVICE: Manner.OTHER_SERVICE,
}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a port of a host really is."""

    address: str
    port: int


class Lab:
    """A running estate of emulated servers. Use it as a context manager; everything is gone afterwards but
    the files in ``workdir``.

    Attributes:
        estate_file: the demo estate in ``workdir``, with routes, upgrade date, trust stores and password files.
        trust_stores: PEM file of each authority, by its name in ``certificates.toml``.
        certificate_files: PEM file of each server certificate, by its name.
        passwords: password of each login.
        servers: the running servers, by the name of their file; one whose state is ``off`` isn't there.
        browsers: SQL Browser by host; a host without one isn't there.
        routes: host (or ``host:port``) to address (or ``address:port``), as in the estate file.

    Raises:
        UsageError: the sample data is malformed.
        AssessorError: no loopback address is free.

    """

    def __init__(
        self,
        sample_data: Path,
        workdir: Path,
        *,
        single_address: bool = False,
        queries: tuple[Query, ...] | None = None,
    ) -> None:
        self._sample_data = sample_data
        self._workdir = workdir
        self._single_address = single_address
        self._queries = queries if queries is not None else load_queries()
        self._loop = ServerLoop()
        self._started = datetime.now(UTC)
        self._holds: list[socket.socket] = []
        self._places: dict[tuple[str, int], _Place] = {}
        self._addresses: dict[str, str] = {}
        self.estate_file = workdir / "estate.toml"
        self.trust_stores: dict[str, Path] = {}
        self.certificate_files: dict[str, Path] = {}
        self.passwords: dict[str, str] = {}
        self.servers: dict[str, TdsServer] = {}
        self.browsers: dict[str, BrowserServer] = {}
        self.routes: dict[str, str] = {}
        self.instances: dict[str, InstanceFile] = {}
        self._shop: CertificateShop | None = None

    def __enter__(self) -> Self:
        certificates = read_certificates(self._sample_data / "certificates.toml")
        files = tuple(read_instance(path) for path in sorted((self._sample_data / "instances").glob("*.toml")))
        self._check(files)
        self.instances = {file.key: file for file in files}
        try:
            shop = CertificateShop(certificates.authorities, certificates.certificates, today=self._started)
            behaviours = self._behaviours(files, shop)
            self._shop = shop
            self._loop.start()
            self._bind(files, behaviours)
            for server in self.servers.values():
                server.start()
            for browser in self.browsers.values():
                browser.start()
            self._write(certificates, shop)
        except CertificateProblem as error:
            self.close()
            raise UsageError(f"certificates.toml: {error}") from error
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop every server. May be called twice."""
        self._unbind()
        self._loop.close()

    def remediate(self, path: Path) -> Remediation:
        """Change the running servers and the estate file as ``path`` says, which ``sample_data/README.md`` describes.

        Everything that is not changed stays as it is, to the last byte of its certificate.

        Raises:
            UsageError: the file is malformed, or changes what is not there.

        """
        assert self._shop is not None
        remediation = read_remediation(path, self.instances)
        text = self.estate_file.read_text(encoding="utf-8")
        for old, new in remediation.estate:
            if text.count(old) != 1:
                raise UsageError(
                    f"{path.name}: estate: {old!r} stands {text.count(old)} times in estate.toml, not once"
                )
            text = text.replace(old, new)
        for file in remediation.instances:
            behaviour = self._behaviour(file, self._shop)
            self.instances[file.key] = file
            server = self.servers.get(file.key)
            if server is None:
                raise UsageError(f"{path.name}: [instances.{file.key}]: it is off; only what runs can be changed")
            if file.state is State.OFF:
                server.close()
                del self.servers[file.key]
                self._holds.append(bind(socket.SOCK_STREAM, server.address, server.port))
            else:
                server.behaviour = behaviour
        self._write_text("estate.toml", text)
        return remediation

    def place_of(self, key: str) -> tuple[str, int]:
        """Address and port where the server of file ``key`` listens, or would, if it were up.

        Raises:
            KeyError: there is no such file.

        """
        file = self.instances[key]
        place = self._places[file.host, file.port]
        return place.address, place.port

    @property
    def hosts_file(self) -> Path:
        """All names as an ``/etc/hosts`` file in ``workdir``, for libnss_wrapper or a container."""
        return self._workdir / "hosts"

    # -- before anything listens ----------------------------------------------------------------------

    def _check(self, files: tuple[InstanceFile, ...]) -> None:
        if not files:
            raise UsageError(f"{self._sample_data}: no file in instances/, so there is nothing to emulate")
        hosts: dict[str, str] = {}
        ports: dict[tuple[str, int], str] = {}
        for file in files:
            for name in file.names:
                if hosts.setdefault(name, file.host) != file.host:
                    raise UsageError(f"{file.path.name}: the name {name!r} leads to {hosts[name]}, too")
            if (other := ports.setdefault((file.host, file.port), file.path.name)) != file.path.name:
                raise UsageError(f"{file.path.name}: {other} has the same host and port {file.port}")
        if len({file.host for file in files}) > _MOST_HOSTS:
            raise UsageError(f"{self._sample_data}: more than {_MOST_HOSTS} hosts don't fit into one lab")

    def _behaviours(self, files: tuple[InstanceFile, ...], shop: CertificateShop) -> dict[str, Behaviour]:
        logins = {login for file in files for login in file.table.logins} | {"assessor"}
        self.passwords = {login: f"Lab-{secrets.token_urlsafe(16)}" for login in sorted(logins)}
        return {file.key: self._behaviour(file, shop) for file in files}

    def _behaviour(self, file: InstanceFile, shop: CertificateShop) -> Behaviour:
        credentials: Credentials | None
        if file.encryption is Encryption.NOT_SUPPORTED:
            credentials = None
        elif file.table.certificate is not None:
            try:
                credentials = shop.credentials(file.table.certificate)
            except CertificateProblem as error:
                raise UsageError(f"{file.path.name}: {error}") from error
        else:
            modern = file.version[0] >= _SHA256_FALLBACK_SINCE
            credentials = shop.fallback(signature="sha256" if modern else "sha1")
        in_use = thumbprint(credentials.certificate) if credentials is not None else ""
        loaded = in_use if file.table.certificate is not None else None
        started = (self._started - timedelta(days=3)).replace(tzinfo=None, microsecond=0)
        facts = file.facts(loaded, started, self._waiting(file, shop))
        texts = {
            "thumbprint": in_use,
            "host": file.host,
            "short": file.short,
            "server": file.server_name,
            "port": str(file.port),
        }
        return Behaviour(
            credentials=credentials,
            encryption=file.encryption,
            force_strict=file.table.force_strict,
            tds8=file.tds8 and credentials is not None,
            tls=file.tls,
            version=file.version,
            server_name=file.server_name,
            accounts={login: self.passwords[login] for login in file.table.logins},
            databases=file.databases,
            answers=CannedAnswers(
                file.queries(self._queries), file.databases, file.replies(self._queries, facts, texts)
            ),
            manner=_MANNERS.get(file.state, Manner.TDS),
        )

    @staticmethod
    def _waiting(file: InstanceFile, shop: CertificateShop) -> str | None:
        """Thumbprint of the certificate that is configured and waits for the next start."""
        if file.table.configured is None:
            return None
        try:
            return thumbprint(shop.credentials(file.table.configured).certificate)
        except CertificateProblem as error:
            raise UsageError(f"{file.path.name}: configured: {error}") from error

    # -- sockets --------------------------------------------------------------------------------------

    def _bind(self, files: tuple[InstanceFile, ...], behaviours: Mapping[str, Behaviour]) -> None:
        complaint: OSError | None = None
        for network in () if self._single_address else _networks():
            try:
                self._bind_on(network, files, behaviours)
            except OSError as error:
                complaint = error
                self._unbind()
                if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                    break  # no other network of 127/8 will be any better
            else:
                return
        try:
            self._bind_on(None, files, behaviours)
        except OSError as error:
            self._unbind()
            raise AssessorError(
                f"the lab can't listen on loopback: {error.strerror or error}"
                f"{f' (before that: {complaint.strerror})' if complaint else ''}; "
                "allow this user to open ports on 127.0.0.1"
            ) from error

    def _bind_on(
        self, network: str | None, files: tuple[InstanceFile, ...], behaviours: Mapping[str, Behaviour]
    ) -> None:
        by_host: dict[str, list[InstanceFile]] = {}
        for file in files:
            by_host.setdefault(file.host, []).append(file)
        for number, (host, instances) in enumerate(by_host.items(), 1):
            address = _ONLY_ADDRESS if network is None else f"{network}.{number}"
            names = tuple(dict.fromkeys(name for file in instances for name in file.names))
            self._addresses.update(dict.fromkeys(names, address))
            for file in instances:
                self._bind_server(file, address, 0 if network is None else file.port, behaviours[file.key])
            self._bind_browser(host, instances, address, 0 if network is None else BROWSER_PORT)
            for name in names:
                if network is not None:
                    self.routes[name] = address
                    continue
                ports = [file.port for file in instances]
                for port in (*ports, *([] if BROWSER_PORT in ports else [BROWSER_PORT])):
                    place = self._places[host, port]
                    self.routes[f"{name}:{port}"] = f"{place.address}:{place.port}"

    def _bind_server(self, file: InstanceFile, address: str, port: int, behaviour: Behaviour) -> None:
        if file.state is State.OFF:
            # Bound and not listening: nobody else gets the port, and a client is refused.
            hold = bind(socket.SOCK_STREAM, address, port)
            self._holds.append(hold)
            self._places[file.host, file.port] = _Place(address, hold.getsockname()[1])
            return
        server = TdsServer(behaviour, address, port, loop=self._loop)
        self.servers[file.key] = server
        self._places[file.host, file.port] = _Place(address, server.port)

    def _bind_browser(self, host: str, instances: list[InstanceFile], address: str, port: int) -> None:
        up = [file for file in instances if file.state is not State.OFF]
        if not up or not all(file.table.browser for file in instances):
            # On an address of its own the port is simply closed; on the shared one nobody else may get it.
            if port == 0:
                hold = bind(socket.SOCK_DGRAM, address, port)
                self._holds.append(hold)
                port = hold.getsockname()[1]
            self._places[host, BROWSER_PORT] = _Place(address, port)
            return
        entries = [
            BrowserEntry(
                server=file.short.upper(),
                instance=file.table.instance or "MSSQLSERVER",
                version=file.table.version,
                port=file.port,
            )
            for file in up
            if not file.table.hidden
        ]
        browser = BrowserServer(entries, address, port, loop=self._loop)
        self.browsers[host] = browser
        self._places.setdefault((host, BROWSER_PORT), _Place(address, browser.port))

    def _unbind(self) -> None:
        for server in self.servers.values():
            server.close()
        for browser in self.browsers.values():
            browser.close()
        for hold in self._holds:
            hold.close()
        self._holds.clear()
        self.servers.clear()
        self.browsers.clear()
        self._places.clear()
        self._addresses.clear()
        self.routes.clear()

    # -- files ----------------------------------------------------------------------------------------

    def _write(self, certificates: CertificatesFile, shop: CertificateShop) -> None:
        for name, authority in shop.authorities.items():
            self.trust_stores[name] = self._write_text(f"trust/{name}.pem", authority.pem)
        for name in shop.names:
            text = pem(shop.credentials(name).certificate)
            self.certificate_files[name] = self._write_text(f"certificates/{name}.pem", text)
        for login, password in self.passwords.items():
            self._write_text(f"passwords/{login}.txt", password, secret=True)
        lines = [f"{address}\t{' '.join(names)}\n" for address, names in self._names_by_address()]
        self._write_text("hosts", "".join(lines))
        source = self._sample_data / "estate.toml"
        if source.is_file():
            self._write_text("estate.toml", self._estate(source, certificates.upgrade_in_days))

    def _names_by_address(self) -> Iterator[tuple[str, list[str]]]:
        for address in dict.fromkeys(self._addresses.values()):
            yield address, [name for name, at in self._addresses.items() if at == address]

    def _estate(self, source: Path, upgrade_in_days: int) -> str:
        text = source.read_text(encoding="utf-8")
        if _ROUTES_TABLE.search(text):
            raise UsageError(f"{source.name}: leave [routes] out; the lab writes it")
        upgrade = self._started.date() + timedelta(days=upgrade_in_days)
        text, found = _UPGRADE_DATE.subn(rf"\g<1>{upgrade.isoformat()}", text, count=1)
        if not found:
            raise UsageError(f"{source.name}: it has no upgrade_date = YYYY-MM-DD for the lab to set")
        Routes.parse(self.routes)  # what the lab writes must be readable by what the estate file is read with
        routes = "".join(f'"{name}" = "{place}"\n' for name, place in self.routes.items())
        comment = "# Written by the lab: its names are in no DNS, so each one is led to its loopback address.\n"
        return f"{text.rstrip()}\n\n{comment}[routes]\n{routes}"

    def _write_text(self, name: str, text: str, *, secret: bool = False) -> Path:
        path = self._workdir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        path.touch(mode=0o600 if secret else 0o644)
        path.write_text(text, encoding="utf-8")
        return path


def _networks() -> Iterator[str]:
    """Random networks of 127/8, ``127.x.y`` each, so that labs side by side rarely meet."""
    for _ in range(_NETWORKS_TRIED):
        yield f"127.{1 + secrets.randbelow(254)}.{secrets.randbelow(256)}"

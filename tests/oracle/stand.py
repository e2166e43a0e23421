"""The emulated server that both sides meet, and our side: probe it, judge its chain, predict."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from OpenSSL import SSL

from assessor.certificates.certificate import Certificate
from assessor.certificates.chain import ChainAssessment, assess_chain
from assessor.certificates.trust import TrustStore, load_trust_store
from assessor.clients.options import Encrypt
from assessor.clients.outcome import Outcome
from assessor.clients.predict import Attempt, predict
from assessor.clients.profiles import profile
from assessor.judge.judge import chain_of
from assessor.lab.behaviour import Behaviour
from assessor.lab.browser import BrowserEntry, BrowserServer
from assessor.lab.conversation import Seen
from assessor.lab.server import ServerLoop, TdsServer
from assessor.lab.tls import Credentials
from assessor.names import parse_data_source
from assessor.probe.conversation import probe_endpoint
from assessor.probe.dial import Resolver
from assessor.probe.evidence import Endpoint, Evidence
from assessor.probe.settings import ProbeSettings
from assessor.routes import Routes

from .driver import DriverProcess, Said
from .forge import Forged
from .shapes import Host, Shown

CLIENT = "odbc-18"
INSTANCE = "INST1"
ACCOUNT = {"oracle": "secret"}
_LONG = ".".join(["a-rather-long-label-" + str(n) * 40 for n in range(3)]) + ".corp.example"


@dataclass(frozen=True, slots=True, eq=False)
class RawCredentials(Credentials):
    """Certificates as OpenSSL reads them from a file, for ``cryptography`` can't hold all that a server may show."""

    chain: str = ""  #: PEM, leaf first
    private: str = field(default="", repr=False)  #: PEM

    def put_into(self, context: SSL.Context) -> None:
        with tempfile.TemporaryDirectory(prefix="oracle-") as folder:
            chain, private = Path(folder, "chain.pem"), Path(folder, "key.pem")
            chain.write_text(self.chain, "ascii")
            private.write_text(self.private, "ascii")
            context.use_certificate_chain_file(str(chain))
            context.use_privatekey_file(str(private))


def credentials_of(shown: Shown) -> Credentials:
    """What the lab serves."""
    chain = "".join(each.pem for each in (shown.leaf, *shown.sent))
    nothing = cast(Any, None)
    return RawCredentials(nothing, nothing, chain=chain, private=shown.leaf.key.pem)


@dataclass(frozen=True, slots=True)
class Options:
    """How the client is told to connect. Names of files stand for their content."""

    server: str
    encrypt: Encrypt
    trust: bool = False
    host_name: str | None = None
    pin: Forged | None = None


class Stand:
    """One server on an address of its own, and the driver's process. Play one case at a time."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="oracle-")))
        loop = self._stack.enter_context(ServerLoop())
        address = self._listen(loop)
        self.host = Host(
            "sql01.corp.example",
            "sql01",
            address,
            ("xn--bcher-kva.corp.example", _LONG, "sql_01.corp.example", "deep.sub.corp.example", "corp.example"),
        )
        names = (self.host.fqdn, self.host.short, *self.host.extra)
        self._folder = folder
        self._settings = ProbeSettings(routes=Routes.parse(dict.fromkeys(names, address)), vantage="oracle")
        self._resolver = Resolver(1)
        self._driver = self._stack.enter_context(DriverProcess(folder, dict.fromkeys(names, address)))
        self._files: dict[int, tuple[Forged, Path]] = {}
        self._client = profile(CLIENT)

    def _listen(self, loop: ServerLoop) -> str:
        idle = Behaviour()
        while True:
            address = f"127.{random.randint(1, 254)}.{random.randint(0, 255)}.{random.randint(2, 254)}"
            with ExitStack() as attempt:
                try:
                    self._default = attempt.enter_context(TdsServer(idle, address, 1433, loop=loop))
                    self._named = attempt.enter_context(TdsServer(idle, address, 0, loop=loop))
                    entry = BrowserEntry("SQL01", INSTANCE, "16.0.4175.1", self._named.port)
                    attempt.enter_context(BrowserServer((entry,), address, loop=loop))
                except OSError:  # somebody else has this address
                    continue
                self._stack.push(attempt.pop_all())
                return address

    # -- the server ---------------------------------------------------------------------------------------------

    def serve(self, behaviour: Behaviour) -> Evidence:
        """Behave so from now on; what the probe sees of it."""
        self._default.behaviour = self._named.behaviour = behaviour
        return probe_endpoint(Endpoint(self.host.fqdn, 1433), self._settings, self._resolver)

    def _last_seen(self) -> Seen | None:
        both = [server.seen[-1] for server in (self._default, self._named) if server.seen]
        return both[-1] if both else None

    # -- our side -----------------------------------------------------------------------------------------------

    def store(self, number: int, certificates: Sequence[Forged]) -> tuple[Path, TrustStore]:
        """A trust store as a file for the driver, and as we read that file."""
        path = self._folder / f"store-{number % 8}.pem"
        path.write_text("".join(each.pem for each in certificates), "ascii")
        return path, load_trust_store(path)

    def assess(self, evidence: Evidence, store: TrustStore) -> ChainAssessment:
        return assess_chain(chain_of(evidence), store, datetime.now(UTC))

    def predict(self, options: Options, evidence: Evidence, chain: ChainAssessment) -> Outcome:
        attempt = Attempt(
            encrypt=options.encrypt,
            trust=options.trust,
            host_name_in_certificate=options.host_name,
            pin=Certificate(options.pin.der) if options.pin else None,
        )
        host = parse_data_source(options.server).host
        assert host is not None
        return predict(self._client, attempt, evidence, chain, host)

    # -- the driver's side --------------------------------------------------------------------------------------

    def ask_driver(self, options: Options, store: Path) -> tuple[Said, Seen | None]:
        words = {"Encrypt": options.encrypt.value}
        if options.trust:
            words["TrustServerCertificate"] = "yes"
        if options.host_name is not None:
            words["HostNameInCertificate"] = options.host_name
        if options.pin is not None:
            words["ServerCertificate"] = str(self._pin_file(options.pin))
        self._default.seen.clear()
        self._named.seen.clear()
        said = self._driver.connect(options.server, words, store)
        return said, self._last_seen()

    def _pin_file(self, pin: Forged) -> Path:
        path = self._folder / "pin.pem"
        path.write_text(pin.pem, "ascii")
        return path

    def close(self) -> None:
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

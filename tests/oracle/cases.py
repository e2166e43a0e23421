"""The seeded generator: groups of cases that share one server and one trust store.

A group's content depends on the seed and its number alone, so any group can be played again by itself. Every second
group shows one of the named shapes, in turn; the others show a random chain.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

from assessor.clients.options import Encrypt
from assessor.lab.behaviour import Behaviour, Encryption
from assessor.lab.tls import DEFAULT_CIPHERS, TlsFailed, TlsSession, TlsVersion
from assessor.probe.tls import TlsClient, TlsError, TlsMode

from .chains import random_chain
from .forge import Draft, Forged, cn, forge, key
from .shapes import SHAPES, Host, Shown
from .stand import ACCOUNT, INSTANCE, Options, credentials_of

CASES_IN_GROUP = 8


@dataclass(frozen=True, slots=True)
class Group:
    """One server, one store, several attempts."""

    seed: int
    number: int
    shape: str
    shown: Shown
    store: tuple[Forged, ...]
    store_kind: str
    behaviour: Behaviour
    attempts: tuple[Options, ...]

    @property
    def label(self) -> str:
        behaviour = self.behaviour
        mode = "strict" if behaviour.force_strict else behaviour.encryption.value
        tls = "-".join(version.value for version in behaviour.tls)
        ciphers = "" if behaviour.ciphers == DEFAULT_CIPHERS else f" {behaviour.ciphers}"
        tds8 = "tds 8" if behaviour.tds8 else "no tds 8"
        bare = "" if behaviour.credentials else " no certificate"
        return (
            f"{self.seed}/{self.number} {self.shape}, store {self.store_kind}, {mode} TLS {tls}{ciphers} {tds8}{bare}"
        )


def group(seed: int, number: int, host: Host, size: int = CASES_IN_GROUP) -> Group:
    """Group ``number`` of ``seed``."""
    random = Random(f"{seed}/{number}")
    if number % 2 == 0:
        order = list(SHAPES)
        Random(seed).shuffle(order)
        name = order[number // 2 % len(order)]
        shown = SHAPES[name](host)
        store, kind = _store_of(shown, random)
    else:
        name, kind = "random chain", "random"
        shown, store = random_chain(random, host)
    stranger = forge(Draft(cn("Unrelated Root"), key("ec-p256", "unrelated")))
    store = (*store, stranger) if random.random() < 0.5 else (stranger, *store)
    return Group(
        seed,
        number,
        name,
        shown,
        store,
        kind,
        _behaviour(shown, random),
        tuple(_options(shown, stranger, host, random) for _ in range(size)),
    )


def groups(seed: int, cases: int, host: Host, share: int = 0, shares: int = 1) -> Iterator[Group]:
    """The groups of one share of ``cases`` cases; all shares together have exactly that many."""
    count = -(-cases // CASES_IN_GROUP)
    for number in range(share, count, shares):
        yield group(seed, number, host, min(CASES_IN_GROUP, cases - number * CASES_IN_GROUP))


def _store_of(shown: Shown, random: Random) -> tuple[tuple[Forged, ...], str]:
    kind = random.choices(("roots", "roots and intermediates", "intermediates", "leaf", "nothing"), (70, 12, 4, 4, 10))[
        0
    ]
    match kind:
        case "roots":
            return shown.roots, kind
        case "roots and intermediates":
            return (*shown.intermediates, *shown.roots), kind
        case "intermediates":
            return shown.intermediates, kind
        case "leaf":
            return (shown.leaf,), kind
    return (), kind


_VERSIONS = tuple(TlsVersion)


def _behaviour(shown: Shown, random: Random) -> Behaviour:
    encryption = random.choices((Encryption.AVAILABLE, Encryption.FORCED, Encryption.NOT_SUPPORTED), (50, 43, 7))[0]
    one, two = random.choice(_VERSIONS), random.choice(_VERSIONS)
    tls = (min(one, two, key=_VERSIONS.index), max(one, two, key=_VERSIONS.index))
    usual = random.random() < 0.75
    ciphers = random.choices((DEFAULT_CIPHERS, "AES128-SHA:AES256-SHA", "ECDHE+AES"), (80, 12, 8))[0]
    bare = encryption is Encryption.NOT_SUPPORTED and random.random() < 0.3
    behaviour = Behaviour(
        credentials=None if bare else credentials_of(shown),
        encryption=encryption,
        tds8=random.random() < 0.75,
        tls=(TlsVersion.V1_2, TlsVersion.V1_3) if usual else tls,
        ciphers=DEFAULT_CIPHERS if usual else ciphers,
        accounts=ACCOUNT,
    )
    if random.random() < 0.12 and not bare and _can_be_strict(behaviour):
        return replace(behaviour, tds8=True, force_strict=True)
    return behaviour


def _can_be_strict(behaviour: Behaviour) -> bool:
    """TLS first comes about at all; else a strict-only server would talk to nobody, which no SQL Server does."""
    assert behaviour.credentials is not None
    server = TlsSession(behaviour.credentials, behaviour.tls, strict=True, ciphers=behaviour.ciphers)
    client = TlsClient(TlsMode.TDS8, "sql01")
    try:
        received = b""
        while not client.advance(received):
            server.receive(client.outgoing())
            received = server.outgoing()
    except (TlsError, TlsFailed):
        return False
    return True


def _options(shown: Shown, stranger: Forged, host: Host, random: Random) -> Options:
    encrypt = random.choices((Encrypt.MANDATORY, Encrypt.OPTIONAL, Encrypt.STRICT), (50, 22, 28))[0]
    pin = None
    if random.random() < (0.25 if encrypt is Encrypt.STRICT else 0.05):
        pin = random.choice((shown.leaf, shown.leaf, shown.leaf, *shown.roots[:1], stranger))
    return Options(
        server=_server(shown, host, random),
        encrypt=encrypt,
        trust=random.random() < 0.12,
        host_name=_host_name(shown, host, random) if random.random() < 0.25 else None,
        pin=pin,
    )


def _server(shown: Shown, host: Host, random: Random) -> str:
    name = random.choices((host.fqdn, host.short, host.address), (70, 12, 18))[0]
    if shown.dials and random.random() < 0.5:
        name = random.choice(shown.dials)
    elif random.random() < 0.08:
        name = random.choice((*host.extra, host.fqdn + "."))
    if random.random() < 0.08:
        name = name.upper()
    form = random.choices(
        ("{}", "tcp:{}", "{},1433", "tcp:{},1433", "{}\\{}", "tcp:{}\\{}", "{}\\{},1433"), (50, 15, 8, 7, 10, 6, 4)
    )[0]
    instance = random.choice((INSTANCE, INSTANCE.lower()))
    return form.format(name, instance)


def _host_name(shown: Shown, host: Host, random: Random) -> str:
    parent = host.fqdn.partition(".")[2]
    return random.choice(
        (
            host.fqdn, host.fqdn, host.fqdn, host.short, host.address, host.fqdn.upper(), f"*.{parent}", "",
            "other.corp.example", f"any.{parent}", f"a.b.{parent}", "*", host.fqdn + ".", "corp.example", *shown.dials,
        )
    )  # fmt: skip

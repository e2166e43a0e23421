"""Client profiles: how one driver or tool treats encryption and certificates, read from ``profiles.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

from assessor.certificates.findings import FindingCode
from assessor.certificates.hostnames import CommonName, IpAddress, NameRules
from assessor.clients.options import Encrypt
from assessor.clients.outcome import Basis
from assessor.errors import UsageError


class Trust(StrEnum):
    """What becomes of TrustServerCertificate=yes."""

    HONOURED = "honoured"
    REGISTRY = "registry"  #: only when Flag2 on the client's host is 1
    NONE = "none"


class Pin(StrEnum):
    """In which modes ServerCertificate counts."""

    NONE = "none"
    STRICT = "strict"
    MANDATORY_AND_STRICT = "mandatory_and_strict"


class TlsBelow(StrEnum):
    """What happens with a server that has no TLS version from the client's minimum on."""

    FAILS = "fails"
    UNKNOWN = "unknown"  #: the client's host decides
    UNSIGNED_KEY_EXCHANGE = "unsigned_key_exchange"  #: works with RSA key exchange, fails with any other


class HostName(StrEnum):
    """What HostNameInCertificate does to the name that is matched."""

    NONE = "none"
    REPLACES = "replaces"
    ADDS = "adds"


@dataclass(frozen=True, slots=True)
class ClientProfile:
    """One client. The fields are the rows of ``profiles.toml``, which explains them."""

    id: str
    name: str
    family: str
    errors: str
    encrypt_default: Encrypt
    encrypt_modes: tuple[Encrypt, ...]
    trust: Trust
    validates_forced: bool
    validates_optional: bool
    pin: Pin
    pin_otherwise_refused: bool
    host_name: HostName
    tls_minimum: str
    tls_below: TlsBelow
    names: NameRules
    minds: frozenset[FindingCode]
    unsure: frozenset[FindingCode]
    inferred: frozenset[FindingCode]
    after_name: frozenset[FindingCode]
    curves: frozenset[str]  #: curves of server keys that its TLS offers; empty when not known
    lacks_ciphers: tuple[str, ...]  #: words in the names of ciphers that it does not offer
    basis: Basis
    sources: tuple[str, ...]


@cache
def load_profiles() -> tuple[ClientProfile, ...]:
    """All profiles, in the order of the file."""
    document = tomllib.loads(files("assessor.clients").joinpath("profiles.toml").read_text("utf-8"))
    families: dict[str, dict[str, Any]] = document["families"]
    rows: dict[str, dict[str, Any]] = {}
    for row in document["client"]:
        base = rows[row["extends"]] if "extends" in row else {}
        rows[row["id"]] = {**base, **row}
    sources: dict[str, str] = document["sources"]
    return tuple(_profile(row, families[row["family"]], sources) for row in rows.values())


def profile(client: str) -> ClientProfile:
    """The profile with this id. Raises :class:`UsageError` that lists the ids there are."""
    for each in load_profiles():
        if each.id == client:
            return each
    raise UsageError(f"There is no client {client!r}; choose from {', '.join(each.id for each in load_profiles())}.")


def _profile(row: dict[str, Any], family: dict[str, Any], sources: dict[str, str]) -> ClientProfile:
    return ClientProfile(
        id=row["id"],
        name=row["name"],
        family=row["family"],
        errors=row["errors"],
        encrypt_default=Encrypt(row["encrypt_default"]),
        encrypt_modes=tuple(Encrypt(mode) for mode in row["encrypt_modes"]),
        trust=Trust(row["trust"]),
        validates_forced=row["validates_forced"],
        validates_optional=row["validates_optional"],
        pin=Pin(row["pin"]),
        pin_otherwise_refused=row["pin_otherwise"] == "refused",
        host_name=HostName(row["host_name"]),
        tls_minimum=row["tls_minimum"],
        tls_below=TlsBelow(row["tls_below"]),
        names=NameRules(
            CommonName(row["common_name"]),
            IpAddress(row["ip_address"]),
            reads_raw_bytes=row.get("reads_raw_bytes", False),
        ),
        minds=frozenset(FindingCode(code) for code in family["minds"]),
        unsure=frozenset(FindingCode(code) for code in family["unsure"]),
        inferred=frozenset(FindingCode(code) for code in family["inferred"]),
        after_name=frozenset(FindingCode(code) for code in family["after_name"]),
        curves=frozenset(family.get("curves", ())),
        lacks_ciphers=tuple(family.get("lacks_ciphers", ())),
        basis=Basis(row["basis"]),
        sources=tuple(sources[key] for key in row["sources"]),
    )

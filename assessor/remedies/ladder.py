"""The ladder of remedies: one concrete change each, from most to least secure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RemedyId(StrEnum):
    """Rungs of the ladder (letters of the 2025 reference, section 10), most secure first."""

    CERTIFICATE = "A"  #: real CA certificate with all names on the target, root trusted on the source
    STRICT = "B"  #: A, and Encrypt=Strict
    DIAL_NAME = "C1"  #: dial a name that the certificate carries
    HOST_NAME = "C2"  #: HostNameInCertificate
    IMPORT_SELF_SIGNED = "D"  #: administrator-made certificate imported on the source
    TRUST = "E"  #: TrustServerCertificate=yes, with Flag2=1
    OPTIONAL = "F"  #: Encrypt=Optional, where the target does not force encryption
    LEGACY = "G"  #: trace flag 17600, or Force Encryption off


class Owner(StrEnum):
    """Who has to make the change."""

    TARGET_DBA = "DBA of the target"
    SOURCE_DBA = "DBA of the source"
    PKI = "PKI"
    WINDOWS_ADMIN = "administrator of the source host"


@dataclass(frozen=True, slots=True)
class Remedy:
    """One change that turns a verdict, with its price."""

    id: RemedyId
    title: str  #: imperative, one line
    detail: str  #: how, in sentences; names the real servers and values
    is_secure: bool  #: ``False``: it switches validation or encryption off
    price: str  #: what it costs in security; empty when nothing
    owner: Owner
    only_after_upgrade: bool = False  #: the property does not exist before
    restart: bool = False

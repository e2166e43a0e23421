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


class Change(StrEnum):
    """What exactly is changed. With the server it is done on, this tells one change from another: see ``actions``."""

    CERTIFICATE = "certificate"  #: a CA certificate for the target, in use after a restart
    ROOT = "trust-root"  #: a root into the source host's store; the subject is the CA
    INTERMEDIATE = "intermediate"  #: an intermediate CA into the target host's store, so that it is sent along
    SELF_SIGNED = "import-self-signed"  #: the target's own certificate into the source host's store
    TLS_VERSION = "enable-tls-1.2"
    DATA_SOURCE = "dial-name"  #: the setting is the host to dial
    HOST_NAME = "host-name-in-certificate"
    ENCRYPT_STRICT = "encrypt-strict"
    ENCRYPT_MANDATORY = "encrypt-mandatory"
    DROP_PIN = "drop-server-certificate"
    TRUST = "trust-server-certificate"
    ENCRYPT_OPTIONAL = "encrypt-optional"
    USER_ID = "user-id-keyword"  #: rule LS-16: MSDASQL
    DISTRIBUTOR_HOST_NAME = "host-name-in-distributor-certificate"
    DISTRIBUTOR_TRUST = "trust-distributor-certificate"
    TRACE_FLAG = "trace-flag-17600"
    FORCE_STRICT_OFF = "force-strict-off"
    OTHER = "other"  #: told by its title alone


#: Changes of what the definition of an edge says, on its source.
IN_DEFINITION = frozenset(
    {
        Change.DATA_SOURCE,
        Change.HOST_NAME,
        Change.ENCRYPT_STRICT,
        Change.ENCRYPT_MANDATORY,
        Change.ENCRYPT_OPTIONAL,
        Change.DROP_PIN,
        Change.TRUST,
        Change.USER_ID,
    }
)

#: Setting of a :attr:`Change.CERTIFICATE` whose predecessor was right but for its dates.
RENEW = "renew"


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
    change: Change = Change.OTHER
    on: str = ""  #: the server it is done on; empty: the target for PKI and the target's DBA, else the source
    subject: str = ""  #: what is changed there: the linked server's name, or the CA
    setting: str = ""  #: what it becomes: a host name, or ``Keyword=value`` pairs for the provider string

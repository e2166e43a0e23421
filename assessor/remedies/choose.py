"""Which rungs of the ladder help an edge, most secure first, in words that name the servers concerned.

Order and conditions: SQL Server 2025 reference, section 10 (ladder A to G) and section 1.7 (editing definitions).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assessor.certificates.certificate import Certificate
from assessor.clients.outcome import ReasonClass
from assessor.remedies.ladder import RENEW, Change, Owner, Remedy, RemedyId

#: ``sp_serveroption @optvalue`` is nvarchar(128). Source: sp-serveroption-transact-sql.md, 2024-08-22 (rule LS-15).
OPTION_VALUE_LIMIT = 128

_TRUST_PRICE = "The certificate is no longer checked: whoever can redirect the connection can read and change it."
_CLEAR_PRICE = "The session travels in clear text and nothing about the target is checked."


@dataclass(frozen=True, slots=True)
class Situation:
    """What choosing a remedy needs to know about one edge."""

    reason: ReasonClass
    source: str
    target: str
    definition: str  #: name of the linked server
    dialled: str  #: host that is matched against the certificate
    product_is_sql_server: bool
    text_length: int  #: of the provider string as it is, secrets masked
    chain: tuple[Certificate, ...]
    forces_encryption: bool
    is_fallback: bool
    flag2: bool | None
    is_only_fault: bool = True  #: nothing but ``reason`` keeps the certificate from being accepted


def remedies_for(situation: Situation) -> tuple[Remedy, ...]:
    """The remedies that turn this situation, most secure first. Empty where nothing needs turning."""
    match situation.reason:
        case ReasonClass.STRICT_REQUIRED:
            return tuple(_for_strict_only(situation))
        case ReasonClass.STRICT_NOT_SUPPORTED:
            return tuple(_for_missing_strict(situation))
        case ReasonClass.BAD_OPTION:
            return (
                _plain(
                    situation,
                    f"Drop ServerCertificate from {situation.definition}, or use it with Encrypt=Strict",
                    _edit_text(situation, ""),
                    Change.DROP_PIN,
                ),
            )
        case ReasonClass.TLS_VERSION | ReasonClass.ENCRYPTION_NOT_SUPPORTED:
            return (_patch_target(situation),)
        case ReasonClass.CONNECTED_UNVALIDATED | ReasonClass.CONNECTED_LOGIN_ONLY | ReasonClass.CONNECTED_IN_CLEAR:
            return (_certificate(situation),)
        case ReasonClass.CONNECTED | ReasonClass.UNREACHABLE | ReasonClass.UNKNOWN:
            return ()
        case _:
            return tuple(_for_refused_certificate(situation))


def _for_refused_certificate(situation: Situation) -> Iterator[Remedy]:
    if situation.reason is ReasonClass.NAME_MISMATCH:
        yield _certificate(situation)
        names = _host_names(situation)
        if names:
            yield from _dial_or_name(situation, names[0])
    else:
        # A change that leaves another fault in place would be a promise not kept.
        if situation.reason is ReasonClass.INTERMEDIATE_MISSING and situation.is_only_fault:
            yield _intermediate(situation)
        elif situation.reason is ReasonClass.UNTRUSTED_ROOT and len(situation.chain) > 1 and situation.is_only_fault:
            yield _import_root(situation)
        yield _certificate(situation)
        if situation.reason is ReasonClass.UNTRUSTED_ROOT and not situation.is_fallback and len(situation.chain) == 1:
            if situation.chain[0].is_self_signed and situation.is_only_fault:
                yield _import_self_signed(situation)
    yield _trust(situation)
    if not situation.forces_encryption:
        yield _optional(situation)
    yield _legacy(situation)


def _host_names(situation: Situation) -> tuple[str, ...]:
    """Names of the certificate that could be dialled: no wildcard, FQDNs first."""
    if not situation.chain:
        return ()
    leaf = situation.chain[0]
    names = [name for name in (leaf.dns_names or leaf.common_names) if "*" not in name and " " not in name]
    return tuple(sorted(names, key=lambda name: "." not in name))


def _certificate(situation: Situation) -> Remedy:
    renew = situation.reason is ReasonClass.EXPIRED and situation.is_only_fault
    # Where a CA's certificate is right but for its CA, one more of that CA would not help: another CA would.
    other_ca = situation.reason is ReasonClass.UNTRUSTED_ROOT and len(situation.chain) > 1 and situation.is_only_fault
    title = f"Give {situation.target} a certificate that names it"
    if other_ca:
        title = f"Give {situation.target} a certificate of a CA that {situation.source} trusts"
    elif renew:
        title = f"Renew the certificate of {situation.target}"
    return Remedy(
        id=RemedyId.CERTIFICATE,
        title=title,
        detail=f"Request a server certificate for {situation.target} from a CA whose root {situation.source} trusts, with "
        f"{situation.dialled} and every other name that is dialled in its SAN (FQDN and short name), RSA 2048 or more, "
        "SHA-256, extended key usage Server Authentication. Choose it in Configuration Manager and restart the instance: "
        "until then the old certificate is presented. No definition needs to change.",
        is_secure=True,
        price="",
        owner=Owner.PKI,
        restart=True,
        change=Change.CERTIFICATE,
        on=situation.target,
        subject=situation.source if other_ca else "",
        setting=RENEW if renew else "",
    )


def _import_root(situation: Situation) -> Remedy:
    top = situation.chain[-1]
    root = top.subject if top.is_self_signed else top.issuer
    return Remedy(
        id=RemedyId.CERTIFICATE,
        title=f"Trust the CA {root} on {situation.source}",
        detail=f"Import the root certificate {root} into Trusted Root Certification Authorities of the local computer "
        f"on {situation.source}, after PKI has confirmed its thumbprint. Mends every edge from there to servers with "
        "certificates of this CA; no restart, no definition changes.",
        is_secure=True,
        price="",
        owner=Owner.WINDOWS_ADMIN,
        change=Change.ROOT,
        on=situation.source,
        subject=root,
    )


def _intermediate(situation: Situation) -> Remedy:
    issuer = situation.chain[-1].issuer if situation.chain else "the intermediate CA"
    return Remedy(
        id=RemedyId.CERTIFICATE,
        title=f"Install the intermediate CA on {situation.target}",
        detail=f"Import {issuer} into Intermediate Certification Authorities of the local computer on {situation.target} "
        "and restart the instance, so that the server sends it along.",
        is_secure=True,
        price="",
        owner=Owner.TARGET_DBA,
        restart=True,
        change=Change.INTERMEDIATE,
        on=situation.target,
        subject=issuer,
    )


def _dial_or_name(situation: Situation, name: str) -> Iterator[Remedy]:
    yield Remedy(
        id=RemedyId.DIAL_NAME,
        title=f"Dial {name} in the definition {situation.definition}",
        detail=f"The certificate covers {name}. Change the data source from {situation.dialled} to that name, if it "
        f"resolves on {situation.source}" + (f"; {_RECREATE}." if situation.product_is_sql_server else "."),
        is_secure=True,
        price="",
        owner=Owner.SOURCE_DBA,
        change=Change.DATA_SOURCE,
        on=situation.source,
        subject=situation.definition,
        setting=name,
    )
    yield Remedy(
        id=RemedyId.HOST_NAME,
        title=f"Set HostNameInCertificate={name} in {situation.definition}",
        detail=_edit_text(situation, f"HostNameInCertificate={name}") + " Driver 18 does not know the keyword.",
        is_secure=True,
        price="",
        owner=Owner.SOURCE_DBA,
        only_after_upgrade=True,
        change=Change.HOST_NAME,
        on=situation.source,
        subject=situation.definition,
        setting=f"HostNameInCertificate={name}",
    )


def _import_self_signed(situation: Situation) -> Remedy:
    return Remedy(
        id=RemedyId.IMPORT_SELF_SIGNED,
        title=f"Import the self-signed certificate of {situation.target} on {situation.source}",
        detail=f"Export the certificate (thumbprint {situation.chain[0].thumbprint}) from {situation.target} without its "
        f"key and import it into Trusted Root Certification Authorities on {situation.source}. It must also cover "
        f"{situation.dialled}, and be exchanged by hand on every host before it expires.",
        is_secure=True,
        price="Nobody can revoke it, and its renewal is manual on every source.",
        owner=Owner.WINDOWS_ADMIN,
        change=Change.SELF_SIGNED,
        on=situation.source,
        subject=situation.target,
    )


def _trust(situation: Situation) -> Remedy:
    flag = ""
    if situation.flag2 is not True:
        flag = f" It counts only if Flag2 under SNI19.0\\GeneralFlags on {situation.source} is 1" + (
            ", and it is 0 there now." if situation.flag2 is False else "; read it after the upgrade."
        )
    return Remedy(
        id=RemedyId.TRUST,
        title=f"Set TrustServerCertificate=yes in {situation.definition}",
        detail=_edit_text(situation, "Encrypt=yes;TrustServerCertificate=yes") + flag,
        is_secure=False,
        price=_TRUST_PRICE,
        owner=Owner.SOURCE_DBA,
        change=Change.TRUST,
        on=situation.source,
        subject=situation.definition,
        setting="Encrypt=yes;TrustServerCertificate=yes",
    )


def _optional(situation: Situation) -> Remedy:
    return Remedy(
        id=RemedyId.OPTIONAL,
        title=f"Set Encrypt=no in {situation.definition}",
        detail=_edit_text(situation, "Encrypt=no")
        + f" Both drivers know the word. It fails again on the day {situation.target} switches on Force Encryption.",
        is_secure=False,
        price=_CLEAR_PRICE,
        owner=Owner.SOURCE_DBA,
        change=Change.ENCRYPT_OPTIONAL,
        on=situation.source,
        subject=situation.definition,
        setting="Encrypt=no",
    )


def _legacy(situation: Situation) -> Remedy:
    return Remedy(
        id=RemedyId.LEGACY,
        title=f"Start {situation.source} with trace flag 17600",
        detail="Add -T17600 to the start-up parameters: linked servers then keep OLE DB 18's defaults. Its scope is not "
        "documented further; test each edge.",
        is_secure=False,
        price="Switches validation off for every linked server of the instance.",
        owner=Owner.SOURCE_DBA,
        restart=True,
        change=Change.TRACE_FLAG,
        on=situation.source,
    )


def _for_strict_only(situation: Situation) -> Iterator[Remedy]:
    yield _certificate(situation)
    yield Remedy(
        id=RemedyId.STRICT,
        title=f"Set Encrypt=Strict in {situation.definition}",
        detail=_edit_text(situation, "Encrypt=Strict")
        + f" {situation.target} must present a certificate that {situation.source} trusts and that covers "
        f"{situation.dialled}: Strict can't be told to skip the check.",
        is_secure=True,
        price="",
        owner=Owner.SOURCE_DBA,
        only_after_upgrade=True,
        change=Change.ENCRYPT_STRICT,
        on=situation.source,
        subject=situation.definition,
        setting="Encrypt=Strict",
    )
    yield Remedy(
        id=RemedyId.LEGACY,
        title=f"Switch Force Strict Encryption off on {situation.target}",
        detail="In Configuration Manager, Protocols, Flags; restart the instance.",
        is_secure=False,
        price=f"{situation.target} accepts TDS 7 clients again, also those that do not validate it.",
        owner=Owner.TARGET_DBA,
        restart=True,
        change=Change.FORCE_STRICT_OFF,
        on=situation.target,
    )


def _for_missing_strict(situation: Situation) -> Iterator[Remedy]:
    yield _certificate(situation)
    yield _plain(
        situation,
        f"Set Encrypt=Mandatory in {situation.definition}",
        _edit_text(situation, "Encrypt=Mandatory")
        + " Strict needs SQL Server 2022 or later with a provisioned certificate.",
        Change.ENCRYPT_MANDATORY,
        "Encrypt=Mandatory",
    )


def _patch_target(situation: Situation) -> Remedy:
    return Remedy(
        id=RemedyId.CERTIFICATE,
        title=f"Enable TLS 1.2 on {situation.target}",
        detail="Bring it to the build of its version that has TLS 1.2 (KB 3135244) and enable the protocol on its host.",
        is_secure=True,
        price="",
        owner=Owner.TARGET_DBA,
        restart=True,
        change=Change.TLS_VERSION,
        on=situation.target,
    )


def _plain(situation: Situation, title: str, detail: str, change: Change, setting: str = "") -> Remedy:
    return Remedy(
        RemedyId.DIAL_NAME,
        title,
        detail,
        is_secure=True,
        price="",
        owner=Owner.SOURCE_DBA,
        change=change,
        on=situation.source,
        subject=situation.definition,
        setting=setting,
    )


_RECREATE = (
    "drop and recreate it with @srvproduct=N'', @provider=N'MSOLEDBSQL', an explicit @datasrc and @provstr, keeping its "
    "name, options and login mappings: product 'SQL Server' takes none of these properties (Msg 15428)"
)


def _edit_text(situation: Situation, addition: str) -> str:
    """How to bring ``addition`` into the definition, given its product and the 128-character limit."""
    if situation.product_is_sql_server:
        return f"For {addition} in the provider string, {_RECREATE}."
    length = len(addition) + situation.text_length
    if length > OPTION_VALUE_LIMIT:
        return (
            f"The provider string would grow to about {length} characters and sp_serveroption takes {OPTION_VALUE_LIMIT}: "
            f"drop and recreate {situation.definition} with {addition} in @provstr, keeping options and login mappings."
        )
    return (
        f"Add {addition} to the provider string of {situation.definition} (sp_serveroption 'provider string', or drop and "
        "recreate it with its login mappings)."
    )

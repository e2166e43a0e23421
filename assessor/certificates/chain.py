"""Chain building and validation, with every finding separately.

The order of steps is OpenSSL 3.0's (crypto/x509/x509_vfy.c, ``X509_verify_cert`` with the defaults that a TLS client
sets: purpose *sslserver*, trusted-first, no partial chains, security level 2), because that is what ODBC Driver 18
for Linux runs and what ``tests/oracle`` can check. Where OpenSSL stops at the first error we go on, as if its callback
had said so: the first finding is the one it reports, the rest is what remains to be mended after it.

Nothing here does I/O, and nothing here knows a client: :mod:`assessor.clients` says which findings a client minds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from assessor.certificates.certificate import UNREADABLE_END, UNREADABLE_START, Certificate, likely_issued
from assessor.certificates.constraints import violates
from assessor.certificates.findings import Finding, FindingCode
from assessor.certificates.strength import LEVEL_2_BITS, key_security_bits, signature_security_bits
from assessor.certificates.trust import TrustStore

#: OpenSSL's default verify depth for TLS.
MAX_DEPTH = 100

#: Key-usage bits of which a TLS server's certificate needs one (KU_TLS in v3_purp.c).
_TLS_KEY_USAGE = frozenset({"digital_signature", "key_encipherment", "key_agreement"})

#: Bits of Netscape's certificate type (NS_SSL_SERVER, NS_SSL_CA, NS_ANY_CA).
_NETSCAPE_SERVER, _NETSCAPE_TLS_CA, _NETSCAPE_CA = 0x40, 0x04, 0x07


@dataclass(frozen=True, slots=True)
class ChainAssessment:
    """What became of one chain at one moment in one trust store.

    ``path`` is leaf first, as far as it could be built. ``findings`` come in the order a validating client meets them.
    """

    path: tuple[Certificate, ...]
    is_anchored: bool  #: the path ends in a self-signed certificate of the trust store
    findings: tuple[Finding, ...]
    valid_until: datetime | None  #: the earliest end of validity on the path


@dataclass(frozen=True, slots=True)
class _Path:
    certificates: tuple[Certificate, ...]
    untrusted: int  #: how many of them, from the leaf, are the peer's word only
    is_anchored: bool


def assess_chain(
    sent: Sequence[Certificate],
    store: TrustStore,
    at: datetime,
    *,
    horizon: timedelta = timedelta(0),
    known: Sequence[Certificate] = (),
) -> ChainAssessment:
    """Judge the certificates a server sent (leaf first) against ``store`` at the moment ``at``.

    ``known`` are certificates seen elsewhere in the same run: they prove that an issuer which this server does not
    send is an intermediate, and serve nothing else. ``horizon`` is how long past ``at`` an end of validity is noted.
    """
    if not sent:
        return ChainAssessment((), False, (), None)
    leaf = sent[0]
    path = _build(leaf, sent[1:], store, at)
    findings = list(_findings(path, store, at, known))
    findings.extend(_notes(path.certificates, at, horizon))
    return ChainAssessment(
        path=path.certificates,
        is_anchored=path.is_anchored,
        findings=tuple(findings),
        valid_until=min(certificate.not_after for certificate in path.certificates),
    )


def _in_date(certificate: Certificate, at: datetime) -> bool:
    return certificate.not_before <= at <= certificate.not_after


def _best_issuer(subject: Certificate, candidates: Iterable[Certificate], at: datetime) -> Certificate | None:
    """The first likely issuer that is in date; failing that, the one that ended last (find_issuer)."""
    likely = [candidate for candidate in candidates if likely_issued(candidate, subject)]
    for candidate in likely:
        if _in_date(candidate, at):
            return candidate
    return max(likely, key=lambda candidate: candidate.not_after, default=None)


def _build(leaf: Certificate, rest: Sequence[Certificate], store: TrustStore, at: datetime) -> _Path:
    """Grow the path from the leaf: the store first at every step, the peer's certificates while the store has none.

    Once the store has supplied an issuer, only the store supplies the rest. A self-signed certificate of the peer
    counts only if the store answers with this very one: a namesake is a mimic.
    """
    path = [leaf]
    pool = [leaf, *rest]
    untrusted = 1
    while True:
        top = path[-1]
        may_grow = len(path) <= MAX_DEPTH + 1
        issuer = _best_issuer(top, store.by_subject(top.issuer_key), at) if may_grow else None
        if issuer is not None and not top.is_self_signed:
            path.append(issuer)
            if issuer.is_self_signed:
                return _Path(tuple(path), untrusted, True)
            continue
        if issuer == top and issuer is not None:
            return _Path(tuple(path), untrusted - 1, True)
        if untrusted < len(path) or top.is_self_signed or not may_grow:
            return _Path(tuple(path), untrusted, False)
        found = _best_issuer(top, (candidate for candidate in pool if candidate not in path), at)
        if found is None:
            return _Path(tuple(path), untrusted, False)
        pool.remove(found)
        path.append(found)
        untrusted += 1


def _findings(path: _Path, store: TrustStore, at: datetime, known: Sequence[Certificate]) -> Iterator[Finding]:
    chain = path.certificates
    if key_security_bits(chain[0]) < LEVEL_2_BITS:
        yield _weak_key(0, chain[0])
    if not path.is_anchored:
        yield from _not_anchored(path, store, at, known)
    for depth, certificate in enumerate(chain):
        if certificate.unreadable:
            yield Finding(
                FindingCode.UNREADABLE,
                f"{_who(depth, certificate)} has extensions that can't be read: {certificate.unreadable}.",
                depth,
                "unable to get local issuer certificate",
            )
    yield from _extension_findings(chain)
    yield from _strength_findings(chain)
    yield from _signatures_and_dates(chain, at)
    yield from _name_constraint_findings(chain)


def _not_anchored(path: _Path, store: TrustStore, at: datetime, known: Sequence[Certificate]) -> Iterator[Finding]:
    chain = path.certificates
    depth, top = len(chain) - 1, chain[-1]
    if len(chain) > MAX_DEPTH + 1:
        yield Finding(
            FindingCode.CHAIN_TOO_LONG,
            f"The chain is longer than {MAX_DEPTH}: CAs of the store have signed each other, and none of them itself.",
            depth,
            "certificate chain too long",
        )
        return
    if top.is_fallback and depth == 0:
        yield Finding(
            FindingCode.FALLBACK,
            "The server presents SSL_Self_Signed_Fallback, the certificate SQL Server makes for itself at every start; "
            "no client can trust it and it carries no host name.",
            0,
            "self-signed certificate",
        )
        return
    if top.is_self_signed and depth == 0:
        yield Finding(
            FindingCode.SELF_SIGNED,
            f"The certificate ({top.subject}) is self-signed and not in {store.origin}.",
            0,
            "self-signed certificate",
        )
        return
    if top.is_self_signed:
        yield Finding(
            FindingCode.UNTRUSTED_ROOT,
            f"The chain ends in the root {top.subject}, which is not in {store.origin}.",
            depth,
            "self-signed certificate in certificate chain",
        )
        return
    words = "unable to get local issuer certificate"
    if path.untrusted < len(chain):
        words = "unable to get issuer certificate"
    if top.unreadable:
        yield Finding(
            FindingCode.UNTRUSTED_ROOT,
            f"{_who(depth, top)} can't be tied to an issuer, because it has a {top.unreadable}.",
            depth,
            words,
        )
    elif _is_intermediate(top, store, at, known):
        yield Finding(
            FindingCode.INTERMEDIATE_MISSING,
            f"The server does not send the intermediate CA {top.issuer}, which issued {_who(depth, top)}; "
            "a client that can't fetch it by itself can't build the chain.",
            depth,
            words,
        )
    else:
        yield Finding(
            FindingCode.UNTRUSTED_ROOT,
            f"{top.issuer}, which issued {_who(depth, top)}, is neither sent by the server nor in {store.origin}: "
            "the root is not trusted there, or an intermediate CA is missing.",
            depth,
            words,
        )


def _is_intermediate(top: Certificate, store: TrustStore, at: datetime, known: Sequence[Certificate]) -> bool:
    """The issuer that is missing is known, or may be taken, to be an intermediate of a root that the store has."""
    issuer = _best_issuer(top, known, at)
    if issuer is not None:
        return not issuer.is_self_signed
    organisation = top.issuer_organisation
    return organisation is not None and any(
        root.is_self_signed and root.organisation == organisation for root in store.certificates
    )


def is_certificate_authority(certificate: Certificate) -> int:
    """OpenSSL's ``check_ca``: 0 no; 1 by basic constraints; 3 a version 1 root; 4 by key usage; 5 by Netscape's type."""
    if certificate.key_usage is not None and "key_cert_sign" not in certificate.key_usage:
        return 0
    if certificate.basic_constraints is not None:
        return 1 if certificate.basic_constraints.ca else 0
    if certificate.is_v1 and certificate.is_self_signed:
        return 3
    if certificate.key_usage is not None:
        return 4
    return 5 if (certificate.netscape_type or 0) & _NETSCAPE_CA else 0


def _extension_findings(chain: Sequence[Certificate]) -> Iterator[Finding]:
    length = 0
    for depth, certificate in enumerate(chain):
        who = _who(depth, certificate)
        if certificate.unhandled_critical:
            yield Finding(
                FindingCode.UNKNOWN_CRITICAL,
                f"{who} carries a critical extension that clients do not know ({certificate.unhandled_critical[0]}).",
                depth,
                "unhandled critical extension",
            )
        if certificate.is_proxy:
            yield Finding(
                FindingCode.UNKNOWN_CRITICAL,
                f"{who} is a proxy certificate (RFC 3820), which no TLS client takes.",
                depth,
                "proxy certificates not allowed, please set the appropriate flag",
            )
        if depth > 0:
            authority = is_certificate_authority(certificate)
            if authority == 0 or (depth + 1 < len(chain) and authority != 1):
                yield Finding(
                    FindingCode.NOT_A_CA,
                    f"{who} signs a certificate but is not a CA.",
                    depth,
                    "invalid CA certificate",
                )
        yield from _usage_findings(depth, certificate)
        constraints = certificate.basic_constraints
        if depth > 1 and constraints is not None and constraints.path_length is not None:
            if length > constraints.path_length:
                yield Finding(
                    FindingCode.PATH_LENGTH,
                    f"{who} allows {constraints.path_length} CAs below it, and the chain has {length}.",
                    depth,
                    "path length constraint exceeded",
                )
        if depth > 0 and not certificate.is_self_issued:
            length += 1


def _usage_findings(depth: int, certificate: Certificate) -> Iterator[Finding]:
    """``check_purpose_ssl_server`` of v3_purp.c: one finding, for the first of its tests that fails."""
    who = _who(depth, certificate)
    kind = certificate.netscape_type
    words = "unsuitable certificate purpose"
    if not certificate.allows_server_authentication:
        yield Finding(
            FindingCode.WRONG_EKU,
            f"{who} is not for server authentication (its extended key usage leaves it out).",
            depth,
            words,
        )
    elif depth > 0:
        if is_certificate_authority(certificate) == 5 and not (kind or 0) & _NETSCAPE_TLS_CA:
            yield Finding(FindingCode.KEY_USAGE, f"{who} is a CA, but not for TLS (Netscape type).", depth, words)
    elif kind is not None and not kind & _NETSCAPE_SERVER:
        yield Finding(FindingCode.KEY_USAGE, f"{who} is not for TLS servers (Netscape type).", depth, words)
    elif certificate.key_usage is not None and not certificate.key_usage & _TLS_KEY_USAGE:
        yield Finding(
            FindingCode.KEY_USAGE,
            f"{who} may not be used for TLS: its key usage has neither digital signature nor key encipherment.",
            depth,
            words,
        )


def _strength_findings(chain: Sequence[Certificate]) -> Iterator[Finding]:
    for depth, certificate in enumerate(chain):
        if depth > 0 and key_security_bits(certificate) < LEVEL_2_BITS:
            yield _weak_key(depth, certificate)
        if depth < len(chain) - 1 and signature_security_bits(certificate) < LEVEL_2_BITS:
            yield Finding(
                FindingCode.WEAK_SIGNATURE,
                f"{_who(depth, certificate)} is signed with {certificate.signature_hash.upper()}, which is broken.",
                depth,
                "CA signature digest algorithm too weak",
            )


def _weak_key(depth: int, certificate: Certificate) -> Finding:
    return Finding(
        FindingCode.WEAK_KEY if depth == 0 else FindingCode.WEAK_CA_KEY,
        f"{_who(depth, certificate)} has a weak key ({certificate.key_description}).",
        depth,
        "EE certificate key too weak" if depth == 0 else "CA certificate key too weak",
    )


def _signatures_and_dates(chain: Sequence[Certificate], at: datetime) -> Iterator[Finding]:
    """From the top down: the signature on each certificate below the top, then its dates (internal_verify)."""
    for depth in range(len(chain) - 1, -1, -1):
        certificate = chain[depth]
        if depth + 1 < len(chain):
            issuer = chain[depth + 1]
            if issuer.key_usage is not None and "key_cert_sign" not in issuer.key_usage:
                yield Finding(
                    FindingCode.NOT_A_CA,
                    f"{_who(depth + 1, issuer)} may not sign certificates (key usage).",
                    depth + 1,
                    "key usage does not include certificate signing",
                )
            elif not certificate.is_signed_by(issuer):
                yield Finding(
                    FindingCode.BAD_SIGNATURE,
                    f"The signature on {_who(depth, certificate)} does not verify with the key of {issuer.subject}.",
                    depth,
                    "certificate signature failure",
                )
        if certificate.not_before == UNREADABLE_START or certificate.not_after == UNREADABLE_END:
            which = "notBefore" if certificate.not_before == UNREADABLE_START else "notAfter"
            yield Finding(
                FindingCode.UNREADABLE,
                f"{_who(depth, certificate)} has a date of validity that can't be read ({which}).",
                depth,
                f"format error in certificate's {which} field",
            )
            continue
        if at < certificate.not_before:
            yield Finding(
                FindingCode.NOT_YET_VALID if depth == 0 else FindingCode.CA_NOT_YET_VALID,
                f"{_who(depth, certificate)} is valid only from {certificate.not_before:%Y-%m-%d %H:%M} UTC.",
                depth,
                "certificate is not yet valid",
            )
        if at > certificate.not_after:
            yield Finding(
                FindingCode.EXPIRED if depth == 0 else FindingCode.CA_EXPIRED,
                f"{_who(depth, certificate)} expired on {certificate.not_after:%Y-%m-%d %H:%M} UTC.",
                depth,
                "certificate has expired",
            )


def _name_constraint_findings(chain: Sequence[Certificate]) -> Iterator[Finding]:
    for depth in range(len(chain) - 1, -1, -1):
        certificate = chain[depth]
        if depth != 0 and certificate.is_self_issued:
            continue
        for above in range(len(chain) - 1, depth, -1):
            constraints = chain[above].name_constraints
            if constraints is None:
                continue
            violation = violates(certificate, constraints, is_leaf=depth == 0)
            if violation is not None:
                yield Finding(
                    FindingCode.NAME_CONSTRAINTS,
                    f"{_who(depth, certificate)} is outside the name constraints of {chain[above].subject}.",
                    depth,
                    violation,
                )
                break


def _notes(chain: Sequence[Certificate], at: datetime, horizon: timedelta) -> Iterator[Finding]:
    for depth, certificate in enumerate(chain):
        if at <= certificate.not_after < at + horizon:
            days = (certificate.not_after - at).days
            yield Finding(
                FindingCode.EXPIRES_SOON,
                f"{_who(depth, certificate)} expires on {certificate.not_after:%Y-%m-%d}, {days} days after that date.",
                depth,
            )
    leaf = chain[0]
    if not leaf.dns_names and not leaf.ip_addresses and not leaf.common_names:
        yield Finding(FindingCode.NO_NAMES, "The server certificate names no host.", 0)


def _who(depth: int, certificate: Certificate) -> str:
    return "The server certificate" if depth == 0 else f"The CA {certificate.subject}"

"""Certificate shapes by name: what a server shows, and what may lie in the client's trust store.

Each function below is one shape; its docstring says what is odd about it. A shape gets the :class:`Host` it is made
for and returns a :class:`Shown`. Nothing here says what should happen: the driver says that.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from .forge import (
    BMP,
    CA_USAGE,
    CLIENT,
    CN,
    EMAIL,
    IA5,
    NULL,
    OU,
    PRINTABLE,
    SERVER,
    TELETEX,
    TLS_USAGE,
    TRUE,
    UNIVERSAL,
    UTF8,
    C,
    Draft,
    Extension,
    Forged,
    Name,
    O,
    attribute,
    bits,
    ca,
    cn,
    constraints,
    dns,
    eku,
    extension,
    forge,
    integer,
    key,
    not_ca,
    octets,
    oid,
    raw_san,
    san,
    sequence,
    text,
    tlv,
    usage,
)


@dataclass(frozen=True, slots=True)
class Host:
    """The names of the emulated server."""

    fqdn: str
    short: str
    address: str
    extra: tuple[str, ...] = ()  #: further names that lead to it: of another script, very long …


@dataclass(frozen=True, slots=True)
class Shown:
    """What the server sends, and what a trust store may hold of it."""

    leaf: Forged
    sent: tuple[Forged, ...] = ()
    roots: tuple[Forged, ...] = ()
    intermediates: tuple[Forged, ...] = ()
    dials: tuple[str, ...] = ()  #: names that are worth dialling besides the usual ones


Shape = Callable[[Host], Shown]
SHAPES: dict[str, Shape] = {}


def shape(make: Shape) -> Shape:
    SHAPES[make.__name__] = make
    return make


# ------------------------------------------------------------------------------------------------ building blocks


def root_draft(**changes: Any) -> Draft:
    kind = changes.pop("kind", "rsa-2048")
    owner = changes.pop("owner", "root")
    draft = Draft(cn("Oracle Root"), key(kind, owner), (-400, 3650), extensions=(ca(), CA_USAGE))
    return draft.but(**changes)


def intermediate_draft(number: int = 1, **changes: Any) -> Draft:
    kind = changes.pop("kind", "ec-p256")
    owner = changes.pop("owner", f"intermediate {number}")
    draft = Draft(cn(f"Oracle Intermediate {number}"), key(kind, owner), (-200, 1000), extensions=(ca(), CA_USAGE))
    return draft.but(**changes)


def leaf_draft(host: Host, **changes: Any) -> Draft:
    kind = changes.pop("kind", "rsa-2048")
    names = changes.pop("san", dns(host.fqdn))
    usages = changes.pop("usages", (eku(SERVER), TLS_USAGE))
    more = changes.pop("more", ())
    first = (not_ca(),) if changes.pop("constrained", True) else ()
    extensions = (*first, *usages, *(() if names is None else (names,)), *more)
    draft = Draft(cn(changes.pop("name", host.fqdn)), key(kind, "leaf"), (-20, 300), extensions=extensions)
    return draft.but(**changes)


def under_root(leaf: Draft, root: Draft | None = None) -> Shown:
    anchor = forge(root or root_draft())
    return Shown(forge(leaf, anchor), (), (anchor,))


def under_intermediate(leaf: Draft, intermediate: Draft | None = None, root: Draft | None = None) -> Shown:
    anchor = forge(root or root_draft())
    middle = forge(intermediate or intermediate_draft(), anchor)
    return Shown(forge(leaf, middle), (middle,), (anchor,), (middle,))


def self_signed(leaf: Draft) -> Shown:
    alone = forge(leaf)
    return Shown(alone, (), (alone,))


# ---------------------------------------------------------------------------------------------------- whole chains


@shape
def sound(host: Host) -> Shown:
    """A leaf, an intermediate that is sent, a root that is trusted."""
    return under_intermediate(leaf_draft(host))


@shape
def straight_from_root(host: Host) -> Shown:
    """No intermediate."""
    return under_root(leaf_draft(host))


@shape
def root_is_sent_too(host: Host) -> Shown:
    """The server sends its root as well."""
    made = under_intermediate(leaf_draft(host))
    return Shown(made.leaf, (*made.sent, *made.roots), made.roots, made.intermediates)


@shape
def intermediate_not_sent(host: Host) -> Shown:
    """The commonest fault of all."""
    made = under_intermediate(leaf_draft(host))
    return Shown(made.leaf, (), made.roots, made.intermediates)


@shape
def deep_chain(host: Host) -> Shown:
    """Four intermediates."""
    issuer = anchor = forge(root_draft())
    middles: list[Forged] = []
    for number in range(1, 5):
        issuer = forge(intermediate_draft(number), issuer)
        middles.insert(0, issuer)
    return Shown(forge(leaf_draft(host), issuer), tuple(middles), (anchor,), tuple(middles))


@shape
def out_of_order(host: Host) -> Shown:
    """Root first, then the upper intermediate, then the lower."""
    made = deep_chain(host)
    return Shown(made.leaf, (*made.roots, *reversed(made.sent)), made.roots, made.intermediates)


@shape
def unrelated_extras(host: Host) -> Shown:
    """Certificates of somebody else between ours, and one twice."""
    made = under_intermediate(leaf_draft(host))
    stranger = forge(root_draft(subject=cn("Stranger"), owner="stranger"))
    return Shown(made.leaf, (stranger, made.leaf, *made.sent, *made.sent, stranger), made.roots, made.intermediates)


@shape
def gap_in_the_middle(host: Host) -> Shown:
    """The upper intermediate is sent, the lower is not."""
    made = deep_chain(host)
    return Shown(made.leaf, made.sent[1:], made.roots, made.sent[1:])


@shape
def self_signed_leaf(host: Host) -> Shown:
    """An administrator's own certificate, trusted by being in the store."""
    return self_signed(leaf_draft(host))


@shape
def self_signed_without_extensions(host: Host) -> Shown:
    """Version 3 with nothing in it."""
    return self_signed(Draft(cn(host.fqdn), key("rsa-2048", "leaf"), skid=None, akid=None))


@shape
def fallback(host: Host) -> Shown:
    """What SQL Server makes for itself."""
    name = cn("SSL_Self_Signed_Fallback", BMP)
    return self_signed(Draft(name, key("rsa-2048", "leaf"), (-1, 10950), skid=None, akid=None))


@shape
def cross_signed(host: Host) -> Shown:
    """The intermediate exists twice: under a trusted root and under another one."""
    one, other = forge(root_draft()), forge(root_draft(subject=cn("Other Root"), owner="other"))
    first, second = forge(intermediate_draft(), one), forge(intermediate_draft(), other)
    return Shown(forge(leaf_draft(host), first), (second, first), (one,), (first,))


@shape
def cross_signed_root_expired(host: Host) -> Shown:
    """The sent path ends in an expired root; the store also has the new, self-signed form of the same CA."""
    old = forge(root_draft(subject=cn("Old Root"), owner="old", days=(-4000, -5)))
    crossed = forge(root_draft(), old)
    new = forge(root_draft())
    middle = forge(intermediate_draft(), new)
    return Shown(forge(leaf_draft(host), middle), (middle, crossed), (old, new), (middle,))


@shape
def cross_signed_only_old_trusted(host: Host) -> Shown:
    """The same, but the store has not got the new root."""
    made = cross_signed_root_expired(host)
    return Shown(made.leaf, made.sent, made.roots[:1], made.intermediates)


@shape
def root_renewed(host: Host) -> Shown:
    """The root was renewed with the same key; the store has the expired and the new one, in this order."""
    old = forge(root_draft(days=(-4000, -5)))
    new = forge(root_draft())
    middle = forge(intermediate_draft(), new)
    return Shown(forge(leaf_draft(host), middle), (middle, old), (old, new), (middle,))


@shape
def only_expired_root_trusted(host: Host) -> Shown:
    """The store has but the expired form of a renewed root."""
    made = root_renewed(host)
    return Shown(made.leaf, (made.sent[0], made.roots[1]), made.roots[:1], made.intermediates)


@shape
def two_expired_issuers(host: Host) -> Shown:
    """Two forms of the intermediate, both expired; the one that ended last counts."""
    anchor = forge(root_draft())
    older = forge(intermediate_draft(days=(-900, -500)), anchor)
    newer = forge(intermediate_draft(days=(-500, -9)), anchor)
    return Shown(forge(leaf_draft(host), newer), (older, newer), (anchor,), (older, newer))


@shape
def mimic_root(host: Host) -> Shown:
    """The sent root has the name of a trusted one, and another key; identifiers are left out."""
    loose = {"skid": None, "akid": None}
    trusted = forge(root_draft(**loose))
    mimic = forge(root_draft(owner="mimic", **loose))
    return Shown(forge(leaf_draft(host, akid=None), mimic), (mimic,), (trusted,))


@shape
def mimic_root_with_identifiers(host: Host) -> Shown:
    """The same, but the key identifiers tell them apart."""
    trusted = forge(root_draft())
    mimic = forge(root_draft(owner="mimic"))
    return Shown(forge(leaf_draft(host), mimic), (mimic,), (trusted,))


@shape
def mimic_first_in_store(host: Host) -> Shown:
    """The store has two roots of one name without identifiers; the first is the wrong one."""
    loose = {"skid": None, "akid": None}
    right, wrong = forge(root_draft(**loose)), forge(root_draft(owner="mimic", **loose))
    return Shown(forge(leaf_draft(host, akid=None), right), (right,), (wrong, right))


@shape
def self_signed_twin_in_store(host: Host) -> Shown:
    """The sent self-signed leaf and another one of the same name and key are both trusted."""
    twin, sent = forge(leaf_draft(host, days=(-30, 200))), forge(leaf_draft(host))
    return Shown(sent, (), (twin, sent))


@shape
def mutual_signers(host: Host) -> Shown:
    """Two CAs that signed each other, and no root at all."""
    one, other = intermediate_draft(1), intermediate_draft(2)
    first = forge(one, forge(other))
    second = forge(other, forge(one))
    return Shown(forge(leaf_draft(host), first), (first, second), (first, second), ())


@shape
def intermediate_as_anchor(host: Host) -> Shown:
    """The store holds the intermediate but not the root: no partial chains."""
    made = under_intermediate(leaf_draft(host))
    return Shown(made.leaf, made.sent, made.intermediates, ())


@shape
def names_differ_in_case_and_blanks(host: Host) -> Shown:
    """The issuer's name is written in another case, with more blanks, as another string type."""
    anchor = forge(root_draft(subject=cn("Oracle  ROOT ", PRINTABLE)))
    return Shown(forge(leaf_draft(host, issuer=cn("oracle root")), anchor), (), (anchor,))


@shape
def names_in_another_order(host: Host) -> Shown:
    """Issuer and subject have the same parts in another order: not the same name."""
    one: Name = attribute(O, "Corp") + cn("Ordered Root")
    anchor = forge(root_draft(subject=one))
    return Shown(forge(leaf_draft(host, issuer=tuple(reversed(one))), anchor), (), (anchor,))


@shape
def multi_valued_names(host: Host) -> Shown:
    """One relative name with two attributes."""
    both: Name = (((O, "Corp", UTF8), (CN, "Multi Root", UTF8)),)
    return under_root(leaf_draft(host), root_draft(subject=both))


@shape
def empty_issuer_name(host: Host) -> Shown:
    """The root has no name."""
    return under_root(leaf_draft(host), root_draft(subject=()))


@shape
def universal_string_issuer(host: Host) -> Shown:
    """The issuer is written as UniversalString in one place and UTF8String in the other."""
    anchor = forge(root_draft(subject=cn("Universal Root", UNIVERSAL)))
    return Shown(forge(leaf_draft(host, issuer=cn("Universal Root")), anchor), (), (anchor,))


@shape
def teletex_issuer(host: Host) -> Shown:
    """A T61String name with letters beyond ASCII."""
    anchor = forge(root_draft(subject=cn("Wurzel Müller", TELETEX)))
    return Shown(forge(leaf_draft(host, issuer=cn("Wurzel Müller")), anchor), (), (anchor,))


# ----------------------------------------------------------------------------------------------------------- dates


@shape
def expired_leaf(host: Host) -> Shown:
    """Ended yesterday."""
    return under_intermediate(leaf_draft(host, days=(-400, -1)))


@shape
def expired_intermediate(host: Host) -> Shown:
    """The intermediate ended before its leaf."""
    return under_intermediate(leaf_draft(host), intermediate_draft(days=(-900, -3)))


@shape
def expired_root(host: Host) -> Shown:
    """The root ended before all others."""
    return under_intermediate(leaf_draft(host), None, root_draft(days=(-4000, -3)))


@shape
def everything_expired(host: Host) -> Shown:
    """Root, intermediate and leaf."""
    old = (-900, -3)
    return under_intermediate(leaf_draft(host, days=old), intermediate_draft(days=old), root_draft(days=old))


@shape
def leaf_of_tomorrow(host: Host) -> Shown:
    """Not valid yet."""
    return under_intermediate(leaf_draft(host, days=(1, 400)))


@shape
def intermediate_of_tomorrow(host: Host) -> Shown:
    """The intermediate is not valid yet."""
    return under_intermediate(leaf_draft(host), intermediate_draft(days=(1, 400)))


@shape
def expired_leaf_under_intermediate_of_tomorrow(host: Host) -> Shown:
    """Two faults of dates: the upper one is met first."""
    return under_intermediate(leaf_draft(host, days=(-400, -1)), intermediate_draft(days=(1, 400)))


@shape
def ends_before_it_begins(host: Host) -> Shown:
    """Both dates are wrong."""
    return under_root(leaf_draft(host, days=(10, -10)))


@shape
def far_future(host: Host) -> Shown:
    """Valid to 9999, as GeneralizedTime."""
    moments = (tlv(0x17, b"200101000000Z"), tlv(0x18, b"99991231235959Z"))
    return under_root(leaf_draft(host, moments=moments))


@shape
def generalized_time_before_2050(host: Host) -> Shown:
    """A date before 2050 in the form for later ones."""
    ends = (datetime.now(UTC) + timedelta(days=90)).strftime("%Y%m%d%H%M%SZ").encode()
    return under_root(leaf_draft(host, moments=(tlv(0x17, b"200101000000Z"), tlv(0x18, ends))))


@shape
def expired_self_signed(host: Host) -> Shown:
    """A trusted self-signed certificate that ended."""
    return self_signed(leaf_draft(host, days=(-400, -1)))


# ------------------------------------------------------------------------------------------------- CAs and lengths


@shape
def leaf_signs_leaf(host: Host) -> Shown:
    """The issuer says that it is no CA."""
    return under_intermediate(leaf_draft(host), intermediate_draft(extensions=(not_ca(), CA_USAGE)))


@shape
def issuer_without_basic_constraints(host: Host) -> Shown:
    """The issuer's key usage allows signing, and basic constraints are absent."""
    return under_intermediate(leaf_draft(host), intermediate_draft(extensions=(CA_USAGE,)))


@shape
def issuer_without_extensions(host: Host) -> Shown:
    """The issuer is version 3 and says nothing."""
    return under_intermediate(leaf_draft(host), intermediate_draft(extensions=()))


@shape
def issuer_may_not_sign(host: Host) -> Shown:
    """A CA whose key usage leaves signing out."""
    return under_intermediate(leaf_draft(host), intermediate_draft(extensions=(ca(), usage("digital_signature"))))


@shape
def root_may_not_sign(host: Host) -> Shown:
    """The root's key usage leaves signing out."""
    return under_root(leaf_draft(host), root_draft(extensions=(ca(), usage("crl_sign"))))


@shape
def root_without_basic_constraints(host: Host) -> Shown:
    """The root has only its key usage."""
    return under_root(leaf_draft(host), root_draft(extensions=(CA_USAGE,)))


@shape
def root_without_extensions(host: Host) -> Shown:
    """A version 3 root that says nothing."""
    return under_root(leaf_draft(host), root_draft(extensions=(), skid=None, akid=None))


@shape
def root_says_not_ca(host: Host) -> Shown:
    """The root says that it is no CA."""
    return under_root(leaf_draft(host), root_draft(extensions=(not_ca(),)))


@shape
def version_1_root(host: Host) -> Shown:
    """An old root, before extensions."""
    return under_root(leaf_draft(host), root_draft(version=1, extensions=()))


@shape
def version_1_intermediate(host: Host) -> Shown:
    """An intermediate of version 1."""
    return under_intermediate(leaf_draft(host), intermediate_draft(version=1, extensions=()))


@shape
def version_1_leaf(host: Host) -> Shown:
    """A leaf of version 1: only a CN."""
    return under_root(leaf_draft(host, version=1))


@shape
def version_1_self_signed(host: Host) -> Shown:
    """Self-signed, version 1."""
    return self_signed(leaf_draft(host, version=1))


@shape
def version_2_leaf(host: Host) -> Shown:
    """Version 2, which nobody uses."""
    return under_root(leaf_draft(host, version=2))


@shape
def basic_constraints_not_critical(host: Host) -> Shown:
    """Allowed by all who are not strict."""
    return under_intermediate(leaf_draft(host), intermediate_draft(extensions=(ca(critical=False), CA_USAGE)))


@shape
def path_length_zero(host: Host) -> Shown:
    """A length of zero that suffices."""
    return under_intermediate(leaf_draft(host), intermediate_draft(extensions=(ca(0), CA_USAGE)))


@shape
def path_length_exceeded(host: Host) -> Shown:
    """The root allows no CA below it, and there is one."""
    return under_intermediate(leaf_draft(host), None, root_draft(extensions=(ca(0), CA_USAGE)))


@shape
def path_length_exceeded_in_the_middle(host: Host) -> Shown:
    """The upper of two intermediates allows none below it."""
    anchor = forge(root_draft())
    upper = forge(intermediate_draft(1, extensions=(ca(0), CA_USAGE)), anchor)
    lower = forge(intermediate_draft(2), upper)
    return Shown(forge(leaf_draft(host), lower), (lower, upper), (anchor,), (lower, upper))


@shape
def path_length_with_self_issued(host: Host) -> Shown:
    """A self-issued CA in between does not count."""
    anchor = forge(root_draft())
    upper = forge(intermediate_draft(1, extensions=(ca(0), CA_USAGE)), anchor)
    again = forge(intermediate_draft(1, owner="intermediate 1, new key"), upper)
    return Shown(forge(leaf_draft(host), again), (again, upper), (anchor,), (again, upper))


@shape
def negative_path_length(host: Host) -> Shown:
    """A path length below zero."""
    odd = Extension("2.5.29.19", sequence(TRUE, integer(-1)), True)
    return under_intermediate(leaf_draft(host), intermediate_draft(extensions=(odd, CA_USAGE)))


@shape
def path_length_without_ca(host: Host) -> Shown:
    """A path length on a leaf that is no CA."""
    odd = Extension("2.5.29.19", sequence(integer(3)), True)
    return under_root(leaf_draft(host, constrained=False, more=(odd,)))


@shape
def ca_as_server(host: Host) -> Shown:
    """The server uses a CA certificate for itself."""
    return under_root(leaf_draft(host, constrained=False, usages=(), more=(ca(), CA_USAGE)))


@shape
def ca_as_server_with_usage(host: Host) -> Shown:
    """The same, allowed for signatures too."""
    both = usage("key_cert_sign", "digital_signature")
    return under_root(leaf_draft(host, constrained=False, usages=(eku(SERVER),), more=(ca(), both)))


# ------------------------------------------------------------------------------------------------------------ usage


@shape
def client_only(host: Host) -> Shown:
    """Extended key usage for clients only."""
    return under_root(leaf_draft(host, usages=(eku(CLIENT), TLS_USAGE)))


@shape
def server_and_client(host: Host) -> Shown:
    """Both, as machine certificates of Windows have it."""
    return under_root(leaf_draft(host, usages=(eku(SERVER, CLIENT), TLS_USAGE)))


@shape
def any_usage(host: Host) -> Shown:
    """anyExtendedKeyUsage alone."""
    return under_root(leaf_draft(host, usages=(eku(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE),)))


@shape
def no_usage(host: Host) -> Shown:
    """Neither usage extension."""
    return under_root(leaf_draft(host, usages=()))


@shape
def critical_usage(host: Host) -> Shown:
    """A critical extended key usage for servers."""
    return under_root(leaf_draft(host, usages=(eku(SERVER, critical=True),)))


@shape
def empty_usage(host: Host) -> Shown:
    """An extended key usage that names nothing."""
    return under_root(leaf_draft(host, usages=(Extension("2.5.29.37", sequence()),)))


@shape
def server_gated_crypto(host: Host) -> Shown:
    """The old Microsoft form of server usage."""
    return under_root(leaf_draft(host, usages=(eku(x509.ObjectIdentifier("1.3.6.1.4.1.311.10.3.3")),)))


@shape
def unknown_usage(host: Host) -> Shown:
    """A private usage alone."""
    return under_root(leaf_draft(host, usages=(eku(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1")),)))


@shape
def intermediate_for_clients(host: Host) -> Shown:
    """The intermediate is restricted to client authentication."""
    middle = intermediate_draft(extensions=(ca(), CA_USAGE, eku(CLIENT)))
    return under_intermediate(leaf_draft(host), middle)


@shape
def intermediate_for_servers(host: Host) -> Shown:
    """The intermediate is restricted to server authentication."""
    middle = intermediate_draft(extensions=(ca(), CA_USAGE, eku(SERVER)))
    return under_intermediate(leaf_draft(host), middle)


@shape
def root_for_clients(host: Host) -> Shown:
    """The root is restricted to client authentication."""
    return under_root(leaf_draft(host), root_draft(extensions=(ca(), CA_USAGE, eku(CLIENT))))


@shape
def key_usage_signing_only(host: Host) -> Shown:
    """digitalSignature alone: enough."""
    return under_root(leaf_draft(host, usages=(usage("digital_signature"),)))


@shape
def key_usage_encipherment_only(host: Host) -> Shown:
    """keyEncipherment alone."""
    return under_root(leaf_draft(host, usages=(usage("key_encipherment"),)))


@shape
def key_usage_encipherment_only_ecdsa(host: Host) -> Shown:
    """keyEncipherment alone, on a key that can only sign."""
    return under_root(leaf_draft(host, kind="ec-p256", usages=(usage("key_encipherment"),)))


@shape
def key_usage_agreement_only(host: Host) -> Shown:
    """keyAgreement alone."""
    return under_root(leaf_draft(host, kind="ec-p256", usages=(usage("key_agreement"),)))


@shape
def key_usage_not_for_tls(host: Host) -> Shown:
    """dataEncipherment alone."""
    return under_root(leaf_draft(host, usages=(usage("data_encipherment"),)))


@shape
def key_usage_and_eku_both_wrong(host: Host) -> Shown:
    """Two reasons of one class."""
    return under_root(leaf_draft(host, usages=(usage("data_encipherment"), eku(CLIENT))))


@shape
def empty_key_usage(host: Host) -> Shown:
    """A key usage without a bit."""
    return under_root(leaf_draft(host, usages=(Extension("2.5.29.15", bits(b"")),)))


@shape
def netscape_client_type(host: Host) -> Shown:
    """The Netscape type of old says client."""
    return under_root(leaf_draft(host, more=(Extension("2.16.840.1.113730.1.1", bits(b"\x80", 7)),)))


@shape
def netscape_server_type(host: Host) -> Shown:
    """The Netscape type of old says server."""
    return under_root(leaf_draft(host, more=(Extension("2.16.840.1.113730.1.1", bits(b"\x40", 6)),)))


@shape
def netscape_ca(host: Host) -> Shown:
    """A root that is a CA only by its Netscape type."""
    types = Extension("2.16.840.1.113730.1.1", bits(b"\x04", 2))
    return under_root(leaf_draft(host), root_draft(extensions=(types,)))


@shape
def netscape_ca_not_for_tls(host: Host) -> Shown:
    """A root that is a CA by its Netscape type, but not for TLS."""
    types = Extension("2.16.840.1.113730.1.1", bits(b"\x02", 1))
    return under_root(leaf_draft(host), root_draft(extensions=(types,)))


@shape
def proxy_certificate(host: Host) -> Shown:
    """A proxy certificate (RFC 3820)."""
    info = Extension("1.3.6.1.5.5.7.1.14", sequence(sequence(oid("1.3.6.1.5.5.7.21.1"))), True)
    return under_root(leaf_draft(host, san=None, more=(info,)))


# ------------------------------------------------------------------------------------------------ keys, signatures


def _leaf_key(kind: str) -> Shape:
    def make(host: Host) -> Shown:
        return under_root(leaf_draft(host, kind=kind))

    return make


for _kind, _words in (
    ("rsa-1024", "RSA of 1024 bits: too weak at level 2."),
    ("rsa-1536", "RSA of 1536 bits."),
    ("rsa-2040", "RSA of 2040 bits: just below."),
    ("rsa-2056", "RSA of 2056 bits: just above."),
    ("rsa-3072", "RSA of 3072 bits."),
    ("rsa-4096", "RSA of 4096 bits."),
    ("ec-p224", "ECDSA on P-224."),
    ("ec-p256", "ECDSA on P-256."),
    ("ec-p384", "ECDSA on P-384."),
    ("ec-p521", "ECDSA on P-521."),
    ("ec-k256", "ECDSA on secp256k1, a curve that TLS has and nobody offers."),
    ("ec-bp256", "ECDSA on a Brainpool curve."),
    ("ed25519", "Ed25519."),
    ("ed448", "Ed448."),
    ("pss-2048", "A key that is for RSA-PSS only."),
):
    _make = _leaf_key(_kind)
    _make.__name__ = f"leaf_{_kind.replace('-', '_')}"
    _make.__doc__ = _words
    shape(_make)


def _root_key(kind: str) -> Shape:
    def make(host: Host) -> Shown:
        return under_root(leaf_draft(host), root_draft(kind=kind))

    return make


for _kind in ("rsa-1024", "rsa-3072", "ec-p384", "ec-p521", "ed25519", "ed448", "pss-2048"):
    _make = _root_key(_kind)
    _make.__name__ = f"root_{_kind.replace('-', '_')}"
    _make.__doc__ = f"The root has a key of kind {_kind}."
    shape(_make)


@shape
def weak_intermediate(host: Host) -> Shown:
    """RSA of 1024 bits in the middle."""
    return under_intermediate(leaf_draft(host), intermediate_draft(kind="rsa-1024"))


@shape
def weak_leaf_and_expired(host: Host) -> Shown:
    """Two faults: the key is met first."""
    return under_root(leaf_draft(host, kind="rsa-1024", days=(-100, -1)))


@shape
def sha1_leaf(host: Host) -> Shown:
    """A leaf signed with SHA-1."""
    return under_root(leaf_draft(host, signature="sha1"))


@shape
def md5_leaf(host: Host) -> Shown:
    """A leaf signed with MD5."""
    return under_root(leaf_draft(host, signature="md5"))


@shape
def sha224_leaf(host: Host) -> Shown:
    """A leaf signed with SHA-224: just enough."""
    return under_root(leaf_draft(host, signature="sha224"))


@shape
def sha512_leaf(host: Host) -> Shown:
    """A leaf signed with SHA-512."""
    return under_root(leaf_draft(host, signature="sha512"))


@shape
def sha1_intermediate(host: Host) -> Shown:
    """An intermediate signed with SHA-1."""
    return under_intermediate(leaf_draft(host), intermediate_draft(signature="sha1"))


@shape
def sha1_root(host: Host) -> Shown:
    """A root signed with SHA-1: its signature is not looked at."""
    return under_root(leaf_draft(host), root_draft(signature="sha1"))


@shape
def sha1_self_signed(host: Host) -> Shown:
    """A trusted self-signed certificate with SHA-1."""
    return self_signed(leaf_draft(host, signature="sha1"))


@shape
def sha1_ecdsa(host: Host) -> Shown:
    """ECDSA with SHA-1."""
    return under_root(leaf_draft(host, signature="sha1"), root_draft(kind="ec-p256"))


@shape
def pss_signature(host: Host) -> Shown:
    """RSA-PSS by an ordinary RSA key."""
    return under_root(leaf_draft(host, signature="pss-sha256"))


@shape
def pss_sha1_signature(host: Host) -> Shown:
    """RSA-PSS with SHA-1."""
    return under_root(leaf_draft(host, signature="pss-sha1"))


@shape
def pss_sha512_signature(host: Host) -> Shown:
    """RSA-PSS with SHA-512."""
    return under_root(leaf_draft(host, signature="pss-sha512"))


@shape
def broken_signature(host: Host) -> Shown:
    """The signature on the leaf does not verify."""
    return under_root(leaf_draft(host, break_signature=True))


@shape
def broken_signature_on_intermediate(host: Host) -> Shown:
    """The signature on the intermediate does not verify."""
    return under_intermediate(leaf_draft(host), intermediate_draft(break_signature=True))


@shape
def broken_root_signature(host: Host) -> Shown:
    """The root's own signature does not verify, and nobody looks."""
    return under_root(leaf_draft(host), root_draft(break_signature=True))


@shape
def broken_self_signature(host: Host) -> Shown:
    """A trusted self-signed leaf whose signature does not verify."""
    return self_signed(leaf_draft(host, break_signature=True))


@shape
def broken_signature_and_expired(host: Host) -> Shown:
    """At one certificate the signature is met before the dates."""
    return under_root(leaf_draft(host, break_signature=True, days=(-100, -1)))


@shape
def algorithms_disagree(host: Host) -> Shown:
    """The algorithm inside the signed part is another one."""
    return under_root(leaf_draft(host, inner_signature="sha512"))


@shape
def two_roots_of_one_name(host: Host) -> Shown:
    """The store has two roots of one name, RSA and ECDSA; the kind of the signature tells which."""
    loose = {"skid": None, "akid": None}
    rsa_root = forge(root_draft(**loose))
    ec_root = forge(root_draft(kind="ec-p256", **loose))
    return Shown(forge(leaf_draft(host, akid=None), ec_root), (rsa_root,), (rsa_root, ec_root))


# ---------------------------------------------------------------------------------------------------------- serials


@shape
def negative_serial(host: Host) -> Shown:
    """A serial number below zero."""
    return under_root(leaf_draft(host, serial=-12345))


@shape
def zero_serial(host: Host) -> Shown:
    """A serial number of zero."""
    return under_root(leaf_draft(host, serial=0))


@shape
def huge_serial(host: Host) -> Shown:
    """Forty bytes of serial number."""
    return under_root(leaf_draft(host, serial=int("7f" * 40, 16)))


@shape
def authority_serial_matches(host: Host) -> Shown:
    """The authority key identifier names issuer and serial, rightly."""
    anchor = forge(root_draft(serial=77))
    leaf = leaf_draft(host, akid_issuer=anchor.draft.subject, akid_serial=77)
    return Shown(forge(leaf, anchor), (), (anchor,))


@shape
def authority_serial_differs(host: Host) -> Shown:
    """The authority key identifier names another serial."""
    anchor = forge(root_draft(serial=77))
    leaf = leaf_draft(host, akid_issuer=anchor.draft.subject, akid_serial=78)
    return Shown(forge(leaf, anchor), (), (anchor,))


@shape
def authority_issuer_differs(host: Host) -> Shown:
    """The authority key identifier names another issuer's issuer."""
    anchor = forge(root_draft(serial=77))
    leaf = leaf_draft(host, akid_issuer=cn("Somebody Else"), akid_serial=77)
    return Shown(forge(leaf, anchor), (), (anchor,))


@shape
def authority_key_differs(host: Host) -> Shown:
    """The authority key identifier names another key, though the signature is right."""
    return under_root(leaf_draft(host, akid=b"another key of somebody"))


@shape
def self_signed_key_identifier_differs(host: Host) -> Shown:
    """Self-issued and self-made, but its key identifiers contradict each other."""
    return self_signed(leaf_draft(host, skid=b"one", akid=b"other"))


# ------------------------------------------------------------------------------------------------------------ names


@shape
def short_name_only(host: Host) -> Shown:
    """Only the short name."""
    return under_root(leaf_draft(host, name=host.short, san=dns(host.short)))


@shape
def both_names(host: Host) -> Shown:
    """Long and short."""
    return under_root(leaf_draft(host, san=dns(host.fqdn, host.short)))


@shape
def common_name_only(host: Host) -> Shown:
    """No SAN."""
    return under_root(leaf_draft(host, san=None))


@shape
def common_name_right_san_wrong(host: Host) -> Shown:
    """The CN would match, the SAN does not."""
    return under_root(leaf_draft(host, san=dns("other.corp.example")))


@shape
def common_name_wrong_san_right(host: Host) -> Shown:
    """The SAN matches, the CN does not."""
    return under_root(leaf_draft(host, name="Some Service"))


@shape
def empty_san(host: Host) -> Shown:
    """A SAN without an entry."""
    return under_root(leaf_draft(host, san=raw_san()))


@shape
def empty_dns_name(host: Host) -> Shown:
    """A SAN whose only entry is the empty name."""
    return under_root(leaf_draft(host, san=dns("")))


@shape
def san_with_address_only(host: Host) -> Shown:
    """The SAN has the address, the CN has the name."""
    address = x509.IPAddress(ipaddress.ip_address(host.address))
    return under_root(leaf_draft(host, san=san(address)))


@shape
def san_with_address_as_text(host: Host) -> Shown:
    """The address as a dNSName."""
    return under_root(leaf_draft(host, name=host.address, san=dns(host.address)))


@shape
def common_name_is_address(host: Host) -> Shown:
    """The address as CN, no SAN."""
    return under_root(leaf_draft(host, name=host.address, san=None))


@shape
def san_with_name_and_address(host: Host) -> Shown:
    """Both kinds."""
    address = x509.IPAddress(ipaddress.ip_address(host.address))
    return under_root(leaf_draft(host, san=san(x509.DNSName(host.fqdn), address)))


@shape
def san_with_mail_only(host: Host) -> Shown:
    """A SAN that has no host at all; the CN has."""
    return under_root(leaf_draft(host, san=san(x509.RFC822Name("dba@corp.example"))))


@shape
def san_with_uri_only(host: Host) -> Shown:
    """A SAN with a URI of the host."""
    return under_root(leaf_draft(host, san=san(x509.UniformResourceIdentifier(f"https://{host.fqdn}/"))))


@shape
def san_with_directory_name(host: Host) -> Shown:
    """A SAN with a directory name whose CN is the host; the subject has another CN."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host.fqdn)])
    return under_root(leaf_draft(host, name="nobody", san=san(x509.DirectoryName(name))))


@shape
def san_with_strange_kinds(host: Host) -> Shown:
    """x400Address and ediPartyName before the dNSName."""
    party = tlv(0xA5, tlv(0xA1, text("party")))
    other = tlv(0xA0, oid("1.3.6.1.4.1.311.20.2.3"), tlv(0xA0, text("host@corp.example")))
    return under_root(leaf_draft(host, san=raw_san(party, other, tlv(0x82, host.fqdn.encode()))))


@shape
def san_with_bad_address(host: Host) -> Shown:
    """An iPAddress of five bytes before the dNSName."""
    return under_root(leaf_draft(host, san=raw_san(tlv(0x87, b"12345"), tlv(0x82, host.fqdn.encode()))))


@shape
def many_names(host: Host) -> Shown:
    """Five hundred names, the right one last."""
    return under_root(leaf_draft(host, san=dns(*(f"node{n}.corp.example" for n in range(499)), host.fqdn)))


@shape
def critical_san(host: Host) -> Shown:
    """A critical SAN and no subject at all."""
    names = san(x509.DNSName(host.fqdn), critical=True)
    return under_root(leaf_draft(host, san=names, subject=()))


@shape
def no_name_at_all(host: Host) -> Shown:
    """Neither subject nor SAN."""
    return under_root(leaf_draft(host, san=None, subject=()))


@shape
def several_common_names_right_first(host: Host) -> Shown:
    """Two CNs, the first is the host."""
    return under_root(leaf_draft(host, san=None, subject=cn(host.fqdn) + cn("second")))


@shape
def several_common_names_right_last(host: Host) -> Shown:
    """Two CNs, the last is the host."""
    return under_root(leaf_draft(host, san=None, subject=cn("first") + cn(host.fqdn)))


@shape
def common_name_before_others(host: Host) -> Shown:
    """A full subject, as Windows writes it."""
    subject: Name = attribute(C, "DE", PRINTABLE) + attribute(O, "Corp") + attribute(OU, "DB") + cn(host.fqdn)
    return under_root(leaf_draft(host, san=None, subject=subject))


@shape
def common_name_bmp(host: Host) -> Shown:
    """The CN is a BMPString, no SAN."""
    return under_root(leaf_draft(host, san=None, subject=cn(host.fqdn, BMP)))


@shape
def common_name_universal(host: Host) -> Shown:
    """The CN is a UniversalString, no SAN."""
    return under_root(leaf_draft(host, san=None, subject=cn(host.fqdn, UNIVERSAL)))


@shape
def common_name_ia5(host: Host) -> Shown:
    """The CN is an IA5String, no SAN."""
    return under_root(leaf_draft(host, san=None, subject=cn(host.fqdn, IA5)))


@shape
def common_name_with_blank(host: Host) -> Shown:
    """A blank behind the CN."""
    return under_root(leaf_draft(host, san=None, name=host.fqdn + " "))


@shape
def common_name_with_nul(host: Host) -> Shown:
    """A NUL and more behind the right name in the CN."""
    return under_root(leaf_draft(host, san=None, name=host.fqdn + "\0.evil.example"))


@shape
def dns_name_with_nul(host: Host) -> Shown:
    """A NUL and more behind the right name in the SAN."""
    return under_root(leaf_draft(host, san=dns(host.fqdn + "\0.evil.example")))


@shape
def dns_name_with_trailing_nul(host: Host) -> Shown:
    """A NUL behind the right name in the SAN."""
    return under_root(leaf_draft(host, san=dns(host.fqdn + "\0")))


@shape
def dns_name_with_trailing_dot(host: Host) -> Shown:
    """The SAN's name is rooted."""
    return under_root(leaf_draft(host, san=dns(host.fqdn + ".")))


@shape
def dns_name_with_blank(host: Host) -> Shown:
    """A blank behind the name in the SAN."""
    return under_root(leaf_draft(host, san=dns(host.fqdn + " ")))


@shape
def upper_case_names(host: Host) -> Shown:
    """As Windows likes it."""
    return under_root(leaf_draft(host, name=host.fqdn.upper(), san=dns(host.fqdn.upper(), host.short.upper())))


@shape
def dns_name_beyond_ascii(host: Host) -> Shown:
    """A dNSName in UTF-8, which it must not be, before the right one."""
    return under_root(leaf_draft(host, san=dns("büro.corp.example", host.fqdn)))


@shape
def international_name(host: Host) -> Shown:
    """An international name in its ASCII form."""
    name = next(each for each in host.extra if each.startswith("xn--"))
    return _dialling(under_root(leaf_draft(host, name=name, san=dns(name))), name)


@shape
def very_long_name(host: Host) -> Shown:
    """A name as long as names may be."""
    name = max(host.extra, key=len)
    return _dialling(under_root(leaf_draft(host, name="long", san=dns(name))), name)


@shape
def very_long_common_name(host: Host) -> Shown:
    """A CN far beyond the 64 characters that X.520 allows."""
    name = max(host.extra, key=len)
    return _dialling(under_root(leaf_draft(host, name=name, san=None)), name)


@shape
def name_with_underscore(host: Host) -> Shown:
    """A host with an underscore."""
    name = next(each for each in host.extra if "_" in each)
    return _dialling(under_root(leaf_draft(host, name=name, san=dns(name))), name)


def _dialling(shown: Shown, *names: str) -> Shown:
    return Shown(shown.leaf, shown.sent, shown.roots, shown.intermediates, names)


def _wildcard(words: str, pattern: Callable[[Host], str], *, in_cn: bool = False) -> Shape:
    def make(host: Host) -> Shown:
        name = pattern(host)
        leaf = leaf_draft(host, name=name, san=None) if in_cn else leaf_draft(host, name="wild", san=dns(name))
        return _dialling(under_root(leaf), *host.extra)

    make.__doc__ = words
    return make


def _parent(host: Host) -> str:
    return host.fqdn.partition(".")[2]


for _name, _words, _pattern in (
    ("one_label", "The usual wildcard.", lambda host: f"*.{_parent(host)}"),
    ("two_labels_up", "A wildcard one label too high.", lambda host: f"*.{_parent(host).partition('.')[2]}"),
    ("two_stars", "Two whole labels.", lambda host: f"*.*.{_parent(host).partition('.')[2]}"),
    ("alone", "Everything.", lambda host: "*"),
    ("prefix", "Part of a label.", lambda host: f"{host.short[:3]}*.{_parent(host)}"),
    ("suffix", "The end of a label.", lambda host: f"*{host.short[3:]}.{_parent(host)}"),
    ("inside", "Within a label.", lambda host: f"{host.short[:2]}*{host.short[-1]}.{_parent(host)}"),
    ("second_label", "Not the first label.", lambda host: f"{host.short}.*.{_parent(host).partition('.')[2]}"),
    ("last_label", "The last label.", lambda host: f"{host.fqdn.rpartition('.')[0]}.*"),
    ("of_address", "The last part of an address.", lambda host: f"{host.address.rpartition('.')[0]}.*"),
    ("first_of_address", "The first part of an address.", lambda host: f"*.{host.address.partition('.')[2]}"),
    ("upper_case", "A wildcard in capitals.", lambda host: f"*.{_parent(host).upper()}"),
    ("one_suffix_label", "A star and the top-level name.", lambda host: f"*.{_parent(host).rpartition('.')[2]}"),
    ("in_front_of_name", "A star before the whole name.", lambda host: f"*.{host.fqdn}"),
    ("dot_only", "A star and a dot.", lambda host: "*."),
    ("leading_dot", "A dot before the domain.", lambda host: f".{_parent(host)}"),
    ("double_dot", "An empty label.", lambda host: f"*..{_parent(host)}"),
):
    for _in_cn in (False, True):
        _make = _wildcard(_words, _pattern, in_cn=_in_cn)
        _make.__name__ = f"wildcard_{_name}{'_in_common_name' if _in_cn else ''}"
        shape(_make)


# ------------------------------------------------------------------------------------------------ name constraints


def _constrained(words: str, permitted: Any = None, excluded: Any = None, **changes: Any) -> Shape:
    def make(host: Host) -> Shown:
        rules = constraints(permitted(host) if permitted else (), excluded(host) if excluded else ())
        leaf = changes.get("leaf", lambda h: leaf_draft(h))(host)
        return under_intermediate(leaf, intermediate_draft(extensions=(ca(), CA_USAGE, rules)))

    make.__doc__ = words
    return make


def _names(*values: str) -> Callable[[Host], list[x509.GeneralName]]:
    return lambda host: [x509.DNSName(value) for value in values]


def _organisation(value: str) -> x509.DirectoryName:
    return x509.DirectoryName(x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, value)]))


def _network(value: str) -> x509.IPAddress:
    return x509.IPAddress(ipaddress.ip_network(value))


def _in_organisation(host: Host) -> Draft:
    return leaf_draft(host, subject=attribute(O, "CORP ") + cn(host.fqdn))


def _with_mail(host: Host) -> Draft:
    return leaf_draft(host, subject=attribute(EMAIL, "dba@corp.example", IA5) + cn(host.fqdn))


def _with_utf8_mail(host: Host) -> Draft:
    return leaf_draft(host, subject=attribute(EMAIL, "dba@corp.example", UTF8) + cn(host.fqdn))


def _with_address(host: Host) -> Draft:
    address = x509.IPAddress(ipaddress.ip_address(host.address))
    return leaf_draft(host, san=san(x509.DNSName(host.fqdn), address))


def _with_uri(uri: str) -> Callable[[Host], Draft]:
    return lambda host: leaf_draft(host, san=san(x509.DNSName(host.fqdn), x509.UniformResourceIdentifier(uri)))


def _common_name_leaf(host: Host) -> Draft:
    return leaf_draft(host, san=None)


def _wild_leaf(host: Host) -> Draft:
    return leaf_draft(host, san=dns(f"*.{_parent(host)}"))


for _name, _make in {
    "permitted_domain": _constrained("Our domain is permitted.", _names("corp.example")),
    "permitted_domain_with_dot": _constrained("Our domain, with a dot.", _names(".corp.example")),
    "permitted_other_domain": _constrained("Another domain is permitted.", _names("other.example")),
    "permitted_lookalike": _constrained("A domain that ends alike.", _names("rp.example")),
    "permitted_several": _constrained("Several, one of them ours.", _names("other.example", "corp.example")),
    "permitted_empty": _constrained("The empty name: everything.", _names("")),
    "excluded_domain": _constrained("Our domain is excluded.", None, _names("corp.example")),
    "excluded_other_domain": _constrained("Another domain is excluded.", None, _names("other.example")),
    "excluded_upper_case": _constrained("Ours in capitals is excluded.", None, _names("CORP.EXAMPLE")),
    "permitted_and_excluded": _constrained("Permitted and excluded.", _names("example"), _names("corp.example")),
    "permitted_domain_common_name": _constrained("Only a CN.", _names("corp.example"), leaf=_common_name_leaf),
    "permitted_other_common_name": _constrained("Only a CN, outside.", _names("b.example"), leaf=_common_name_leaf),
    "permitted_domain_wildcard": _constrained("A wildcard inside.", _names("corp.example"), leaf=_wild_leaf),
    "permitted_host_wildcard": _constrained("A wildcard, a host.", _names("sql01.corp.example"), leaf=_wild_leaf),
    "excluded_host_wildcard": _constrained("A wildcard, a host.", None, _names("sql01.corp.example"), leaf=_wild_leaf),
    "permitted_address": _constrained("Its network.", lambda _: [_network("127.0.0.0/8")], leaf=_with_address),
    "permitted_other_address": _constrained("Not its.", lambda _: [_network("10.0.0.0/8")], leaf=_with_address),
    "permitted_address_six": _constrained("IPv6 only.", lambda _: [_network("fd00::/8")], leaf=_with_address),
    "excluded_address": _constrained("Excluded.", None, lambda _: [_network("127.0.0.0/8")], leaf=_with_address),
    "permitted_address_no_address": _constrained("A rule for what it has not.", lambda _: [_network("10.0.0.0/8")]),
    "permitted_directory": _constrained("By name.", lambda _: [_organisation("Corp")], leaf=_in_organisation),
    "permitted_other_directory": _constrained("By name.", lambda _: [_organisation("X")], leaf=_in_organisation),
    "excluded_directory": _constrained("By name.", None, lambda _: [_organisation("corp")], leaf=_in_organisation),
    "permitted_mail_host": _constrained("Mail.", lambda _: [x509.RFC822Name("corp.example")], leaf=_with_mail),
    "permitted_mail_domain": _constrained("Mail.", lambda _: [x509.RFC822Name(".example")], leaf=_with_mail),
    "permitted_mail_person": _constrained("Mail.", lambda _: [x509.RFC822Name("DBA@corp.example")], leaf=_with_mail),
    "permitted_other_mail": _constrained("Mail.", lambda _: [x509.RFC822Name("b.example")], leaf=_with_mail),
    "mail_in_utf8": _constrained("Mail in UTF-8.", lambda _: [x509.RFC822Name("corp.example")], leaf=_with_utf8_mail),
    "mail_in_utf8_unconstrained": _constrained("Mail in UTF-8.", _names("corp.example"), leaf=_with_utf8_mail),
    "permitted_uri": _constrained(
        "URI.", lambda _: [x509.UniformResourceIdentifier("corp.example")], leaf=_with_uri("https://corp.example:1/x")
    ),
    "permitted_uri_domain": _constrained(
        "URI.", lambda _: [x509.UniformResourceIdentifier(".example")], leaf=_with_uri("https://corp.example/x")
    ),
    "permitted_other_uri": _constrained(
        "URI.", lambda _: [x509.UniformResourceIdentifier("b.example")], leaf=_with_uri("https://corp.example/")
    ),
    "uri_without_host": _constrained(
        "URI.", lambda _: [x509.UniformResourceIdentifier("corp.example")], leaf=_with_uri("urn:x:y")
    ),
    "registered_id": _constrained(
        "A kind that OpenSSL can't constrain.",
        lambda _: [x509.RegisteredID(x509.ObjectIdentifier("1.2.3"))],
        leaf=lambda host: leaf_draft(
            host, san=san(x509.DNSName(host.fqdn), x509.RegisteredID(x509.ObjectIdentifier("1.2.3.4")))
        ),
    ),
    "registered_id_unused": _constrained(
        "The same, on names it has not.", lambda _: [x509.RegisteredID(x509.ObjectIdentifier("1.2.3"))]
    ),
}.items():
    _make.__name__ = f"constraint_{_name}"
    shape(_make)


@shape
def constraint_on_root(host: Host) -> Shown:
    """The trusted root itself restricts names."""
    rules = constraints(permitted=[x509.DNSName("other.example")])
    return under_intermediate(leaf_draft(host), None, root_draft(extensions=(ca(), CA_USAGE, rules)))


@shape
def constraint_not_critical(host: Host) -> Shown:
    """Not critical, and heeded all the same."""
    rules = constraints(permitted=[x509.DNSName("other.example")], critical=False)
    return under_intermediate(leaf_draft(host), intermediate_draft(extensions=(ca(), CA_USAGE, rules)))


@shape
def constraint_with_minimum(host: Host) -> Shown:
    """A minimum distance, which nobody supports."""
    subtree = sequence(tlv(0x82, b"corp.example"), b"\x80\x01\x01")
    rules = Extension("2.5.29.30", sequence(tlv(0xA0, subtree)), True)
    return under_intermediate(leaf_draft(host), intermediate_draft(extensions=(ca(), CA_USAGE, rules)))


@shape
def constraint_and_expired(host: Host) -> Shown:
    """Dates are met before names."""
    rules = constraints(permitted=[x509.DNSName("other.example")])
    middle = intermediate_draft(extensions=(ca(), CA_USAGE, rules))
    return under_intermediate(leaf_draft(host, days=(-100, -1)), middle)


@shape
def constraint_on_leaf(host: Host) -> Shown:
    """Name constraints on the leaf itself bind nobody."""
    rules = constraints(permitted=[x509.DNSName("other.example")])
    return under_root(leaf_draft(host, more=(rules,)))


# ------------------------------------------------------------------------------------------------------- extensions


@shape
def unknown_critical(host: Host) -> Shown:
    """A critical extension that nobody knows."""
    return under_root(leaf_draft(host, more=(Extension("1.3.6.1.4.1.99999.7", octets(b"?"), True),)))


@shape
def unknown_not_critical(host: Host) -> Shown:
    """The same, not critical."""
    return under_root(leaf_draft(host, more=(Extension("1.3.6.1.4.1.99999.7", octets(b"?")),)))


@shape
def unknown_critical_in_intermediate(host: Host) -> Shown:
    """In the middle of the chain."""
    odd = Extension("1.3.6.1.4.1.99999.7", octets(b"?"), True)
    return under_intermediate(leaf_draft(host), intermediate_draft(extensions=(ca(), CA_USAGE, odd)))


@shape
def unknown_critical_in_root(host: Host) -> Shown:
    """In the trusted root."""
    odd = Extension("1.3.6.1.4.1.99999.7", octets(b"?"), True)
    return under_root(leaf_draft(host), root_draft(extensions=(ca(), CA_USAGE, odd)))


def _critical(name: str, words: str, dotted: str, value: bytes) -> None:
    def make(host: Host) -> Shown:
        return under_root(leaf_draft(host, more=(Extension(dotted, value, True),)))

    make.__name__, make.__doc__ = f"critical_{name}", words
    shape(make)


_critical("policies", "Critical policies.", "2.5.29.32", sequence(sequence(oid("1.2.3.4"))))
_critical("policy_constraints", "An explicit policy is required.", "2.5.29.36", sequence(b"\x80\x01\x00"))
_critical("inhibit_any_policy", "Critical inhibitAnyPolicy.", "2.5.29.54", integer(0))
_critical("authority_information", "Critical AIA, which OpenSSL does not process.", "1.3.6.1.5.5.7.1.1",
          sequence(sequence(oid("1.3.6.1.5.5.7.48.1"), tlv(0x86, b"http://ocsp.example/"))))  # fmt: skip
_critical("tls_feature", "Critical must-staple.", "1.3.6.1.5.5.7.1.24", sequence(integer(5)))
_critical("crl_points", "Critical CRL distribution points.", "2.5.29.31",
          sequence(sequence(tlv(0xA0, tlv(0xA0, tlv(0x86, b"http://crl.example/"))))))  # fmt: skip
_critical("issuer_alternative_name", "A critical issuer alternative name.", "2.5.29.18",
          sequence(tlv(0x82, b"ca.example")))  # fmt: skip
_critical("freshest_crl", "A critical freshest CRL.", "2.5.29.46",
          sequence(sequence(tlv(0xA0, tlv(0xA0, tlv(0x86, b"http://crl.example/"))))))  # fmt: skip
_critical("ocsp_no_check", "A critical OCSP no-check.", "1.3.6.1.5.5.7.48.1.5", NULL)
_critical("certificate_template", "A critical Microsoft template.", "1.3.6.1.4.1.311.20.2", text("WebServer", BMP))
_critical("private_key_usage_period", "A critical private key usage period.", "2.5.29.16",
          sequence(tlv(0x80, b"20200101000000Z")))  # fmt: skip


@shape
def critical_authority_key_identifier(host: Host) -> Shown:
    """A critical authority key identifier."""
    anchor = forge(root_draft())
    odd = Extension("2.5.29.35", sequence(tlv(0x80, anchor.key.identifier)), True)
    return Shown(forge(leaf_draft(host, akid=None, more=(odd,)), anchor), (), (anchor,))


@shape
def critical_subject_key_identifier(host: Host) -> Shown:
    """A critical subject key identifier."""
    return under_root(leaf_draft(host, skid=None, more=(Extension("2.5.29.14", octets(b"key"), True),)))


def _malformed(name: str, words: str, *extensions: Extension) -> None:
    def leaf(host: Host) -> Shown:
        dotted = {each.oid for each in extensions}
        usages = tuple(each for each in (eku(SERVER), TLS_USAGE) if each.oid not in dotted)
        names = None if "2.5.29.17" in dotted else dns(host.fqdn)
        draft = leaf_draft(host, usages=usages, san=names, more=extensions, constrained="2.5.29.19" not in dotted)
        return under_root(draft.but(skid=None if "2.5.29.14" in dotted else b"own"))

    def middle(host: Host) -> Shown:
        dotted = {each.oid for each in extensions}
        usual = tuple(each for each in (ca(), CA_USAGE) if each.oid not in dotted)
        draft = intermediate_draft(extensions=(*usual, *extensions))
        return under_intermediate(leaf_draft(host), draft.but(skid=None if "2.5.29.14" in dotted else b"own"))

    leaf.__name__, leaf.__doc__ = f"malformed_{name}", words
    middle.__name__, middle.__doc__ = f"malformed_{name}_in_intermediate", f"In the intermediate: {words}"
    shape(leaf)
    shape(middle)


_NOT_DER = b"\x30\x0a\x01"
_malformed("san", "A SAN that is cut short.", Extension("2.5.29.17", _NOT_DER))
_malformed("basic_constraints", "Basic constraints that are cut short.", Extension("2.5.29.19", _NOT_DER, True))
_malformed("key_usage", "A key usage that is no bit string.", Extension("2.5.29.15", octets(b"\x80")))
_malformed("extended_key_usage", "An extended key usage of numbers.", Extension("2.5.29.37", sequence(integer(1))))
_malformed("name_constraints", "Name constraints that are cut short.", Extension("2.5.29.30", _NOT_DER))
_malformed("policies", "Policies that are cut short.", Extension("2.5.29.32", _NOT_DER))
_malformed("authority_information", "AIA that is cut short.", Extension("1.3.6.1.5.5.7.1.1", _NOT_DER))
_malformed("crl_points", "CRL distribution points that are cut short.", Extension("2.5.29.31", _NOT_DER))
_malformed("subject_key_identifier", "An SKI that is no octet string.", Extension("2.5.29.14", integer(1)))
_malformed("certificate_transparency", "Timestamps that are garbage.", Extension("1.3.6.1.4.1.11129.2.4.2", b"\x04"))
_malformed("trailing_bytes", "Bytes behind the basic constraints.", Extension("2.5.29.19", sequence(TRUE) + b"\0\0"))
_malformed("explicit_not_ca", "The default CA:FALSE, written out.", Extension("2.5.29.19", sequence(tlv(1, b"\0"))))
_malformed("boolean", "A boolean of 1 in place of 255.", Extension("2.5.29.19", sequence(tlv(1, b"\x01"))))
_malformed("duplicate_eku", "An extended key usage twice.", eku(SERVER), eku(SERVER))
_malformed(
    "duplicate_policies",
    "Policies twice.",
    Extension("2.5.29.32", sequence(sequence(oid("1.2.3.4")))),
    Extension("2.5.29.32", sequence(sequence(oid("1.2.3.4")))),
)
_malformed(
    "duplicate_unknown",
    "An unknown extension twice.",
    Extension("1.3.6.1.4.1.99999.7", octets(b"?")),
    Extension("1.3.6.1.4.1.99999.7", octets(b"?")),
)
_malformed("explicit_not_critical", "critical FALSE, written out.", Extension("2.5.29.32", sequence(), False))
_malformed("empty_crl_point", "A distribution point with nothing.", Extension("2.5.29.31", sequence(sequence())))


@shape
def ocsp_and_crl_pointers(host: Host) -> Shown:
    """AIA and CRL pointers that lead nowhere: nobody follows them."""
    pointers = extension(
        x509.AuthorityInformationAccess(
            [
                x509.AccessDescription(
                    AuthorityInformationAccessOID.CA_ISSUERS,
                    x509.UniformResourceIdentifier("http://127.0.0.1:9/ca.cer"),
                )
            ]
        )
    )
    made = under_intermediate(leaf_draft(host, more=(pointers,)))
    return Shown(made.leaf, (), made.roots, made.intermediates)

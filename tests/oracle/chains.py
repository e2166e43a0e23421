"""Random chains: up to four CAs deep, with faults, extras, cross-signed and look-alike CAs, and a random store."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from random import Random

from cryptography import x509

from .forge import (
    BMP,
    CA_USAGE,
    CLIENT,
    IA5,
    PRINTABLE,
    SERVER,
    TLS_USAGE,
    TRUE,
    UNIVERSAL,
    UTF8,
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
    eku,
    forge,
    integer,
    key,
    not_ca,
    octets,
    raw_san,
    san,
    sequence,
    tlv,
    usage,
)
from .shapes import Host, Shown

Fault = Callable[[Draft, Random, Host], Draft]


def _with(draft: Draft, *extensions: Extension, without: tuple[str, ...] = ()) -> Draft:
    """``draft`` with these extensions in place of its own of the same kinds."""
    gone = {each.oid for each in extensions} | set(without)
    kept = tuple(each for each in draft.extensions if each.oid not in gone)
    return draft.but(extensions=(*kept, *extensions))


def _days(*choices: tuple[float, float]) -> Fault:
    return lambda draft, random, host: draft.but(days=random.choice(choices))


def _extension(make: Callable[[Random, Host], Extension]) -> Fault:
    return lambda draft, random, host: _with(draft, make(random, host))


def _without(*oids: str) -> Fault:
    return lambda draft, random, host: _with(draft, without=oids)


def _key(*kinds: str) -> Fault:
    return lambda draft, random, host: draft.but(key=key(random.choice(kinds), f"odd {random.randrange(2)}"))


def _domains(random: Random, host: Host) -> list[x509.GeneralName]:
    pool: list[x509.GeneralName] = [
        x509.DNSName(name)
        for name in ("example", "corp.example", ".corp.example", host.fqdn, "other.example", "", "EXAMPLE")
    ]
    pool.append(x509.IPAddress(ipaddress.ip_network("127.0.0.0/8")))
    pool.append(x509.IPAddress(ipaddress.ip_network("10.0.0.0/8")))
    pool.append(x509.DirectoryName(x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Corp")])))
    return random.sample(pool, random.randint(1, 3))


def _constraints(random: Random, host: Host) -> Extension:
    one, other = _domains(random, host), _domains(random, host)
    which = random.randrange(3)
    return constraints(one if which != 1 else (), other if which != 0 else (), critical=random.random() < 0.7)


def _mutated(draft: Draft, random: Random, host: Host) -> Draft:
    """One byte of one extension's value is another, or missing, or there twice."""
    if not draft.extensions:
        return draft
    at = random.randrange(len(draft.extensions))
    chosen = draft.extensions[at]
    value = bytearray(chosen.value)
    if value:
        place = random.randrange(len(value))
        match random.randrange(4):
            case 0:
                del value[place]
            case 1:
                value.insert(place, value[place])
            case _:
                value[place] = random.choice((0, 1, 0x7F, 0x80, 0xFF, random.randrange(256)))
    changed = Extension(chosen.oid, bytes(value), chosen.critical)
    return draft.but(extensions=(*draft.extensions[:at], changed, *draft.extensions[at + 1 :]))


_ANY: tuple[Fault, ...] = (
    _mutated,
    _mutated,
    _mutated,
    _days((-500, -1), (-2, -0.01), (-900, -400)),
    _days((1, 400), (0.01, 400)),
    _extension(lambda random, host: Extension("1.3.6.1.4.1.99999.7", octets(b"?"), random.random() < 0.7)),
    lambda draft, random, host: draft.but(break_signature=True),
    lambda draft, random, host: draft.but(signature=random.choice(("sha1", "md5", "sha224", "sha512", "pss-sha256"))),
    lambda draft, random, host: draft.but(skid=None),
    lambda draft, random, host: draft.but(akid=None),
    lambda draft, random, host: draft.but(akid=b"of somebody else"),
    lambda draft, random, host: draft.but(skid=b"some other key"),
    lambda draft, random, host: draft.but(version=1),
    lambda draft, random, host: draft.but(serial=random.choice((-1, 0, 1 << 200))),
    _key("rsa-1024", "rsa-2048", "ec-p256", "ec-p384", "ec-p521", "ed25519", "ed448", "pss-2048"),
    _extension(lambda random, host: Extension("2.5.29.17", random.choice((b"\x30\x05", sequence(integer(1)))))),
    _extension(lambda random, host: Extension("2.5.29.19", sequence(TRUE, integer(-1)))),
    _extension(lambda random, host: Extension("2.5.29.15", bits(b""))),
    lambda draft, random, host: draft.but(extensions=(*draft.extensions, eku(SERVER), eku(SERVER))),
    lambda draft, random, host: draft.but(inner_signature="sha384"),
    _extension(lambda random, host: Extension("2.16.840.1.113730.1.1", bits(bytes((random.choice((0x80, 0x40, 7, 4, 2)),))))),
    _extension(lambda random, host: Extension("2.5.29.32", random.choice((b"", sequence(), b"\x30\x09")), random.random() < 0.5)),
)  # fmt: skip

_OF_CA: tuple[Fault, ...] = (
    _extension(lambda random, host: ca(random.choice((0, 0, 1, 2)), critical=random.random() < 0.8)),
    _extension(lambda random, host: not_ca()),
    _without("2.5.29.19"),
    _without("2.5.29.15"),
    _without("2.5.29.15", "2.5.29.19"),
    _extension(lambda random, host: usage(*random.choice((("crl_sign",), ("digital_signature",), ("key_cert_sign",))))),
    _extension(lambda random, host: eku(*random.choice(((SERVER,), (CLIENT,), (SERVER, CLIENT))))),
    _extension(_constraints),
    _extension(_constraints),
)

_OF_LEAF: tuple[Fault, ...] = (
    _extension(lambda random, host: eku(*random.choice(((CLIENT,), (SERVER, CLIENT), ())))),
    _without("2.5.29.37"),
    _without("2.5.29.15"),
    _extension(
        lambda random, host: usage(
            *random.choice((("digital_signature",), ("key_encipherment",), ("data_encipherment",), ("key_cert_sign",)))
        )
    ),
    _extension(lambda random, host: ca()),
    _extension(_constraints),
)

_CA_KEYS = ("ec-p256", "ec-p256", "ec-p256", "rsa-2048", "rsa-2048", "ec-p384", "ed25519", "rsa-3072")
_LEAF_KEYS = ("rsa-2048", "rsa-2048", "rsa-2048", "ec-p256", "ec-p384", "ed25519", "rsa-3072")
_STRINGS = (UTF8, UTF8, PRINTABLE, BMP, UNIVERSAL)


def _names(random: Random, host: Host) -> tuple[Name, tuple[Extension, ...]]:
    """A subject and a SAN for the leaf: mostly right, often odd."""
    parent = host.fqdn.partition(".")[2]
    pool = [
        host.fqdn, host.fqdn, host.fqdn.upper(), host.short, host.address, f"*.{parent}", f"*.{parent.upper()}",
        "other.corp.example", f"*.{host.fqdn}", f"{host.short[:2]}*.{parent}", "*", "", "*.example",
        host.fqdn + ".", host.fqdn + "\0x", *host.extra,
    ]  # fmt: skip
    common = random.choice((host.fqdn, host.fqdn, "Some Service", *pool))
    subject: Name = cn(common, random.choice((UTF8, UTF8, UTF8, PRINTABLE, IA5, BMP)) if common.isascii() else UTF8)
    if random.random() < 0.3:
        subject = attribute(O, random.choice(("Corp", "corp ", "Other"))) + subject
    if random.random() < 0.1:
        subject += cn(random.choice(pool))
    if random.random() < 0.2:
        return subject, ()
    entries = [tlv(0x82, name.encode()) for name in random.choices(pool, k=random.choice((0, 1, 1, 1, 2, 3, 20)))]
    if random.random() < 0.6:
        entries.insert(random.randint(0, len(entries)), tlv(0x82, host.fqdn.encode()))
    if random.random() < 0.2:
        entries.append(tlv(0x87, ipaddress.ip_address(host.address).packed))
    if random.random() < 0.1:
        entries.append(san(x509.RFC822Name("dba@corp.example")).value[2:])
    random.shuffle(entries)
    return subject, (raw_san(*entries),)


def random_chain(random: Random, host: Host) -> tuple[Shown, tuple[Forged, ...]]:
    """A chain, and the certificates of a trust store in their order."""
    depth = random.choice((0, 1, 1, 2, 2, 2, 3, 4))
    drafts = [_authority(number, random) for number in range(depth)]
    subject, names = _names(random, host)
    extensions = (*((not_ca(),) if random.random() < 0.8 else ()), eku(SERVER), TLS_USAGE, *names)
    drafts.append(Draft(subject, key(random.choice(_LEAF_KEYS), "leaf"), (-20, 300), extensions=extensions))
    for _ in range(random.choice((0, 0, 0, 1, 1, 1, 2, 3))):
        at = random.randrange(len(drafts))
        faults = (*_ANY, *(_OF_LEAF if at == depth else _OF_CA))
        if at == depth:
            # The server can't be started with a key that does not fit, nor may the leaf lose its names too often.
            faults = tuple(fault for fault in faults if random.random() < 0.9)
        drafts[at] = random.choice(faults)(drafts[at], random, host)
    chain: list[Forged] = []
    for draft in drafts:
        issuer = chain[-1] if chain else None
        chain.append(forge(_rewritten(draft, issuer, random), issuer))
    leaf, authorities = chain[-1], chain[:-1]
    twins = _twins(chain, random)
    sent = list(reversed(authorities[1:] if random.random() < 0.7 else authorities))
    sent = [each for each in sent if random.random() < 0.93]
    sent += [twin for twin in twins if random.random() < 0.5]
    if random.random() < 0.1:
        sent.append(random.choice([leaf, *chain]))
    if random.random() < 0.2:
        random.shuffle(sent)
    roots = (chain[0],)
    shown = Shown(leaf, tuple(sent), roots, tuple(authorities[1:]))
    return shown, _store(chain, twins, random)


def _authority(number: int, random: Random) -> Draft:
    name = cn(f"Random CA {number}", random.choice(_STRINGS))
    if random.random() < 0.2:
        name = attribute(O, random.choice(("Corp", "Other"))) + name
    extensions = [ca(), CA_USAGE]
    if random.random() < 0.2:
        extensions.append(eku(SERVER, CLIENT))
    kind = random.choice(_CA_KEYS)
    return Draft(name, key(kind, f"random {number}"), (-300, 2000), extensions=tuple(extensions))


def _rewritten(draft: Draft, issuer: Forged | None, random: Random) -> Draft:
    """Now and then the issuer's name in other letters, or without identifiers."""
    if issuer is not None and random.random() < 0.1:
        changed = tuple(
            tuple((kind, f"  {value.upper()} ", UTF8) for kind, value, _ in relative)
            for relative in issuer.draft.subject
        )
        draft = draft.but(issuer=changed)
    if random.random() < 0.15:
        draft = draft.but(akid=None)
    return draft


def _twins(chain: list[Forged], random: Random) -> list[Forged]:
    """Certificates that could be taken for one of the chain's CAs."""
    twins: list[Forged] = []
    if len(chain) == 1:
        if random.random() < 0.2:
            twins.append(forge(chain[0].draft.but(days=random.choice(((-10, 100), (-100, -1))))))
        return twins
    for _ in range(random.choice((0, 0, 1, 1, 2))):
        at = random.randrange(len(chain) - 1)
        original = chain[at]
        issuer = chain[at - 1] if at else None
        days = random.choice(((-400, -2), (-10, 500), (3, 500), (-50, 2000)))
        match random.randrange(4):
            case 0:  # renewed
                twins.append(forge(original.draft.but(days=days, issuer=None), issuer))
            case 1:  # cross-signed by another root
                other = Draft(cn("Other Root"), key("ec-p256", "other"), days, extensions=(ca(), CA_USAGE))
                root = forge(other)
                draft = original.draft.but(issuer=None, akid=b"issuer", signature="sha256", inner_signature=None)
                twins += [forge(draft.but(days=random.choice((days, (-50, 2000)))), root), root]
            case 2:  # same name, another key
                strange = original.draft.but(key=key("ec-p256", "mimic"), issuer=None)
                twins.append(forge(strange.but(skid=random.choice((None, b"own"))), issuer))
            case _:  # the CA as a root of its own
                draft = original.draft.but(issuer=None, akid=b"issuer", days=days)
                twins.append(forge(draft))
    return twins


def _store(chain: list[Forged], twins: list[Forged], random: Random) -> tuple[Forged, ...]:
    kept: list[Forged] = []
    if random.random() < 0.82:
        kept.append(chain[0])
    kept += [each for each in chain[1:-1] if random.random() < 0.12]
    if random.random() < 0.04:
        kept.append(chain[-1])
    kept += [twin for twin in twins if random.random() < 0.6]
    if random.random() < 0.3:
        random.shuffle(kept)
    return tuple(kept)

"""Key and signature strength in the bits of security that OpenSSL's security levels count.

Level 2, the default of Debian's and Ubuntu's OpenSSL, wants 112 bits: RSA of about 2048, SHA-224 or better.
Sources: OpenSSL 3.0 crypto/rsa/rsa_lib.c (``ossl_ifc_ffc_compute_security_bits``), crypto/x509/x509_set.c, and the
SSL_CTX_set_security_level manual page; measured with ODBC Driver 18.6 by ``tests/oracle``.
"""

from __future__ import annotations

import math

from assessor.certificates.certificate import Certificate

#: Bits of security demanded at security level 2.
LEVEL_2_BITS = 112

_TABULATED = {2048: 112, 3072: 128, 4096: 152, 6144: 176, 7680: 192, 8192: 200, 15360: 256}
_HASH_BITS = {"md5": 39, "sha1": 63}
_HASH_SIZES = {
    "md4": 16,
    "sha224": 28,
    "sha256": 32,
    "sha384": 48,
    "sha512": 64,
    "sha512-224": 28,
    "sha512-256": 32,
    "sha3-224": 28,
    "sha3-256": 32,
    "sha3-384": 48,
    "sha3-512": 64,
}


def integer_factorisation_bits(modulus_bits: int) -> int:
    """Security of an RSA or DSA key: the table of SP 800-56B, and its formula rounded to eights between rows."""
    if modulus_bits in _TABULATED:
        return _TABULATED[modulus_bits]
    if modulus_bits < 8:
        return 0
    natural = modulus_bits * math.log(2)
    estimate = (1.923 * math.cbrt(natural * math.log(natural) ** 2) - 4.690) / math.log(2)
    ceiling = 192 if modulus_bits <= 7680 else 256 if modulus_bits <= 15360 else 1200
    return min((int(estimate) + 4) & ~7, ceiling)


def key_security_bits(certificate: Certificate) -> int:
    """Bits of security of the certificate's key; 0 when the key can't be read."""
    match certificate.key_algorithm:
        case "RSA" | "RSA-PSS" | "DSA":
            return integer_factorisation_bits(certificate.key_bits)
        case "ECDSA":
            return certificate.key_bits // 2
        case "Ed25519":
            return 128
        case "Ed448":
            return 224
        case _:
            return 0


def signature_security_bits(certificate: Certificate) -> int:
    """Bits of security of the signature on the certificate: half the hash, less for broken hashes."""
    if certificate.signature_algorithm in ("Ed25519", "Ed448"):
        return 128 if certificate.signature_algorithm == "Ed25519" else 224
    name = certificate.signature_hash.lower()
    if name in _HASH_BITS:
        return _HASH_BITS[name]
    return _HASH_SIZES.get(name, 0) * 4

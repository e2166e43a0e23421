"""Bits of security, as OpenSSL counts them."""

from __future__ import annotations

import ctypes
import ctypes.util

import pytest

from assessor.certificates.strength import (
    LEVEL_2_BITS,
    integer_factorisation_bits,
    key_security_bits,
    signature_security_bits,
)

from .making import HOST, certificate, forge, leaf_draft, root_draft


@pytest.mark.parametrize(
    ("modulus", "bits"),
    [(512, 56), (1024, 80), (1536, 96), (2048, 112), (3072, 128), (4096, 152), (7680, 192), (15360, 256)],
)
def test_the_table_and_the_formula_of_sp_800_56b(modulus: int, bits: int) -> None:
    assert integer_factorisation_bits(modulus) == bits


def test_every_modulus_has_the_bits_that_openssl_gives_it() -> None:
    library = ctypes.util.find_library("crypto")
    if library is None:
        pytest.fail("libcrypto is not on this machine; the ODBC driver needs it too")
    crypto = ctypes.CDLL(library)
    if not hasattr(crypto, "OPENSSL_version_major") or crypto.OPENSSL_version_major() != 3:
        pytest.fail("libcrypto is not OpenSSL 3, which the profile odbc-18 speaks of")
    crypto.BN_new.restype = crypto.RSA_new.restype = ctypes.c_void_p
    for modulus in (
        *range(1024, 4200, 37),
        2040,
        2047,
        2048,
        2049,
        2056,
        3072,
        4096,
        5000,
        6144,
        7000,
        7681,
        8192,
        16384,
    ):
        number, exponent, key = crypto.BN_new(), crypto.BN_new(), crypto.RSA_new()
        crypto.BN_set_bit(ctypes.c_void_p(number), modulus - 1)
        crypto.BN_set_bit(ctypes.c_void_p(exponent), 16)
        crypto.RSA_set0_key(ctypes.c_void_p(key), ctypes.c_void_p(number), ctypes.c_void_p(exponent), None)
        assert integer_factorisation_bits(modulus) == crypto.RSA_security_bits(ctypes.c_void_p(key)), modulus
        crypto.RSA_free(ctypes.c_void_p(key))


@pytest.mark.parametrize(
    ("kind", "enough"),
    [
        ("rsa-1024", False),
        ("rsa-1536", False),
        ("rsa-2048", True),
        ("ec-p224", True),
        ("ec-p256", True),
        ("ed25519", True),
        ("ed448", True),
        ("pss-2048", True),
    ],
)
def test_a_key_is_strong_enough_for_level_2(kind: str, enough: bool) -> None:
    assert (key_security_bits(certificate(forge(leaf_draft(HOST, kind=kind)))) >= LEVEL_2_BITS) is enough


@pytest.mark.parametrize(
    ("signature", "enough"),
    [("md5", False), ("sha1", False), ("pss-sha1", False), ("sha224", True), ("sha256", True), ("pss-sha256", True)],
)
def test_a_signature_is_strong_enough_for_level_2(signature: str, enough: bool) -> None:
    made = forge(leaf_draft(HOST, signature=signature), forge(root_draft()))
    assert (signature_security_bits(certificate(made)) >= LEVEL_2_BITS) is enough

"""Which names a certificate covers, by each client's rules."""

from __future__ import annotations

import pytest
from oracle.forge import BMP, cn, dns, raw_san
from oracle.shapes import SHAPES

from assessor.certificates.certificate import Certificate
from assessor.certificates.hostnames import CommonName, IpAddress, NameRules, covers, matches

from .making import HOST, certificate, forge, leaf_draft

LENIENT = NameRules(CommonName.WITHOUT_DNS_NAMES, IpAddress.SAN_OR_TEXT)


def shape(name: str) -> Certificate:
    return certificate(SHAPES[name](HOST).leaf)


@pytest.mark.parametrize(
    ("pattern", "name", "matched"),
    [
        ("sql01.corp.example", "SQL01.Corp.Example", True),
        ("*.corp.example", "sql01.corp.example", True),
        ("*.corp.example", "a.sql01.corp.example", False),
        ("*.corp.example", "corp.example", False),
        ("*.corp.example", ".corp.example", False),
        ("sql*.corp.example", "sql01.corp.example", False),
        ("*", "sql01", False),
        ("*", "sql01.corp.example", False),
        ("sql01.*.example", "sql01.corp.example", False),
        ("*.corp.example", "*.corp.example", True),
        ("sql01.corp.example", "sql01.corp.example.", False),
        ("", "", False),
        ("k", "\u212a", False),
    ],
)
def test_a_star_covers_exactly_the_first_label(pattern: str, name: str, matched: bool) -> None:
    assert matches(pattern, name) is matched


@pytest.mark.parametrize(
    ("policy", "no_san", "san_without_dns", "other_san"),
    [
        (CommonName.NEVER, False, False, False),
        (CommonName.WITHOUT_SAN, True, False, False),
        (CommonName.WITHOUT_DNS_NAMES, True, True, False),
        (CommonName.ALWAYS, True, True, True),
    ],
)
def test_the_common_name_counts_when_the_client_says(
    policy: CommonName, no_san: bool, san_without_dns: bool, other_san: bool
) -> None:
    rules = NameRules(policy, IpAddress.SAN)
    assert covers(shape("common_name_only"), HOST.fqdn, rules) is no_san
    assert covers(shape("san_with_address_only"), HOST.fqdn, rules) is san_without_dns
    assert covers(shape("common_name_right_san_wrong"), HOST.fqdn, rules) is other_san


@pytest.mark.parametrize(
    ("policy", "in_san", "as_text"),
    [(IpAddress.SAN, True, False), (IpAddress.TEXT, False, True), (IpAddress.SAN_OR_TEXT, True, True)],
)
def test_an_address_is_matched_as_the_client_matches_it(policy: IpAddress, in_san: bool, as_text: bool) -> None:
    rules = NameRules(CommonName.NEVER, policy)
    assert covers(shape("san_with_address_only"), HOST.address, rules) is in_san
    assert covers(shape("san_with_address_as_text"), HOST.address, rules) is as_text


def test_an_address_is_undecided_where_nobody_has_documented_it() -> None:
    rules = NameRules(CommonName.ALWAYS, IpAddress.UNKNOWN)
    for name in ("san_with_address_only", "san_with_address_as_text", "common_name_only"):
        assert covers(shape(name), HOST.address, rules) is None


def test_a_star_covers_a_part_of_an_address_only_where_addresses_are_text() -> None:
    made = shape("wildcard_first_of_address")
    assert covers(made, HOST.address, NameRules(CommonName.NEVER, IpAddress.TEXT)) is True
    assert covers(made, HOST.address, NameRules(CommonName.NEVER, IpAddress.SAN_OR_TEXT)) is False


def test_a_nul_ends_the_name_only_for_a_client_that_reads_c_strings() -> None:
    raw = NameRules(CommonName.WITHOUT_SAN, IpAddress.TEXT, reads_raw_bytes=True)
    assert covers(shape("dns_name_with_nul"), HOST.fqdn, raw) is True
    assert covers(shape("dns_name_with_nul"), HOST.fqdn, LENIENT) is False


def test_a_common_name_of_two_bytes_a_letter_is_read_only_by_a_client_that_decodes_it() -> None:
    made = certificate(forge(leaf_draft(HOST, san=None, subject=cn(HOST.fqdn, BMP))))
    assert covers(made, HOST.fqdn, LENIENT) is True
    assert covers(made, HOST.fqdn, NameRules(CommonName.WITHOUT_SAN, IpAddress.TEXT, reads_raw_bytes=True)) is False


def test_one_right_name_among_many_is_enough() -> None:
    names = [f"node{number}.corp.example" for number in range(200)]
    assert covers(certificate(forge(leaf_draft(HOST, san=dns(*names, HOST.fqdn)))), HOST.fqdn, LENIENT)


def test_an_empty_or_unreadable_san_covers_nothing() -> None:
    made = certificate(forge(leaf_draft(HOST, name="", san=raw_san())))
    assert covers(made, HOST.fqdn, LENIENT) is False
    assert covers(shape("malformed_san"), HOST.fqdn, LENIENT) is False

"""Stored provider names: which client each loads, before and after the upgrade."""

from __future__ import annotations

import tomllib
from importlib import resources

import pytest

from assessor.clients.providers import ProviderBasis, resolve


@pytest.mark.parametrize(
    ("provider", "by_version"),
    [
        ("SQLNCLI", {11: "sqlncli-11", 14: "sqlncli-11", 15: "sqlncli-11", 16: "oledb-18", 17: "oledb-19"}),
        ("SQLNCLI10", {11: "sqlncli-11", 16: "oledb-18", 17: "oledb-19"}),
        ("SQLNCLI11", {13: "sqlncli-11", 16: "oledb-18", 17: "oledb-19"}),
        ("SQLNCLI11.1", {13: "sqlncli-11", 17: "oledb-19"}),
        ("SQLOLEDB", {13: "sqlncli-11", 17: "oledb-19"}),
        ("MSOLEDBSQL", {13: "oledb-18", 15: "oledb-18", 16: "oledb-18", 17: "oledb-19", 18: "oledb-19"}),
        ("MSOLEDBSQL19", {13: "oledb-19", 17: "oledb-19"}),
        ("MSDASQL", {13: "msdasql", 17: "msdasql"}),
        ("OraOLEDB.Oracle", {13: "other", 17: "other"}),
    ],
)
def test_each_name_loads_what_its_source_version_loads(provider: str, by_version: dict[int, str]) -> None:
    assert {major: resolve(provider, "", major).client for major in by_version} == by_version


@pytest.mark.parametrize("provider", ["sqlncli11", " SQLNCLI11 ", "SqlNcli11"])
def test_case_and_blanks_of_a_stored_name_do_not_matter(provider: str) -> None:
    assert resolve(provider, "", 13) == resolve("SQLNCLI11", "", 13)


def test_product_sql_server_without_a_provider_is_the_generic_native_client() -> None:
    assert resolve("", "SQL Server", 15).client == "sqlncli-11"
    assert resolve("", "SQL Server", 17).client == "oledb-19"
    assert not resolve("", "Oracle", 17).is_known


@pytest.mark.parametrize(
    "provider", ["OraOLEDB.Oracle", "Microsoft.ACE.OLEDB.16.0", "ADSDSOObject", "MSOLAP.8", "IBMDA400"]
)
def test_known_foreign_drivers_are_no_sql_server_clients(provider: str) -> None:
    family = resolve(provider, "", 17)
    assert (family.client, family.is_known, family.is_sql_server_client) == ("other", True, False)


@pytest.mark.parametrize("provider", ["MSOLEDBSQL20", "@provider", "=HYPERLINK(1)", "OLEDBSQL"])
def test_a_name_that_nobody_listed_is_unknown_rather_than_foreign(provider: str) -> None:
    family = resolve(provider, "", 17)
    assert family.basis is ProviderBasis.UNKNOWN
    assert not family.is_known
    assert not family.is_sql_server_client


def test_msdasql_is_known_and_dials_by_its_odbc_driver() -> None:
    family = resolve("MSDASQL", "", 17)
    assert family.is_known
    assert not family.is_sql_server_client


def test_every_entry_covers_every_version_once_and_names_its_source() -> None:
    text = resources.files("assessor.clients").joinpath("providers.toml").read_text(encoding="utf-8")
    for entry in tomllib.loads(text)["provider"]:
        assert entry["meaning"]
        next_version = 0
        for load in entry["loads"]:
            first, dash, last = load["versions"].partition("-")
            assert int(first) == next_version, entry["names"]
            assert load["source"]
            next_version = int(last) + 1 if last else -1 if dash else int(first) + 1
        assert next_version == -1, f"{entry['names']} leaves versions uncovered"


def test_what_microsoft_never_said_is_not_marked_as_documented() -> None:
    assert resolve("SQLNCLI", "", 16).basis is ProviderBasis.UNVERIFIED
    assert resolve("SQLNCLI11", "", 17).basis is ProviderBasis.OBSERVED
    assert resolve("SQLNCLI10", "", 17).basis is ProviderBasis.INFERRED

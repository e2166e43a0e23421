"""Provider strings: what they say about encryption, and what of them may be shown."""

from __future__ import annotations

import random
import re
import string
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessor.clients.options import (
    HARMLESS_KEYWORDS,
    MASK,
    ConnectionOptions,
    Encrypt,
    parse_provider_string,
    redact,
)


@pytest.mark.parametrize("text", [None, "", "   "])
def test_no_provider_string_states_nothing(text: str | None) -> None:
    assert parse_provider_string(text) == ConnectionOptions()


@pytest.mark.parametrize(
    ("word", "mode"),
    [
        ("no", Encrypt.OPTIONAL),
        ("False", Encrypt.OPTIONAL),
        ("optional", Encrypt.OPTIONAL),
        ("Yes", Encrypt.MANDATORY),
        ("TRUE", Encrypt.MANDATORY),
        ("Mandatory", Encrypt.MANDATORY),
        ("Strict", Encrypt.STRICT),
    ],
)
def test_encrypt_takes_every_word_of_driver_19_and_keeps_it_as_written(word: str, mode: Encrypt) -> None:
    options = parse_provider_string(f"Encrypt={word}")
    assert (options.encrypt, options.encrypt_word, options.invalid) == (mode, word, ())


@pytest.mark.parametrize("word", ["1", "on", "$(ProviderEncrypt)", "", "yes please"])
def test_any_other_encrypt_word_is_invalid(word: str) -> None:
    options = parse_provider_string(f"Encrypt={word};")
    assert options.encrypt is None
    assert options.encrypt_word == word
    assert options.invalid == (f"Encrypt={word}",)


@pytest.mark.parametrize(
    ("text", "trust"),
    [
        ("TrustServerCertificate=yes", True),
        ("trustservercertificate=YES;", True),
        ("TRUSTSERVERCERTIFICATE={yes}", True),
        (";; TrustServerCertificate =no ;;", False),
        ("\n\tTrustServerCertificate=Yes\r\n", True),
    ],
)
def test_trust_is_read_in_any_case_braced_or_surrounded_by_blanks(text: str, trust: bool) -> None:
    options = parse_provider_string(text)
    assert options.trust_server_certificate is trust
    assert options.invalid == ()


@pytest.mark.parametrize("value", ["true", "false", "1", "", "y", " yes", '"yes"', "'yes'"])
def test_trust_takes_nothing_but_yes_and_no(value: str) -> None:
    options = parse_provider_string(f"TrustServerCertificate={value}")
    assert options.trust_server_certificate is None
    assert options.invalid == (f"TrustServerCertificate={value}",)


def test_a_blank_right_after_the_equals_sign_spoils_the_value() -> None:
    options = parse_provider_string("Encrypt= yes;HostNameInCertificate= sql01.corp.example")
    assert options.encrypt is None
    assert options.host_name_in_certificate is None
    assert options.invalid == ("Encrypt= yes", "HostNameInCertificate= sql01.corp.example")


def test_the_first_of_two_wins_even_when_it_is_invalid() -> None:
    assert parse_provider_string("Encrypt=no;ENCRYPT=strict").encrypt is Encrypt.OPTIONAL
    assert parse_provider_string("Encrypt=maybe;Encrypt=yes").encrypt is None


@pytest.mark.parametrize(
    "keyword",
    ["Trust Server Certificate", "Use Encryption for Data", "host name in  certificate", "Server Certificate"],
)
def test_a_spaced_spelling_is_set_aside_as_ineffective(keyword: str) -> None:
    options = parse_provider_string(f"{keyword}=yes;Server=sql01")
    once_spaced = " ".join(keyword.split())
    assert options == ConnectionOptions(has_text=True, ineffective=(f"{once_spaced}=yes",), server="sql01")


def test_names_paths_and_authentication_are_read_whole() -> None:
    options = parse_provider_string(
        "HostNameInCertificate=*.corp.example;ServerCertificate={C:\\pki\\sql 01.cer};"
        "Authentication=ActiveDirectoryMSI;Encrypt=Strict"
    )
    assert options.host_name_in_certificate == "*.corp.example"
    assert options.server_certificate == "C:\\pki\\sql 01.cer"
    assert options.authentication == "ActiveDirectoryMSI"


@pytest.mark.parametrize(
    ("text", "expected"), [("User ID=x;UID=y", True), ("user  id={x}", True), ("UID=x;User=x", False)]
)
def test_only_the_spaced_user_id_cures_message_7416(text: str, expected: bool) -> None:
    assert parse_provider_string(text).has_user_id_keyword is expected


def test_address_wins_over_server() -> None:
    assert parse_provider_string("Server=a;Address=b").server == "b"
    assert parse_provider_string("DRIVER={SQL Server};Server=HOST01;uid=u").server == "HOST01"
    assert parse_provider_string("Server=;uid=").server is None


def test_an_option_after_a_brace_that_is_never_closed_is_not_believed() -> None:
    options = parse_provider_string("PWD={abc;Encrypt=no;TrustServerCertificate=yes")
    assert options.encrypt is None
    assert options.trust_server_certificate is None
    assert options.invalid == ("PWD={***",)


# --- redact ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Encrypt=yes;TrustServerCertificate=Yes;", "Encrypt=yes;TrustServerCertificate=Yes"),
        ("Server=HOST01;UID=sa;PWD=hunter2", "Server=HOST01;UID=***;PWD=***"),
        ("User ID=sa; \n\t Password=a b c ;", "User ID=***;Password=***"),
        ("PWD={a;b};Encrypt=no", "PWD=***;Encrypt=no"),
        ('Password="a;Server=b";Encrypt=no', "Password=***;Encrypt=no"),
        ("Password= {a;Server=b} ;Encrypt=no", "Password=***;Encrypt=no"),
        ("PWD={a}};Server=tail};Encrypt=no", "PWD=***;Encrypt=no"),
        ("Server={x;PWD=tail}", "Server=***"),
        ("Server=x PWD=tail", "Server=***"),
        ("App=https://user:tail@host/", "App=***"),
        ("AccessToken=eyJ0", "***=***"),
        ("appdb02.corp.example.net:1521/APP", "***"),
        ("Excel 12.0 XML;HDR=YES", "Excel 12.0 XML;HDR=YES"),
        ("ADsDSOObject", "ADsDSOObject"),
        ("DRIVER={SQL Server};SERVER=x,1433", "DRIVER=SQL Server;SERVER=x,1433"),
        ("Encrypt={yes }", "Encrypt={yes }"),
        ("PWD={a;Encrypt=no", "PWD={***"),
        ("", ""),
        (" ; ;", ";"),
    ],
)
def test_redact_shows_harmless_values_and_masks_the_rest(text: str, shown: str) -> None:
    assert redact(text) == shown


SECRET = "Zq9Secret"
harmless_keyword = st.sampled_from(sorted(HARMLESS_KEYWORDS))


def scrambled_case(text: str, seed: int) -> str:
    choose = random.Random(seed).choice
    return "".join(choose((str.lower, str.upper))(character) for character in text)


cased_harmless_keyword = st.builds(scrambled_case, harmless_keyword, st.integers(0, 9))
secret_keyword = st.one_of(
    st.sampled_from(["PWD", "password", "Pass Word", "UID", "User ID", "AccessToken", "secret", "x", ""]),
    st.text(string.ascii_letters + string.digits + " _-äß", max_size=12),
).filter(lambda word: " ".join(word.split()).lower() not in HARMLESS_KEYWORDS)
blanks = st.sampled_from(["", "", " ", "  ", "\t", "\n"])
#: Where a secret may sit: bare, wrapped in every way, in wrappings that are broken, with the other signs inside.
wrappings = st.sampled_from(
    ["S", "{S}", "{S", "S}", '"S"', '"S', 'S"', "'S'", "'S", "{{S}}", "{}}S}", "{a}}S", "{a;S}", '"a;S"', "'a;b=S'",
     "{a;Server=S}", "=S", "a=S", "{a}S", '"a"S', "{a;Encrypt=S", "S{;", 'S";', "{a=b;Server=x S}", "a:S@host"]
)  # fmt: skip
values = st.one_of(
    st.sampled_from(["yes", "no", "strict", "true", "{yes}", " yes", '"no"', "", "sql01,1433", "C:\\a b.cer", "yes "]),
    st.text("ab {}'\";=\n\\.,", max_size=10),
)
secret_pairs = st.builds(
    lambda k, before, after, wrapping: f"{before}{k}{before}={after}{wrapping.replace('S', SECRET)}{after}",
    secret_keyword, blanks, blanks, wrappings,
)  # fmt: skip
other_pairs = st.builds(
    lambda k, before, v: f"{before}{k}={v}",
    st.one_of(cased_harmless_keyword, st.sampled_from(["Encrypt", "TrustServerCertificate", "User ID"])),
    blanks,
    values,
)
provider_strings = st.lists(st.one_of(secret_pairs, other_pairs), max_size=6).map(";".join)


@settings(deadline=None, max_examples=400)
@given(provider_strings)
def test_a_secret_never_survives_redaction(text: str) -> None:
    assert SECRET.lower() not in redact(text).lower()


@settings(deadline=None, max_examples=200)
@given(cased_harmless_keyword, st.sampled_from(["{a;PWD=S}", "{a=b;S}", '"a;UID=S"', "{PWD=S", "u:S@h", "a=S"]))
def test_a_secret_inside_a_harmless_value_does_not_survive_either(keyword: str, wrapping: str) -> None:
    assert SECRET not in redact(f"{keyword}={wrapping.replace('S', SECRET)};Encrypt=yes")


@settings(deadline=None, max_examples=400)
@given(st.one_of(provider_strings, st.text(max_size=60), st.text("Encrypt=yesno{}'\"; \n*", max_size=60)))
def test_redacted_text_gives_the_same_options_and_redacting_again_changes_nothing(text: str) -> None:
    shown = redact(text)
    assert parse_provider_string(shown) == parse_provider_string(text)
    assert redact(shown) == shown


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=80))
def test_redacted_text_holds_no_control_characters(text: str) -> None:
    assert not re.search(r"[\x00-\x1f\x7f]", redact(text))


def test_no_option_holds_a_secret() -> None:
    options = parse_provider_string(f"Server={{x;PWD={SECRET}}};Encrypt={{yes;PWD={SECRET}}};PWD={SECRET}")
    assert SECRET not in repr(options)
    assert options == replace(ConnectionOptions(), has_text=True, encrypt_word=MASK, invalid=(f"Encrypt={MASK}",))

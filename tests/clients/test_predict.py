"""The outcome function: the published truth tables, and nothing unknown taken for success."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from oracle.shapes import SHAPES, Host

from assessor.certificates.certificate import Certificate
from assessor.certificates.chain import ChainAssessment, assess_chain
from assessor.certificates.findings import Finding, FindingCode
from assessor.certificates.trust import TrustStore
from assessor.clients.options import Encrypt
from assessor.clients.outcome import Basis, Outcome, ReasonClass
from assessor.clients.predict import Attempt, predict
from assessor.clients.profiles import ClientProfile, HostName, Pin, Trust, load_profiles, profile
from assessor.probe.evidence import EncryptionAnswer, Endpoint, Evidence, FailureClass, TlsSession

HOST = Host("sql01.corp.example", "sql01", "127.1.2.3", ())
CLIENTS = load_profiles()
OPTIONAL, MANDATORY, STRICT = Encrypt.OPTIONAL, Encrypt.MANDATORY, Encrypt.STRICT


@cache
def chain(shape: str, *, trusted: bool = True) -> ChainAssessment:
    shown = SHAPES[shape](HOST)
    sent = [Certificate(each.der) for each in (shown.leaf, *shown.sent)]
    roots = tuple(Certificate(each.der) for each in shown.roots) if trusted else ()
    return assess_chain(sent, TrustStore("test", "file test.pem", roots), datetime.now(UTC))


GOOD = chain("sound")
BAD = chain("sound", trusted=False)


def evidence(answer: EncryptionAnswer = EncryptionAnswer.OFF, version: str = "TLSv1.2") -> Evidence:
    session = TlsSession(version, "ECDHE-RSA-AES256-GCM-SHA384", None, ("pem",))
    strict_only = answer is EncryptionAnswer.STRICT_ONLY
    return Evidence(
        endpoint=Endpoint(HOST.fqdn, 1433),
        vantage="here",
        probed_at=datetime.now(UTC),
        encryption=answer,
        tls=None if strict_only or answer is EncryptionAnswer.NOT_SUPPORTED else session,
        strict=replace(session, version="TLSv1.3", alpn="tds/8.0"),
    )


FORCED = evidence(EncryptionAnswer.REQUIRED)
AVAILABLE = evidence()


def outcome(
    client: str, encrypt: Encrypt, judged: ChainAssessment = GOOD, seen: Evidence = AVAILABLE, **told: object
) -> Outcome:
    return predict(profile(client), Attempt(encrypt, **told), seen, judged, HOST.fqdn)  # type: ignore[arg-type]


class TestOleDb19:
    """sql-docs connect/oledb/major-version-differences.md, 2026-08-26; the 2025 fact sheet, 1.4."""

    @pytest.mark.parametrize(
        ("encrypt", "seen", "trust", "flag2", "connects"),
        [
            (OPTIONAL, AVAILABLE, False, None, True),
            (OPTIONAL, AVAILABLE, True, None, True),
            (OPTIONAL, FORCED, False, None, False),
            (OPTIONAL, FORCED, True, True, True),
            (OPTIONAL, FORCED, True, False, False),
            (OPTIONAL, FORCED, True, None, None),
            (MANDATORY, AVAILABLE, False, True, False),
            (MANDATORY, AVAILABLE, True, True, True),
            (MANDATORY, AVAILABLE, True, False, False),
            (MANDATORY, AVAILABLE, True, None, None),
            (STRICT, AVAILABLE, False, True, False),
            (STRICT, AVAILABLE, True, True, False),
        ],
    )
    def test_an_untrusted_certificate(
        self, encrypt: Encrypt, seen: Evidence, trust: bool, flag2: bool | None, connects: bool | None
    ) -> None:
        found = outcome("oledb-19", encrypt, BAD, seen, trust=trust, flag2=flag2)
        assert found.connects is connects
        if connects is None:
            assert "Flag2" in found.depends_on[0]

    @pytest.mark.parametrize("flag2", [True, False, None])
    @pytest.mark.parametrize("encrypt", list(Encrypt))
    @pytest.mark.parametrize("seen", [AVAILABLE, FORCED])
    def test_a_good_certificate_connects_whatever_the_registry_says(
        self, encrypt: Encrypt, seen: Evidence, flag2: bool | None
    ) -> None:
        assert outcome("oledb-19", encrypt, GOOD, seen, trust=True, flag2=flag2).connects is True

    def test_a_pin_outside_strict_is_refused(self) -> None:
        found = outcome("oledb-19", MANDATORY, GOOD, pin=GOOD.path[0])
        assert (found.connects, found.reason) == (False, ReasonClass.BAD_OPTION)


class TestOlderClients:
    """clients reference, 1.2."""

    @pytest.mark.parametrize("client", ["sqlncli-11", "oledb-18", "odbc-17", "sqlclient-1", "jdbc-9"])
    @pytest.mark.parametrize("seen", [AVAILABLE, FORCED])
    def test_optional_is_never_validated(self, client: str, seen: Evidence) -> None:
        assert outcome(client, OPTIONAL, BAD, seen).connects is True

    @pytest.mark.parametrize("client", ["oledb-19", "odbc-18", "sqlclient-2", "sqlclient-5", "jdbc-12"])
    def test_optional_is_validated_by_newer_ones_where_the_server_forces(self, client: str) -> None:
        assert outcome(client, OPTIONAL, BAD, AVAILABLE).connects is True
        assert outcome(client, OPTIONAL, BAD, FORCED).connects is False

    def test_driver_18_with_the_authentication_keyword_always_validates(self) -> None:
        assert outcome("oledb-18-authentication", OPTIONAL, BAD, AVAILABLE).connects is False

    @pytest.mark.parametrize("client", [each.id for each in CLIENTS])
    def test_mandatory_is_validated_unless_trusted(self, client: str) -> None:
        assert outcome(client, MANDATORY, BAD).connects is False
        assert outcome(client, MANDATORY, BAD, trust=True).connects is (profile(client).trust is not Trust.NONE)

    @pytest.mark.parametrize("client", [each.id for each in CLIENTS if STRICT not in each.encrypt_modes])
    def test_strict_is_no_word_of_theirs(self, client: str) -> None:
        assert outcome(client, STRICT).reason is ReasonClass.BAD_OPTION


class TestModes:
    @pytest.mark.parametrize("client", [each.id for each in CLIENTS])
    def test_a_strict_only_server_refuses_everything_else(self, client: str) -> None:
        for encrypt in (OPTIONAL, MANDATORY):
            found = outcome(client, encrypt, seen=evidence(EncryptionAnswer.STRICT_ONLY), trust=True)
            assert (found.connects, found.reason) == (False, ReasonClass.STRICT_REQUIRED)

    def test_without_encryption_optional_travels_in_clear_and_mandatory_fails(self) -> None:
        none = evidence(EncryptionAnswer.NOT_SUPPORTED)
        assert outcome("odbc-18", OPTIONAL, seen=none).reason is ReasonClass.CONNECTED_IN_CLEAR
        assert outcome("odbc-18", MANDATORY, seen=none).reason is ReasonClass.ENCRYPTION_NOT_SUPPORTED

    def test_a_server_without_tds_8_refuses_strict(self) -> None:
        seen = replace(AVAILABLE, strict=None, strict_failure=FailureClass.CLOSED)
        assert outcome("odbc-18", STRICT, seen=seen).reason is ReasonClass.STRICT_NOT_SUPPORTED

    def test_an_old_tls_version_passes_odbc_only_with_rsa_key_exchange(self) -> None:
        old = evidence(version="TLSv1")
        assert old.tls is not None
        plain = replace(old, tls=replace(old.tls, cipher="AES128-SHA"))
        assert outcome("odbc-18", MANDATORY, seen=old).reason is ReasonClass.TLS_VERSION
        assert outcome("odbc-18", MANDATORY, seen=plain).connects is True
        assert outcome("oledb-19", MANDATORY, seen=plain).connects is None

    def test_a_cipher_that_the_client_does_not_offer_leaves_it_undecided(self) -> None:
        assert AVAILABLE.tls is not None
        seen = replace(AVAILABLE, tls=replace(AVAILABLE.tls, cipher="CAMELLIA128-SHA"))
        assert outcome("odbc-18", MANDATORY, seen=seen).connects is None
        assert outcome("odbc-18", OPTIONAL, seen=seen).connects is None

    def test_a_refused_certificate_is_reported_before_an_old_key_exchange(self) -> None:
        assert outcome("odbc-18", MANDATORY, BAD, evidence(version="TLSv1")).reason is not ReasonClass.TLS_VERSION


class TestNamesAndPins:
    def test_the_other_name_replaces_or_adds(self) -> None:
        wrong = Attempt(MANDATORY, host_name_in_certificate="wrong.example")
        assert predict(profile("odbc-18"), wrong, AVAILABLE, GOOD, HOST.fqdn).connects is True
        assert predict(profile("oledb-19"), wrong, AVAILABLE, GOOD, HOST.fqdn).reason is ReasonClass.NAME_MISMATCH

    def test_the_name_is_compared_before_name_constraints_by_openssl(self) -> None:
        judged = chain("constraint_excluded_domain")
        attempt = Attempt(MANDATORY)
        right = predict(profile("odbc-18"), attempt, AVAILABLE, judged, HOST.fqdn)
        wrong = predict(profile("odbc-18"), attempt, AVAILABLE, judged, "other.example")
        assert (right.reason, wrong.reason) == (ReasonClass.NAME_CONSTRAINTS, ReasonClass.NAME_MISMATCH)

    def test_a_pin_replaces_chain_and_name_but_not_the_dates(self) -> None:
        for shape, connects in (("common_name_right_san_wrong", True), ("expired_leaf", False), ("client_only", True)):
            judged = chain(shape, trusted=False)
            assert outcome("odbc-18", STRICT, judged, pin=judged.path[0]).connects is connects

    def test_a_wrong_pin_fails_and_an_unread_one_is_unknown(self) -> None:
        assert outcome("odbc-18", STRICT, pin=BAD.path[1]).reason is ReasonClass.PIN_MISMATCH
        assert outcome("odbc-18", STRICT, pin_unread=True).connects is None

    def test_an_address_is_undecided_where_nobody_says_how_it_is_matched(self) -> None:
        found = predict(profile("oledb-19"), Attempt(MANDATORY), AVAILABLE, GOOD, HOST.address)
        assert (found.connects, found.reason) == (None, ReasonClass.NAME_MISMATCH)


# -- nothing unknown works ------------------------------------------------------------------------------------------

attempts = st.builds(
    Attempt,
    encrypt=st.sampled_from(Encrypt),
    trust=st.booleans(),
    host_name_in_certificate=st.sampled_from([None, HOST.fqdn, "wrong.example"]),
    pin=st.sampled_from([None, GOOD.path[0], GOOD.path[1]]),
    pin_unread=st.booleans(),
    flag2=st.sampled_from([True, False, None]),
)
answers = st.sampled_from(EncryptionAnswer)
clients = st.sampled_from(CLIENTS)


def never_validates(client: ClientProfile, attempt: Attempt, answer: EncryptionAnswer) -> bool:
    """The client does not look at the certificate in this mode."""
    if attempt.encrypt is STRICT:
        return False
    forced = answer in (EncryptionAnswer.REQUIRED, EncryptionAnswer.ON)
    looks = attempt.encrypt is MANDATORY or client.validates_optional or (forced and client.validates_forced)
    trusts = attempt.trust and (client.trust is Trust.HONOURED or attempt.flag2 is True)
    return not looks or trusts or answer is EncryptionAnswer.NOT_SUPPORTED


@settings(deadline=None, max_examples=150)
@given(clients, attempts, st.sampled_from(FailureClass))
def test_an_endpoint_that_was_not_reached_never_works(
    client: ClientProfile, attempt: Attempt, failure: FailureClass
) -> None:
    seen = Evidence(Endpoint(HOST.fqdn, 1433), "here", datetime.now(UTC), failure=failure)
    for judged in (GOOD, ChainAssessment((), False, (), None)):
        assert predict(client, attempt, seen, judged, HOST.fqdn).connects is not True


@settings(deadline=None, max_examples=150)
@given(clients, attempts, answers, st.sampled_from([None, *FailureClass]))
def test_a_handshake_that_was_not_seen_never_works(
    client: ClientProfile, attempt: Attempt, answer: EncryptionAnswer, failure: FailureClass | None
) -> None:
    assume(answer is not EncryptionAnswer.NOT_SUPPORTED or attempt.encrypt is STRICT)
    seen = replace(evidence(answer), tls=None, tls_failure=failure, strict=None, strict_failure=failure)
    assert predict(client, attempt, seen, GOOD, HOST.fqdn).connects is not True


@settings(deadline=None, max_examples=150)
@given(clients, attempts)
def test_an_encryption_mode_that_was_not_seen_never_works(client: ClientProfile, attempt: Attempt) -> None:
    assume(attempt.encrypt is not STRICT)
    seen = replace(AVAILABLE, encryption=None)
    assert predict(client, attempt, seen, GOOD, HOST.fqdn).connects is not True


@settings(deadline=None, max_examples=150)
@given(clients, attempts, answers)
def test_a_chain_that_was_not_seen_never_works_where_it_is_looked_at(
    client: ClientProfile, attempt: Attempt, answer: EncryptionAnswer
) -> None:
    assume(not never_validates(client, attempt, answer))
    empty = ChainAssessment((), False, (), None)
    assert predict(client, attempt, evidence(answer), empty, HOST.fqdn).connects is not True


@settings(deadline=None, max_examples=200)
@given(clients, attempts, answers, st.sampled_from(FindingCode))
def test_a_finding_nobody_has_documented_never_works_where_the_chain_is_looked_at(
    client: ClientProfile, attempt: Attempt, answer: EncryptionAnswer, code: FindingCode
) -> None:
    assume(not never_validates(client, attempt, answer))
    assume(code in client.unsure | client.minds)
    pinned = client.pin is not Pin.NONE and (attempt.pin is not None or attempt.pin_unread)
    assume(not pinned)  # a pin takes the place of the chain
    judged = replace(GOOD, findings=(Finding(code, "A doubt.", 0),))
    assert predict(client, attempt, evidence(answer), judged, HOST.fqdn).connects is not True


@settings(deadline=None, max_examples=150)
@given(clients, attempts, answers)
def test_an_undecided_outcome_says_on_what_it_depends(
    client: ClientProfile, attempt: Attempt, answer: EncryptionAnswer
) -> None:
    for judged in (GOOD, BAD, ChainAssessment((), False, (), None)):
        found = predict(client, attempt, evidence(answer), judged, HOST.fqdn)
        assert (found.connects is None) == bool(found.depends_on)
        assert found.explanation.endswith(".")
        assert found.sources


def test_only_what_the_oracle_plays_is_called_measured() -> None:
    assert [client.id for client in CLIENTS if client.basis is Basis.MEASURED] == ["odbc-18"]
    assert profile("odbc-18").host_name is HostName.ADDS

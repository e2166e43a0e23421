"""The probe against the lab, whose servers Microsoft's own driver takes for SQL Servers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from assessor.lab import tls as lab_tls
from assessor.lab.behaviour import Behaviour, Encryption, Manner
from assessor.lab.server import ServerLoop, TdsServer
from assessor.lab.tls import TlsVersion
from assessor.probe.conversation import probe_endpoint
from assessor.probe.dial import Resolver
from assessor.probe.evidence import EncryptionAnswer, Endpoint, Evidence, FailureClass
from assessor.probe.settings import ProbeSettings
from assessor.routes import Routes

from .servers import Credentials


@pytest.fixture(scope="module")
def loop() -> Iterator[ServerLoop]:
    with ServerLoop() as running:
        yield running


@pytest.fixture(scope="session")
def lab_credentials(credentials: Credentials) -> lab_tls.Credentials:
    key = load_pem_private_key(credentials.key.encode(), None)
    leaf, issuer = (x509.load_pem_x509_certificate(pem.encode()) for pem in (credentials.leaf, credentials.issuer))
    return lab_tls.Credentials(leaf, key, (issuer,))  # type: ignore[arg-type]


def visit(behaviour: Behaviour, loop: ServerLoop, answer_seconds: float = 15) -> Evidence:
    with TdsServer(behaviour, loop=loop) as server:
        routes = Routes.parse({"sql01.corp.example": f"127.0.0.1:{server.port}"})
        settings = ProbeSettings(routes=routes, vantage="here", answer_seconds=answer_seconds)
        return probe_endpoint(Endpoint("sql01.corp.example", 1433), settings, Resolver(1))


@pytest.mark.parametrize(
    ("encryption", "answer"),
    [(Encryption.AVAILABLE, EncryptionAnswer.OFF), (Encryption.FORCED, EncryptionAnswer.REQUIRED)],
)
def test_available_and_forced_encryption_are_told_apart_and_both_give_the_chain(
    encryption: Encryption,
    answer: EncryptionAnswer,
    lab_credentials: lab_tls.Credentials,
    loop: ServerLoop,
    credentials: Credentials,
) -> None:
    seen = visit(Behaviour(lab_credentials, encryption=encryption), loop)
    assert seen.encryption is answer
    assert seen.server_version == "16.0.4175"
    assert seen.tls is not None, seen.tls_failure_detail
    assert seen.strict is not None, seen.strict_failure_detail
    assert (seen.tls.version, seen.strict.version) == ("TLSv1.2", "TLSv1.3")
    assert seen.tls.certificates == seen.strict.certificates == (credentials.leaf, credentials.issuer)


def test_a_server_without_tds8_is_no_failure(lab_credentials: lab_tls.Credentials, loop: ServerLoop) -> None:
    seen = visit(Behaviour(lab_credentials, tds8=False), loop)
    assert seen.tls is not None
    assert seen.strict is None
    assert seen.strict_failure is FailureClass.CLOSED


def test_a_server_that_forces_strict_encryption_is_strict_only(
    lab_credentials: lab_tls.Credentials, loop: ServerLoop, credentials: Credentials
) -> None:
    seen = visit(Behaviour(lab_credentials, force_strict=True), loop)
    assert seen.failure is None
    assert seen.encryption is EncryptionAnswer.STRICT_ONLY
    assert seen.tls is None
    assert seen.chain == (credentials.leaf, credentials.issuer)
    assert seen.server_version == "16.0.4175"


def test_a_server_without_a_certificate_supports_no_encryption(loop: ServerLoop) -> None:
    seen = visit(Behaviour(encryption=Encryption.NOT_SUPPORTED), loop)
    assert seen.encryption is EncryptionAnswer.NOT_SUPPORTED
    assert seen.chain == ()


@pytest.mark.parametrize(
    ("version", "name"), [(TlsVersion.V1_0, "TLSv1"), (TlsVersion.V1_1, "TLSv1.1"), (TlsVersion.V1_2, "TLSv1.2")]
)
def test_an_old_server_is_seen_at_its_highest_version(
    version: TlsVersion, name: str, lab_credentials: lab_tls.Credentials, loop: ServerLoop
) -> None:
    seen = visit(Behaviour(lab_credentials, tls=(TlsVersion.V1_0, version)), loop)
    assert seen.tls is not None, seen.tls_failure_detail
    assert seen.tls.version == name


@pytest.mark.parametrize(
    ("manner", "failure"),
    [
        (Manner.CLOSES, FailureClass.CLOSED),
        (Manner.SILENT, FailureClass.STALLED),
        (Manner.OTHER_SERVICE, FailureClass.NOT_TDS),
    ],
)
def test_a_port_that_is_no_sql_server_says_what_it_is(manner: Manner, failure: FailureClass, loop: ServerLoop) -> None:
    behaviour = Behaviour(encryption=Encryption.NOT_SUPPORTED, manner=manner)
    seen = visit(behaviour, loop, answer_seconds=0.5 if manner is Manner.SILENT else 15)
    assert seen.failure is failure
    assert seen.encryption is None

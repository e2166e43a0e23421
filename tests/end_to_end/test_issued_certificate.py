"""From the written request to a driver that connects: real openssl, a CA, the lab's server, ODBC Driver 18."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import NameOID

from assessor import assessment
from assessor.collect.driver import find_driver
from assessor.estate import load_estate
from assessor.judge.verdicts import VerdictKind
from assessor.lab.estate import Lab
from assessor.lab.tls import Credentials
from assessor.probe.settings import ProbeSettings
from assessor.remedies.folder import RemedyFile, remedy_files
from assessor.snapshot import Snapshot
from tests.end_to_end.small_estate import small_lab

_NSS_WRAPPER = next(Path("/usr/lib").glob("*/libnss_wrapper.so"), None)


class Pki:
    """A certificate authority that signs what a request asks for, as it asks for it."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(65537, 2048)
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test PKI Root")])
        self.root = (
            self._builder(self.name, self.key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self.key, hashes.SHA256())
        )

    @property
    def pem(self) -> str:
        return self.root.public_bytes(Encoding.PEM).decode("ascii")

    def issue(self, request: x509.CertificateSigningRequest) -> x509.Certificate:
        assert request.is_signature_valid
        builder = self._builder(request.subject, request.public_key())  # type: ignore[arg-type]
        for extension in request.extensions:
            builder = builder.add_extension(extension.value, extension.critical)
        return builder.sign(self.key, hashes.SHA256())

    def _builder(self, subject: x509.Name, key: rsa.RSAPublicKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=700))
        )


def connects(lab: Lab, server: str, store: Path) -> tuple[bool, str]:
    """Whether ODBC Driver 18, mandatory and validating, connects to ``server`` with the roots of ``store``."""
    assert _NSS_WRAPPER is not None, "libnss-wrapper is missing; make test installs it"
    driver, password = find_driver(None).name, lab.passwords["assessor"]
    case = {
        "id": server,
        "connection": f"DRIVER={driver};SERVER={server};UID=assessor;PWD={password};Encrypt=Mandatory",
    }
    environment = {
        **os.environ,
        "SSL_CERT_FILE": str(store),
        "SSL_CERT_DIR": "/nonexistent",
        "LD_PRELOAD": str(_NSS_WRAPPER),
        "NSS_WRAPPER_HOSTS": str(lab.hosts_file),
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.end_to_end.play"],
        input=json.dumps(case) + "\n",
        capture_output=True,
        text=True,
        env=environment,
        cwd=Path(__file__).parents[2],
        timeout=60,
        check=True,
    )
    answer = json.loads(done.stdout)
    return answer["connects"], answer["message"]


def assess(lab: Lab) -> Snapshot:
    estate = load_estate(lab.estate_file)
    settings = ProbeSettings(routes=estate.routes, answer_seconds=2.0)
    return assessment.assess(estate, find_driver(None), threading.Event(), settings=settings)


def written(files: tuple[RemedyFile, ...], ending: str) -> RemedyFile:
    (file,) = [file for file in files if "lab02" in file.path and file.path.endswith(ending)]
    return file


@pytest.mark.oracle
def test_the_requested_certificate_is_issued_served_and_accepted(tmp_path: Path) -> None:
    with small_lab(tmp_path) as lab:
        before = assess(lab)
        files = remedy_files(before, secure_only=True)
        config = written(files, ".cnf")
        folder = tmp_path / "requests"
        folder.mkdir()
        file = folder / config.path.rpartition("/")[2]
        file.write_bytes(config.data)
        command = next(line for line in config.data.decode("ascii").splitlines() if "openssl req" in line)
        subprocess.run(command.lstrip("# ").split(), cwd=folder, check=True, capture_output=True, timeout=30)
        request = x509.load_pem_x509_csr(file.with_suffix(".csr").read_bytes())
        key = load_pem_private_key(file.with_suffix(".key").read_bytes(), None)
        assert isinstance(key, rsa.RSAPrivateKey)
        pki = Pki()
        store = lab.trust_stores["corp-root"]
        store.write_text(store.read_text("ascii") + pki.pem, encoding="ascii")

        assert connects(lab, "lab02", store)[0] is False, "the fallback certificate is still presented"
        server = lab.servers["LAB02"]
        server.behaviour = replace(server.behaviour, credentials=Credentials(pki.issue(request), key))
        assert connects(lab, "lab02", store) == (True, "")
        after = assess(lab)

    (edge,) = [edge for edge in before.edges if edge.name == "SELF_SIGNED"]
    (again,) = [each for each in after.edges if each.id == edge.id]
    assert (edge.verdict, again.verdict) == (VerdictKind.BREAKS, VerdictKind.WORKS)

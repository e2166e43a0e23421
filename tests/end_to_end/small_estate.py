"""A lab of three servers and an estate file for it, for tests that run the command line itself."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assessor.lab.estate import Lab
from tests.end_to_end.warm import run_warm

ROOT = Path(__file__).parents[2]
CANARY = "Canary-Plover-8842"

ESTATE = """
name = "Small estate"
upgrade_date = 2027-01-22

[defaults]
wave = 1
trust_store = "trust/corp-root.pem"
login = { method = "sql", user = "assessor", password = { file = "passwords/assessor.txt" } }
connection = { validate = false, login_timeout_seconds = 5, query_timeout_seconds = 2 }

[[instances]]
address = "pay01.corp.example"
"""

CERTIFICATES = """
upgrade_in_days = 60

[authorities.corp-root]
cn = "Contoso Root CA"

[certificates.hr01]
issuer = "corp-root"
cn = "hr01.corp.example"
dns = ["hr01.corp.example"]
"""

PAY01 = f"""
host = "pay01.corp.example"
version = "13.0.6435.1"

[[rows.linked_servers]]
name = "HR"
provider = "SQLNCLI11"
product = ""
data_source = "hr01.corp.example"
provider_string = "UID=hr;PWD={CANARY};Application Name=x"

[[rows.linked_servers]]
name = "SELF_SIGNED"
provider = "SQLNCLI11"
product = ""
data_source = "lab02"
provider_string = "Password={{{CANARY};x}}"
"""

HR01 = 'host = "hr01.corp.example"\ncertificate = "hr01"\n'
LAB02 = 'host = "lab02.corp.example"\n'


def write_sample_data(folder: Path, pay01: str = PAY01, estate: str = ESTATE) -> Path:
    """The small estate's sample data, with one file exchanged if a test wants that."""
    (folder / "instances").mkdir(parents=True)
    (folder / "estate.toml").write_text(estate, encoding="utf-8")
    (folder / "certificates.toml").write_text(CERTIFICATES, encoding="utf-8")
    for name, text in {"PAY01": pay01, "HR01": HR01, "LAB02": LAB02}.items():
        (folder / "instances" / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder


@contextmanager
def small_lab(folder: Path, pay01: str = PAY01, estate: str = ESTATE) -> Iterator[Lab]:
    work = folder / "work"
    work.mkdir()
    with Lab(write_sample_data(folder / "sample", pay01, estate), work) as lab:
        yield lab


def assessor(
    *arguments: str | Path, folder: Path, anew: bool = False, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command line in ``folder`` as a person would, in a process of its own.

    ``anew`` starts Python for it, from nothing; the others are forked from one that has loaded the tool already.
    """
    command = [str(argument) for argument in arguments]
    known = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    if not anew and sys.platform == "linux":  # elsewhere system libraries do not outlive a fork
        return subprocess.CompletedProcess(command, *run_warm(command, folder, known))
    return subprocess.run(
        [sys.executable, "-m", "assessor", *command],
        cwd=folder,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=100,
        env=known,
        check=False,
    )

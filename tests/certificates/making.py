"""Certificates for the tests of this folder, by the oracle's forge."""

from __future__ import annotations

from datetime import UTC, datetime

from oracle.forge import Forged, forge
from oracle.shapes import Host, Shown, intermediate_draft, leaf_draft, root_draft, under_intermediate, under_root

from assessor.certificates.certificate import Certificate
from assessor.certificates.chain import ChainAssessment, assess_chain
from assessor.certificates.findings import NOTES, FindingCode
from assessor.certificates.trust import TrustStore

__all__ = [
    "HOST", "Forged", "Shown", "assess", "certificate", "codes", "forge", "intermediate_draft", "leaf_draft",
    "root_draft", "store", "under_intermediate", "under_root",
]  # fmt: skip

HOST = Host("sql01.corp.example", "sql01", "127.1.2.3", ("xn--bcher-kva.corp.example", "a" * 63 + ".corp.example", "sql_01.corp.example"))  # fmt: skip  # noqa: E501


def certificate(made: Forged) -> Certificate:
    return Certificate(made.der)


def store(*made: Forged) -> TrustStore:
    return TrustStore("test", "file test.pem", tuple(certificate(each) for each in made))


def assess(shown: Shown, *trusted: Forged, at: datetime | None = None) -> ChainAssessment:
    """What the server shows, judged with ``trusted`` in the store, or with its roots."""
    sent = [certificate(each) for each in (shown.leaf, *shown.sent)]
    return assess_chain(sent, store(*(trusted or shown.roots)), at or datetime.now(UTC))


def codes(chain: ChainAssessment) -> list[FindingCode]:
    return [finding.code for finding in chain.findings if finding.code not in NOTES]

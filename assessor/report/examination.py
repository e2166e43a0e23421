"""How an examination looks: JSON for programs, a page of text for people. Draws, and adds nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from assessor.clients.outcome import Outcome
from assessor.clients.profiles import profile
from assessor.examination import Examination, Expectation
from assessor.probe.evidence_file import evidence_as_json
from assessor.report.console import console_for_text, text_of
from assessor.report.text import visible

_ENCRYPTION = {
    "off": "offered, not forced",
    "on": "on",
    "required": "forced (Force Encryption)",
    "not_supported": "not supported",
    "strict_only": "strict only (Force Strict Encryption, TDS 8.0)",
}


def examinations_json(examinations: Sequence[Examination]) -> str:
    """An array with one object a target; the keys are a contract (``docs/probe.md``). ASCII, so safe to print."""
    return json.dumps([_as_json(each) for each in examinations], indent=2) + "\n"


def _as_json(examination: Examination) -> dict[str, object]:
    evidence = examination.evidence
    session = evidence.tls or evidence.strict
    return {
        "target": examination.target,
        "reachable": evidence.reachable,
        "failure": evidence.failure.value if evidence.failure else None,
        "failure_detail": evidence.failure_detail,
        "address": evidence.address,
        "port": evidence.port,
        "vantage": evidence.vantage,
        "probed_at": evidence.probed_at.isoformat(),
        "server_version": evidence.server_version,
        "encryption": evidence.encryption.value if evidence.encryption else None,
        "tds8": evidence.strict is not None,
        "tls_version": session.version if session else None,
        "tls_failure": evidence.tls_failure.value if evidence.tls_failure else None,
        "trust_store": examination.store,
        "at": examination.at.isoformat(),
        "certificates": [
            {
                "subject": certificate.subject,
                "issuer": certificate.issuer,
                "names": list(certificate.names),
                "not_before": certificate.not_before.isoformat(),
                "not_after": certificate.not_after.isoformat(),
                "thumbprint": certificate.thumbprint,
                "key": certificate.key,
                "signature": certificate.signature,
                "is_ca": certificate.is_ca,
                "is_fallback": certificate.is_fallback,
                "pem": pem,
            }
            for certificate, pem in zip(examination.certificates, evidence.chain, strict=False)
        ],
        "findings": [{"code": finding.code.value, "message": finding.message} for finding in examination.findings],
        "outcomes": [_outcome_json(expectation) for expectation in examination.expectations],
        # Whole, so that another assessor can judge by it: assess --evidence.
        "evidence": evidence_as_json(evidence),
    }


def _outcome_json(expectation: Expectation) -> dict[str, object]:
    outcome = expectation.outcome
    return {
        "client": outcome.client,
        "encrypt": outcome.encrypt.value if outcome.encrypt else None,
        "trust_server_certificate": expectation.trust_server_certificate,
        "connects": outcome.connects,
        "validated": outcome.validated,
        "reason": outcome.reason.value,
        "explanation": outcome.explanation,
        "error": outcome.error.text if outcome.error else None,
        "error_number": outcome.error.number if outcome.error else None,
        "basis": outcome.basis.value,
        "depends_on": list(outcome.depends_on),
        "sources": list(outcome.sources),
    }


def examination_text(examination: Examination, width: int, colour: bool) -> str:
    """A page about one target: what answered, the chain, what is wrong, and a row a client."""
    console = console_for_text(max(width, 60), colour)
    _draw(console, examination)
    return text_of(console)


def _draw(console: Console, examination: Examination) -> None:
    evidence = examination.evidence
    console.print(Text(visible(examination.target), style="bold underline"))
    if evidence.failure is not None:
        what = evidence.failure.value.replace("_", " ")
        console.print(
            Text(f"  Not reached from {visible(evidence.vantage)}: {what}. {visible(evidence.failure_detail)}")
        )
    else:
        assert evidence.encryption is not None
        session = evidence.tls or evidence.strict
        console.print(
            Text(f"  Answered at {evidence.address},{evidence.port}  version {evidence.server_version or 'unknown'}")
        )
        console.print(
            Text(
                f"  Encryption {_ENCRYPTION[evidence.encryption.value]}; "
                f"{session.version if session else 'no TLS session'}; "
                f"TDS 8.0 {'offered' if evidence.strict else 'not offered'}"
            )
        )
        if evidence.tls_failure is not None:
            console.print(
                Text(f"  TLS: {evidence.tls_failure.value.replace('_', ' ')} {visible(evidence.tls_failure_detail)}")
            )
    for number, certificate in enumerate(examination.certificates):
        console.print(Text(f"\n  {'Server certificate' if number == 0 else f'Sent with it, {number}'}", style="bold"))
        console.print(Text(f"    subject     {visible(certificate.subject)}"))
        console.print(Text(f"    issuer      {visible(certificate.issuer)}"))
        console.print(Text(f"    names       {visible(', '.join(certificate.names[:12])) or 'none'}"))
        console.print(Text(f"    valid       {certificate.not_before:%Y-%m-%d} to {certificate.not_after:%Y-%m-%d}"))
        console.print(Text(f"    key         {certificate.key}, signed with {certificate.signature}"))
        console.print(Text(f"    thumbprint  {certificate.thumbprint}"))
    _draw_findings(console, examination)
    _draw_outcomes(console, examination)


def _draw_findings(console: Console, examination: Examination) -> None:
    if not examination.certificates:
        return
    console.print(Text(f"\n  Against the {visible(examination.store)} on {examination.at:%Y-%m-%d}", style="bold"))
    if not examination.findings:
        console.print(Text("    nothing is wrong with it"))
    for finding in examination.findings:
        console.print(Text(f"    {finding.code.value}: {visible(finding.message)}"))


def _draw_outcomes(console: Console, examination: Examination) -> None:
    if examination.evidence.failure is not None:
        return
    table = Table(title="What each client experiences", title_justify="left", show_edge=False, pad_edge=False)
    table.add_column("client")
    table.add_column("Encrypt")
    table.add_column("trust", justify="center")
    table.add_column("result")
    table.add_column("why", overflow="fold", ratio=1)
    table.add_column("basis")
    for client, group in groupby(examination.expectations, key=lambda each: each.outcome.client):
        default = profile(client).encrypt_default
        shown = client
        for mode, rows in groupby(group, key=lambda each: each.outcome.encrypt):
            for trust, outcome in _folded(list(rows)):
                why = "; ".join(f"depends on {each}" for each in outcome.depends_on) or outcome.explanation
                table.add_row(
                    shown,
                    f"{mode.value if mode else ''}{' (default)' if mode is default else ''}",
                    trust,
                    Text(_WORDS[outcome.connects], style=_STYLES[outcome.connects]),
                    Text(visible(why)),
                    outcome.basis.value,
                )
                shown = ""
        table.add_section()
    console.print()
    console.print(table)
    console.print()


_WORDS = {True: "connects", False: "FAILS", None: "depends"}
_STYLES = {True: "green", False: "bold red", None: "magenta"}


def _folded(rows: Sequence[Expectation]) -> Iterator[tuple[str, Outcome]]:
    """One row for both trust choices where trust makes no difference."""
    first = rows[0].outcome
    if len(rows) > 1 and all(
        (each.outcome.connects, each.outcome.explanation) == (first.connects, first.explanation) for each in rows
    ):
        yield "any", first
        return
    for each in rows:
        yield "yes" if each.trust_server_certificate else "no", each.outcome

"""What becomes of a target server's connection to its multiserver master: rule JB-04.

MsxEncryptChannelOptions is older than 2025 and, as far as published, not changed by it. Which driver the Agent uses is
told in three ways (2025 reference 4.3), so only what holds under each of them is promised.
"""

from __future__ import annotations

from dataclasses import replace

from assessor.clients.options import Encrypt
from assessor.clients.outcome import Outcome
from assessor.clients.predict import Attempt
from assessor.clients.profiles import profile
from assessor.judge.decide import decide, not_affected, not_assessed, unknown_version
from assessor.judge.facts import EdgeFacts
from assessor.judge.odbc import odbc_driver, predicted
from assessor.judge.verdicts import Verdict, VerdictKind
from assessor.remedies.ladder import Change, RemedyId
from assessor.topology.edges import Edge

_RULES = ("JB-04",)
_NO_ENCRYPTION, _NO_VALIDATION, _VALIDATION = 0, 1, 2


def judge_multiserver(edge: Edge, facts: EdgeFacts) -> Verdict:
    """The verdict on one target server's polling. Pure."""
    major = facts.major
    if major is None:
        return unknown_version(edge.source)
    if facts.stays_older:
        return not_affected(f"{edge.source} is not upgraded, so its Agent keeps its driver.")
    if facts.evidence is None:
        return not_assessed(
            f"The master can't be probed: {edge.endpoint_gap or 'no evidence'}",
            "Probe it from the source host.",
            rules=_RULES,
        )
    verdict = _verdict(edge, facts)
    # Nothing but a certificate can be advised: the channel has no options but the registry value.
    kept = tuple(
        remedy
        for remedy in verdict.remedies
        if remedy.id in (RemedyId.CERTIFICATE, RemedyId.IMPORT_SELF_SIGNED) or remedy.change is Change.FORCE_STRICT_OFF
    )
    return replace(verdict, rules=_RULES, remedies=kept)


def _verdict(edge: Edge, facts: EdgeFacts) -> Verdict:
    channel = edge.msx_encrypt_channel
    before = _outcome(edge, facts, 17 if channel in (_NO_ENCRYPTION, _NO_VALIDATION) else 18, today=True)
    validating = _validating(edge, facts)
    if channel == _VALIDATION:
        return decide(edge, facts, before, validating, ("MsxEncryptChannelOptions is 2, today as after the upgrade.",))
    if channel is None:
        passes = "would pass" if validating.connects else f"would not pass: {validating.explanation}"
        return not_assessed(
            f"Whether {edge.source} validates its master (MsxEncryptChannelOptions) is not known; the certificate {passes}"
            + ("." if validating.connects else ""),
            f"Read MsxEncryptChannelOptions below SQLServerAgent in the registry of {edge.source}, or give {edge.target} a "
            "certificate that it trusts.",
        )
    # 0 and 1 ask for no validation; under ODBC 18 a server that forces encryption is validated unless trust is asked for.
    after = _outcome(edge, facts, 18, today=False)
    if after.connects is False:
        return not_assessed(
            f"MsxEncryptChannelOptions is {channel}, and what the Agent of 2025 makes of it against a server that forces "
            f"encryption is told in three ways. Taken literally: {after.explanation}",
            f"Give {edge.target} a certificate that {edge.source} trusts, which settles it, or test it on another target.",
        )
    verdict = decide(
        edge, facts, before, after, (f"MsxEncryptChannelOptions stays at {channel} and keeps its meaning.",)
    )
    if verdict.kind is VerdictKind.BREAKS:
        return not_assessed(verdict.reasons[0], "Test it on another target server.")
    return verdict


def _outcome(edge: Edge, facts: EdgeFacts, driver: int, *, today: bool) -> Outcome:
    channel = edge.msx_encrypt_channel
    attempt = Attempt(
        encrypt=Encrypt.OPTIONAL if channel == _NO_ENCRYPTION else Encrypt.MANDATORY,
        trust=channel == _NO_VALIDATION,
    )
    return predicted(odbc_driver(driver, facts), attempt, edge, facts, today=today)


def _validating(edge: Edge, facts: EdgeFacts) -> Outcome:
    """With validation, under either driver that the pages name: both must let it pass."""
    attempt = Attempt(encrypt=Encrypt.MANDATORY)
    odbc = predicted(odbc_driver(18, facts), attempt, edge, facts, today=False)
    oledb = predicted(profile("oledb-19"), attempt, edge, facts, today=False)
    return odbc if odbc.connects is not True else oledb if oledb.connects is not True else odbc

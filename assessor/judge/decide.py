"""From two outcomes to a verdict: the one table that every kind of edge shares."""

from __future__ import annotations

from dataclasses import replace

from assessor.certificates.certificate import Certificate
from assessor.certificates.findings import NOTES, REASON_OF
from assessor.certificates.hostnames import covers
from assessor.clients.errors import predicted_error
from assessor.clients.outcome import Outcome, PredictedError, ReasonClass
from assessor.clients.profiles import profile
from assessor.judge.facts import EdgeFacts
from assessor.judge.verdicts import Verdict, VerdictKind
from assessor.probe.evidence import EncryptionAnswer, FailureClass
from assessor.remedies.choose import Situation, remedies_for
from assessor.remedies.ladder import Remedy
from assessor.topology.edges import Edge

#: Reasons that rest on whose trust store was used.
_STORE_MATTERS = frozenset({ReasonClass.UNTRUSTED_ROOT, ReasonClass.INTERMEDIATE_MISSING, ReasonClass.CONNECTED})


def not_affected(reason: str, *, before: Outcome | None = None, rules: tuple[str, ...] = ()) -> Verdict:
    """The upgrade does not touch the edge."""
    return Verdict(VerdictKind.NOT_AFFECTED, (reason,), rules, before, before, None, (), (), ())


def not_assessed(reason: str, how: str, *, rules: tuple[str, ...] = ()) -> Verdict:
    """Something is missing; ``how`` says what to do about it."""
    return Verdict(VerdictKind.NOT_ASSESSED, (reason,), rules, None, None, None, (), (how,), ())


def unknown_version(source: str) -> Verdict:
    """Nobody knows which drivers ``source`` has, before or after."""
    return not_assessed(f"The version of {source} is not known.", f"Let the tool connect to {source}.")


def decide(edge: Edge, facts: EdgeFacts, before: Outcome, after: Outcome, assumptions: tuple[str, ...] = ()) -> Verdict:
    """The verdict that two outcomes make. ``rules`` is left to the kind of edge."""
    kind = _kind(facts, before, after)
    reasons = _reasons(edge, facts, before, after, kind)
    return Verdict(
        kind=kind,
        reasons=reasons,
        rules=(),
        before=before,
        after=after,
        error=_engine_error(edge, after) if kind in (VerdictKind.BREAKS, VerdictKind.FAILS_TODAY) else None,
        remedies=_remedies(edge, facts, after, kind),
        missing=_missing(after) if kind is VerdictKind.NOT_ASSESSED else (),
        assumptions=(*assumptions, *_assumptions(edge, facts, after)),
    )


def _kind(facts: EdgeFacts, before: Outcome, after: Outcome) -> VerdictKind:
    if after.connects is None:
        return VerdictKind.NOT_ASSESSED
    if not after.connects:
        return VerdictKind.FAILS_TODAY if before.connects is False else VerdictKind.BREAKS
    if not after.validated:
        return VerdictKind.WORKS_INSECURELY
    until = facts.chain_after.valid_until
    if until is not None and until < facts.upgrade + facts.horizon:
        return VerdictKind.EXPIRES
    return VerdictKind.WORKS


def _reasons(edge: Edge, facts: EdgeFacts, before: Outcome, after: Outcome, kind: VerdictKind) -> tuple[str, ...]:
    reasons = [after.explanation]
    if kind is VerdictKind.EXPIRES and facts.chain_after.valid_until is not None:
        until = facts.chain_after.valid_until
        reasons.insert(
            0,
            f"It works on {facts.upgrade:%Y-%m-%d}, but the certificate chain ends on {until:%Y-%m-%d}, "
            f"{(until - facts.upgrade).days} days later.",
        )
    if kind is VerdictKind.BREAKS:
        was = before.explanation if before.connects else "What happens today is not known."
        reasons.append(f"Today ({before.client}): {was}")
    if kind is VerdictKind.FAILS_TODAY:
        reasons.append(f"It fails today already ({before.client}): the upgrade is not to blame.")
    if kind in (VerdictKind.BREAKS, VerdictKind.FAILS_TODAY) and after.reason not in _NOT_ABOUT_CHAINS:
        told = after.explanation
        for finding in facts.chain_after.findings:
            if finding.message not in told:
                reasons.append(f"Also: {finding.message}")
                told += f" {finding.message}"
    if kind is VerdictKind.WORKS_INSECURELY and before.connects and before.reason is after.reason:
        reasons.append("The upgrade changes nothing here: the definition asks for no validation before and after.")
    return tuple(reasons)


_NOT_ABOUT_CHAINS = frozenset(
    {
        ReasonClass.STRICT_REQUIRED,
        ReasonClass.STRICT_NOT_SUPPORTED,
        ReasonClass.TLS_VERSION,
        ReasonClass.ENCRYPTION_NOT_SUPPORTED,
        ReasonClass.BAD_OPTION,
    }
)


def _missing(after: Outcome) -> tuple[str, ...]:
    return tuple(f"Find out {each}." for each in after.depends_on) or ("Probe the endpoint again.",)


def _assumptions(edge: Edge, facts: EdgeFacts, after: Outcome) -> tuple[str, ...]:
    found: list[str] = []
    if after.reason in _STORE_MATTERS and not facts.store.is_source:
        found.append(
            f"Judged with the {facts.store.origin}, for no trust_store is given for {edge.source}: export its store "
            "(assessor trust-script) to be sure."
        )
    if facts.evidence is not None and facts.evidence.reachable and not facts.from_source:
        found.append(
            f"Names were resolved and the endpoint probed from {facts.evidence.vantage}, not from the source host."
        )
    if facts.evidence is not None and facts.evidence.failure is FailureClass.SKIPPED:
        found.append(f"{facts.evidence.endpoint.id} was not probed: {facts.evidence.failure_detail}.")
    if facts.disagreement is not None:
        found.append(facts.disagreement)
    is_driver_19 = after.client == "oledb-19"
    if (
        is_driver_19
        and after.encrypt == "optional"
        and after.connects
        and facts.source.client_flags.sni19_flag1 is None
    ):
        found.append("Flag1 of SNI19.0 on the source is not known and taken to be 0, its default.")
    return tuple(found)


def _engine_error(edge: Edge, after: Outcome) -> PredictedError | None:
    """The error as the engine prints it: driver 19's text inside the messages that name the linked server."""
    if after.client != "oledb-19":
        return after.error
    error = predicted_error("linked-server", after.reason)
    if error is None:
        return after.error
    return replace(error, wrapped_in=tuple(line.replace("<name>", edge.name) for line in error.wrapped_in))


def _remedies(edge: Edge, facts: EdgeFacts, after: Outcome, kind: VerdictKind) -> tuple[Remedy, ...]:
    if kind in (VerdictKind.WORKS, VerdictKind.NOT_AFFECTED):
        return ()
    definition = facts.linked_server(edge.name)
    chain = facts.chain_after.path
    evidence = facts.evidence
    reason = ReasonClass.EXPIRED if kind is VerdictKind.EXPIRES else after.reason
    remedies = remedies_for(
        Situation(
            reason=reason,
            source=edge.source,
            target=edge.target,
            definition=edge.name,
            dialled=edge.dialled.host if edge.dialled and edge.dialled.host else edge.target,
            product_is_sql_server=(edge.product or "").strip().lower() == "sql server",
            text_length=len(definition.provider_string or "") if definition else 0,
            chain=chain,
            forces_encryption=evidence is not None and evidence.encryption is EncryptionAnswer.REQUIRED,
            is_fallback=_is_fallback(chain),
            flag2=None if facts.source.client_flags.sni19_flag2 is None else facts.source.client_flags.sni19_flag2 == 1,
            is_only_fault=_is_only_fault(edge, facts, reason),
        )
    )
    if kind is VerdictKind.EXPIRES:
        return tuple(remedy for remedy in remedies if remedy.is_secure)
    return remedies


def _is_only_fault(edge: Edge, facts: EdgeFacts, reason: ReasonClass) -> bool:
    """Nothing but ``reason`` keeps driver 19 from accepting the certificate, its names included."""
    chain, dialled = facts.chain_after.path, edge.dialled.host if edge.dialled else ""
    others = [
        each for each in facts.chain_after.findings if each.code not in NOTES and REASON_OF[each.code] is not reason
    ]
    host = (edge.options.host_name_in_certificate if edge.options else None) or dialled
    if not host or edge.dialled is None or edge.dialled.is_local:
        host = facts.evidence.endpoint.host if facts.evidence else ""
    is_named = bool(chain) and covers(chain[0], host, profile("oledb-19").names) is True
    return not others and (is_named or reason is ReasonClass.NAME_MISMATCH)


def _is_fallback(chain: tuple[Certificate, ...]) -> bool:
    return bool(chain) and chain[0].is_fallback

"""What becomes of OPENROWSET and OPENDATASOURCE: the linked-server rules without a definition, and rule LS-19."""

from __future__ import annotations

from dataclasses import replace

from assessor.clients.providers import MSDASQL, resolve
from assessor.judge.decide import not_affected, not_assessed, unknown_version
from assessor.judge.facts import EdgeFacts
from assessor.judge.linked_server import judge_linked_server
from assessor.judge.verdicts import Verdict, VerdictKind
from assessor.remedies.ladder import Owner, Remedy, RemedyId
from assessor.remedies.places import Place, is_an_edit, told_for
from assessor.topology.edges import Edge

#: Rules that speak of a stored definition, which there is none of.
_OF_DEFINITIONS = frozenset({"LS-13", "LS-15", "LS-16"})


def judge_ad_hoc(edge: Edge, facts: EdgeFacts) -> Verdict:
    """The verdict on one ad hoc call. Pure."""
    call = edge.ad_hoc
    assert call is not None
    if facts.major is None:
        return unknown_version(edge.source)
    if facts.stays_older:
        return not_affected(f"{edge.source} is not upgraded, so the driver that {call.function} uses does not change.")
    if not call.is_known:
        return not_assessed(
            f"{call.function} in {call.name} is put together at run time, so what it dials can't be read.",
            "Look at the code, and make a linked server of what it dials: that is assessed.",
        )
    family = resolve(call.provider or "", "", facts.major)
    if family.client == MSDASQL:
        return not_affected(
            f"{call.function} goes through MSDASQL: its ODBC driver decides, and the upgrade leaves it alone."
        )
    verdict = _without_definition(judge_linked_server(edge, facts), edge)
    if verdict.kind is VerdictKind.NOT_AFFECTED or call.enables_itself:
        return verdict
    if facts.source.feature_settings.ad_hoc_queries is None:
        return not_assessed(
            f"Whether 'Ad Hoc Distributed Queries' is on at {edge.source} is not known: off, the call fails already. If it is "
            f"on: {verdict.reasons[0]}",
            "Read value_in_use in sys.configurations.",
            rules=verdict.rules,
        )
    return verdict if facts.source.feature_settings.ad_hoc_queries else _switched_off(verdict, edge)


def _without_definition(verdict: Verdict, edge: Edge) -> Verdict:
    call = edge.ad_hoc
    assert call is not None
    dialled = edge.dialled.host if edge.dialled and edge.dialled.host else edge.target
    remedies = told_for(_place(edge), verdict.remedies, dialled)
    rules = tuple(rule for rule in verdict.rules if rule not in _OF_DEFINITIONS)
    assumptions = verdict.assumptions
    reasons = verdict.reasons
    if call.is_three_part and verdict.kind not in (VerdictKind.NOT_AFFECTED, VerdictKind.WORKS):
        rules = ("LS-19", *rules)
        remedies = _with_rewriting(remedies, edge)
        reasons = (
            *reasons,
            "The form with server, user and password apart has no room for options: the defaults hold.",
        )
        assumptions = (*assumptions, "That form rests on one third party's probe of SQL Server 2025 on Linux.")
    if call.function == "OPENDATASOURCE" and (edge.options is not None and edge.options.has_text):
        assumptions = (
            *assumptions,
            "OPENDATASOURCE reads its string as IDataInitialize does, where spaced keywords count.",
        )
    error = verdict.error
    if error is not None:
        # The engine calls the transient server (null).
        error = replace(error, wrapped_in=tuple(line.replace(edge.name, "(null)") for line in error.wrapped_in))
    return replace(verdict, rules=rules, remedies=remedies, reasons=reasons, assumptions=assumptions, error=error)


def _place(edge: Edge) -> Place:
    call = edge.ad_hoc
    assert call is not None
    where = f"{call.name}" if call.database is None or call.is_job_step else f"{call.database}.{call.name}"
    return Place(
        where=f"the {call.function} call in {where}",
        how="Edit the code, and keep its user and password out of it: a linked server holds them better.",
        trust="Encrypt=yes;TrustServerCertificate=yes",
        optional="Encrypt=no",
        strict="Encrypt=Strict",
        mandatory="Encrypt=Mandatory",
        host_name="HostNameInCertificate={}",
        new_words_only_after=False,
    )


def _with_rewriting(remedies: tuple[Remedy, ...], edge: Edge) -> tuple[Remedy, ...]:
    """Before options can be written, the call needs a provider string; edits that need one say so."""
    rewrite = "First rewrite the call with a provider string: OPENROWSET('MSOLEDBSQL', 'Server=…;…', …)."
    found: list[Remedy] = []
    for remedy in remedies:
        needs_string = is_an_edit(remedy) and remedy.id is not RemedyId.DIAL_NAME
        found.append(replace(remedy, detail=f"{rewrite} {remedy.detail}") if needs_string else remedy)
    return tuple(found)


def _switched_off(verdict: Verdict, edge: Edge) -> Verdict:
    """Off is off for everybody, so the call fails already; unless something else switches it on around the call."""
    call = edge.ad_hoc
    assert call is not None
    return replace(
        verdict,
        kind=VerdictKind.FAILS_TODAY,
        reasons=(
            f"'Ad Hoc Distributed Queries' is off on {edge.source}: the call is refused with Msg 15281 before anything is "
            "dialled, today and after the upgrade.",
            *(f"If it were on: {reason}" for reason in verdict.reasons[:1]),
        ),
        error=None,
        missing=(),
        remedies=(
            Remedy(
                RemedyId.DIAL_NAME,
                f"Find out whether {call.name} is still used",
                "Drop it, or make a linked server of what it dials. Switching the option on opens ad hoc access to every "
                "login.",
                is_secure=True,
                price="",
                owner=Owner.SOURCE_DBA,
                on=edge.source,
                subject=call.name,
            ),
        ),
        assumptions=(*verdict.assumptions, "Nothing switches the option on just for the call."),
    )

"""An edge that may lead to several servers stands only if all of them do: the worst verdict counts, and names the server.

A listener leads to every replica of its group in turn, read-only routing and a failover partner to a further name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from assessor.judge.decide import not_assessed
from assessor.judge.verdicts import Verdict, VerdictKind
from assessor.topology.edges import AlsoDialled

#: Worst last. What fails now stays what it is: another server can't make it worse.
_BY_WEIGHT = (
    VerdictKind.NOT_AFFECTED,
    VerdictKind.WORKS,
    VerdictKind.WORKS_INSECURELY,
    VerdictKind.EXPIRES,
    VerdictKind.NOT_ASSESSED,
    VerdictKind.FAILS_TODAY,
    VerdictKind.BREAKS,
)


def unknown_server(also: AlsoDialled) -> Verdict:
    """The verdict on a further server that could not be found."""
    gap = also.gap or "it is not known where it is"
    return not_assessed(f"Not known: {gap}.", f"Find out about {also.who}: {gap}.")


def worst_of(main: Verdict, others: Sequence[tuple[AlsoDialled, Verdict]]) -> Verdict:
    """The verdict on the whole edge from that on the server dialled and those on the further ones."""
    if main.kind in (VerdictKind.NOT_AFFECTED, VerdictKind.FAILS_TODAY) or not others:
        return main
    worst = max((verdict for _, verdict in others), key=_weight)
    if _weight(worst) <= _weight(main):
        remarks = [
            _remark(also, verdict) for also, verdict in others if verdict.kind is main.kind is not VerdictKind.WORKS
        ]
        good = [also.who for also, verdict in others if verdict.kind is main.kind is VerdictKind.WORKS]
        if good:
            remarks.append(f"So do {', '.join(good)}." if len(good) > 1 else f"So does {good[0]}.")
        return replace(
            main,
            reasons=(*main.reasons, *remarks),
            missing=_all(main.missing, *(verdict.missing for _, verdict in others)),
            assumptions=_all(main.assumptions, *(verdict.assumptions for _, verdict in others)),
        )
    failing = [(also, verdict) for also, verdict in others if verdict.kind is worst.kind]
    first, verdict = failing[0]
    fine = "The server that answers now is not the trouble" if main.kind is not VerdictKind.NOT_ASSESSED else "Besides"
    return replace(
        verdict,
        reasons=(
            _remark(first, verdict),
            *verdict.reasons[1:],
            *(_remark(also, each) for also, each in failing[1:]),
            f"{fine}: {main.reasons[0]}",
        ),
        rules=_all(*(each.rules for _, each in failing)),
        remedies=tuple(dict.fromkeys(remedy for _, each in failing for remedy in each.remedies)),
        missing=_all(*(each.missing for _, each in failing), main.missing),
        assumptions=_all(verdict.assumptions, main.assumptions),
    )


def _remark(also: AlsoDialled, verdict: Verdict) -> str:
    who = also.who[0].upper() + also.who[1:]
    at = f" ({also.endpoint.id}, dialled as {also.host})" if also.endpoint is not None else ""
    return f"{who}{at}: {verdict.reasons[0]}"


def _weight(verdict: Verdict) -> int:
    return _BY_WEIGHT.index(verdict.kind)


def _all(*lists: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for texts in lists for text in texts))

"""``assessor waves SNAPSHOT``: what becomes of each connection after each wave, and an order in which least breaks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated

import typer

from assessor.cli.options import Format, SnapshotArgument
from assessor.errors import ExitCode
from assessor.judge.verdicts import VerdictKind
from assessor.rejudge import rejudge
from assessor.report.text import visible
from assessor.report.words import VERDICTS, count
from assessor.snapshot import Snapshot
from assessor.snapshot_file import read_snapshot
from assessor.version_order import Misfit
from assessor.waves import Step, StepKind, WavePlan, plan_waves


def waves(
    snapshot: SnapshotArgument,
    output: Annotated[Format, typer.Option("--format", help="How to write the plan.")] = Format.TEXT,
) -> None:
    """Show each connection's fate after each wave of the plan, and an order of upgrades and work in which least breaks.

    Ends with 0 when nothing breaks in that order, 1 when something does, 3 when nothing does but not all is known.
    """
    run = read_snapshot(snapshot)
    plan = plan_waves(run, rejudge)
    typer.echo(as_json(plan) if output is Format.JSON else as_text(plan, run))
    if plan.breaks or plan.misfits:
        raise typer.Exit(int(ExitCode.SOMETHING_BREAKS))
    if plan.unknown or plan.unread:
        raise typer.Exit(int(ExitCode.NOT_ALL_ASSESSED))


def waves_of(run: Snapshot) -> WavePlan | None:
    """The plan for the workbook; ``None`` where nothing is to be upgraded, or the facts were left out of the snapshot."""
    if run.run.pseudonymised or all(instance.wave is None for instance in run.estate.instances):
        return None
    return plan_waves(run, rejudge)


def as_json(plan: WavePlan) -> str:
    """The plan as a JSON object in ASCII, with ``breaks`` and ``misfits`` of the whole order besides."""
    whole = {**asdict(plan), "breaks": plan.breaks, "misfits": [asdict(misfit) for misfit in plan.misfits]}
    return json.dumps(whole, indent=2)


def as_text(plan: WavePlan, snapshot: Snapshot) -> str:
    """The plan for a console, every text of a server made visible."""
    return "\n".join(line.rstrip() for line in (*_waves(plan, snapshot), "", *_order(plan), "", *_limits(plan)))


def _waves(plan: WavePlan, snapshot: Snapshot) -> Iterator[str]:
    edges = {edge.id: edge for edge in snapshot.edges}
    yield "The plan as it stands, with no work done:"
    if not plan.waves:
        yield "  No instance of the estate file has a wave, so nothing is upgraded."
    for place, wave in enumerate(plan.waves):
        yield ""
        yield f"Wave {wave.number}: {', '.join(map(visible, wave.instances))}"
        for id_ in wave.breaks:
            # Another version of assessor may have drawn the snapshot's edges, and this one draws one more from its facts.
            edge = edges.get(id_)
            way = f"{edge.source} → {edge.target} ({edge.name})" if edge is not None else id_
            yield f"  {VERDICTS[VerdictKind.BREAKS].symbol} {visible(way)}"
        if wave.not_assessed:
            yield f"  {VERDICTS[VerdictKind.NOT_ASSESSED].symbol} {count(len(wave.not_assessed), 'connection')} not assessed"
        for misfit in wave.misfits:
            yield f"  ! {_misfit(misfit)}"
        totals = {kind: sum(fate.after[place] is kind for fate in plan.fates) for kind in VERDICTS}
        yield "  then: " + ", ".join(f"{number:,} {VERDICTS[kind].word}" for kind, number in totals.items() if number)


def _order(plan: WavePlan) -> Iterator[str]:
    if not plan.breaks and not plan.misfits:
        yield "An order in which nothing that is known breaks:"
    elif not plan.breaks:
        yield "An order in which no connection that is known breaks; versions that replication does not support side by side"
        yield "can't all be avoided, and are named where they begin:"
    else:
        yield "No order is known in which nothing breaks. In this one the fewest do:"
    for number, step in enumerate(plan.steps, start=1):
        mark = "" if step.wave is None else f" (wave {step.wave})"
        restart = "; restart" if step.restart and step.kind is StepKind.ACTION else ""
        yield f"{number:>4}. {visible(step.title)}{mark}{restart}"
        yield from _troubles(step)


def _troubles(step: Step) -> Iterator[str]:
    for edge in step.breaks:
        yield f"      breaks here: {visible(edge)}"
    if step.breaks and step.mended_by:
        yield "      mended right after it, for the change can't be made before"
    elif step.breaks:
        yield "      no secure change is known that mends it; see assessor remedies for the others"
    for misfit in step.misfits:
        yield f"      from here on: {_misfit(misfit)}"


def _misfit(misfit: Misfit) -> str:
    return f"{misfit.rule}: {visible(misfit.publisher)} and {visible(misfit.partner)}: {misfit.why}"


def _limits(plan: WavePlan) -> Iterator[str]:
    if not plan.keeps_waves:
        yield "The order does not keep the planned waves: the versions that replication allows side by side ask for another."
    if not plan.is_exact:
        yield "Too many instances replicate with each other to weigh every order: this one was grown greedily."
    if plan.unknown:
        yield f"{count(len(plan.unknown), 'connection')} could not be assessed: nothing is said of them."
    if plan.unread:
        yield f"Not read, so what they open is not known: {', '.join(map(visible, plan.unread))}."
    yield "Certificates are judged as of the upgrade date of the estate file, which all waves share."

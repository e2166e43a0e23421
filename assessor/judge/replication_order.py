"""Do the versions of publishers, distributors and subscribers fit at every step of the plan? Rules RP-03, RP-04, RP-05.

The steps are today and the end of each wave. What is published is data: ``replication_versions.toml``. Pure.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from itertools import pairwise

from assessor.collect.inventory import Inventory
from assessor.judge.facts import MANAGED_INSTANCE, UPGRADED_MAJOR
from assessor.judge.findings import Severity, UpgradeFinding
from assessor.probe.evidence import Evidence
from assessor.releases import year_of
from assessor.topology.edges import Edge
from assessor.topology.replication_pairs import ReplicationPair

_IN_PLACE = (
    "The published order (distributor first, then publisher and subscriber in any order) does not hold for peer-to-peer "
    "replication and for updating subscriptions."
)


@dataclass(frozen=True, slots=True)
class _Published:
    source: str
    upgrade_source: str
    order: tuple[int, ...]
    distance: int
    newest_distributor: Mapping[int, int]
    newest_merge: int

    def apart(self, left: int, right: int) -> int:
        """Versions between two majors; majors before the list count as one step each."""
        return abs(self._place(left) - self._place(right))

    def newest_distributor_for(self, publisher: int, partner: int) -> int:
        """The newest distributor that the matrix lists; no row of an older publisher than those listed names 2025."""
        unlisted = UPGRADED_MAJOR - 1 if publisher < min(self.newest_distributor) else partner
        return self.newest_distributor.get(publisher, unlisted)

    def _place(self, major: int) -> int:
        return self.order.index(major) if major in self.order else major - self.order[0]


@cache
def _published() -> _Published:
    text = resources.files(__package__).joinpath("replication_versions.toml").read_text(encoding="utf-8")
    document = tomllib.loads(text)
    return _Published(
        source=document["source"],
        upgrade_source=document["upgrade_source"],
        order=tuple(document["order"]),
        distance=document["transactional_distance"],
        newest_distributor={row["version"]: row["newest_distributor"] for row in document["publisher"]},
        newest_merge=document["merge"]["newest_version"],
    )


@dataclass(frozen=True, slots=True)
class _Step:
    name: str
    versions: Mapping[str, int]  #: by node


def replication_order_findings(
    pairs: Sequence[ReplicationPair],
    inventories: Mapping[str, Inventory],
    waves: Mapping[str, int | None],
    seen: Mapping[str, int],
) -> tuple[UpgradeFinding, ...]:
    """What the plan does to each pair. ``seen`` are major versions of servers outside the estate, by node."""
    touched = [pair for pair in without_managed_instances(pairs, inventories) if _is_touched(pair, waves)]
    steps = _steps(inventories, waves, seen)
    return tuple(
        finding
        if pair.publisher in waves
        else replace(finding, instance=pair.partner, subject=f"publisher {pair.publisher}, {finding.subject}")
        for pair in touched
        for finding in _of_pair(pair, steps)
    )


def versions_seen(edges: Sequence[Edge], evidence: Mapping[str, Evidence]) -> dict[str, int]:
    """Major versions that endpoints tell in their PRELOGIN answer, by the node they belong to."""
    found: dict[str, int] = {}
    for edge in edges:
        probed = evidence.get(edge.endpoint.id) if edge.endpoint is not None else None
        major = (probed.server_version or "").partition(".")[0] if probed is not None else ""
        if major.isdecimal() and year_of(int(major)) is not None:
            found.setdefault(edge.target, int(major))
    return found


def versions_read(inventories: Mapping[str, Inventory]) -> dict[str, int]:
    """The major version of each instance that was read."""
    return {
        address: inventory.identity.major_version
        for address, inventory in inventories.items()
        if inventory.identity is not None
    }


def without_managed_instances(
    pairs: Iterable[ReplicationPair], inventories: Mapping[str, Inventory]
) -> tuple[ReplicationPair, ...]:
    """The pairs but for those that a managed instance is in: it takes part in versions of its own."""
    managed = {
        address
        for address, inventory in inventories.items()
        if inventory.identity is not None and inventory.identity.engine_edition == MANAGED_INSTANCE
    }
    return tuple(pair for pair in pairs if managed.isdisjoint((pair.publisher, pair.partner)))


def _is_touched(pair: ReplicationPair, waves: Mapping[str, int | None]) -> bool:
    """The plan upgrades an end of the pair."""
    return any(waves.get(end) is not None for end in (pair.publisher, pair.partner))


def _steps(
    inventories: Mapping[str, Inventory], waves: Mapping[str, int | None], seen: Mapping[str, int]
) -> tuple[_Step, ...]:
    versions = {**seen, **versions_read(inventories)}
    steps = [_Step("today", dict(versions))]
    for wave in sorted({wave for wave in waves.values() if wave is not None}):
        for address, own in waves.items():
            if own == wave:
                versions[address] = max(versions.get(address, UPGRADED_MAJOR), UPGRADED_MAJOR)
        steps.append(_Step(f"wave {wave}", dict(versions)))
    return tuple(steps)


def _of_pair(pair: ReplicationPair, steps: Sequence[_Step]) -> Iterator[UpgradeFinding]:
    unknown = [node for node in (pair.publisher, pair.partner) if node not in steps[0].versions]
    if unknown:
        rule = "RP-03" if pair.partner_is == "distributor" else "RP-04"
        yield _finding(
            pair,
            rule,
            Severity.UNKNOWN,
            f"The version of {' and of '.join(unknown)} is not known, so it is not known whether the pair stays supported.",
            "Add it to the estate file, or look up its version and compare with the published matrix.",
        )
        return
    for rule in ("RP-03", "RP-04", "RP-05"):
        bad = [step for step in steps if _breaks(pair, step) == rule]
        if bad:
            yield _violation(pair, rule, bad, steps)
    if pair.partner_is == "subscriber":
        yield from _notes(pair, steps)


def broken_rule(partner_is: str, kind: str, publisher: int, partner: int) -> str | None:
    """The rule that two major versions side by side break, or ``None``; arguments as in :class:`ReplicationPair`."""
    published = _published()
    if partner_is == "distributor":
        if publisher > partner:
            return "RP-03"
        return "RP-05" if partner > published.newest_distributor_for(publisher, partner) else None
    if kind == "merge":
        return "RP-04" if partner > publisher else None
    return "RP-04" if published.apart(publisher, partner) > published.distance else None


def why_broken(rule: str, kind: str) -> str:
    """What :func:`broken_rule` found, as a clause."""
    match rule:
        case "RP-03":
            return "the publisher is newer than its distributor, which is not supported"
        case "RP-05":
            return (
                "the published matrix has no such distributor for this publisher, though the rule in words allows it "
                "(the page disagrees with itself)"
            )
    if kind == "merge":
        return "merge subscriber newer than its publisher, which is not supported"
    return "publisher and subscriber are more than two versions apart, which is not supported"


def _breaks(pair: ReplicationPair, step: _Step) -> str | None:
    publisher, partner = step.versions[pair.publisher], step.versions[pair.partner]
    return broken_rule(pair.partner_is, pair.kind, publisher, partner)


def _violation(pair: ReplicationPair, rule: str, bad: Sequence[_Step], steps: Sequence[_Step]) -> UpgradeFinding:
    shown = "; ".join(
        f"{'today' if step is steps[0] else 'after ' + step.name}: publisher {_year(step.versions[pair.publisher])}, "
        f"{pair.partner_is} {_year(step.versions[pair.partner])}"
        for step in _changes(bad, pair)
    )
    is_now = bad[0] is steps[0]
    ends_well = bad[-1] is not steps[-1]
    why = why_broken(rule, pair.kind)
    do = {
        "RP-03": "Upgrade the distributor in the same or an earlier wave.",
        "RP-04": "Put both into one wave, or upgrade in steps that stay within the rule.",
        "RP-05": "Upgrade distributor and publisher in one wave, or go side by side with a new distributor.",
    }[rule]
    severity = Severity.CHANGES if rule == "RP-05" else Severity.NOTE if is_now and ends_well else Severity.BLOCKS
    tail = (
        " It is so today already."
        if is_now
        else " The end of the plan is fine; the way there is not."
        if ends_well
        else ""
    )
    return _finding(pair, rule, severity, f"{why[0].upper()}{why[1:]}: {shown}.{tail}", do)


def _changes(bad: Sequence[_Step], pair: ReplicationPair) -> Iterator[_Step]:
    """The steps at which something changed: a state that lasts for several waves is told once."""
    yield bad[0]
    for before, after in pairwise(bad):
        if any(before.versions[node] != after.versions[node] for node in (pair.publisher, pair.partner)):
            yield after


def _notes(pair: ReplicationPair, steps: Sequence[_Step]) -> Iterator[UpgradeFinding]:
    last = steps[-1].versions
    if pair.kind == "merge" and max(last[pair.publisher], last[pair.partner]) > _published().newest_merge:
        yield _finding(
            pair,
            "RP-04",
            Severity.NOTE,
            "The published matrix for merge replication has no row with 2025; only the rules in words cover it.",
            "Ask Microsoft, or test. After the upgrade run the snapshot agent, then the merge agents.",
        )
    if pair.kind == "peer_to_peer" or pair.is_updating:
        yield _finding(
            pair, "RP-03", Severity.NOTE, _IN_PLACE, "Plan the order of this topology by hand, and drain it first."
        )
    if not pair.kind and last[pair.partner] > last[pair.publisher]:
        yield _finding(
            pair,
            "RP-04",
            Severity.UNKNOWN,
            "The subscriber will be newer than the publisher, and what kind of publication it is could not be read: merge "
            "replication does not support that.",
            "Let the tool read the publication, or look at its kind.",
        )


def _finding(pair: ReplicationPair, rule: str, severity: Severity, message: str, what_to_do: str) -> UpgradeFinding:
    kind = f", {pair.kind.replace('_', '-')}" if pair.kind else ""
    detail = f" ({pair.detail}{kind})" if pair.detail else ""
    return UpgradeFinding(
        rule=rule,
        instance=pair.publisher,
        subject=f"{pair.partner_is} {pair.partner}{detail}",
        severity=severity,
        message=message,
        what_to_do=what_to_do,
        sources=(_published().source, _published().upgrade_source),
    )


def _year(major: int) -> str:
    return str(year_of(major) or f"version {major}")

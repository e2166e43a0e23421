"""What uses a linked server, in words: the counts with the names behind them."""

from __future__ import annotations

from collections import Counter
from typing import Final

from assessor.collect.inventory import Usage, UsageKind
from assessor.report.text import visible
from assessor.report.words import UNKNOWN, count
from assessor.snapshot import AssessedEdge

_WORDS: Final = {
    UsageKind.MODULE: ("module", "modules"),
    UsageKind.SYNONYM: ("synonym", "synonyms"),
    UsageKind.JOB_STEP: ("job step", "job steps"),
}
_SHOWN: Final = 20  #: names in a cell; the rest is counted


def used_by_words(edge: AssessedEdge) -> str:
    """``2 modules, 1 job step`` and the names below; says so where not everything could be searched.

    Empty for kinds of edge that nothing uses: they are the use.
    """
    if edge.is_usage_whole is None:
        return ""
    found = Counter(usage.kind for usage in edge.used_by)
    counts = ", ".join(count(found[kind], *words) for kind, words in _WORDS.items() if found[kind])
    if not edge.is_usage_whole:
        head = f"at least {counts}; not everything could be searched" if counts else UNKNOWN
    else:
        head = counts or "nothing that was searched: no module, synonym or job step"
    names = [_name(usage) for usage in edge.used_by[:_SHOWN]]
    if len(edge.used_by) > _SHOWN:
        names.append(f"and {len(edge.used_by) - _SHOWN:,} more")
    return "\n".join((head, *names))


def _name(usage: Usage) -> str:
    is_in_database = usage.kind is not UsageKind.JOB_STEP and usage.database
    where = f"{visible(usage.database or '')}.{visible(usage.name)}" if is_in_database else visible(usage.name)
    return where if usage.last_used is None else f"{where} (last used {usage.last_used:%Y-%m-%d %H:%M})"

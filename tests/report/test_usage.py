"""What uses a linked server, in words: counts first, then names, and never a silent nothing."""

from __future__ import annotations

from datetime import datetime

from assessor.collect.inventory import Usage, UsageKind
from assessor.report.usage import used_by_words
from tests.snapshots_by_hand import edge


def usage(number: int = 1, kind: UsageKind = UsageKind.MODULE, last: datetime | None = None) -> Usage:
    return Usage("LINK", kind, "Sales", f"dbo.p{number}", last)


def test_counts_stand_above_the_names() -> None:
    uses = (
        usage(1, last=datetime(2026, 11, 20, 2, 15)),
        usage(2),
        Usage("LINK", UsageKind.JOB_STEP, "Sales", "Nightly, step 1"),
    )
    assert used_by_words(edge("A", used_by=uses, is_usage_whole=True)) == (
        "2 modules, 1 job step\nSales.dbo.p1 (last used 2026-11-20 02:15)\nSales.dbo.p2\nNightly, step 1"
    )


def test_nothing_found_is_unknown_unless_everything_was_searched() -> None:
    assert used_by_words(edge("A", is_usage_whole=False)) == "unknown"
    assert used_by_words(edge("A", is_usage_whole=True)).startswith("nothing that was searched")
    assert used_by_words(edge("A", used_by=(usage(),), is_usage_whole=False)).startswith(
        "at least 1 module; not everything"
    )
    assert used_by_words(edge("A")) == ""


def test_many_names_are_counted_and_hostile_ones_lose_their_control_characters() -> None:
    words = used_by_words(edge("A", used_by=tuple(usage(number) for number in range(30)), is_usage_whole=True))
    assert words.endswith("and 10 more")
    hostile = Usage("LINK", UsageKind.SYNONYM, "Sa\x1bles", "dbo.\u202ex\n=1", None)
    assert "\x1b" not in used_by_words(edge("A", used_by=(hostile,), is_usage_whole=True))
    assert "\u202e" not in used_by_words(edge("A", used_by=(hostile,), is_usage_whole=True))

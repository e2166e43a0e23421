"""The servers that an estate refers to and does not list: what ``assess --follow`` prints."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from assessor.report.console import console_for_text, text_of
from assessor.report.text import shorten, visible
from assessor.snapshot import Snapshot


def referenced_text(snapshot: Snapshot, width: int) -> str:
    """A table of the referenced servers. They were listed only: nothing was connected to for it."""
    if not snapshot.referenced:
        return "Every server that is referred to is in the estate file.\n"
    console = console_for_text(max(width, 60), colour=False)
    table = Table(
        title="Referred to, and not in the estate file", title_justify="left", show_edge=False, pad_edge=False
    )
    table.add_column("server", overflow="fold")
    table.add_column("edges", justify="right")
    table.add_column("SQL Server")
    table.add_column("referred to by", overflow="fold", ratio=1)
    for server in snapshot.referenced:
        table.add_row(
            Text(visible(server.name)),
            str(len(server.edges)),
            "yes" if server.is_sql_server else "unknown",
            Text(shorten(visible(", ".join(server.sources)), 300)),
        )
    console.print()
    console.print(table)
    return text_of(console)

"""Draws ``docs/rules.md`` from the rule pack: ``python -m assessor.judge.rules_page docs/rules.md``."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from assessor.judge.rules import Rule, load_rules, rules_version

_GROUPS = {
    "LS": "Linked servers",
    "RP": "Replication",
    "SH": "Log shipping",
    "PB": "PolyBase",
    "AG": "Availability groups and clusters",
    "JB": "Jobs and command-line tools",
    "OS": "Hosts",
    "UP": "Upgrade paths",
    "FT": "Full-text search",
}

_INTRODUCTION = """\
# Rules

Every verdict names the rules behind it. This page is drawn from `assessor/judge/rules.toml`; correct the
texts there and run `python -m assessor.judge.rules_page docs/rules.md`. Rule pack of {version}.

The *source* is the instance that opens the connection, the *target* the one that accepts it and shows a
certificate. A rule is **documented** when Microsoft publishes it, **inferred** when it is our reasoning from
published mechanisms, **unverified** when only a third party, a preview or a neighbouring product says so, and
a **conflict** when Microsoft's pages disagree; the note then gives both sides.
"""


def rules_page() -> str:
    """The page as Markdown, one section a rule, ending in a line break."""
    parts = [_INTRODUCTION.format(version=rules_version())]
    group = ""
    for rule in load_rules():
        prefix = rule.id.partition("-")[0]
        if prefix != group:
            group = prefix
            parts.append(f"## {_GROUPS[prefix]}\n")
        parts.append(_section(rule))
    return "\n".join(parts)


def _section(rule: Rule) -> str:
    lines = [
        f"### {rule.id} {_plain(rule.title)}",
        "",
        f"*{rule.status.capitalize()}.*",
        "",
        f"**When:** {_plain(rule.precondition)}",
        "",
        f"**Then:** {_plain(rule.consequence)}",
        "",
        f"**Seen:** {_plain(rule.text_seen) or 'nothing on the screen.'}",
        "",
    ]
    if rule.remedies:
        lines += ["**What helps, most secure first:**", ""]
        lines += [f"{number}. {_plain(remedy)}" for number, remedy in enumerate(rule.remedies, start=1)]
    else:
        lines.append("**What helps:** nothing is needed.")
    lines.append("")
    if rule.note:
        lines += [f"**Note:** {_plain(rule.note)}", ""]
    lines += ["**Sources:**", "", *(f"- {_plain(source)}" for source in rule.sources), ""]
    return "\n".join(lines)


def _plain(text: str) -> str:
    r"""Escape what Markdown would read as its own: the texts hold backslashes and underscores."""
    return re.sub(r"([\\`*_\[\]<>])", r"\\\1", text)


def main(arguments: list[str]) -> int:
    """Write the page to the file named by the only argument."""
    if len(arguments) != 1:
        sys.stderr.write("Usage: python -m assessor.judge.rules_page docs/rules.md\n")
        return 2
    Path(arguments[0]).write_text(rules_page(), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

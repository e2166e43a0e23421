"""``make tsql``: every bundled query and generated script in Microsoft's own T-SQL parser, run under Mono.

The parser (ScriptDom) comes out of the wheel mssql-cli on PyPI, which stays in a cache folder; ``Check.cs`` beside this
file is compiled against it. It parses each query with the grammar of each version that the query claims, and proves from
the syntax tree that it only reads. Scripts that are meant to change something (rights, remedies) are parsed only.

    python -m tools.tsql [--document docs/tsql.md] [--quiet]
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from assessor import __version__
from assessor.collect.grants import grant_script, undo_script
from assessor.collect.queries import Query, Scope, load_queries
from assessor.collect.script import YEARS, collect_script, into_variable
from tests.queries.test_reads_only import WRITES

HERE = Path(__file__).parent
CACHE = Path(sys.prefix) / "tsql"
WHEEL = "mssql-cli==1.0.0"
LIBRARY = "Microsoft.SqlServer.TransactSql.ScriptDom.dll"
LIBRARY_SHA256 = "781687b415be45c4ade8041738798f1b01a5e9d2f95e2dd5f989d8772b224d7c"
FACADE = Path("/usr/lib/mono/4.5/Facades/netstandard.dll")
#: The grammars that this parser has; a later version is parsed with the newest.
GRAMMARS = {11: 110, 12: 120, 13: 130, 14: 140, 15: 150}
NEWEST = max(GRAMMARS.values())
#: A database name with everything that quoting has to survive.
DATABASE = "o'hare] of $(database)"
LOGIN = "CORP\\o'hare] /* -- */"


@dataclass(frozen=True, slots=True)
class Request:
    """One batch for one grammar. ``must_fail`` marks the counter-samples: a proof that refuses nothing proves nothing."""

    group: str
    label: str
    major: int
    text: str
    only_reads: bool
    must_fail: bool = False

    @property
    def grammar(self) -> int:
        """The grammar of the version, or the newest there is."""
        return GRAMMARS.get(self.major, NEWEST)


def requests(remedies: Path | None) -> Iterator[Request]:
    """Everything that is to be parsed."""
    bundled = load_queries()
    for query in bundled:
        for year, major in YEARS.items():
            if major in query.versions:
                yield Request("queries", f"{query.name} {year}", major, _rendered(query), only_reads=True)
    for number, text in enumerate(WRITES, start=1):
        yield Request("counter-samples", f"counter-sample {number}", 15, text, only_reads=True, must_fail=True)
    for year, major in YEARS.items():
        for is_managed in (False, True) if major == max(YEARS.values()) else (False,):
            where = "managed instance" if is_managed else str(year)
            for name, make in (("grants", grant_script), ("grants --undo", undo_script)):
                text = make(bundled, major, LOGIN, is_managed=is_managed)
                yield Request("grants", f"{name} {where}", major, text, only_reads=False)
        yield Request(
            "collect scripts", f"collect-script {year}", major, collect_script(bundled, major), only_reads=False
        )
        for query in bundled:
            if query.fits(major, None):
                # What the script hands to sp_executesql stands in literals, which the parser does not look into.
                batch = replace(query, text=into_variable(query)).render(_database(query))
                batch = f"DECLARE @assessor_answer nvarchar(max);\n{batch}"
                yield Request("collect scripts", f"collect-script {year}, {query.name}", major, batch, only_reads=False)
    for path in sorted(remedies.rglob("*.sql")) if remedies is not None else ():
        yield Request(
            "remedies", f"remedies {path.relative_to(remedies or path)}", 17, path.read_text("utf-8"), only_reads=False
        )


def _rendered(query: Query) -> str:
    return query.render(_database(query))


def _database(query: Query) -> str | None:
    return DATABASE if query.scope is Scope.DATABASE else None


def build() -> Path:
    """The compiled checker; made when its source or the parser is newer. Says what it does before it does it."""
    CACHE.mkdir(exist_ok=True)
    library = CACHE / LIBRARY
    if not library.exists():
        print(f"tsql: downloading the wheel {WHEEL} (43 MB) from PyPI, for {LIBRARY}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
            subprocess.run([*pip, "--only-binary=:all:", "--dest", folder, WHEEL], check=True)
            (wheel,) = Path(folder).glob("*.whl")
            with zipfile.ZipFile(wheel) as archive:
                data = archive.read(next(name for name in archive.namelist() if name.endswith("/" + LIBRARY)))
        if (found := hashlib.sha256(data).hexdigest()) != LIBRARY_SHA256:
            raise SystemExit(f"tsql: {LIBRARY} of {WHEEL} is not the file this was written for (SHA-256 {found}).")
        library.write_bytes(data)
    source, program = HERE / "Check.cs", CACHE / "check.exe"
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        print("tsql: compiling Check.cs with mcs", flush=True)
        subprocess.run(["mcs", f"-out:{program}", f"-r:{library}", f"-r:{FACADE}", str(source)], check=True)
    return program


def run(program: Path, asked: list[Request]) -> list[str]:
    """For each request the complaint, empty where there is none."""
    with tempfile.TemporaryDirectory() as folder:
        lines = []
        for number, request in enumerate(asked):
            path = Path(folder) / f"{number}.sql"
            path.write_text(request.text, encoding="utf-8", errors="surrogatepass")
            kind = "reads" if request.only_reads else "parses"
            lines.append(f"{request.grammar}\t{kind}\t{number}\t{path}")
        ended = subprocess.run(
            ["mono", str(program)],
            input="\n".join(lines) + "\n",
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=True,
        )
    answers = [line.split("\t") for line in ended.stdout.splitlines()]
    if [int(answer[1]) for answer in answers] != list(range(len(asked))):
        raise SystemExit(
            f"tsql: the parser answered {len(answers)} of {len(asked)} requests; it said: {ended.stderr[:500]}"
        )
    return [answer[2] if answer[0] == "WRONG" else "" for answer in answers]


def remedies_of_the_demo(folder: Path) -> Path:
    """The scripts that `assessor remedies` writes for the demo estate."""
    print("tsql: assessing the demo estate, for the scripts of its remedies", flush=True)
    scripts = folder / "remedies"
    for command in (
        ["demo", "--output", str(folder)],
        ["remedies", str(folder / "demo.json"), "--output", str(scripts)],
    ):
        ended = subprocess.run(
            [sys.executable, "-m", "assessor", *command], capture_output=True, text=True, encoding="utf-8"
        )
        if ended.returncode != 0:
            raise SystemExit(f"tsql: assessor {command[0]} ended with {ended.returncode}:\n{ended.stderr[-2000:]}")
    return scripts


def main() -> int:
    """Parse everything; 0 when all is as it should be."""
    parser = argparse.ArgumentParser(prog="tools.tsql", description="Check the T-SQL in Microsoft's own parser.")
    parser.add_argument("--document", type=Path, help="write the result into this page")
    parser.add_argument("--quiet", action="store_true", help="print what is wrong and the counts only")
    arguments = parser.parse_args()
    program = build()
    with tempfile.TemporaryDirectory() as folder:
        asked = list(requests(remedies_of_the_demo(Path(folder))))
    complaints = run(program, asked)
    wrong = 0
    good: Counter[str] = Counter()
    for request, complaint in zip(asked, complaints, strict=True):
        fine = bool(complaint) if request.must_fail else not complaint
        wrong += not fine
        good[request.group] += fine
        if not fine or not arguments.quiet:
            said = complaint or ("only reads" if request.only_reads else "parses")
            print(f"{'ok   ' if fine else 'WRONG'}  {request.label} (TSql{request.grammar}): {said}")
    for group, number in good.items():
        total = sum(request.group == group for request in asked)
        print(f"{group}: {number} of {total} {'refused' if group == 'counter-samples' else 'in order'}")
    print(
        f"{len(asked) - wrong} of {len(asked)} in order; 2022 and 2025 were parsed with TSql{NEWEST}, the newest grammar here."
    )
    if arguments.document and not wrong:
        arguments.document.write_text(page(asked), encoding="utf-8")
    return 1 if wrong else 0


def page(asked: list[Request]) -> str:
    """``docs/tsql.md``: what is checked, and the result of this run, in which all was in order."""
    counts = Counter(request.group for request in asked)
    by_year = Counter((request.major, request.grammar) for request in asked if request.group == "queries")
    years = {major: year for year, major in YEARS.items()}
    rows = "\n".join(
        f"| {years[major]} | TSql{grammar}{'' if major in GRAMMARS else ' (the newest there is)'} | {number} |"
        for (major, grammar), number in sorted(by_year.items())
    )
    return f"""# The T-SQL, in Microsoft's own parser

`make tsql` parses every bundled query with the grammar of every version that it claims, in Microsoft's parser ScriptDom
(`{LIBRARY}`, out of the wheel `{WHEEL}` on PyPI, SHA-256 `{LIBRARY_SHA256[:16]}…`), run under Mono.
`tools/tsql/Check.cs` walks the syntax tree with an allow-list: the kinds of statements, sources of rows, procedures, SET options
and hints that a query may use are named, and everything else is refused. So nothing that writes can pass unnoticed, and that
the proof refuses what it should is shown by counter-samples, each of which must fail.

Scripts that are meant to change something (`assessor grants`, `assessor remedies`) and the collect script are parsed only.

ScriptDom's newest grammar here is TSql{NEWEST} (2019). Queries for 2022 and 2025 are parsed with it, which says nothing about
syntax that came later; they use none. Whether an object or column exists is not a matter of grammar: `tests/queries/catalog.toml`
holds what is published about that, and `tests/queries/test_catalog.py` compares.

In `make test` sqlglot proves the same more roughly (`tests/queries/reads_only.py`), so that nobody needs Mono for it.

## Last recorded run

{datetime.now(UTC):%Y-%m-%d}, assessor {__version__}: everything in order.

| version | grammar | queries |
|---|---|---|
{rows}

| what | number |
|---|---|
| queries × versions, parsed and proven to read only | {counts["queries"]} |
| counter-samples, refused | {counts["counter-samples"]} |
| scripts of `assessor grants` and their undo, parsed | {counts["grants"]} |
| collect scripts, parsed | {counts["collect scripts"]} |
| scripts of `assessor remedies` for the demo estate, parsed | {counts["remedies"]} |

`make tsql ARGS="--document docs/tsql.md"` writes this page.
"""


if __name__ == "__main__":
    raise SystemExit(main())

"""The demo as a story: a first run, what people did about it, and a second run whose workbook tells what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from openpyxl import load_workbook

from assessor import assessment
from assessor.board import ExceptionState, SubjectKind
from assessor.cli.story import tell
from assessor.collect.driver import find_driver
from assessor.compare import CertificateFate, Comparison, EdgeFate, InstanceAspect, compare
from assessor.lab.estate import Lab
from assessor.probe.settings import ProbeSettings
from assessor.report.board_columns import read_board
from assessor.report.changes import FATES, RESTART, carry_to
from assessor.shipped import sample_data_dir
from assessor.snapshot import Snapshot
from assessor.snapshot_file import read_snapshot
from tests.end_to_end.small_estate import assessor

pytestmark = pytest.mark.timeout(300)  # two whole runs of the demo, on a machine that may be busy

STAGES = ("fixed", "still open", "regressed", "new", "gone", "not seen this time", "assessed for the first time")


@dataclass(frozen=True)
class Story:
    folder: Path
    first: Snapshot
    second: Snapshot
    comparison: Comparison


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("story")
    with pytest.MonkeyPatch.context() as patch, Lab(sample_data_dir(), tmp_path_factory.mktemp("lab")) as lab:
        # The silent host costs its whole patience in both runs; a second shows it as well as eight.
        patch.setattr(assessment, "ProbeSettings", partial(ProbeSettings, answer_seconds=1.0))
        first, second = tell(lab, find_driver(None), folder)
    return Story(folder, first, second, compare(first, second))


def told(story: Story, fate: EdgeFate) -> set[str]:
    return {
        f"{change.edge.source.split('.')[0].removeprefix('tcp:').lower()}:{change.edge.name.lower()}"
        for change in story.comparison.of(fate)
    }


def test_what_was_mended_is_fixed_with_another_thumbprint(story: Story) -> None:
    assert {"fin01:hr01", "sales01:hr", "sales01:fin", "dw01:fin", "sales01:pos"} <= told(story, EdgeFate.FIXED)
    for change in story.comparison.of(EdgeFate.FIXED):
        assert change.thumbprint_before
        assert change.thumbprint_after
        assert change.thumbprint_before != change.thumbprint_after


def test_a_certificate_that_was_renewed_without_the_short_name_is_a_regression(story: Story) -> None:
    regressed = told(story, EdgeFate.REGRESSED)
    assert {r"dw01:dw", "stores01:dw_oledb"} <= regressed, "both dial DW01"
    for change in story.comparison.of(EdgeFate.REGRESSED):
        assert any("dw01,1433" in cause and "presents another certificate" in cause for cause in change.causes)


def test_a_certificate_that_waits_for_a_restart_leaves_its_edges_open(story: Story) -> None:
    (pending,) = story.comparison.restarts_pending
    assert pending.instance == "wms01.corp.northgate.example"
    waiting = {change.edge.name for change in story.comparison.of(EdgeFate.STILL_OPEN) if change.restart_pending}
    assert {"WMS01", "HQ_STOCK", "WMS"} <= waiting


def test_what_a_server_that_is_down_told_and_was_told_is_not_seen(story: Story) -> None:
    unseen = story.comparison.of(EdgeFate.NOT_SEEN)
    assert {"rpt01.corp.northgate.example"} == {
        server for change in unseen for server in (change.edge.source, change.edge.target) if server.startswith("rpt01")
    }
    assert story.comparison.unread == ("rpt01.corp.northgate.example",)
    assert "rpt01:sales" in told(story, EdgeFate.NOT_SEEN)


def test_one_definition_was_dropped_and_one_was_made(story: Story) -> None:
    assert told(story, EdgeFate.GONE) == {"dw01:qa_copy"}
    assert told(story, EdgeFate.NEW) == {"sales01:repl_check"}


def test_a_chain_that_is_whole_now_lets_edges_be_assessed(story: Story) -> None:
    assert "dw01:mfg" in told(story, EdgeFate.FIRST_ASSESSED)


def test_the_server_that_is_written_differently_is_the_same(story: Story) -> None:
    aspects = {(each.instance, each.aspect) for each in story.comparison.instances}
    tills = r"tcp:stores01.corp.northgate.example\POS"
    assert (tills, InstanceAspect.ADDRESS) in aspects
    assert (tills, InstanceAspect.FORCE_ENCRYPTION) in aspects
    assert ("mon01.corp.northgate.example", InstanceAspect.VERSION) in aspects
    assert ("audit01.corp.northgate.example", InstanceAspect.READABLE) in aspects
    assert ("rpt01.corp.northgate.example", InstanceAspect.UNREADABLE) in aspects


def test_certificates_that_nobody_touched_are_the_same(story: Story) -> None:
    fates = {change.endpoint: change.fate for change in story.comparison.certificates}
    assert fates["sales01.corp.northgate.example,1433"] is CertificateFate.SAME
    assert fates["hr01,1433"] is CertificateFate.REPLACED
    assert fates["rpt01,1433"] is CertificateFate.NOT_SEEN


def test_the_changes_sheet_tells_each_kind_of_change(story: Story) -> None:
    sheet = load_workbook(story.folder / "demo-after.xlsx")["Changes"]
    shown = {str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value is not None}
    words = {FATES[fate].word: FATES[fate].label for fate in EdgeFate}
    for word in STAGES:
        assert any(words[word] in text for text in shown), word
    assert any(RESTART in text for text in shown)


def test_the_first_workbook_has_no_changes(story: Story) -> None:
    assert "Changes" not in load_workbook(story.folder / "demo-before.xlsx").sheetnames


def test_what_the_board_typed_is_in_the_second_workbook(story: Story) -> None:
    board = carry_to(read_board(story.folder / "demo-after.xlsx"), story.second)
    owners = {entry.subject.split(":")[-1]: entry.owner for entry in board.entries if entry.kind is SubjectKind.EDGE}
    assert owners == {
        "fin": "M. Okafor",
        "hq_stock": "Store systems",
        "cargolink": "Logistics",
        "sales": "Web shop",
        "qa": "Warehouse team",
    }
    assert [entry.subject.split(":")[-1] for entry in board.vanished] == ["qa_copy"]
    assert [exception.state for exception in board.exceptions] == [
        ExceptionState.EXPIRED,
        ExceptionState.NO_EXPIRY,
        ExceptionState.HOLDS,
    ]


def test_the_second_snapshot_says_the_same_when_it_is_read_again(story: Story) -> None:
    again = compare(
        read_snapshot(story.folder / "demo-before.json"),
        read_snapshot(story.folder / "demo-after.json"),
    )
    assert {fate: len(again.of(fate)) for fate in EdgeFate} == {
        fate: len(story.comparison.of(fate)) for fate in EdgeFate
    }


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_compare_tells_it_on_the_console_and_ends_with_1_for_the_regression(story: Story, form: str) -> None:
    done = assessor("compare", "demo-before.json", "demo-after.json", "--format", form, folder=story.folder)
    assert done.returncode == 1, done.stderr
    assert "\x1b" not in done.stdout
    assert "qa_copy" in done.stdout.lower().replace("\\", "")


def test_compare_of_a_run_with_itself_has_nothing_regressed_and_leaves_things_open(story: Story) -> None:
    done = assessor("compare", "demo-before.json", "demo-before.json", folder=story.folder)
    assert done.returncode == 3, done.stderr


def test_compare_refuses_the_runs_the_wrong_way_round_in_one_sentence(story: Story) -> None:
    done = assessor("compare", "demo-after.json", "demo-before.json", folder=story.folder)
    assert done.returncode == 2
    assert "name the older snapshot first" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1

"""An estate collected live, and the same one by the collect script, come to the same snapshot."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assessor import assessment
from assessor.assessment import Elsewhere
from assessor.collect.driver import find_driver
from assessor.collect.inventory import Inventory
from assessor.collect.matching import inventories_from, read_folder
from assessor.collect.queries import load_queries
from assessor.collect.script import collect_script
from assessor.estate import Estate, load_estate
from assessor.lab.behaviour import Drops, Hangs
from assessor.lab.canned import CannedAnswers
from assessor.lab.estate import Lab
from assessor.probe.settings import ProbeSettings
from assessor.shipped import sample_data_dir
from assessor.snapshot import Snapshot

from .script_runner import TOOLS, Printed, run_script, sqlcmd

STARTED = datetime(2026, 11, 23, 12, 0, 0)


@dataclass(frozen=True)
class Both:
    """The demo estate, assessed live and from saved outputs."""

    estate: Estate
    live: Snapshot
    offline: Snapshot
    printed: Printed  #: of SALES01


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("saved")
    with Lab(sample_data_dir(), tmp_path_factory.mktemp("lab")) as lab:
        estate = load_estate(lab.estate_file)
        settings = ProbeSettings(routes=estate.routes, answer_seconds=1.0)
        stop = threading.Event()
        live = assessment.assess(estate, find_driver(None), stop, settings=settings)
        outputs: dict[str, Printed] = {}
        reached = [inventory.instance for inventory in live.inventories if inventory.identity]
        for number, (key, server) in enumerate(sorted(lab.servers.items())):
            file = lab.instances[key]
            answers = server.behaviour.answers
            assert isinstance(answers, CannedAnswers)
            if any(isinstance(reply, Hangs | Drops) for reply in answers.replies.values()):
                continue
            script = collect_script(load_queries(), file.version[0])
            outputs[key] = run_script(script, answers, started=STARTED, run=f"{number:08X}")
            (folder / f"output-{number}.txt").write_bytes(sqlcmd(outputs[key]))
        offline = assessment.assess(
            estate, None, stop, settings=settings, elsewhere=Elsewhere(saved=read_folder(folder))
        )
        assert reached
        yield Both(estate, live, offline, outputs["SALES01"])


def comparable(inventory: Inventory) -> Inventory:
    """Without what belongs to the way of collecting and not to the instance."""
    return replace(inventory, collected_at=None, connection_validated=None)


def same_way(both: Both) -> list[str]:
    offline = {inventory.instance: inventory for inventory in both.offline.inventories}
    return [each.instance for each in both.live.inventories if each.identity and offline[each.instance].identity]


def test_every_instance_that_answers_live_has_an_inventory_from_its_saved_output(both: Both) -> None:
    live = {inventory.instance for inventory in both.live.inventories if inventory.identity}
    missing = live - set(same_way(both))
    assert len(same_way(both)) >= 4
    assert not missing, both.offline.gaps


def test_the_inventories_are_equal(both: Both) -> None:
    offline = {inventory.instance: inventory for inventory in both.offline.inventories}
    for inventory in both.live.inventories:
        if inventory.instance in same_way(both):
            assert comparable(offline[inventory.instance]) == comparable(inventory)


def test_the_edges_and_their_verdicts_are_equal(both: Both) -> None:
    sources = set(same_way(both))
    live = [edge for edge in both.live.edges if edge.source in sources]
    assert live
    assert [edge for edge in both.offline.edges if edge.source in sources] == live


@pytest.mark.parametrize("tool", TOOLS)
def test_whatever_tool_saved_it_the_inventory_is_the_same(both: Both, tool: str, tmp_path: Path) -> None:
    folder = tmp_path / "saved"
    folder.mkdir()
    (folder / "whatever.rpt").write_bytes(TOOLS[tool](both.printed))
    found, gaps = inventories_from(read_folder(folder), both.estate)
    assert gaps == ()
    ((address, inventory),) = found.items()
    live = next(each for each in both.live.inventories if each.instance == address)
    assert comparable(inventory) == comparable(live)
    assert inventory.collected_at == STARTED.replace(tzinfo=UTC)

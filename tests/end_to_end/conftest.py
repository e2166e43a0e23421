"""One lab and one assessment of it, shared by the tests of a worker."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from assessor import assessment
from assessor.collect.driver import Driver, find_driver
from assessor.estate import Estate, load_estate
from assessor.lab.estate import Lab
from assessor.probe.settings import ProbeSettings
from assessor.shipped import sample_data_dir
from assessor.snapshot import Snapshot


@dataclass(frozen=True)
class Run:
    """A lab that is up, its estate, and what an assessment of it found."""

    lab: Lab
    estate: Estate
    driver: Driver
    snapshot: Snapshot


@pytest.fixture(scope="package")
def demo_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(sample_data_dir(), tmp_path_factory.mktemp("demo")) as lab:
        yield lab


def _assess(lab: Lab, estate: Estate) -> Run:
    driver = find_driver(None)
    # The silent host costs its whole patience; a second shows it as well as eight.
    settings = ProbeSettings(routes=estate.routes, answer_seconds=1.0)
    return Run(lab, estate, driver, assessment.assess(estate, driver, threading.Event(), settings=settings))


@pytest.fixture(scope="package")
def snapshot(demo_lab: Lab) -> Snapshot:
    """The demo estate as it is: the upgrade lies ahead."""
    return _assess(demo_lab, load_estate(demo_lab.estate_file)).snapshot


@pytest.fixture(scope="package")
def run_for_today(demo_lab: Lab) -> Run:
    """The demo estate upgraded today, because the real driver only ever looks at certificates now."""
    return _assess(demo_lab, replace(load_estate(demo_lab.estate_file), upgrade_date=datetime.now(UTC).date()))

"""The page on fidelity is what its data says."""

from __future__ import annotations

import json

from assessor.clients.profiles import load_profiles

from .fidelity import MEASURED, PAGE, page
from .stand import CLIENT


def test_the_page_is_current() -> None:
    assert PAGE.read_text("utf-8") == page(), "run: python -m tests.oracle.fidelity"


def test_every_client_has_a_section_with_its_sources() -> None:
    text = page()
    for client in load_profiles():
        assert f"`{client.id}`" in text
        assert all(source in text for source in client.sources)


def test_only_the_client_that_was_played_is_called_measured() -> None:
    for section in page().split("\n## ")[2:]:
        assert ("**Measured:** nothing." in section) != (f"`{CLIENT}`" in section)


def test_the_noted_runs_are_large_and_without_disagreement() -> None:
    runs = json.loads(MEASURED.read_text("utf-8"))["runs"]
    assert len({run["seed"] for run in runs}) >= 3
    assert all(run["cases"] >= 20_000 and run["disagreements"] == 0 for run in runs)

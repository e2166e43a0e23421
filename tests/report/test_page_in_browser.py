"""The page in a real browser: Chromium without a screen, driven through its own driver, on a file as from a share."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.select import Select
from snapshots_by_hand import HOSTILE, RULES, hostile, snapshot

from assessor.report.page import page_html
from assessor.snapshot import Snapshot

#: Without them Chromium looks for updates and for Google's hosts, which must not be taken for the page's doing.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--window-size=1400,1000",
)
ATTACKS = (
    *HOSTILE,
    "</script><script>window.attacked = 1</script>",
    '"><img src=x onerror="window.attacked = 2">',
    "<svg onload=window.attacked=3>",
    "javascript:window.attacked=4",
    "{{constructor.constructor('window.attacked = 5')()}}",
)


class Page:
    """A page in the browser, with the words that the tests use for its parts."""

    def __init__(self, browser: webdriver.Chrome, folder: Path) -> None:
        self.browser = browser
        self._file = folder / "page.html"

    def show(self, run: Snapshot) -> None:
        self._file.write_text(page_html(run, RULES), encoding="utf-8")
        self.browser.get(self._file.as_uri())
        assert self.script("return document.documentElement.dataset.ready") == "yes"

    def script(self, text: str) -> object:
        return self.browser.execute_script(text)

    def all(self, selector: str) -> list[WebElement]:
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str) -> WebElement:
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def press(self, element: WebElement) -> None:
        self.browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def column(self, number: int) -> list[str]:
        """What the rows that are shown say in a column, from the top; under a name stands its kind."""
        return [
            row.find_elements(By.CSS_SELECTOR, "td")[number].text.partition("\n")[0]
            for row in self.all("#table tr.row")
            if row.is_displayed()
        ]

    def edges_drawn(self) -> list[str]:
        return [edge.get_attribute("data-edge") or "" for edge in self.all("#graph .edge:not(.off)")]

    def node(self, name: str) -> WebElement:
        return next(node for node in self.all("#graph .node") if node.get_attribute("data-node") == name)

    def problems(self) -> list[object]:
        return list(self.browser.get_log("browser"))  # type: ignore[no-untyped-call]

    def requests(self) -> list[str]:
        """Addresses asked for since the last call; the page itself and the browser's own new tab are left out."""
        messages = [json.loads(entry["message"])["message"] for entry in self.browser.get_log("performance")]  # type: ignore[no-untyped-call]
        asked = [each["params"]["request"]["url"] for each in messages if each["method"] == "Network.requestWillBeSent"]
        return [
            url
            for url in asked
            if not url.startswith(("data:", "chrome")) and url.partition("#")[0] != self._file.as_uri()
        ]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.fail(
            "Chromium or its driver is missing; run `tools/setup test`, or apt-get install chromium chromium-driver."
        )
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    started = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield started
    finally:
        started.quit()


@pytest.fixture
def page(browser: webdriver.Chrome, tmp_path: Path) -> Iterator[Page]:
    opened = Page(browser, tmp_path)
    opened.requests()  # what the browser did on its own when it started
    opened.show(snapshot())
    yield opened
    assert opened.problems() == []
    assert opened.requests() == []


def test_the_answer_and_the_numbers_stand_on_top(page: Page) -> None:
    assert page.one("#decision").text == "NO GO"
    assert page.one("#answer").text.startswith("2 of 8 connections break on 2026-12-20")
    assert page.one(".tile").text.splitlines()[:2] == ["2", "✗ breaks"]
    assert "sql03.corp.example" in page.one("#missing-table").text


def test_verdicts_sources_waves_and_words_filter_table_and_graph_together(page: Page) -> None:
    assert len(page.column(0)) == 8
    page.press(page.one(".chip[data-verdict=breaks]"))
    assert page.column(2) == ["SQL02", "SQL02_REPORTS"]
    assert len(page.edges_drawn()) == 2
    page.press(page.one(".chip[data-verdict=expires]"))
    assert len(page.column(0)) == 3
    assert page.one("#shown").text == "showing 3 of 8 connections"
    page.press(page.one("#reset"))
    Select(page.one("#source")).select_by_visible_text("sql02.corp.example")
    assert set(page.column(1)) == {"sql02.corp.example"}
    Select(page.one("#wave")).select_by_visible_text("1")
    assert page.column(0) == []
    page.press(page.one("#reset"))
    page.one("#find").send_keys("oraoledb")
    assert page.column(2) == ["ORACLE"]
    page.one("#find").send_keys(" nowhere")
    assert page.column(2) == []
    assert page.edges_drawn() == []


def test_every_column_sorts_both_ways_and_says_so(page: Page) -> None:
    head = page.all("#table th")[2]
    page.press(head.find_element(By.CSS_SELECTOR, "button"))
    up = page.column(2)
    assert up == sorted(up, key=str.lower)
    assert head.get_attribute("aria-sort") == "ascending"
    page.press(head.find_element(By.CSS_SELECTOR, "button"))
    assert page.column(2) == up[::-1]
    assert head.get_attribute("aria-sort") == "descending"


def test_a_row_opens_on_reasons_error_remedies_and_rules_with_their_source(page: Page) -> None:
    more = page.one("#table .more")
    page.press(more)
    assert more.get_attribute("aria-expanded") == "true"
    text = page.one("tr.detail").text
    for part in (
        "signed by itself",
        "-2146893019",
        "Msg 7303",
        "Install a CA certificate on sql02",
        "NOT SECURE",
        "LS-01",
        "sql-docs breaking changes in SQL Server 2025, 2026-07-02",
        "The trust store of the machine that ran",
    ):
        assert part in text
    page.one("#table .more").send_keys(Keys.ENTER)
    assert not page.one("tr.detail").is_displayed()


def test_choosing_a_server_brings_out_its_connections_and_leads_to_their_rows(page: Page) -> None:
    node = page.node("sql02.corp.example")
    page.press(node.find_element(By.CSS_SELECTOR, "rect"))
    on = {edge.get_attribute("data-edge") for edge in page.all("#graph .edge.on")}
    assert on == {edge.id for edge in snapshot().edges if "sql02.corp.example" in (edge.source, edge.target)}
    page.press(page.all("#picked li button")[0])
    assert page.one("tr.detail").is_displayed()
    assert len(page.all("tr.row.marked")) == 1


def test_the_graph_can_be_used_without_a_mouse(page: Page) -> None:
    graph = page.one("#graph")
    before = graph.get_dom_attribute("viewBox")
    graph.send_keys("+")
    assert graph.get_dom_attribute("viewBox") != before
    graph.send_keys("0")
    assert graph.get_dom_attribute("viewBox") == before
    page.node("sql01.corp.example").send_keys(Keys.ENTER)
    assert page.all("#graph .edge.on")
    graph.send_keys(Keys.ESCAPE)
    assert not page.all("#graph .edge.on")


def test_a_breaking_edge_stands_out_without_colour(page: Page) -> None:
    def width(verdict: str) -> float:
        line = page.one(f"#graph .v-{verdict} .line")
        return float(line.value_of_css_property("stroke-width").removesuffix("px"))

    assert width("breaks") >= 2 * width("works")
    assert page.one("#graph .v-breaks .cross").text == "✗"
    assert page.one("#graph .v-not_assessed .line").value_of_css_property("stroke-dasharray") != "none"


def test_it_fits_a_narrow_screen(page: Page) -> None:
    size = {"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        assert page.script("return document.documentElement.scrollWidth <= window.innerWidth") is True
    finally:
        page.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_hostile_names_are_shown_and_never_obeyed(page: Page) -> None:
    page.show(hostile(ATTACKS))
    for more in page.all("#table .more"):
        page.browser.execute_script("arguments[0].click()", more)
    for node in page.all("#graph .node"):
        page.browser.execute_script("arguments[0].dispatchEvent(new MouseEvent('click'))", node)
    assert page.script("return typeof window.attacked") == "undefined"
    assert page.all("img, iframe, object, embed, #table script, #graph script") == []
    assert [
        each.get_attribute("href") for each in page.all("a") if "javascript:" in (each.get_attribute("href") or "")
    ] == []
    assert "<script>alert(1)</script>" in page.column(2)
    assert '"><img src=x onerror="window.attacked = 2">' in page.column(2)


def test_an_estate_without_anything_is_a_page_too(page: Page) -> None:
    bare = snapshot()
    page.show(
        snapshot(
            edges=(), endpoints=(), inventories=(), estate=type(bare.estate)("Empty", bare.estate.upgrade_date, 90, ())
        )
    )
    assert page.one("#shown").text == "showing 0 of 0 connections"

"""The rule pack is complete, founded and shown to people as it is."""

from __future__ import annotations

import re
import tomllib
from importlib import resources
from pathlib import Path

import pytest

from assessor.judge.rules import RulePackError, RuleStatus, find_rule, load_rules, parse_rules, rules_version
from assessor.judge.rules_page import main, rules_page

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"
EXPECTED = [
    *(f"LS-{number:02}" for number in range(1, 20)),
    *(f"RP-{number:02}" for number in range(1, 9)),
    *("SH-01", "SH-02", "PB-01", "PB-02", "AG-01", "JB-01", "JB-02", "JB-03", "JB-04"),
    *("OS-01", "OS-02", "OS-03"),
    *(f"UP-{number:02}" for number in range(1, 8)),
    "FT-01",
]


def shipped() -> str:
    return resources.files("assessor.judge").joinpath("rules.toml").read_text(encoding="utf-8")


def test_every_rule_of_the_reference_is_there_once() -> None:
    assert [rule.id for rule in load_rules()] == EXPECTED


def test_every_source_has_a_date_or_says_that_it_has_none() -> None:
    for rule in load_rules():
        assert rule.sources, rule.id
        for source in rule.sources:
            assert re.search(r"\d{2}/\d{2}/\d{4}|\d{4}-\d{2}-\d{2}|, undated$", source), (rule.id, source)


def test_every_source_of_the_pack_is_used() -> None:
    used = {source for rule in load_rules() for source in rule.sources}
    assert used == set(tomllib.loads(shipped())["sources"].values())


def test_what_is_not_plainly_documented_says_why() -> None:
    shaky = [rule for rule in load_rules() if rule.status in (RuleStatus.CONFLICT, RuleStatus.UNVERIFIED)]
    assert shaky
    assert [rule.id for rule in shaky if not rule.note] == []


def test_only_the_rule_of_the_good_certificate_needs_no_remedy() -> None:
    assert [rule.id for rule in load_rules() if not rule.remedies] == ["LS-17"]


def test_a_remedy_that_gives_up_validation_never_comes_before_one_that_keeps_it() -> None:
    giving_up = re.compile(r"Nothing is validated|not validated|clear text|Last resort", re.IGNORECASE)
    for rule in load_rules():
        insecure = [bool(giving_up.search(remedy)) for remedy in rule.remedies]
        keeps_after = [not bad for bad in insecure[insecure.index(True) :]] if True in insecure else []
        assert not any(keeps_after), rule.id


def test_the_pack_is_dated() -> None:
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", rules_version())


def test_a_rule_is_found_by_its_id_in_any_case() -> None:
    rule = find_rule(" ls-04 ")
    assert rule is not None
    assert rule.id == "LS-04"
    assert find_rule("LS-99") is None


def test_the_page_has_a_section_for_every_rule() -> None:
    headings = re.findall(r"^### ([A-Z]{2}-[0-9]{2}) ", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == EXPECTED


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == rules_page(), "draw it again"


def test_the_generator_writes_the_page_to_the_file_it_is_given(tmp_path: Path) -> None:
    assert main([str(tmp_path / "rules.md")]) == 0
    assert (tmp_path / "rules.md").read_text(encoding="utf-8") == rules_page()


def test_the_generator_explains_itself_without_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "docs/rules.md" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('id = "LS-02"', 'id = "LS-01"', "LS-01 is there twice"),
        ('id = "LS-02"', 'id = "LS2"', "rule number 2 needs an id"),
        ('status = "documented"', 'status = "certain"', "LS-01: status is one of"),
        ('remedies = ["A", "D"', 'remedies = ["D", "A"', "LS-01: order the remedies"),
        ('remedies = ["A", "D"', 'remedies = ["A", "X"', "LS-01: the remedy X is not in"),
        ('sources = ["breaking"', 'sources = ["hearsay"', "LS-01: hearsay is not in"),
        ("ms.date 07/02/2026", "recently", "[sources] breaking: add the date"),
        ("title =", "titel =", "LS-01: the key titel is not known"),
        ('title = "The target\'s certificate is not trusted"', 'title = " "', "LS-01: title is missing"),
        ('version = "', 'version = "v', "write the pack's date"),
        ('version = "', "version = ", "not valid TOML"),
        ('G = "Start', 'Z = "Start', "Z is not a rung"),
    ],
)
def test_a_slip_in_the_file_is_named_with_its_place(old: str, new: str, complaint: str) -> None:
    text = shipped()
    assert old in text
    with pytest.raises(RulePackError, match=re.escape(complaint)):
        parse_rules(text.replace(old, new, 1))


def test_a_conflict_must_name_both_sides() -> None:
    text = re.sub(r'(id = "LS-05".*?)note = "[^"]*"\n', r"\1", shipped(), count=1, flags=re.DOTALL)
    with pytest.raises(RulePackError, match="LS-05: say in note"):
        parse_rules(text)

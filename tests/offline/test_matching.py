"""Which saved output is of which instance: by what the instance says of itself, and never by the file's name."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from assessor.collect.failures import classify_number
from assessor.collect.inventory import GapKind, Inventory
from assessor.collect.matching import SavedOutputs, inventories_from, read_folder
from assessor.collect.plan import Step
from assessor.collect.saved import SavedAnswer, SavedOutput
from assessor.errors import UsageError
from assessor.estate import Estate, EstateInstance
from assessor.names import parse_data_source

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def answer(versions: str = "11-", **values: str | None) -> SavedAnswer:
    return SavedAnswer(versions, tuple(values), (tuple(values.values()),))


def output(
    machine: str = "SQL01",
    instance: str | None = None,
    domain: str | None = "corp.example",
    *,
    port: int = 1433,
    origin: str = "a.txt",
    started: datetime = NOON,
    address: str = "10.0.0.1",
) -> SavedOutput:
    name = machine if instance is None else f"{machine}\\{instance}"
    return SavedOutput(
        origin,
        started,
        "0.1.0",
        "15",
        {
            Step("identity"): answer(
                server_name=name,
                registered_name=name,
                machine_name=machine,
                physical_name=machine,
                instance_name=instance,
                product_version="15.0.4415.2",
                edition="x",
                engine_edition="3",
                path_separator="\\",
                is_hadr_enabled="0",
                is_clustered="0",
            ),
            Step("host_domain"): answer(dns_suffix=domain),
            Step("listeners"): answer(ip_address=address, port=str(port), type_desc="TSQL", state_desc="ONLINE"),
        },
    )


def estate(*addresses: str) -> Estate:
    return Estate("E", date(2027, 1, 1), tuple(EstateInstance(each, parse_data_source(each)) for each in addresses))


def match(addresses: list[str], *outputs: SavedOutput) -> tuple[dict[str, Inventory], list[str]]:
    found, gaps = inventories_from(SavedOutputs(outputs), estate(*addresses))
    return found, [gap.message for gap in gaps]


@pytest.mark.parametrize(
    "address",
    ["SQL01", "sql01.corp.example", "tcp:SQL01,1433", "sql01.CORP.example.", "10.0.0.1", "SQL01.corp.example,1433"],
)
def test_an_output_is_found_under_every_name_that_the_instance_has(address: str) -> None:
    found, gaps = match([address, "OTHER"], output())
    assert list(found) == [address]
    assert found[address].instance == address
    assert gaps == []


@pytest.mark.parametrize("address", ["SQL02", "SQL01\\SALES", "SQL01,1450", "sql01.other.example", "10.0.0.2"])
def test_an_output_of_another_server_is_left_out_with_its_name(address: str) -> None:
    found, gaps = match([address], output())
    assert found == {}
    assert "a.txt is left out: it is of SQL01 (SQL01.corp.example)" in gaps[0]


def test_a_named_instance_is_told_from_the_default_instance_of_its_host() -> None:
    found, gaps = match(
        ["SQL01", "SQL01\\SALES", "SQL01,50001"], output(), output(instance="SALES", port=50001, origin="b")
    )
    assert found["SQL01"].identity is not None
    assert found["SQL01"].identity.instance_name is None
    assert found["SQL01\\SALES"].identity == found["SQL01,50001"].identity
    assert gaps == []


def test_of_two_outputs_of_one_instance_the_newest_counts_and_the_other_is_named() -> None:
    found, gaps = match(["SQL01"], output(origin="new"), output(origin="old", started=NOON - timedelta(days=1)))
    assert found["SQL01"].collected_at == NOON
    assert gaps == ["old is left out: new is a newer output of SQL01"]


def test_two_servers_that_claim_one_address_are_both_refused() -> None:
    found, _ = match(["SQL01"], output(), output(domain="lab.example", origin="b.txt"))
    assert found["SQL01"].identity is None
    assert "different servers claim this address" in found["SQL01"].gaps[0].message
    assert "b.txt" in found["SQL01"].gaps[0].message


def test_two_instances_with_one_name_are_told_apart_by_their_domains() -> None:
    found, gaps = match(
        ["sql01.corp.example", "sql01.lab.example"], output(), output(domain="lab.example", origin="b.txt")
    )
    assert {address: inventory.identity.domain for address, inventory in found.items() if inventory.identity} == {
        "sql01.corp.example": "corp.example",
        "sql01.lab.example": "lab.example",
    }
    assert gaps == []


def test_an_output_that_may_be_of_either_of_two_instances_is_given_to_neither() -> None:
    found, gaps = match(["sql01.corp.example", "sql01.lab.example"], output(domain=None))
    assert found == {}
    assert "may be any of sql01.corp.example, sql01.lab.example" in gaps[0]


def test_an_output_without_a_domain_is_found_under_the_only_full_name_there_is() -> None:
    found, gaps = match(["sql01.corp.example"], output(domain=None))
    assert list(found) == ["sql01.corp.example"]
    assert gaps == []


def test_an_output_whose_identity_was_refused_is_left_out_with_the_reason() -> None:
    refused = SavedOutput(
        "a.txt", NOON, "", "15", {Step("identity"): SavedAnswer("11-", error=classify_number(229, "no"))}
    )
    found, gaps = match(["SQL01"], refused)
    assert found == {}
    assert gaps == ["a.txt is left out: Msg 229: no"]


def test_a_question_that_the_output_has_no_answer_to_is_a_gap() -> None:
    found, _ = match(["SQL01"], output())
    gap = found["SQL01"].lacks("linked_servers")
    assert gap is not None
    assert (gap.kind, "version 15" in gap.message) == (GapKind.FAILED, True)


def test_an_answer_that_does_not_keep_the_promise_is_a_gap_and_the_others_count() -> None:
    broken = output()
    answers = {**broken.answers, Step("linked_servers"): answer(name="X", wrong="y")}
    found, _ = match(["SQL01"], SavedOutput("a", NOON, "", "15", answers))
    gap = found["SQL01"].lacks("linked_servers")
    assert gap is not None
    assert "lacks the column" in gap.message
    assert found["SQL01"].listeners


def test_a_folder_keeps_what_is_no_output_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("remember the milk")
    (tmp_path / ".hidden").write_text("x")
    saved = read_folder(tmp_path)
    assert saved.outputs == ()
    assert saved.unreadable == (("notes.txt", "it holds no output of the collect script"),)
    _, gaps = inventories_from(saved, estate("SQL01"))
    assert gaps[0].message.startswith("notes.txt is left out")


def test_an_empty_or_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is empty"):
        read_folder(tmp_path)
    with pytest.raises(UsageError, match="can't be read as a folder"):
        read_folder(tmp_path / "none")

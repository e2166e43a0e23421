"""The tables behind the workbook: every fact in its column, unknown shown as unknown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pandas as pd
import pytest
from snapshots_by_hand import RULES, certificate, edge, endpoint, hostile, inventory, rule, snapshot

from assessor.clients.options import ConnectionOptions, Encrypt
from assessor.collect.inventory import EncryptionSettings, Gap, GapKind
from assessor.judge.verdicts import VerdictKind
from assessor.probe.evidence import EncryptionAnswer
from assessor.report.tables import counts_by_source, in_utc, tables
from assessor.report.words import VERDICTS
from assessor.snapshot import Snapshot


def frame(title: str, run: Snapshot) -> pd.DataFrame:
    return next(table.frame for table in tables(run, RULES) if table.title == title)


def row(title: str, run: Snapshot, key: str) -> pd.Series:
    found = frame(title, run)
    first = "Name" if title == "Edges" else found.columns[0]
    return found[found[first] == key].iloc[0]


def test_the_sheets_have_their_order() -> None:
    assert [table.title for table in tables(snapshot(), RULES)] == [
        "Edges", "Endpoints", "Instances", "Upgrade findings", "Not assessed", "Rules",
    ]  # fmt: skip


@pytest.mark.parametrize("title", ["Edges", "Endpoints", "Instances", "Upgrade findings", "Not assessed", "Rules"])
def test_headings_are_unique_and_columns_match_the_frame(title: str) -> None:
    table = next(table for table in tables(snapshot(), RULES) if table.title == title)
    headings = [column.heading for column in table.columns]
    assert list(table.frame.columns) == headings
    assert len(set(headings)) == len(headings)
    assert 0 < table.printed <= len(headings)


class TestEdges:
    def test_there_is_one_row_an_edge_most_urgent_first(self) -> None:
        found = frame("Edges", snapshot())
        assert len(found) == len(snapshot().edges)
        assert list(found["Verdict"][:3]) == ["✗ breaks", "✗ breaks", "? not assessed"]

    def test_reasons_are_numbered_lines(self) -> None:
        assert row("Edges", snapshot(), "SQL02")["Reasons"].splitlines() == [
            "1. The certificate of sql02 is signed by itself, and sql01 does not trust it.",
            "2. After the upgrade the linked server uses OLE DB Driver 19, which validates it.",
        ]

    def test_the_error_has_its_number_and_the_texts_around_it(self) -> None:
        found = row("Edges", snapshot(), "SQL02")
        assert found["Error number"] == -2146893019
        assert type(found["Error number"]) is int
        assert found["Error text"].splitlines()[0].startswith("Msg 7303")

    def test_the_first_remedy_stands_alone_and_all_say_their_price(self) -> None:
        found = row("Edges", snapshot(), "SQL02")
        assert (found["First remedy"], found["Owner"]) == ("Install a CA certificate on sql02", "DBA of the target")
        remedies = found["All remedies, most secure first"].splitlines()
        assert "Needs a restart." in remedies[0]
        assert "NOT SECURE. Price: Nobody notices" in remedies[1]
        assert "Possible only after the upgrade." in remedies[1]

    def test_options_that_could_not_be_read_are_unknown_and_those_not_given_are_not_stated(self) -> None:
        unread, silent, stated = (
            edge("A", options=None),
            edge("B", options=ConnectionOptions()),
            edge("C", options=ConnectionOptions(encrypt=Encrypt.STRICT, trust_server_certificate=False)),
        )
        found = frame("Edges", snapshot(edges=(unread, silent, stated)))
        assert list(found["Encrypt"]) == ["unknown", "not stated", "strict"]
        assert list(found["Trust server certificate"]) == ["unknown", "not stated", False]
        assert list(found["Options that do nothing or fail"]) == ["unknown", "", ""]

    def test_the_basis_is_that_of_the_client_after_the_upgrade(self) -> None:
        assert row("Edges", snapshot(), "SQL02")["Basis"] == "documented"
        assert row("Edges", snapshot(), "ORACLE")["Basis"] == ""

    def test_a_role_is_told_with_the_kind(self) -> None:
        assert row("Edges", snapshot(), "repl_distributor")["Kind"] == "replication: distributor link"


class TestEndpoints:
    def test_edges_are_counted_and_those_that_break(self) -> None:
        found = row("Endpoints", snapshot(), "sql02,1433")
        assert (found["Edges"], found["Edges that break"]) == (7, 2)

    def test_days_left_count_from_the_upgrade(self) -> None:
        ends = certificate(not_after=datetime(2026, 12, 19, 23, 59, tzinfo=UTC))
        found = row("Endpoints", snapshot(endpoints=(endpoint(certificates=(ends,)),)), "sql02,1433")
        assert found["Days left at upgrade"] == -1
        assert found["Valid until (UTC)"] == datetime(2026, 12, 19, 23, 59)

    def test_an_endpoint_that_did_not_answer_is_unknown_with_its_reason(self) -> None:
        found = row("Endpoints", snapshot(), "pg01,1433")
        assert found["Why no answer"] == "timed out: no answer within 5 s"
        assert {found["Encryption"], found["Names in certificate"], found["Valid until (UTC)"]} == {"unknown"}
        assert found["Days left at upgrade"] is None

    @pytest.mark.parametrize("answer", EncryptionAnswer)
    def test_every_encryption_answer_has_words(self, answer: EncryptionAnswer) -> None:
        seen = replace(endpoint().evidence, encryption=answer)
        found = row("Endpoints", snapshot(endpoints=(endpoint(evidence=seen),)), "sql02,1433")
        assert found["Encryption"] not in ("", "off", "unknown")

    def test_a_handshake_that_failed_says_so(self) -> None:
        found = row("Endpoints", snapshot(), "sql02,1433")
        assert found["TLS inside TDS 7"] == "TLSv1.2 ECDHE-RSA-AES256-GCM-SHA384"
        assert found["TLS first (TDS 8)"] == "closed: closed after the first TLS record"


class TestInstances:
    def test_every_instance_of_the_plan_has_a_row_also_one_that_was_never_reached(self) -> None:
        run = snapshot(inventories=())
        assert list(frame("Instances", run)["Instance"]) == [item.address for item in run.estate.instances]
        assert set(frame("Instances", run)["Read"]) == {"? not read"}

    def test_what_was_not_told_is_unknown_and_never_false(self) -> None:
        found = row("Instances", snapshot(), "sql03.corp.example")
        for heading in ("Version", "Force encryption", "Linked servers", "In availability group", "Server name"):
            assert found[heading] == "unknown"

    def test_linked_servers_are_not_counted_where_the_query_left_a_gap(self) -> None:
        assert row("Instances", snapshot(), "sql01.corp.example")["Linked servers"] == 1
        assert row("Instances", snapshot(), "sql02.corp.example")["Linked servers"] == "unknown"

    def test_an_empty_thumbprint_means_that_the_server_chooses(self) -> None:
        run = snapshot(inventories=(inventory("sql01.corp.example", encryption=EncryptionSettings()),))
        assert row("Instances", snapshot(), "sql01.corp.example")["Certificate configured"] == "the server chooses"
        assert row("Instances", run, "sql01.corp.example")["Certificate configured"] == "unknown"

    def test_a_connection_that_was_not_validated_is_stated(self) -> None:
        assert row("Instances", snapshot(), "sql02.corp.example")["How we connected"].startswith("NOT VALIDATED")


class TestNotAssessed:
    def test_holds_every_edge_without_verdict_every_gap_and_every_instance_never_come_to(self) -> None:
        base = snapshot()
        own = Gap("probe", GapKind.INTERRUPTED, "Ctrl-C", "what the endpoints show")
        run = replace(base, inventories=base.inventories[1:], gaps=(own,))
        found = frame("Not assessed", run)
        assert list(found["What"]) == ["connection", "fact", "fact", "fact", "instance"]
        assert list(found["Instance"]) == [
            "sql02.corp.example", "the run", "sql02.corp.example", "sql03.corp.example", "sql01.corp.example",
        ]  # fmt: skip
        assert all(found["What is lost"])
        assert all(found["How to get it"])

    def test_says_which_right_would_close_a_gap(self) -> None:
        found = frame("Not assessed", snapshot())
        assert "Grant ALTER ANY LINKED SERVER to the login, and run again." in list(found["How to get it"])

    @pytest.mark.parametrize("kind", GapKind)
    def test_every_kind_of_gap_has_a_mend(self, kind: GapKind) -> None:
        found = frame("Not assessed", snapshot(edges=(), inventories=(), gaps=(Gap("q", kind, "m", "l"),)))
        assert found["How to get it"][0].endswith(("run again.", "it finish.", "timeout."))


class TestRules:
    def test_counts_the_edges_that_cite_each_rule_once(self) -> None:
        run = snapshot(edges=(edge("A", rules=("LS-01", "LS-01")), edge("B", rules=("LS-01",))))
        assert row("Rules", run, "LS-01")["Edges that cite it"] == 2
        assert row("Rules", run, "RP-01")["Edges that cite it"] == 0

    def test_a_rule_that_the_pack_does_not_have_is_listed_too(self) -> None:
        found = row("Rules", snapshot(edges=(edge("A", rules=("ZZ-99",)),)), "ZZ-99")
        assert found["Title"] == "not in the rule pack that this workbook was drawn with"
        assert found["Edges that cite it"] == 1

    def test_cited_rules_come_first(self) -> None:
        run = snapshot(edges=(edge("A", rules=("RP-01",)),))
        assert list(frame("Rules", run)["Rule"]) == ["RP-01", "LS-01", "LS-02"]

    def test_a_pack_with_a_rule_of_many_lines_is_shown_in_one(self) -> None:
        many = replace(rule("LS-09"), consequence="one\ntwo")
        table = tables(snapshot(), (many,))[-1].frame
        assert table[table["Rule"] == "LS-09"]["Then"].iloc[0] == "one two"


class TestCountsBySource:
    def test_every_instance_and_every_verdict_is_there_and_most_breaks_come_first(self) -> None:
        counts = counts_by_source(snapshot())
        assert list(counts.columns) == [kind.value for kind in VERDICTS]
        assert counts.index[0] == "sql01.corp.example"
        assert counts.loc["sql01.corp.example", "breaks"] == 2
        assert counts.loc["sql03.corp.example"].sum() == 0
        assert counts.to_numpy().sum() == len(snapshot().edges)

    def test_no_edges_make_a_table_of_zeros(self) -> None:
        counts = counts_by_source(snapshot(edges=()))
        assert counts.shape == (3, len(VerdictKind))
        assert counts.to_numpy().sum() == 0

    def test_a_source_that_the_plan_does_not_know_still_counts(self) -> None:
        assert "stranger" in counts_by_source(snapshot(edges=(edge("A", source="stranger"),))).index


class TestMoments:
    def test_a_zone_is_turned_into_utc(self) -> None:
        there = datetime(2026, 1, 1, 1, 30, 0, 999, tzinfo=timezone(timedelta(hours=2)))
        assert in_utc(there) == datetime(2025, 12, 31, 23, 30)

    @pytest.mark.parametrize(
        "moment",
        [
            datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
            datetime.max.replace(tzinfo=timezone(timedelta(hours=-12))),
            datetime(1899, 12, 31, tzinfo=UTC),
        ],
    )
    def test_what_excel_has_no_date_for_is_text(self, moment: datetime) -> None:
        assert in_utc(moment) == moment.isoformat()

    def test_no_moment_is_none(self) -> None:
        assert in_utc(None) is None


def test_every_text_is_visible_already() -> None:
    for table in tables(hostile(), RULES):
        for value in table.frame.to_numpy().ravel():
            if isinstance(value, str):
                assert all(character.isprintable() or character in "\n\xa0" for character in value)

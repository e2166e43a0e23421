"""What became of each edge, certificate and instance between two runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from assessor.clients.options import ConnectionOptions, Encrypt
from assessor.collect.inventory import EncryptionSettings, Gap, GapKind, Identity, Inventory
from assessor.compare import CertificateFate, Comparison, EdgeChange, EdgeFate, InstanceAspect, compare
from assessor.errors import UsageError
from assessor.judge.verdicts import VerdictKind
from assessor.probe.evidence import EncryptionAnswer, Endpoint, Evidence, FailureClass
from assessor.snapshot import AssessedEdge, AssessedEndpoint, PlannedInstance, Snapshot
from assessor.topology.edges import EdgeKind, ReplicationRole
from tests.snapshots_by_hand import NOON, UPGRADE, certificate, edge, endpoint, inventory, outcome, snapshot

V = VerdictKind
OLD_PRINT = "0123456789ABCDEF0123456789ABCDEF01234567"
NEW_PRINT = "F" * 40
ISSUED = certificate(
    subject="CN=sql02.corp.example",
    issuer="CN=Corp CA",
    names=("DNS:sql02.corp.example", "DNS:sql02"),
    thumbprint=NEW_PRINT,
    not_after=NOON + timedelta(days=700),
    is_fallback=False,
)


def plan(*addresses: str, wave: int | None = 1) -> tuple[PlannedInstance, ...]:
    return tuple(PlannedInstance(address, wave, "windows", "system", "validated") for address in addresses)


def run(
    *edges: AssessedEdge,
    addresses: tuple[str, ...] = ("sql01.corp.example", "sql02.corp.example"),
    inventories: tuple[Inventory, ...] | None = None,
    endpoints: tuple[AssessedEndpoint, ...] | None = None,
    days: int = 0,
) -> Snapshot:
    made = snapshot()
    return replace(
        made,
        run=replace(made.run, started=NOON + timedelta(days=days), finished=NOON + timedelta(days=days, minutes=4)),
        estate=replace(made.estate, instances=plan(*addresses)),
        inventories=inventories if inventories is not None else tuple(map(inventory, addresses)),
        endpoints=endpoints if endpoints is not None else (endpoint(),),
        edges=edges,
    )


def only(comparison: Comparison) -> EdgeChange:
    (change,) = comparison.edges
    return change


def fate(before: AssessedEdge, after: AssessedEdge) -> EdgeFate:
    return only(compare(run(before), run(after, days=1))).fate


def unreadable(address: str) -> Inventory:
    return Inventory(address, gaps=(Gap("connection", GapKind.UNREACHABLE, "no answer", "everything"),))


def silent(host: str = "sql02") -> AssessedEndpoint:
    return endpoint(
        host,
        certificates=(),
        findings=(),
        evidence=Evidence(Endpoint(host, 1433), "jump01", NOON, failure=FailureClass.TIMED_OUT),
    )


# ---------------------------------------------------------------- verdicts


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (V.BREAKS, V.WORKS, EdgeFate.FIXED),
        (V.FAILS_TODAY, V.WORKS, EdgeFate.FIXED),
        (V.EXPIRES, V.WORKS, EdgeFate.FIXED),
        (V.BREAKS, V.WORKS_INSECURELY, EdgeFate.FIXED),
        (V.BREAKS, V.NOT_AFFECTED, EdgeFate.FIXED),
        (V.BREAKS, V.BREAKS, EdgeFate.STILL_OPEN),
        (V.BREAKS, V.FAILS_TODAY, EdgeFate.STILL_OPEN),
        (V.FAILS_TODAY, V.BREAKS, EdgeFate.STILL_OPEN),
        (V.BREAKS, V.EXPIRES, EdgeFate.STILL_OPEN),
        (V.EXPIRES, V.EXPIRES, EdgeFate.STILL_OPEN),
        (V.EXPIRES, V.BREAKS, EdgeFate.REGRESSED),
        (V.WORKS, V.BREAKS, EdgeFate.REGRESSED),
        (V.WORKS, V.FAILS_TODAY, EdgeFate.REGRESSED),
        (V.WORKS, V.EXPIRES, EdgeFate.REGRESSED),
        (V.WORKS, V.WORKS_INSECURELY, EdgeFate.REGRESSED),
        (V.WORKS_INSECURELY, V.BREAKS, EdgeFate.REGRESSED),
        (V.NOT_AFFECTED, V.BREAKS, EdgeFate.REGRESSED),
        (V.WORKS_INSECURELY, V.WORKS, EdgeFate.CHANGED),
        (V.WORKS, V.NOT_AFFECTED, EdgeFate.CHANGED),
        (V.WORKS, V.WORKS, EdgeFate.UNCHANGED),
        (V.WORKS_INSECURELY, V.WORKS_INSECURELY, EdgeFate.UNCHANGED),
        (V.NOT_ASSESSED, V.WORKS, EdgeFate.FIRST_ASSESSED),
        (V.NOT_ASSESSED, V.BREAKS, EdgeFate.FIRST_ASSESSED),
        (V.NOT_ASSESSED, V.NOT_ASSESSED, EdgeFate.STILL_OPEN),
    ],
)
def test_each_pair_of_verdicts_has_one_fate(before: V, after: V, expected: EdgeFate) -> None:
    assert fate(edge("A", before), edge("A", after)) is expected


@pytest.mark.parametrize("before", [V.BREAKS, V.FAILS_TODAY, V.EXPIRES, V.WORKS, V.WORKS_INSECURELY, V.NOT_AFFECTED])
def test_an_edge_that_could_not_be_looked_at_is_not_seen_whatever_it_was(before: V) -> None:
    after = edge("A", V.NOT_ASSESSED)
    refused = Gap("trace_flags", GapKind.REFUSED, "denied", "whether 17600 is on", hides_edges=False)
    partly = (inventory("sql01.corp.example", gaps=(refused,)), inventory("sql02.corp.example"))
    for new in (
        run(after, endpoints=(silent(),), days=1),
        run(after, endpoints=(), days=1),
        run(after, endpoints=(endpoint(certificates=()),), days=1),
        run(after, inventories=partly, days=1),
        run(after, inventories=(unreadable("sql01.corp.example"),), days=1),
        run(replace(after, options=None), days=1),
    ):
        assert only(compare(run(edge("A", before)), new)).fate is EdgeFate.NOT_SEEN


def test_an_edge_that_was_looked_at_in_full_and_is_no_longer_certain_is_no_blind_spot() -> None:
    after = edge("A", V.NOT_ASSESSED, reasons=("The pages disagree.",))
    assert fate(edge("A", V.WORKS), after) is EdgeFate.REGRESSED
    assert fate(edge("A", V.BREAKS), after) is EdgeFate.STILL_OPEN


def test_a_failing_edge_that_is_merely_not_affected_without_evidence_is_not_fixed() -> None:
    blind = edge("A", V.NOT_AFFECTED, before=outcome(connects=None))
    assert fate(edge("A", V.FAILS_TODAY), blind) is EdgeFate.NOT_SEEN
    assert fate(edge("A", V.FAILS_TODAY), edge("A", V.NOT_AFFECTED, before=outcome(connects=True))) is EdgeFate.FIXED


def test_a_fix_without_validation_says_its_price() -> None:
    change = only(compare(run(edge("A")), run(edge("A", V.WORKS_INSECURELY), days=1)))
    assert "Nobody validates the certificate" in change.sentence


def test_every_edge_of_either_run_is_told_once() -> None:
    old = run(edge("A"), edge("B", V.WORKS), edge("GONE"))
    new = run(edge("A", V.WORKS), edge("B"), edge("NEW"), days=1)
    comparison = compare(old, new)
    assert sorted(change.edge.name for change in comparison.edges) == ["A", "B", "GONE", "NEW"]
    assert [change.fate for change in comparison.edges] == [
        EdgeFate.REGRESSED,
        EdgeFate.NEW,
        EdgeFate.FIXED,
        EdgeFate.GONE,
    ]
    assert {(each.before, each.after): each.edges for each in comparison.transitions} == {
        (V.BREAKS, V.WORKS): 1,
        (V.WORKS, V.BREAKS): 1,
        (None, V.BREAKS): 1,
        (V.BREAKS, None): 1,
    }


def test_a_run_compared_with_itself_has_nothing_new() -> None:
    comparison = compare(snapshot(), snapshot())
    assert {change.fate for change in comparison.edges} == {EdgeFate.UNCHANGED, EdgeFate.STILL_OPEN}
    assert comparison.instances == ()
    assert comparison.notes == ()


# ---------------------------------------------------------------- gone, or not seen


def test_an_edge_of_a_source_that_was_read_in_full_is_gone() -> None:
    assert only(compare(run(edge("A")), run(days=1))).fate is EdgeFate.GONE


def test_an_edge_of_a_source_that_could_not_be_read_is_not_seen() -> None:
    blind = run(inventories=(unreadable("sql01.corp.example"), inventory("sql02.corp.example")), days=1)
    comparison = compare(run(edge("A")), blind)
    assert only(comparison).fate is EdgeFate.NOT_SEEN
    assert "could not be read this time (no answer)" in only(comparison).sentence
    assert comparison.unread == ("sql01.corp.example",)


def test_an_edge_of_a_source_that_the_run_never_came_to_is_not_seen() -> None:
    assert only(compare(run(edge("A")), run(inventories=(), days=1))).fate is EdgeFate.NOT_SEEN


def test_an_edge_of_a_source_that_left_the_estate_file_is_not_seen() -> None:
    comparison = compare(run(edge("A")), run(addresses=("sql02.corp.example",), days=1))
    assert only(comparison).fate is EdgeFate.NOT_SEEN
    assert "no longer in the estate file" in only(comparison).sentence


@pytest.mark.parametrize("kind", [GapKind.REFUSED, GapKind.TIMED_OUT, GapKind.FAILED, GapKind.HIDDEN])
def test_an_edge_whose_query_was_refused_this_time_is_not_seen(kind: GapKind) -> None:
    gap = Gap("linked_servers", kind, "The SELECT permission was denied", "linked servers")
    partly = run(inventories=(inventory("sql01.corp.example", gaps=(gap,)), inventory("sql02.corp.example")), days=1)
    assert only(compare(run(edge("A")), partly)).fate is EdgeFate.NOT_SEEN


def test_a_gap_that_hides_no_edges_does_not_stop_an_edge_from_being_gone() -> None:
    gap = Gap("loaded_certificate", GapKind.REFUSED, "denied", "which certificate was loaded", hides_edges=False)
    partly = run(inventories=(inventory("sql01.corp.example", gaps=(gap,)), inventory("sql02.corp.example")), days=1)
    assert only(compare(run(edge("A")), partly)).fate is EdgeFate.GONE


def test_a_value_that_was_hidden_both_times_does_not_stop_an_edge_from_being_gone() -> None:
    gap = Gap("linked_servers", GapKind.HIDDEN, "provider_string is empty", "options")
    inventories = (inventory("sql01.corp.example", gaps=(gap,)), inventory("sql02.corp.example"))
    old, new = run(edge("A"), inventories=inventories), run(inventories=inventories, days=1)
    assert only(compare(old, new)).fate is EdgeFate.GONE


def replication(source: str, target: str, role: ReplicationRole) -> AssessedEdge:
    return edge(
        target,
        source=source,
        target=target,
        kind=EdgeKind.REPLICATION,
        role=role,
        id=f"replication:{source}:{role}:{target}",
    )


def test_a_replication_edge_is_not_gone_while_one_who_told_of_it_could_not_be_read() -> None:
    addresses = ("pub.corp.example", "dist.corp.example", "sub.corp.example", "other.corp.example")
    old = run(
        replication("dist.corp.example", "sub.corp.example", ReplicationRole.DISTRIBUTION_AGENT),
        replication("dist.corp.example", "pub.corp.example", ReplicationRole.LOG_READER_AGENT),
        addresses=addresses,
    )

    def fate_of_distribution(blind: str) -> EdgeFate:
        inventories = tuple(unreadable(each) if each == blind else inventory(each) for each in addresses)
        comparison = compare(old, run(addresses=addresses, inventories=inventories, days=1))
        return next(each for each in comparison.edges if each.edge.target == "sub.corp.example").fate

    assert fate_of_distribution("dist.corp.example") is EdgeFate.NOT_SEEN
    assert fate_of_distribution("sub.corp.example") is EdgeFate.NOT_SEEN
    assert fate_of_distribution("pub.corp.example") is EdgeFate.NOT_SEEN
    assert fate_of_distribution("other.corp.example") is EdgeFate.GONE


def test_a_new_edge_of_a_source_that_was_not_read_before_may_be_older() -> None:
    old = run(inventories=(unreadable("sql01.corp.example"), inventory("sql02.corp.example")))
    change = only(compare(old, run(edge("A"), days=1)))
    assert change.fate is EdgeFate.NEW
    assert "the definition may be older" in change.causes[0]


# ---------------------------------------------------------------- one server, however it is written


@pytest.mark.parametrize(
    "address",
    [
        "SQL01.Corp.Example",
        "sql01",
        "SQL01",
        "tcp:sql01.corp.example",
        "tcp:SQL01.corp.example,1433",
        "sql01.corp.example.",
        r"sql01.corp.example\MSSQLSERVER",
    ],
)
def test_a_server_written_differently_is_the_same_server(address: str) -> None:
    old = run(edge("A"))
    new = run(
        edge("a", V.WORKS, source=address),
        addresses=(address, "sql02.corp.example"),
        inventories=(replace(inventory("sql01.corp.example"), instance=address), inventory("sql02.corp.example")),
        days=1,
    )
    comparison = compare(old, new)
    assert only(comparison).fate is EdgeFate.FIXED
    assert [each.aspect for each in comparison.instances] == [InstanceAspect.ADDRESS]


def test_a_short_name_that_may_be_two_servers_is_neither() -> None:
    two = ("sql01.corp.example", "sql01.other.example")
    inventories = (
        inventory("sql01.corp.example"),
        inventory("sql01.other.example", identity=None),
    )
    old = run(edge("A"), addresses=two, inventories=inventories)
    new = run(edge("A", V.WORKS, source="sql01"), addresses=("sql01", "sql01.other.example"), inventories=(), days=1)
    assert {change.fate for change in compare(old, new).edges} == {EdgeFate.NOT_SEEN, EdgeFate.NEW}


def test_a_port_and_an_instance_name_are_one_server_when_the_instance_says_so() -> None:
    named = replace(
        inventory("sql01.corp.example"),
        instance=r"sql01.corp.example\PAY",
        identity=Identity(r"SQL01\PAY", None, "SQL01", None, "PAY", "15.0.4430.1", None, 3, "Windows", "corp.example"),
    )
    old = run(edge("A", source=r"sql01.corp.example\PAY"), addresses=(named.instance,), inventories=(named,))
    by_port = replace(named, instance="sql01.corp.example,50123")
    new = run(
        edge("A", V.WORKS, source=by_port.instance), addresses=(by_port.instance,), inventories=(by_port,), days=1
    )
    assert only(compare(old, new)).fate is EdgeFate.FIXED


def test_linked_servers_whose_names_differ_in_case_only_stay_two() -> None:
    old = run(edge("HR", V.WORKS), edge("hr", V.BREAKS))
    new = run(edge("hr", V.WORKS), edge("HR", V.BREAKS), days=1)
    fates = {change.edge.name: change.fate for change in compare(old, new).edges}
    assert fates == {"HR": EdgeFate.REGRESSED, "hr": EdgeFate.FIXED}


def test_a_renamed_linked_server_is_another_definition() -> None:
    assert {change.fate for change in compare(run(edge("A")), run(edge("B"), days=1)).edges} == {
        EdgeFate.GONE,
        EdgeFate.NEW,
    }


def test_a_replication_partner_named_by_its_full_name_is_the_same_edge() -> None:
    role = ReplicationRole.DISTRIBUTOR_LINK
    old = run(replication("sql01.corp.example", "SQL02", role))
    new = run(replication("sql01.corp.example", "sql02.corp.example", role), days=1)
    assert only(compare(old, new)).fate is EdgeFate.STILL_OPEN


# ---------------------------------------------------------------- certificates


def with_leaf(leaf: object, days: int = 0, **changes: object) -> Snapshot:
    return run(edge("A", V.WORKS), endpoints=(endpoint(certificates=(leaf,), **changes),), days=days)


def certificate_fate(before: object, after: object) -> CertificateFate:
    (change,) = compare(with_leaf(before), with_leaf(after, days=1)).certificates
    return change.fate


def test_a_certificate_of_the_same_names_and_issuer_that_lasts_longer_is_renewed() -> None:
    longer = replace(ISSUED, thumbprint="A" * 40, not_after=NOON + timedelta(days=900))
    assert certificate_fate(ISSUED, longer) is CertificateFate.RENEWED


def test_a_certificate_with_other_names_or_issuer_is_a_replacement() -> None:
    other = replace(ISSUED, thumbprint="A" * 40, not_after=NOON + timedelta(days=900))
    assert certificate_fate(ISSUED, replace(other, names=("DNS:sql02",))) is CertificateFate.REPLACED
    assert certificate_fate(ISSUED, replace(other, issuer="CN=Other CA")) is CertificateFate.REPLACED
    assert certificate_fate(certificate(), ISSUED) is CertificateFate.REPLACED


def test_a_certificate_that_ends_sooner_than_the_old_one_is_pointed_out() -> None:
    sooner = replace(ISSUED, thumbprint="A" * 40, not_after=NOON + timedelta(days=300))
    assert certificate_fate(ISSUED, sooner) is CertificateFate.SHORTER


def test_the_same_certificate_is_pointed_out_when_it_ends_within_the_horizon() -> None:
    soon = replace(ISSUED, not_after=NOON + timedelta(days=60))
    assert certificate_fate(soon, soon) is CertificateFate.ENDS_SOON
    assert certificate_fate(ISSUED, ISSUED) is CertificateFate.SAME


def test_a_fallback_certificate_made_anew_at_a_start_is_still_a_fallback() -> None:
    (change,) = compare(with_leaf(certificate()), with_leaf(certificate(thumbprint="A" * 40), days=1)).certificates
    assert change.fate is CertificateFate.RENEWED
    assert "makes for itself" in change.sentence


def test_an_endpoint_that_did_not_answer_has_no_certificate_to_compare() -> None:
    new = run(edge("A", V.NOT_ASSESSED), endpoints=(silent(),), days=1)
    (change,) = compare(with_leaf(ISSUED), new).certificates
    assert change.fate is CertificateFate.NOT_SEEN
    assert change.before == ISSUED
    assert "timed out" in change.sentence


def test_a_fixed_edge_names_the_thumbprint_before_and_after() -> None:
    old = run(edge("A"), endpoints=(endpoint(),))
    new = run(edge("A", V.WORKS), endpoints=(endpoint(certificates=(ISSUED,)),), days=1)
    change = only(compare(old, new))
    assert (change.thumbprint_before, change.thumbprint_after) == (OLD_PRINT, NEW_PRINT)
    assert OLD_PRINT in change.causes[0]
    assert NEW_PRINT in change.causes[0]


# ---------------------------------------------------------------- restart pending


def configured(thumbprint: str, **changes: object) -> Snapshot:
    settings = EncryptionSettings(force_encryption=False, configured_thumbprint=thumbprint)
    host = inventory("sql02.corp.example", encryption=replace(settings, **changes))  # type: ignore[arg-type]
    return run(edge("A"), inventories=(inventory("sql01.corp.example"), host), days=1)


def test_a_configured_certificate_that_is_not_presented_waits_for_a_restart() -> None:
    comparison = compare(run(edge("A")), configured(NEW_PRINT.lower()))
    (pending,) = comparison.restarts_pending
    assert pending.instance == "sql02.corp.example"
    assert (pending.configured, pending.in_use, pending.endpoint) == (NEW_PRINT, OLD_PRINT, "sql02,1433")
    assert only(comparison).restart_pending
    assert only(comparison).fate is EdgeFate.STILL_OPEN


def test_a_configured_certificate_that_is_presented_waits_for_nothing() -> None:
    assert compare(run(edge("A")), configured(OLD_PRINT)).restarts_pending == ()


def test_a_server_that_chooses_its_certificate_waits_for_nothing() -> None:
    assert compare(run(edge("A")), configured("")).restarts_pending == ()


def test_where_nothing_was_presented_the_error_log_tells() -> None:
    blind = replace(configured(NEW_PRINT, loaded_thumbprint=OLD_PRINT), endpoints=(silent(),))
    (pending,) = compare(run(edge("A")), blind).restarts_pending
    assert (pending.in_use, pending.endpoint) == (OLD_PRINT, None)


def test_another_certificate_on_the_wire_than_the_one_loaded_is_somebody_elses() -> None:
    assert compare(run(edge("A")), configured(NEW_PRINT, loaded_thumbprint=NEW_PRINT)).restarts_pending == ()


# ---------------------------------------------------------------- causes and instances


def test_the_causes_say_what_else_differs() -> None:
    old = run(edge("A"))
    answered = replace(endpoint().evidence, encryption=EncryptionAnswer.REQUIRED)
    new = run(
        edge(
            "A",
            V.FAILS_TODAY,
            data_source="sql02.corp.example",
            options=ConnectionOptions(encrypt=Encrypt.STRICT, has_text=True),
            provider="MSOLEDBSQL19",
            wave=2,
        ),
        endpoints=(endpoint(evidence=answered),),
        inventories=(
            inventory(
                "sql01.corp.example",
                identity=replace(inventory("sql01.corp.example").identity, product_version="17.0.1000.7"),  # type: ignore[type-var]
            ),
            inventory("sql02.corp.example"),
        ),
        days=1,
    )
    causes = " ".join(only(compare(old, new)).causes)
    for expected in (
        "encryption with 'off' then, and with 'required' now",
        "data source was 'sql02' and is 'sql02.corp.example'",
        "provider was 'SQLNCLI' and is 'MSOLEDBSQL19'",
        "encrypt not stated → strict",
        "upgraded from 15.0.4430.1 to 17.0.1000.7",
        "was in wave 1 and is in wave 2",
    ):
        assert expected in causes


def test_instances_tell_upgrades_builds_and_switches() -> None:
    before = inventory("sql01.corp.example")
    assert before.identity is not None
    after = replace(
        before,
        identity=replace(before.identity, product_version="17.0.1000.7"),
        encryption=replace(before.encryption, force_encryption=True),
    )
    old = run(addresses=("sql01.corp.example", "old.corp.example"), inventories=(before, inventory("old.corp.example")))
    new = run(addresses=("sql01.corp.example", "new.corp.example"), inventories=(after,), days=1)
    changes = {(each.instance, each.aspect): (each.before, each.after) for each in compare(old, new).instances}
    assert changes == {
        ("sql01.corp.example", InstanceAspect.UPGRADED): ("15.0.4430.1", "17.0.1000.7"),
        ("sql01.corp.example", InstanceAspect.FORCE_ENCRYPTION): ("off", "on"),
        ("new.corp.example", InstanceAspect.ADDED): ("", "new.corp.example"),
        ("old.corp.example", InstanceAspect.REMOVED): ("old.corp.example", ""),
    }


def test_a_setting_that_was_unknown_in_one_run_was_not_switched() -> None:
    unknown = inventory("sql01.corp.example", encryption=EncryptionSettings())
    old, new = run(inventories=(inventory("sql01.corp.example"),)), run(inventories=(unknown,), days=1)
    assert [each for each in compare(old, new).instances if each.instance == "sql01.corp.example"] == []


def test_notes_tell_what_differs_between_the_runs_themselves() -> None:
    old, new = run(edge("A")), run(edge("A"), days=1)
    new = replace(
        new,
        estate=replace(new.estate, name="Sales", upgrade_date=UPGRADE + timedelta(days=30)),
        run=replace(new.run, rules_version="2027-01-01", vantage="jump02", interrupted=True),
    )
    notes = " ".join(compare(old, new).notes)
    for expected in (
        "'Sales' now",
        "2027-01-19",
        "rules were those of 2026-11-23",
        "jump02",
        "newer run was interrupted",
    ):
        assert expected in notes


# ---------------------------------------------------------------- refusals


def test_snapshots_of_different_estates_are_refused_in_one_sentence() -> None:
    other = run(addresses=("else01.other.example",), days=1)
    with pytest.raises(
        UsageError, match=r"different estates, 'Sales & Billing' and 'Sales & Billing'.*no instance in common"
    ):
        compare(run(edge("A")), other)


def test_estates_of_different_names_that_share_an_instance_are_compared() -> None:
    new = run(edge("A", V.WORKS), days=1)
    assert only(compare(run(edge("A")), replace(new, estate=replace(new.estate, name="Wave 2")))).fate is EdgeFate.FIXED


def test_the_newer_snapshot_first_is_refused() -> None:
    with pytest.raises(UsageError, match="name the older snapshot first"):
        compare(run(edge("A"), days=1), run(edge("A")))


def test_a_pseudonymised_snapshot_is_not_compared_with_an_original() -> None:
    new = run(addresses=("host-1.example",), days=1)
    with pytest.raises(UsageError, match="pseudonyms"):
        compare(run(edge("A")), replace(new, run=replace(new.run, pseudonymised=True)))

"""Actions: each change once, ranked; secure before insecure, the smallest set before its alternatives."""

from __future__ import annotations

from dataclasses import replace

from snapshots_by_hand import HOSTILE, certificate_remedy, edge, endpoint, hostile, inventory, snapshot, trust_remedy

from assessor.clients.options import ConnectionOptions
from assessor.collect.inventory import Listener
from assessor.judge.verdicts import VerdictKind
from assessor.remedies.actions import Action, actions_for, breaking_without_action, plan_actions
from assessor.remedies.ladder import Change, Owner, Remedy, RemedyId
from assessor.snapshot import Snapshot


def certificate(target: str, **changes: object) -> Remedy:
    made = replace(certificate_remedy(target), owner=Owner.PKI, change=Change.CERTIFICATE, on=target)
    return replace(made, **changes)  # type: ignore[arg-type]


def root(source: str) -> Remedy:
    return Remedy(
        RemedyId.CERTIFICATE,
        f"Trust the CA CN=Root on {source}",
        "",
        is_secure=True,
        price="",
        owner=Owner.WINDOWS_ADMIN,
        change=Change.ROOT,
        on=source,
        subject="CN=Root",
    )


def trust(source: str, name: str) -> Remedy:
    return replace(trust_remedy(name), change=Change.TRUST, on=source, subject=name)


def chosen(run: Snapshot, *, secure_only: bool = False) -> list[Action]:
    return [action for action in plan_actions(run, secure_only=secure_only) if action.chosen]


def test_one_certificate_for_one_server_mends_many_edges() -> None:
    run = snapshot(
        edges=tuple(
            edge(name, source=source, target="sql02", remedies=(certificate("sql02"), trust(source, name)))
            for name, source in (("A", "sql01"), ("B", "sql03"), ("C", "sql04"))
        )
    )
    (action,) = chosen(run)
    assert (action.kind, action.on, action.unblocks, action.left) == (Change.CERTIFICATE, "sql02", 3, 0)
    assert set(action.edges) == {each.id for each in run.edges}


def test_the_same_title_on_two_sources_is_two_actions() -> None:
    run = snapshot(
        edges=(
            edge("HR", source="a", remedies=(trust("a", "HR"),)),
            edge("HR", source="b", remedies=(trust("b", "HR"),)),
        )
    )
    assert [action.on for action in chosen(run)] == ["a", "b"]


def test_an_id_is_made_of_what_is_changed_where_and_of_nothing_else() -> None:
    run = snapshot(edges=(edge("A", target="SQL02\\POS", remedies=(certificate("SQL02\\POS"),)),))
    later = snapshot(
        edges=(edge("A", target="sql02\\pos", remedies=(certificate("sql02\\pos", title="Other words"),)),)
    )
    assert [action.id for action in plan_actions(run)] == ["certificate:sql02%5cpos"]
    assert plan_actions(later)[0].id == plan_actions(run)[0].id


def test_an_insecure_change_is_chosen_only_where_no_secure_one_helps() -> None:
    wide = replace(trust_remedy("all"), change=Change.TRACE_FLAG, on="sql01")
    run = snapshot(
        edges=(
            edge("A", remedies=(wide, certificate("sql02"))),
            edge("B", remedies=(wide, certificate("sql03")), target="sql03", endpoint=None),
            edge("C", remedies=(wide,)),
        )
    )
    assert [(action.kind, action.is_secure) for action in chosen(run)] == [
        (Change.CERTIFICATE, True),
        (Change.CERTIFICATE, True),
        (Change.TRACE_FLAG, False),
    ]
    secure = plan_actions(run, secure_only=True)
    assert all(action.is_secure for action in secure)
    assert [each.name for each in breaking_without_action(run, secure)] == ["C"]


def test_what_later_choices_make_needless_is_taken_out() -> None:
    # Greedy takes "root" for two edges first; the two certificates that are needed anyway mend both of them.
    run = snapshot(
        edges=(
            edge("1", target="x", remedies=(root("sql01"), certificate("x"))),
            edge("2", target="y", endpoint=None, remedies=(root("sql01"), certificate("y"))),
            edge("3", target="x", source="s3", remedies=(certificate("x"),)),
            edge("4", target="y", source="s4", endpoint=None, remedies=(certificate("y"),)),
        )
    )
    assert {action.on for action in chosen(run)} == {"x", "y"}


def test_the_alternatives_of_an_edge_are_kept_after_the_chosen_one() -> None:
    run = snapshot(edges=(edge("A", remedies=(certificate("sql02"), root("sql01"), trust("sql01", "A"))),))
    actions = plan_actions(run)
    assert [(action.kind, action.chosen) for action in actions_for(run.edges[0].id, actions)] == [
        (Change.ROOT, True),
        (Change.CERTIFICATE, False),
        (Change.TRUST, False),
    ]


def test_the_wave_is_the_earliest_that_breaks_without_it() -> None:
    run = snapshot(
        edges=(
            edge("A", VerdictKind.EXPIRES, wave=1, remedies=(certificate("sql02"),)),
            edge("B", wave=3, remedies=(certificate("sql02"),)),
            edge("C", wave=2, remedies=(certificate("sql02"),)),
        )
    )
    (action,) = plan_actions(run)
    assert (action.wave, action.unblocks, len(action.edges)) == (2, 2, 3)


def test_what_works_insecurely_is_not_called_mended() -> None:
    run = snapshot(edges=(edge("A", VerdictKind.WORKS_INSECURELY, remedies=(certificate("sql02"),)),))
    (action,) = plan_actions(run)
    assert (action.chosen, action.edges, action.hardens) == (False, (), (run.edges[0].id,))
    assert not action.is_alternative


def test_a_certificate_carries_every_name_that_any_edge_dials() -> None:
    run = snapshot(
        edges=(
            edge("A", remedies=(certificate("sql02.corp.example"),), target="sql02.corp.example", data_source="sql02"),
            edge("B", VerdictKind.WORKS, target="sql02.corp.example", data_source="tcp:SQL02-ALIAS,1433"),
            edge("C", VerdictKind.WORKS, target="sql02.corp.example", data_source="10.0.0.2"),
            edge(
                "D",
                VerdictKind.WORKS,
                target="sql02.corp.example",
                data_source="sql02.",
                options=ConnectionOptions(host_name_in_certificate="payroll.corp.example"),
            ),
        )
    )
    names = plan_actions(run)[0].names
    assert names is not None
    assert names.san == ("payroll.corp.example", "sql02.corp.example", "sql02", "sql02-alias")
    assert names.addresses == ("10.0.0.2",)
    assert "sql02.corp.example" not in names.dialled, "but it is the server's own"


def test_a_listener_that_an_instance_serves_is_among_its_names() -> None:
    listener = endpoint("sales-lsnr", evidence=replace(endpoint().evidence, address="192.0.2.99", port=1433))
    served = inventory("sql02.corp.example", listeners=(Listener("192.0.2.99", 1433, "TSQL"),))
    run = snapshot(
        inventories=(inventory("sql01.corp.example"), served),
        endpoints=(endpoint(), listener),
        edges=(
            edge("A", target="sql02.corp.example", remedies=(certificate("sql02.corp.example"),)),
            edge("L", VerdictKind.WORKS, target="sales-lsnr", data_source="sales-lsnr", endpoint="sales-lsnr,1433"),
        ),
    )
    names = plan_actions(run)[0].names
    assert names is not None
    assert "sales-lsnr" in names.san


def test_two_names_of_one_endpoint_are_one_server() -> None:
    alias = endpoint("hr-alias")
    run = snapshot(
        endpoints=(endpoint(), alias),
        edges=(
            edge("A", target="sql02.corp.example", remedies=(certificate("sql02.corp.example"),)),
            edge(
                "B",
                target="hr-alias",
                data_source="hr-alias",
                endpoint="hr-alias,1433",
                remedies=(certificate("hr-alias"),),
            ),
        ),
    )
    (action,) = chosen(run)
    assert (action.on, action.unblocks) == ("sql02.corp.example", 2)
    assert action.names is not None
    assert {"sql02", "hr-alias"} <= set(action.names.san)


def test_a_failover_partner_of_a_definition_is_a_name_to_carry_too() -> None:
    partner = endpoint("sql03-ha", evidence=replace(endpoint("sql03-ha").evidence, address="192.0.2.3"))
    direct = endpoint("sql03", evidence=replace(endpoint("sql03").evidence, address="192.0.2.3"))
    run = snapshot(
        endpoints=(endpoint(), partner, direct),
        edges=(
            edge("A", VerdictKind.WORKS, target="sql03.corp.example", data_source="sql03", endpoint="sql03,1433"),
            edge("B", also_endpoints=("sql03-ha,1433",), remedies=(certificate("sql03-ha"),)),
        ),
    )
    (action,) = plan_actions(run)
    assert action.on == "sql03.corp.example"
    assert action.names is not None
    assert {"sql03-ha", "sql03"} <= set(action.names.san)


def test_an_edge_to_two_servers_needs_both_certificates() -> None:
    both = (certificate("sql02"), certificate("sql03"), trust("sql01.corp.example", "A"))
    run = snapshot(edges=(edge("A", endpoint=None, remedies=both),))
    made = plan_actions(run)
    assert [(action.on, action.chosen, action.left) for action in made if action.kind is Change.CERTIFICATE] == [
        ("sql02", True, 1),
        ("sql03", True, 0),
    ]
    assert [action.chosen for action in made if action.kind is Change.TRUST] == [False]


def test_a_target_that_is_no_data_source_is_named_by_its_endpoint() -> None:
    run = snapshot(edges=(edge("A", data_source="sqlserver://sql02/", remedies=(certificate("sql02"),)),))
    names = plan_actions(run)[0].names
    assert names is not None
    assert names.dialled == ("sql02",)


def test_a_hostile_name_never_gets_into_a_certificate() -> None:
    run = hostile()
    edges = tuple(replace(each, remedies=(certificate(each.target),)) for each in run.edges)
    for action in plan_actions(replace(run, edges=edges)):
        assert action.names is not None
        for name in action.names.san:
            assert name not in HOSTILE or name.isalnum()
            assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_.")


def test_every_action_says_how_to_verify_and_to_undo_it() -> None:
    for kind in Change:
        remedy = replace(certificate("sql02"), change=kind, subject="x")
        (action,) = plan_actions(snapshot(edges=(edge("A", remedies=(remedy,)),)))
        assert action.verify
        assert action.undo

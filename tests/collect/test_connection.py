"""Our own connection, made by Microsoft's driver to servers of the lab: real TLS, real logins, real errors."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from assessor.clients.options import Encrypt
from assessor.collect import connection as module
from assessor.collect.collector import collect_all
from assessor.collect.connection import DialledServer, connect, connection_string, dialled_server
from assessor.collect.driver import Driver, bundled_driver
from assessor.collect.inventory import GapKind, Inventory
from assessor.collect.queries import Query, load_queries
from assessor.estate import ConnectionPolicy, Estate, EstateInstance, Login, LoginMethod
from assessor.lab.behaviour import Behaviour, Drops, Encryption, Hangs, Refused, Reply, Rows
from assessor.lab.canned import CannedAnswers, columns_of
from assessor.lab.certificates import CertificateShop, Description
from assessor.lab.server import ServerLoop, TdsServer
from assessor.lab.wire import ServerMessage
from assessor.names import parse_data_source
from assessor.passwords import EnvironmentVariable, Password
from assessor.probe.evidence import FailureClass
from assessor.probe.wire import ProbeError
from assessor.routes import Routes

from .scripted import healthy

HOST = "sql01.corp.example"
QUERIES = {query.name: query for query in load_queries()}
PASSWORD = "Pä;$$}w{ö €='\""


@pytest.fixture(scope="module")
def shop() -> CertificateShop:
    return CertificateShop(
        {"root": Description("root", "Test Root CA", valid_days=(-365, 3650), key="ec-p256")},
        {
            "good": Description("good", HOST, "root", dns=(HOST,)),
            "other": Description("other", "other.example", "root", dns=("other.example",)),
        },
    )


@pytest.fixture(scope="module")
def root(shop: CertificateShop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("trust") / "root.pem"
    file.write_text(shop.authorities["root"].pem)
    return file


@pytest.fixture(scope="module")
def driver() -> Driver:
    path = bundled_driver()
    if path is None:
        pytest.skip("no ODBC Driver 18 for this machine")
    return Driver(str(path), "a test")


@pytest.fixture(scope="module")
def loop() -> Iterator[ServerLoop]:
    with ServerLoop() as running:
        yield running


@pytest.fixture
def serve(loop: ServerLoop) -> Iterator[Callable[[Behaviour], TdsServer]]:
    servers: list[TdsServer] = []

    def start(behaviour: Behaviour) -> TdsServer:
        servers.append(TdsServer(behaviour, loop=loop))
        servers[-1].start()
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def rows(query: Query, values: object) -> Rows:
    assert isinstance(values, list)
    names = [column.name for column in query.returns]
    return Rows(columns_of(query), tuple(tuple(row.get(name) for name in names) for row in values))


def canned(**changes: Reply) -> CannedAnswers:
    replies: dict[tuple[str, str | None], Reply] = {
        (name, None): rows(QUERIES[name], values) for name, values in healthy().items()
    }
    replies.update({(name, None): reply for name, reply in changes.items()})
    return CannedAnswers(QUERIES, ("master",), replies)


def behaviour(shop: CertificateShop, certificate: str = "good", **changes: Reply) -> Behaviour:
    return Behaviour(shop.credentials(certificate), accounts={"inventory": PASSWORD}, answers=canned(**changes))


def instance(policy: ConnectionPolicy | None = None) -> EstateInstance:
    return EstateInstance(
        HOST,
        parse_data_source(HOST),
        login=Login(LoginMethod.SQL, "inventory", password=EnvironmentVariable("ASSESSOR_TEST_PASSWORD")),
        connection=policy or ConnectionPolicy(login_timeout_seconds=5, query_timeout_seconds=5),
    )


def collect(server: TdsServer, driver: Driver, root: Path | None, policy: ConnectionPolicy | None = None) -> Inventory:
    routes = Routes.parse({f"{HOST}:1433": f"127.0.0.1:{server.port}"})
    plan = Estate("Test", date(2027, 1, 1), (instance(policy),), connect_trust_store=root, routes=routes)
    (inventory,) = collect_all(plan, driver, threading.Event())
    return inventory


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSESSOR_TEST_PASSWORD", PASSWORD)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)


Serve = Callable[[Behaviour], TdsServer]


def test_an_instance_is_collected_over_a_validated_connection(
    serve: Serve, shop: CertificateShop, driver: Driver, root: Path
) -> None:
    server = serve(behaviour(shop))
    inventory = collect(server, driver, root)
    assert inventory.gaps == ()
    assert inventory.identity is not None
    assert inventory.connection_validated is True
    (seen,) = server.seen
    assert seen.encrypted
    assert seen.login == "inventory"
    assert all(batch.startswith("-- assessor: ") for batch in seen.batches if "assessor" in batch)


def test_strict_encryption_is_spoken_when_asked_for(
    serve: Serve, shop: CertificateShop, driver: Driver, root: Path
) -> None:
    server = serve(replace(behaviour(shop), force_strict=True))
    policy = ConnectionPolicy(encrypt=Encrypt.STRICT, login_timeout_seconds=5)
    assert collect(server, driver, root, policy).identity is not None
    assert server.seen[-1].strict


@pytest.mark.parametrize("certificate", ["good", "other"])
def test_a_certificate_that_is_not_trusted_or_not_the_hosts_is_told_with_the_mend(
    serve: Serve, shop: CertificateShop, driver: Driver, root: Path, certificate: str
) -> None:
    server = serve(behaviour(shop, certificate))
    inventory = collect(server, driver, root if certificate == "other" else None)
    (gap,) = inventory.gaps
    assert (inventory.identity, gap.query, gap.kind) == (None, "connection", GapKind.UNREACHABLE)
    assert "connect_trust_store" in gap.message
    assert not any(seen.logged_in for seen in server.seen)


def test_validation_can_be_given_up_for_one_instance_and_the_inventory_says_so(
    serve: Serve, shop: CertificateShop, driver: Driver
) -> None:
    policy = ConnectionPolicy(validate=False, login_timeout_seconds=5)
    inventory = collect(serve(behaviour(shop, "other")), driver, None, policy)
    assert inventory.identity is not None
    assert inventory.connection_validated is False


def test_another_name_may_be_expected_in_the_certificate(
    serve: Serve, shop: CertificateShop, driver: Driver, root: Path
) -> None:
    policy = ConnectionPolicy(host_name_in_certificate="other.example", login_timeout_seconds=5)
    inventory = collect(serve(behaviour(shop, "other")), driver, root, policy)
    assert inventory.identity is not None


def test_optional_encryption_works_without_any_and_is_not_called_validated(
    serve: Serve, driver: Driver, shop: CertificateShop
) -> None:
    plain = replace(behaviour(shop), credentials=None, encryption=Encryption.NOT_SUPPORTED, tds8=False)
    policy = ConnectionPolicy(encrypt=Encrypt.OPTIONAL, login_timeout_seconds=5)
    inventory = collect(serve(plain), driver, None, policy)
    assert inventory.identity is not None
    assert inventory.connection_validated is False


def test_a_refused_login_is_told_as_one(
    serve: Serve, shop: CertificateShop, driver: Driver, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSESSOR_TEST_PASSWORD", "hunter2")
    (gap,) = collect(serve(behaviour(shop)), driver, root).gaps
    assert gap.kind is GapKind.LOGIN_FAILED
    assert gap.message == "Msg 18456: Login failed for user 'inventory'."


def test_refusals_come_with_the_servers_own_number(
    serve: Serve, shop: CertificateShop, driver: Driver, root: Path
) -> None:
    refused = Refused((ServerMessage(300, "VIEW SERVER STATE permission was denied."), ServerMessage(297, "No.")))
    denied = Refused((ServerMessage(229, "Berechtigung verweigert – für „x“."),))
    inventory = collect(serve(behaviour(shop, listeners=refused, databases=denied)), driver, root)
    kinds = {gap.query: (gap.kind, gap.message) for gap in inventory.gaps}
    assert kinds == {
        "listeners": (GapKind.REFUSED, "Msg 300: VIEW SERVER STATE permission was denied."),
        "databases": (GapKind.REFUSED, "Msg 229: Berechtigung verweigert – für „x“."),
    }


def test_a_query_that_is_never_answered_times_out_and_the_others_go_on(
    serve: Serve, shop: CertificateShop, driver: Driver, root: Path
) -> None:
    policy = ConnectionPolicy(login_timeout_seconds=5, query_timeout_seconds=1)
    inventory = collect(serve(behaviour(shop, linked_servers=Hangs())), driver, root, policy)
    assert [(gap.query, gap.kind) for gap in inventory.gaps] == [("linked_servers", GapKind.TIMED_OUT)]
    assert inventory.trace_flags


def test_a_query_that_cuts_the_connection_costs_only_itself(
    serve: Serve, shop: CertificateShop, driver: Driver, root: Path
) -> None:
    server = serve(behaviour(shop, trace_flags=Drops()))
    inventory = collect(server, driver, root)
    assert [(gap.query, gap.kind) for gap in inventory.gaps] == [("trace_flags", GapKind.FAILED)]
    assert sum(seen.logged_in for seen in server.seen) == 3


def test_an_answer_without_end_is_cut_off(
    serve: Serve, shop: CertificateShop, driver: Driver, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MAX_ROWS", 400)
    many = rows(QUERIES["linked_servers"], [{"name": f"L{number}", "sees_all": 1} for number in range(2000)])
    inventory = collect(serve(behaviour(shop, linked_servers=many)), driver, root)
    (gap,) = inventory.gaps
    assert gap.query == "linked_servers"
    assert "larger than the query can have asked for" in gap.message


def test_a_closed_port_is_out_of_reach(serve: Serve, shop: CertificateShop, driver: Driver, root: Path) -> None:
    server = serve(behaviour(shop))
    server.close()
    (gap,) = collect(server, driver, root, ConnectionPolicy(login_timeout_seconds=1)).gaps
    assert gap.kind is GapKind.UNREACHABLE


# --- the connection string ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def logins(loop: ServerLoop, shop: CertificateShop) -> Iterator[TdsServer]:
    with TdsServer(Behaviour(shop.credentials("good")), loop=loop) as server:
        yield server


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    user=st.text(st.characters(codec="utf-16", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12),
    password=st.text(
        st.sampled_from("{}[];='\"\\$ %@#,()*?!~ aé€") | st.characters(codec="utf-16", exclude_categories=["Cs", "Cc"]),
        min_size=1,
        max_size=20,
    ),
)
@example(user="a", password="}")
@example(user="a", password="}}")
@example(user="a", password="{")
@example(user="a", password="};PWD=x")
@example(user="x;UID=sa", password="};TrustServerCertificate=no;")
@example(user="{a}", password=" b ")
def test_every_user_name_and_password_arrives_as_it_is(
    logins: TdsServer, shop: CertificateShop, driver: Driver, user: str, password: str
) -> None:
    logins.behaviour = replace(logins.behaviour, accounts={user: password})
    target = replace(
        instance(ConnectionPolicy(validate=False, login_timeout_seconds=5)),
        login=Login(LoginMethod.SQL, user, password=EnvironmentVariable("X")),
    )
    routes = Routes.parse({f"{HOST}:1433": f"127.0.0.1:{logins.port}"})
    connect(target, driver, routes, Password(password)).close()
    assert logins.seen[-1].login == user


def test_the_connection_string_says_only_what_the_policy_says(driver: Driver) -> None:
    def text(policy: ConnectionPolicy, login: Login | None = None) -> str:
        target = replace(instance(policy), login=login or Login())
        return connection_string(target, Driver("D", ""), DialledServer("SQL01"), None).reveal()

    assert text(ConnectionPolicy()) == (
        "DRIVER={D};SERVER={SQL01};APP={assessor};Encrypt={yes};TrustServerCertificate={no};"
        "ConnectRetryCount={0};Trusted_Connection={yes}"
    )
    assert "Encrypt={strict}" in text(ConnectionPolicy(encrypt=Encrypt.STRICT))
    assert "Trust" not in text(ConnectionPolicy(encrypt=Encrypt.STRICT)).replace("Trusted_Connection", "")
    assert "TrustServerCertificate={yes}" in text(ConnectionPolicy(validate=False))
    entra = Login(LoginMethod.ENTRA, authentication="ActiveDirectoryMSI")
    assert text(ConnectionPolicy(), entra).endswith("Authentication={ActiveDirectoryMSI}")


def test_the_connection_string_is_as_secret_as_the_password_in_it() -> None:
    shown = repr(connection_string(instance(), Driver("D", ""), DialledServer("SQL01"), Password("hunter2")))
    assert "hunter2" not in shown


@pytest.mark.parametrize(
    ("address", "server", "name"),
    [
        ("sql01", "tcp:10.0.0.5,1433", "sql01"),
        ("SQL01,1500", "tcp:10.0.0.5,15000", "SQL01"),
        ("tcp:sql01,1433", "tcp:10.0.0.5,1433", "sql01"),
        ("sql02\\SALES", "sql02\\SALES", None),
        ("sql03", "tcp:sql03,1433", None),
        (".", "localhost", None),
    ],
)
def test_a_route_changes_what_is_dialled_and_not_the_name_that_is_checked(
    address: str, server: str, name: str | None
) -> None:
    routes = Routes.parse({"sql01": "10.0.0.5", "sql01:1500": "10.0.0.5:15000", "sql03:1500": "10.0.0.6"})
    target = EstateInstance(address, parse_data_source(address))
    assert dialled_server(target, routes) == DialledServer(server, name)


def test_a_routed_named_instance_is_looked_up_with_browser_at_the_routes_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "find_port", lambda host, name, settings: 50_001)
    routes = Routes.parse({"sql01": "10.0.0.5"})
    target = EstateInstance("sql01\\SALES", parse_data_source("sql01\\SALES"))
    assert dialled_server(target, routes) == DialledServer("tcp:10.0.0.5,50001", "sql01")


def test_a_silent_browser_leaves_the_instance_out_of_reach(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_: object) -> int:
        raise ProbeError(FailureClass.BROWSER_SILENT, "no answer from SQL Browser")

    monkeypatch.setattr(module, "find_port", silent)
    target = EstateInstance("sql01\\SALES", parse_data_source("sql01\\SALES"))
    plan = Estate("T", date(2027, 1, 1), (target,), routes=Routes.parse({"sql01": "127.0.0.1"}))
    ((inventory),) = collect_all(plan, driver, threading.Event())
    (gap,) = inventory.gaps
    assert gap.kind is GapKind.UNREACHABLE
    assert "no answer from SQL Browser" in gap.message

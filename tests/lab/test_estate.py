"""The lab as a whole: a folder of data becomes servers that clients can't tell from real ones."""

from __future__ import annotations

import datetime
import errno
import socket
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pyodbc
import pytest

from assessor.collect.queries import load_queries
from assessor.errors import AssessorError, UsageError
from assessor.lab.estate import Lab
from assessor.lab.server import bind
from assessor.routes import Routes
from assessor.shipped import sample_data_dir
from tests.lab.conftest import connection_string, dial_elsewhere

CERTIFICATES = """
upgrade_in_days = 30
[authorities.root]
cn = "Lab Root"
[authorities.issuing]
cn = "Lab Issuing"
issuer = "root"
[certificates.pay01]
issuer = "issuing"
cn = "pay01.lab.test"
dns = ["pay01.lab.test"]
"""
ESTATE = """
name = "Lab"
upgrade_date = 2001-01-01  # the lab sets it
"""
PAY01_MAJOR = 13
PAY01 = """
host = "pay01.lab.test"
names = ["pay01", "payroll"]
version = "13.0.6435.1"
databases = ["Payroll", "Odd]Name"]
conceals = ["linked_servers.provider_string"]
hangs = ["startup_parameters"]
drops = ["client_flags"]

[[rows.linked_servers]]
name = "HR"
provider = "SQLNCLI11"
data_source = 'pay01\\HR on ${short}'
provider_string = "Encrypt=yes"
modify_date = 2019-03-01T10:00:00

[[rows.publications.Payroll]]
name = "Payroll to HQ"
repl_freq = 0

[refuse.publications."Odd]Name"]
number = 916
message = "The server principal is not able to access the database."

[[refuse.listeners]]
number = 300
message = "VIEW SERVER STATE permission was denied on object 'server', database 'master'."
[[refuse.listeners]]
number = 297
message = "The user does not have permission to perform this action."
severity = 16
"""
HR = """
host = "pay01.lab.test"
names = ["pay01", "payroll"]
instance = "HR"
port = 49301
version = "16.0.4175.1"
certificate = "pay01"
encryption = "forced"
logins = ["somebody_else"]
"""
SECRET = """
host = "pay01.lab.test"
names = []
instance = "SECRET"
port = 49302
hidden = true
"""
DEAD = """
host = "dead.lab.test"
state = "off"
"""

Query = Callable[..., list[pyodbc.Row]]


def write(folder: Path, **instances: str) -> Path:
    (folder / "instances").mkdir(parents=True)
    (folder / "certificates.toml").write_text(CERTIFICATES)
    (folder / "estate.toml").write_text(ESTATE)
    for name, text in instances.items():
        (folder / "instances" / f"{name}.toml").write_text(text)
    return folder


@pytest.fixture(params=[False, True], ids=["own addresses", "single address"])
def lab(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lab]:
    data = write(tmp_path / "data", PAY01=PAY01, HR=HR, SECRET=SECRET, DEAD=DEAD)
    with Lab(data, tmp_path / "work", single_address=request.param) as running:
        yield running


@pytest.fixture
def ask(lab: Lab, driver: Path) -> Iterator[Query]:
    address, port = lab.place_of("PAY01")
    text = connection_string(
        driver, f"tcp:{address},{port}", PWD=lab.passwords["assessor"], TrustServerCertificate="yes"
    )
    connection = pyodbc.connect(text, timeout=5, autocommit=True)
    texts = {query.name: query for query in load_queries() if PAY01_MAJOR in query.versions}

    def run(name: str, database: str | None = None) -> list[pyodbc.Row]:
        return connection.execute(texts[name].render(database)).fetchall()

    yield run
    connection.close()


def test_routes_lead_every_name_to_its_server(lab: Lab) -> None:
    routes = Routes.parse(tomllib.loads(lab.estate_file.read_text())["routes"])
    for name in ("pay01.lab.test", "PAY01", "payroll"):
        assert routes.to(name, 1433) == lab.place_of("PAY01")
        assert routes.to(name, 49301) == lab.place_of("HR")
    assert routes.has("pay01", 1434)


def test_the_estate_file_gets_an_upgrade_date_that_does_not_age(lab: Lab) -> None:
    estate = tomllib.loads(lab.estate_file.read_text())
    today = datetime.datetime.now(datetime.UTC).date()
    assert estate["upgrade_date"] - today in (datetime.timedelta(days=29), datetime.timedelta(days=30))
    assert estate["name"] == "Lab"


def test_trust_stores_pins_and_passwords_lie_beside_the_estate_file(lab: Lab) -> None:
    folder = lab.estate_file.parent
    assert lab.trust_stores["root"] == folder / "trust" / "root.pem"
    assert "BEGIN CERTIFICATE" in lab.certificate_files["pay01"].read_text()
    password = folder / "passwords" / "assessor.txt"
    assert password.read_text() == lab.passwords["assessor"]
    assert password.stat().st_mode & 0o077 == 0


def test_given_rows_come_back_with_defaults_placeholders_and_hidden_columns(ask: Query) -> None:
    (row,) = ask("linked_servers")
    assert (row.name, row.provider, row.product) == ("HR", "SQLNCLI11", "")
    assert row.data_source == r"pay01\HR on pay01"
    assert row.provider_string is None
    assert (row.is_linked, row.is_publisher, row.catalog) == (True, False, None)
    assert row.modify_date == datetime.datetime(2019, 3, 1, 10, 0)


def test_a_database_query_is_answered_by_its_database(ask: Query) -> None:
    (row,) = ask("publications", "Payroll")
    assert row.name == "Payroll to HQ"
    assert ask("publications", "msdb") == []
    # The driver gives 916 the state 08004, so pyodbc takes it for a failed connection. It is none.
    with pytest.raises(pyodbc.OperationalError, match=r"\(916\)"):
        ask("publications", "Odd]Name")
    assert ask("publications", "msdb") == []


def test_rows_that_follow_from_the_file_are_derived(ask: Query) -> None:
    (identity,) = ask("identity")
    assert (identity.server_name, identity.machine_name) == ("PAY01", "PAY01")
    assert (identity.product_version, identity.instance_name) == ("13.0.6435.1", None)
    settings = {row.value_name: row.value_data for row in ask("network_settings")}
    assert (settings["ForceEncryption"], settings["Certificate"]) == ("0", "")
    assert ask("loaded_certificate") == []
    (line,) = ask("self_generated_certificate")
    assert "self-generated certificate" in line.Text
    assert [row.name for row in ask("databases")][-2:] == ["Payroll", "Odd]Name"]


def test_every_bundled_query_that_fits_has_an_answer_with_its_columns(ask: Query) -> None:
    for query in load_queries():
        if query.name in ("listeners", "startup_parameters", "client_flags") or PAY01_MAJOR not in query.versions:
            continue
        rows = ask(query.name, "msdb" if query.scope == "database" else None)
        for row in rows:
            assert [column[0] for column in row.cursor_description] == [c.name for c in query.returns]


def test_a_refusal_sends_all_its_messages(ask: Query) -> None:
    with pytest.raises(pyodbc.ProgrammingError, match=r"\(300\)"):
        ask("listeners")


def test_a_dropped_query_costs_the_connection(ask: Query) -> None:
    with pytest.raises(pyodbc.OperationalError):
        ask("client_flags")


def test_a_login_that_is_not_listed_is_refused(lab: Lab, driver: Path) -> None:
    address, port = lab.place_of("HR")
    text = connection_string(
        driver, f"tcp:{address},{port}", PWD=lab.passwords["assessor"], TrustServerCertificate="yes"
    )
    with pytest.raises(pyodbc.InterfaceError, match="18456"):
        pyodbc.connect(text, timeout=5)


def test_a_named_certificate_is_trusted_by_who_trusts_its_root(lab: Lab, driver: Path) -> None:
    address, port = lab.place_of("HR")
    text = connection_string(
        driver,
        f"tcp:{address},{port}",
        UID="somebody_else",
        PWD=lab.passwords["somebody_else"],
        HostNameInCertificate="pay01.lab.test",
    )
    assert dial_elsewhere(text, SSL_CERT_FILE=str(lab.trust_stores["root"])) == "connected"


def test_a_server_that_is_off_refuses_connections(lab: Lab) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(lab.place_of("DEAD"), timeout=2).close()


def test_browser_names_what_does_not_hide(lab: Lab) -> None:
    place = Routes.parse(lab.routes).to("payroll", 1434)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(2)
        client.sendto(b"\x03", place)
        reply = client.recv(65_536)[3:].decode()
    assert "InstanceName;MSSQLSERVER;" in reply
    assert "InstanceName;HR;IsClustered;No;Version;16.0.4175.1;tcp;49301;;" in reply
    assert "SECRET" not in reply
    assert "dead.lab.test" not in lab.browsers


def test_two_labs_run_side_by_side_and_give_everything_back(tmp_path: Path) -> None:
    data = write(tmp_path / "data", PAY01=PAY01)
    with Lab(data, tmp_path / "one") as one, Lab(data, tmp_path / "two") as two:
        assert one.place_of("PAY01") != two.place_of("PAY01")
        places = [one.place_of("PAY01"), two.place_of("PAY01")]
        for place in places:
            socket.create_connection(place, timeout=2).close()
    for place in places:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(place, timeout=2).close()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", r"BAD.toml: host: Field required"),
        ('host = "x"\nhosts = "x"', r"BAD.toml: hosts: no such key; at this place known are: host, names"),
        ('host = "x"\nversion = "16"', r"write four parts"),
        ('host = "x"\ninstance = "HR"', r"a named instance needs its port"),
        ('host = "x"\ntls = ["1.2", "1.0"]', r"the lowest version comes first"),
        ('host = "x"\nforce_strict = true', r"force_strict needs TDS 8.0"),
        ('host = "x"\ncertificate = "gone"', r"BAD.toml: certificate 'gone' is not described; known are: pay01"),
        ('host = "x"\n[[rows.nonsense]]\na = 1', r"no bundled query 'nonsense' fits this version"),
        ('host = "x"\n[[rows.linked_servers]]\nnmae = "y"', r"rows.linked_servers row 1: no column 'nmae'"),
        ('host = "x"\n[[rows.linked_servers]]\nname = 7', r"row 1: name: 7 is no nvarchar\(128\)"),
        ('host = "x"\n[[rows.linked_servers]]\nname = "${nme}"', r"unknown placeholder"),
        ('host = "x"\n[[rows.publications]]\nname = "y"', r"asked per database"),
        ('host = "x"\n[[rows.publications.Gone]]\nname = "y"', r"'Gone' is not among databases"),
        ('host = "x"\nhangs = ["nonsense"]', r"no bundled query 'nonsense'"),
        ('host = "x"\nconceals = ["linked_servers.x"]', r"names no column"),
        ('host = "x"\n[refuse.identity]\nmessage = "no"', r"refuse.identity: number: Field required"),
        ('host = "x"\n[change.linked_servers]\nname = "y"', r"change only rows the lab derives"),
        ('host = "x', r"not valid TOML"),
    ],
)
def test_a_bad_file_is_one_sentence_with_file_and_mend(tmp_path: Path, text: str, complaint: str) -> None:
    data = write(tmp_path / "data", BAD=text)
    with pytest.raises(UsageError, match=complaint), Lab(data, tmp_path / "work"):
        pass


def test_the_demo_estate_starts(tmp_path: Path) -> None:
    with Lab(sample_data_dir(), tmp_path) as lab:
        assert len(lab.instances) >= 10
        assert "routes" in tomllib.loads(lab.estate_file.read_text())


def test_a_machine_without_any_loopback_port_is_told_so_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(kind: socket.SocketKind, address: str, port: int) -> socket.socket:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("assessor.lab.server.bind", refuse)
    data = write(tmp_path / "data", PAY01=PAY01)
    with (
        pytest.raises(AssessorError, match=r"can't listen on loopback: Permission denied.*127\.0\.0\.1"),
        Lab(data, tmp_path / "work"),
    ):
        pass


def test_a_machine_with_only_one_loopback_address_gets_free_ports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bind_like_macos(kind: socket.SocketKind, address: str, port: int) -> socket.socket:
        if address != "127.0.0.1":
            raise OSError(errno.EADDRNOTAVAIL, "Can't assign requested address")
        return bind(kind, address, port)

    monkeypatch.setattr("assessor.lab.server.bind", bind_like_macos)
    data = write(tmp_path / "data", PAY01=PAY01)
    with Lab(data, tmp_path / "work") as lab:
        address, port = lab.place_of("PAY01")
        assert address == "127.0.0.1"
        assert lab.routes["payroll:1433"] == f"127.0.0.1:{port}"
        socket.create_connection((address, port), timeout=2).close()


def test_an_estate_file_with_routes_of_its_own_is_refused(tmp_path: Path) -> None:
    data = write(tmp_path / "data", PAY01=PAY01)
    (data / "estate.toml").write_text(ESTATE + '[routes]\n"pay01" = "10.0.0.1"\n')
    with pytest.raises(UsageError, match=r"leave \[routes\] out"), Lab(data, tmp_path / "work"):
        pass

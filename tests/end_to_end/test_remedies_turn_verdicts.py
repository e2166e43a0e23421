"""Each remedy keeps its promise: the lab's definitions are changed as the written scripts would, and assessed again."""

from __future__ import annotations

import base64
import json
import re
import threading
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from assessor import assessment
from assessor.collect.driver import find_driver
from assessor.estate import load_estate
from assessor.judge.verdicts import VerdictKind
from assessor.lab.estate import Lab
from assessor.probe.settings import ProbeSettings
from assessor.remedies.actions import plan_actions
from assessor.remedies.folder import RemedyFile, remedy_files
from assessor.remedies.ladder import Change
from assessor.snapshot import AssessedEdge, Snapshot
from tests.remedies.tsql_effect import Instance, Row, Stopped, run

HOSTILE = "O'Brien ]];$(x)\nGO\n--"
SECRET = "Canary-Sandpiper-3390"

ESTATE = """
name = "Remedies"
upgrade_date = 2027-01-22

[defaults]
trust_store = "trust/corp-root.pem"
login = { method = "sql", user = "assessor", password = { file = "passwords/assessor.txt" } }
connection = { validate = false, login_timeout_seconds = 5 }

[[instances]]
address = "pay01.corp.example"
wave = 1

[[instances]]
address = "pub01.corp.example"
upgrade = false

[[instances]]
address = "pub02.corp.example"
upgrade = false
"""

CERTIFICATES = """
upgrade_in_days = 60

[authorities.corp-root]
cn = "Contoso Root CA"

[certificates.hr01]
issuer = "corp-root"
cn = "hr01.corp.example"
dns = ["hr01.corp.example"]

[certificates.self01]
cn = "self01.corp.example"
dns = ["self01.corp.example"]

[certificates.dist02]
issuer = "corp-root"
cn = "dist02.corp.example"
dns = ["dist02.corp.example"]
"""


def link(name: str, data_source: str, **columns: object) -> Row:
    return {"name": name, "product": "", "provider": "SQLNCLI11", "data_source": data_source, **columns}


LINKS = [
    link("DIAL", "hr01", catalog="Ledger", is_rpc_out_enabled=True),
    link("HNIC", "hr01", provider_string="Application Name=payroll"),
    link(
        "HR01", "hr01", product="SQL Server", provider="SQLNCLI", query_timeout=90, collation_name="Latin1_General_BIN"
    ),
    link("LONG", "hr01", provider_string="Application Name=" + "x" * 110, lazy_schema_validation=True),
    link("KEYED", "hr01", provider_string=f"UID=hr;PWD={SECRET};Application Name=x"),
    link("SELF", "self01.corp.example"),
    link("TRUSTED", "lab02.corp.example", provider_string="Application Name=y;TrustServerCertificate=no"),
    link(HOSTILE, "lab02.corp.example"),
    link("FIN", "fin01.corp.example"),
]
MAPPINGS = [
    {"server_name": row["name"], "local_principal_id": 0, "uses_self_credential": True}
    for row in LINKS
    if row["name"] != "HR01"
] + [
    {
        "server_name": "HR01",
        "local_principal_id": 260,
        "local_login": "CORP\\payroll",
        "uses_self_credential": False,
        "remote_name": "hr_reader",
    }
]
DISTRIBUTOR_LINK = {
    "product": "SQL Server",
    "provider": "SQLNCLI",
    "is_data_access_enabled": False,
    "is_distributor": True,
    "is_system": True,
}


def instances() -> dict[str, dict[str, Any]]:
    """The sample data's instance files, as tables."""

    def publisher(host: str, distributor: str) -> dict[str, Any]:
        hidden = {"name": "repl_distributor", "data_source": distributor, **DISTRIBUTOR_LINK}
        return {
            "host": host,
            "version": "17.0.1000.7",
            "rows": {
                "linked_servers": [hidden],
                "distributor": [{"distributor": distributor, "distribution database": "distribution"}],
                "distributor_properties": [],
                "client_flags": [{"sni18_flag1": 0, "sni18_flag2": 0, "sni19_flag1": 0, "sni19_flag2": 1}],
            },
        }

    return {
        "PAY01": {
            "host": "pay01.corp.example",
            "version": "13.0.6435.1",
            "rows": {
                "linked_servers": LINKS,
                "login_mappings": MAPPINGS,
                "client_flags": [{"sni18_flag1": 0, "sni18_flag2": 0, "sni19_flag1": 0, "sni19_flag2": 1}],
            },
        },
        "PUB01": publisher("pub01.corp.example", "dist01"),
        "PUB02": publisher("pub02.corp.example", "dist02"),
        "HR01": {"host": "hr01.corp.example", "certificate": "hr01"},
        "SELF01": {"host": "self01.corp.example", "certificate": "self01"},
        "LAB02": {"host": "lab02.corp.example"},
        "FIN01": {"host": "fin01.corp.example"},
        "DIST01": {"host": "dist01.corp.example"},
        "DIST02": {"host": "dist02.corp.example", "certificate": "dist02"},
    }


def toml(value: object) -> str:
    """A value as TOML; tables inline."""
    if isinstance(value, Mapping):
        return (
            "{"
            + ", ".join(f"{json.dumps(key)} = {toml(each)}" for key, each in value.items() if each is not None)
            + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value)


def write(folder: Path, tables: Mapping[str, Mapping[str, Any]], certificates: str = CERTIFICATES) -> Path:
    (folder / "instances").mkdir(parents=True)
    (folder / "estate.toml").write_text(ESTATE, encoding="utf-8")
    (folder / "certificates.toml").write_text(certificates, encoding="utf-8")
    for name, table in tables.items():
        text = "".join(f"{key} = {toml(value)}\n" for key, value in table.items())
        assert tomllib.loads(text)
        (folder / "instances" / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder


def assess(folder: Path, sample: Path, more_trust: str = "") -> Snapshot:
    work = folder / "work"
    work.mkdir()
    with Lab(sample, work) as lab:
        estate = load_estate(lab.estate_file)
        store = lab.trust_stores["corp-root"]
        store.write_text(store.read_text("ascii") + more_trust, encoding="ascii")
        settings = ProbeSettings(routes=estate.routes, answer_seconds=2.0)
        return assessment.assess(estate, find_driver(None), threading.Event(), settings=settings)


@dataclass(frozen=True)
class Played:
    """The estate before, what was written for it, and the estate after those scripts."""

    before: Snapshot
    after: Snapshot
    files: tuple[RemedyFile, ...]
    restored: Instance  #: PAY01 once the undo scripts have run, too

    def edge(self, name: str, of: Snapshot, source: str = "pay01.corp.example") -> AssessedEdge:
        return next(edge for edge in of.edges if edge.name == name and edge.source == source)

    def verdicts(self, name: str, source: str = "pay01.corp.example") -> tuple[VerdictKind, VerdictKind]:
        return self.edge(name, self.before, source).verdict, self.edge(name, self.after, source).verdict


#: Which remedy is taken for which definition of PAY01.
TAKEN = {
    "DIAL": Change.DATA_SOURCE,
    "HNIC": Change.HOST_NAME,
    "HR01": Change.HOST_NAME,
    "LONG": Change.HOST_NAME,
    "KEYED": Change.HOST_NAME,
    "TRUSTED": Change.TRUST,
    HOSTILE: Change.ENCRYPT_OPTIONAL,
}
FILL = {"secret_1": "hr", "secret_2": SECRET, "secret_3": "x"}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    folder = tmp_path_factory.mktemp("remedies")
    tables = instances()
    (folder / "a").mkdir()
    (folder / "b").mkdir()
    before = assess(folder / "a", write(folder / "a" / "sample", tables))
    files = remedy_files(before)
    pay01 = _instance("PAY01", 17, tables["PAY01"])
    pay = "pay01.corp.example"
    for name, kind in TAKEN.items():
        run(_sql(before, files, kind, pay, name), pay01, FILL)
    rows = tables["PAY01"]["rows"]
    tables["PAY01"] = {
        **tables["PAY01"],
        "rows": {**rows, "linked_servers": list(pay01.servers.values()), "login_mappings": pay01.mappings},
    }
    for name, kind in (("PUB01", Change.DISTRIBUTOR_TRUST), ("PUB02", Change.DISTRIBUTOR_HOST_NAME)):
        publisher = _instance(name, 17, tables[name])
        run(_sql(before, files, kind, f"{name.lower()}.corp.example"), publisher)
        tables[name]["rows"]["distributor_properties"] = [
            {"property": key, "value": value} for key, value in publisher.properties.items()
        ]
    (wanted,) = [
        each for each in plan_actions(before) if each.kind is Change.CERTIFICATE and each.on == "fin01.corp.example"
    ]
    assert wanted.names is not None
    made = f'\n[certificates.fin01]\nissuer = "corp-root"\ncn = "fin01.corp.example"\ndns = {toml(list(wanted.names.san))}\n'
    tables["FIN01"]["certificate"] = "fin01"
    trust = next(file for file in files if file.path.endswith("trust.ps1"))
    after = assess(folder / "b", write(folder / "b" / "sample", tables, CERTIFICATES + made), _pem_in(trust))
    for name, kind in TAKEN.items():
        run(_sql(before, files, kind, pay, name, undo=True), pay01, FILL)
    return Played(before, after, files, pay01)


def _instance(name: str, major: int, table: Mapping[str, Any]) -> Instance:
    rows = table["rows"]
    return Instance(
        name,
        major,
        {row["name"]: dict(row) for row in rows["linked_servers"]},
        [dict(row) for row in rows.get("login_mappings", ())],
    )


def _sql(
    snapshot: Snapshot, files: tuple[RemedyFile, ...], kind: Change, on: str, subject: str = "", *, undo: bool = False
) -> str:
    actions = plan_actions(snapshot)
    (action,) = [each for each in actions if (each.kind, each.on, each.subject) == (kind, on, subject)]
    number = f"{actions.index(action) + 1:03}-"
    (text,) = [
        file.data.decode("utf-8-sig")
        for file in files
        if file.path.rpartition("/")[0].rpartition("/")[2].startswith(number)
        and file.path.endswith(".sql")
        and file.path.endswith(".undo.sql") == undo
    ]
    return text


def _pem_in(script: RemedyFile) -> str:
    body = re.search(r"@'\r\n(.*?)\r\n'@", script.data.decode("utf-8-sig"), re.DOTALL)
    assert body is not None
    base64.b64decode(body[1])
    lines = body[1].replace("\r\n", "\n")
    return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    ("name", "promised"),
    [
        pytest.param("FIN", VerdictKind.WORKS, id="A: certificate"),
        pytest.param("DIAL", VerdictKind.WORKS, id="C1: dial the name"),
        pytest.param("HNIC", VerdictKind.WORKS, id="C2: HostNameInCertificate, in place"),
        pytest.param("HR01", VerdictKind.WORKS, id="C2: product SQL Server, recreated"),
        pytest.param("LONG", VerdictKind.WORKS, id="C2: over 128 characters, recreated"),
        pytest.param("KEYED", VerdictKind.WORKS, id="C2: with secrets, recreated"),
        pytest.param("SELF", VerdictKind.WORKS, id="D: self-signed imported"),
        pytest.param("TRUSTED", VerdictKind.WORKS_INSECURELY, id="E: trust"),
        pytest.param(HOSTILE, VerdictKind.WORKS_INSECURELY, id="F: optional"),
    ],
)
def test_the_verdict_turns_as_promised(played: Played, name: str, promised: VerdictKind) -> None:
    assert played.verdicts(name) == (VerdictKind.BREAKS, promised)


@pytest.mark.parametrize(
    ("source", "promised"),
    [("pub01.corp.example", VerdictKind.WORKS_INSECURELY), ("pub02.corp.example", VerdictKind.WORKS)],
)
def test_a_distributor_property_turns_the_hidden_link(played: Played, source: str, promised: VerdictKind) -> None:
    (edge,) = [edge for edge in played.before.edges if edge.source == source]
    assert played.verdicts(edge.name, source) == (VerdictKind.FAILS_TODAY, promised)


def test_everything_that_is_not_meant_to_change_stays(played: Played) -> None:
    was = {row.name: row for row in _definitions(played.before)}
    for row in _definitions(played.after):
        old = was[row.name]
        assert row.options == old.options, row.name
        assert row.logins == old.logins, row.name
        assert (row.catalog, row.location, row.is_rpc_out_enabled) == (
            old.catalog,
            old.location,
            old.is_rpc_out_enabled,
        )
        assert row.is_data_access_enabled == old.is_data_access_enabled


def _definitions(snapshot: Snapshot) -> Any:
    return next(each for each in snapshot.inventories if each.instance == "pay01.corp.example").linked_servers


def test_the_undo_puts_every_definition_back(played: Played) -> None:
    assert {name: _plain(row) for name, row in played.restored.servers.items()} == {
        row["name"]: _plain(row) for row in LINKS
    }
    key = str
    assert sorted(played.restored.mappings, key=key) == sorted(map(dict, MAPPINGS), key=key)


def _plain(row: Row) -> Row:
    defaults: Row = {
        "is_data_access_enabled": True,
        "uses_remote_collation": True,
        "is_remote_proc_transaction_promotion_enabled": True,
        "connect_timeout": 0,
        "query_timeout": 0,
    }
    found = {key: value for key, value in {**defaults, **row}.items() if value not in (None, False, "")}
    return {**found, "data_source": str(found["data_source"]).lower()}


def test_a_script_stops_on_another_instance_before_the_upgrade_and_without_its_secrets(played: Played) -> None:
    pay = "pay01.corp.example"
    hnic = _sql(played.before, played.files, Change.HOST_NAME, pay, "HNIC")
    keyed = _sql(played.before, played.files, Change.HOST_NAME, pay, "KEYED")
    table = instances()["PAY01"]
    for script, instance, why in (
        (hnic, _instance("OTHER", 17, table), "another instance"),
        (hnic, _instance("PAY01", 13, table), "Only after the upgrade"),
        (hnic, Instance("PAY01", 17), "no linked server"),
        (keyed, _instance("PAY01", 17, table), "Secrets"),
    ):
        was = json.dumps([instance.servers, instance.mappings])
        with pytest.raises(Stopped, match=why):
            run(script, instance)
        assert json.dumps([instance.servers, instance.mappings]) == was


def test_no_script_holds_a_secret_or_would_write_a_mask(played: Played) -> None:
    for file in played.files:
        text = file.data.decode("utf-8-sig")
        assert SECRET not in text
        if file.path.endswith(".sql"):
            assert "***" not in text

"""Every linked server of the demo estate, played by Microsoft's ODBC Driver 18 with the edge's own options.

ODBC Driver 18 makes the same decision as OLE DB Driver 19, so the outcome must equal the verdict's "after" side. What
differs between them by documentation is translated: OLE DB trusts only with Flag2, and its HostNameInCertificate replaces
the dialled name.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from assessor.clients.options import Encrypt
from assessor.estate import EstateInstance
from assessor.judge.verdicts import VerdictKind
from assessor.snapshot import AssessedEdge
from assessor.topology.edges import EdgeKind
from tests.end_to_end.conftest import Run

_NSS_WRAPPER = next(Path("/usr/lib").glob("*/libnss_wrapper.so"), None)
_WORDS = {Encrypt.OPTIONAL: "Optional", Encrypt.MANDATORY: "Mandatory", Encrypt.STRICT: "Strict"}


def _connection(run: Run, edge: AssessedEdge, flag2: int | None) -> str:
    assert edge.after is not None
    assert edge.after.encrypt is not None
    assert edge.data_source is not None
    legacy = edge.after.client == "oledb-18"
    options = edge.options
    trust = options is not None and options.trust_server_certificate is True and (legacy or flag2 == 1)
    parts = {
        "DRIVER": run.driver.name,
        "SERVER": edge.data_source,
        "UID": "assessor",
        "PWD": run.lab.passwords["assessor"],
        "Encrypt": _WORDS[edge.after.encrypt],
        # Driver 18 of OLE DB never validates in optional mode; ODBC 18 does where the server forces encryption.
        "TrustServerCertificate": "yes" if trust or (legacy and edge.after.encrypt is Encrypt.OPTIONAL) else "no",
    }
    if options is not None and options.host_name_in_certificate:
        parts["HostNameInCertificate"] = options.host_name_in_certificate
    return ";".join(f"{key}={value}" for key, value in parts.items())


def _play(run: Run, cases: list[tuple[str, str]], store: Path) -> dict[str, tuple[bool, str]]:
    assert _NSS_WRAPPER is not None, "libnss-wrapper is missing; make test installs it"
    environment = {
        **os.environ,
        "SSL_CERT_FILE": str(store),
        "SSL_CERT_DIR": "/nonexistent",
        "LD_PRELOAD": str(_NSS_WRAPPER),
        "NSS_WRAPPER_HOSTS": str(run.lab.hosts_file),
    }
    lines = "".join(json.dumps({"id": name, "connection": connection}) + "\n" for name, connection in cases)
    done = subprocess.run(
        [sys.executable, "-m", "tests.end_to_end.play"],
        input=lines,
        capture_output=True,
        text=True,
        env=environment,
        cwd=Path(__file__).parents[2],
        timeout=110,
        check=True,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return {answer["id"]: (answer["connects"], answer["message"]) for answer in answers}


@pytest.mark.oracle
def test_the_driver_agrees_with_the_after_side_of_every_linked_server(run_for_today: Run) -> None:
    run = run_for_today
    instances: dict[str, EstateInstance] = {instance.address: instance for instance in run.estate.instances}
    flags = {inventory.instance: inventory.client_flags.sni19_flag2 for inventory in run.snapshot.inventories}
    by_store: dict[Path, list[tuple[str, str]]] = defaultdict(list)
    expected: dict[str, bool] = {}
    undecided: Counter[VerdictKind] = Counter()
    for edge in run.snapshot.edges:
        if edge.kind is not EdgeKind.LINKED_SERVER:
            continue
        if edge.also_endpoints:
            continue  # the worst of several servers is judged; the driver meets the one that answers now
        if edge.provider == "MSDASQL":
            continue  # its own ODBC driver is judged, not driver 19
        if edge.after is None or edge.after.connects is None:
            undecided[edge.verdict] += 1
            continue
        store = instances[edge.source].trust_store
        assert store is not None
        by_store[store].append((edge.id, _connection(run, edge, flags[edge.source])))
        expected[edge.id] = edge.after.connects
    seen: dict[str, tuple[bool, str]] = {}
    for store, cases in by_store.items():
        seen.update(_play(run, cases, store))
    wrong = [
        f"{name}: predicted {expected[name]}, driver {seen[name]}"
        for name in expected
        if seen[name][0] != expected[name]
    ]
    assert not wrong, "\n".join(wrong)
    assert len(expected) >= 25
    assert {True, False} == set(expected.values())
    # What was not decided is said to be so; nothing else may be left unplayed.
    assert set(undecided) <= {VerdictKind.NOT_ASSESSED, VerdictKind.NOT_AFFECTED, VerdictKind.BREAKS}

"""What leaves the company: no name, and everything else."""

from __future__ import annotations

import itertools
import json
import os
import re
import stat
import types
import typing
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, date, datetime
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st
from snapshots_by_hand import RULES, edge, hostile, inventory, snapshot

from assessor.collect.inventory import Gap, GapKind, LoginMapping
from assessor.errors import UsageError
from assessor.pseudonym_key import Pseudonym, PseudonymKey, default_key_path, read_key, write_key
from assessor.pseudonymise import FIELDS, Holds, holds_of, pseudonymise
from assessor.report.edges_csv import edges_csv
from assessor.report.markdown import markdown_page
from assessor.report.page import page_html
from assessor.report.sarif import sarif_log
from assessor.report.workbook import write_workbook
from assessor.snapshot import Snapshot, TrustStoreRecord
from assessor.snapshot_file import parse_snapshot, snapshot_json

CANARY = "zqcanary"
#: Fields that stay as they are: words of ours, of SQL Server's or of a published list, that no company chooses.
READABLE = {
    "AgentProfile.subsystem", "AdHocCall.function", "AssessedEdge.rules", "AvailabilityGroup.cluster_type",
    "CertificateSummary.key", "CertificateSummary.signature", "ClientExpectation.client", "DistributorProperty.name",
    "Evidence.server_version", "ExternalDataSource.kind", "FindingRecord.code", "Gap.query", "Identity.edition",
    "Identity.platform", "Identity.product_version", "Listener.kind", "MirroredDatabase.role", "Outcome.client",
    "Outcome.sources", "PlannedInstance.connection", "PlannedInstance.login", "PredictedError.source",
    "Publication.kind", "ReplicationAgent.subsystem", "Run.rules_version", "Run.tool_version", "TlsSession.alpn",
    "TlsSession.cipher", "TlsSession.version", "ToolCall.subsystem", "ToolCall.tool", "UpgradeFinding.rule",
    "UpgradeFinding.sources", "collation_name",
}  # fmt: skip


# --- a snapshot with a name in every field -------------------------------------------------------------------------


def text_fields(owner: type[Any] = Snapshot, seen: set[type[Any]] | None = None) -> Iterator[tuple[type[Any], str]]:
    """Every field below a snapshot that can hold text, found by the types alone."""
    seen = set() if seen is None else seen
    if owner in seen:
        return
    seen.add(owner)
    hints = typing.get_type_hints(owner)
    for field in fields(owner):
        below = list(leaf_types(hints[field.name]))
        if str in below:
            yield owner, field.name
        for leaf in below:
            if is_dataclass(leaf):
                yield from text_fields(leaf, seen)


def leaf_types(hint: Any) -> Iterator[Any]:
    arguments = [argument for argument in typing.get_args(hint) if argument is not Ellipsis]
    if not arguments:
        yield hint
    for argument in arguments:
        yield from leaf_types(argument)


class Planter:
    """Builds a value of any type of a snapshot, with another name in every text; ``sentence`` goes into sentences."""

    def __init__(self, sentence: str) -> None:
        self._numbers = itertools.count(1)
        self._sentence = sentence
        self.names: list[str] = []

    def build(self, hint: Any, holds: Holds = Holds.UNKNOWN) -> Any:
        origin = typing.get_origin(hint)
        if origin is tuple:
            return (self.build(typing.get_args(hint)[0], holds),)
        if origin in (typing.Union, types.UnionType):
            return self.build(next(each for each in typing.get_args(hint) if each is not type(None)), holds)
        if is_dataclass(hint):
            assert isinstance(hint, type)
            hints = typing.get_type_hints(hint)
            made = {each.name: self.build(hints[each.name], holds_of(hint, each.name)) for each in fields(hint)}
            if hint is Snapshot:
                made["schema_version"] = 1
                made["run"] = replace(made["run"], pseudonymised=False, interrupted=False)
            return hint(**made)
        if isinstance(hint, type) and issubclass(hint, Enum):
            return next(iter(hint))
        if hint is str:
            return self.text(holds)
        simple = {bool: True, int: 7, datetime: datetime(2026, 11, 23, tzinfo=UTC), date: date(2026, 12, 20)}
        return simple[hint]

    def name(self, lead: str = "") -> str:
        name = f"{CANARY}{lead}{next(self._numbers)}"
        self.names.append(name)
        return name

    def text(self, holds: Holds) -> str:
        name = self.name
        match holds:
            case Holds.KEPT:
                return "15.0.4430.1"
            case Holds.SENTENCE | Holds.MESSAGE:
                return self._sentence
            case Holds.ADDRESS:
                return f"{name('Host')}.{name('dom')}.{CANARY}top\\{name('INST')},1450"
            case Holds.LOGIN:
                return f"{name('NETBIOS')}\\{name('user')}"
            case Holds.CERTIFICATE_NAME:
                return f"CN={name('Root')} CA,O={name('Company')} & Sons\\, Ltd,DC={name('dc')}"
            case Holds.THUMBPRINT:
                return f"DEADBEEFCAFE{next(self._numbers):028X}"
            case Holds.PATH:
                return f"C:\\{name('dir')}\\{name('file')}.cer"
            case Holds.OPTIONS:
                return f"Server={name('opt')}.{name('dom')}.example;Encrypt=yes;Application Name={name('app')};{name('odd')}"
            case Holds.COMMAND:
                return f"-Publisher [{name('pub')}] -PublisherDB {name('db')} -EncryptionLevel 1"
            case Holds.ID:
                return f"linked_server:{name('src')}%5c{name('inst')}:{name('link')}"
            case Holds.PEM:
                # What it says can be in no sentence: nobody can read it.
                return f"-----BEGIN CERTIFICATE-----\n{CANARY}pem\n-----END CERTIFICATE-----\n"
            case Holds.DOMAIN:
                return f"{name('corp')}.{name('company')}.example"
            case _:
                return name(holds.value.replace("_", ""))


def sentence_about(names: list[str]) -> str:
    """The names as sentences could hold them: quoted, escaped, in other cases, inside other words."""
    forms: list[str] = []
    for name in names:
        forms += [
            f"Dial {name} now", f"'{name}'", f"[{name.upper()}]", f"N'{name.lower()}'", f'"{name}".', f"x_{name}_y",
            f"{name}.unheard.of.example", f"unheard01.{name}", f"tcp:{name},1433", f"{name}\\\\{name}", f"pre{name}post",
            f"CN={name}", f"{name}\\INST", f"https://{name}.example/x", f"somebody@{name}.example", f"\\\\{name}\\share\\x.txt",
        ]  # fmt: skip
    return "; ".join(forms)


@pytest.fixture(scope="module")
def planted() -> Snapshot:
    dry = Planter("")
    dry.build(Snapshot)
    made = Planter(sentence_about(dry.names)).build(Snapshot)
    assert isinstance(made, Snapshot)
    return made


@pytest.fixture(scope="module")
def shared(planted: Snapshot) -> Snapshot:
    return pseudonymise(planted, PseudonymKey())[0]


def written(form: str, run: Snapshot, folder: Path) -> str:
    match form:
        case "xlsx":
            write_workbook(run, RULES, folder / "report.xlsx")
            with zipfile.ZipFile(folder / "report.xlsx") as book:
                return "\n".join(book.read(name).decode("utf-8", "replace") for name in book.namelist())
        case "html":
            return page_html(run, RULES)
        case "csv":
            return edges_csv(run).decode("utf-8-sig")
        case "markdown":
            return markdown_page(run)
        case "sarif":
            return sarif_log(run, RULES)
    return snapshot_json(run)


FORMS = ("xlsx", "html", "csv", "markdown", "sarif", "json")


@pytest.mark.parametrize("form", FORMS)
def test_no_name_of_any_field_survives_in_any_form(form: str, shared: Snapshot, tmp_path: Path) -> None:
    text = written(form, shared, tmp_path).lower()
    found = text.find(CANARY)
    assert found < 0, text[max(0, found - 200) : found + 100]
    assert "deadbeefcafe" not in text


@pytest.mark.parametrize("form", FORMS)
def test_the_test_would_see_a_name_that_survives(form: str, planted: Snapshot, tmp_path: Path) -> None:
    assert CANARY in written(form, planted, tmp_path).lower()


def test_somebody_has_said_of_every_text_of_a_snapshot_what_it_holds() -> None:
    unsaid = [f"{owner.__name__}.{name}" for owner, name in text_fields() if holds_of(owner, name) is Holds.UNKNOWN]
    assert unsaid == [], "add these to FIELDS in assessor/pseudonymise.py; until then they are replaced whole"


def test_what_stays_readable_was_decided_here() -> None:
    assert {name for name, holds in FIELDS.items() if holds is Holds.KEPT} == READABLE


def test_the_result_is_a_snapshot_that_says_what_it_is(shared: Snapshot) -> None:
    assert shared.run.pseudonymised
    assert parse_snapshot(snapshot_json(shared).encode(), "shared") == shared


def test_everything_that_is_no_text_stays(planted: Snapshot, shared: Snapshot) -> None:
    def plain(value: Any) -> Any:
        if is_dataclass(value):
            return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
        if isinstance(value, tuple):
            return [plain(item) for item in value if not isinstance(item, str) or isinstance(item, Enum)]
        return None if isinstance(value, str) and not isinstance(value, Enum) else value

    assert plain(replace(shared, run=replace(shared.run, pseudonymised=False))) == plain(planted)


# --- a small estate ------------------------------------------------------------------------------------------------


def test_verdicts_rules_dates_and_versions_stay_and_certificates_go() -> None:
    before = snapshot()
    after, _ = pseudonymise(before, PseudonymKey())
    assert [(each.verdict, each.rules, each.wave) for each in after.edges] == [
        (each.verdict, each.rules, each.wave) for each in before.edges
    ]
    assert after.estate.upgrade_date == before.estate.upgrade_date
    assert after.run.tool_version == before.run.tool_version
    assert after.inventories[0].identity is not None
    assert after.inventories[0].identity.product_version == "15.0.4430.1"
    assert all(each.evidence.chain == () for each in after.endpoints)
    assert all(store.certificates == () for store in after.trust_stores)
    assert after.endpoints[0].certificates[0].subject == "CN=SSL_Self_Signed_Fallback"


def test_edges_that_shared_a_server_still_do() -> None:
    before = snapshot()
    after, _ = pseudonymise(before, PseudonymKey())
    for of in ("source", "target", "endpoint", "name"):
        pairs = {(getattr(old, of), getattr(new, of)) for old, new in zip(before.edges, after.edges, strict=True)}
        assert len({old for old, _ in pairs}) == len({new for _, new in pairs}) == len(pairs)
    assert len({each.id for each in after.edges}) == len(before.edges)
    assert {each.source for each in after.edges} <= {each.address for each in after.estate.instances}
    known = {each.id for each in after.endpoints}
    assert [each.endpoint in known for each in after.edges] == [
        each.endpoint in {endpoint.id for endpoint in before.endpoints} for each in before.edges
    ]


def test_a_short_name_an_fqdn_and_an_instance_of_one_host_are_still_one_host() -> None:
    edges = tuple(
        edge(f"L{place}", data_source=text, target=text, id=f"linked_server:a:l{place}")
        for place, text in enumerate(("PAY01", "pay01.corp.example", "tcp:pay01\\HR,1450", "PAY01\\hr"))
    )
    after, key = pseudonymise(snapshot(edges=edges), PseudonymKey())
    host = next(each.pseudonym for each in key.entries if each.name.lower() == "pay01")
    instance = next(each.pseudonym for each in key.entries if each.name.lower() == "hr")
    shown = [each.data_source for each in after.edges]
    assert shown[0] == host
    assert re.fullmatch(rf"{host}\.domain-\d+\.example", shown[1] or "")
    assert shown[2:] == [f"tcp:{host}\\{instance},1450", f"{host}\\{instance}"]


def test_sentences_call_things_by_the_pseudonym_of_the_field() -> None:
    sentence = "Set TrustServerCertificate=yes in PAYLINK on sql01.corp.example; SQL Server 2025 and Msg 7303 stay."
    after, key = pseudonymise(snapshot(edges=(edge("PAYLINK", reasons=(sentence,)),)), PseudonymKey())
    named = {each.name.lower(): each.pseudonym for each in key.entries}
    assert after.edges[0].reasons[0] == (
        f"Set TrustServerCertificate=yes in {named['paylink']} on {named['sql01']}.{named['corp.example']}; "
        "SQL Server 2025 and Msg 7303 stay."
    )


def test_a_name_that_is_a_number_or_a_letter_does_not_take_dates_and_articles_with_it() -> None:
    sentence = "A certificate of 2026 expired on 2026-10-24; linked server '2026' and [A] use it."
    edges = (edge("2026", reasons=(sentence,)), edge("A", id="linked_server:x:a"))
    after, key = pseudonymise(snapshot(edges=edges), PseudonymKey())
    named = {each.name: each.pseudonym for each in key.entries}
    assert after.edges[0].reasons[0] == (
        f"A certificate of 2026 expired on 2026-10-24; linked server '{named['2026']}' and [{named['A']}] use it."
    )


def test_what_a_server_quotes_in_a_message_is_taken_for_a_name_unless_everybody_has_it() -> None:
    gap = Gap(
        "connection",
        GapKind.LOGIN_FAILED,
        "Login failed for user 'NOBODY\\knew'. Reason: 'msdb' [CLIENT: 10.9.8.7]",
        "all",
    )
    after, _ = pseudonymise(snapshot(inventories=(inventory("sql01.corp.example", gaps=(gap,)),)), PseudonymKey())
    message = after.inventories[0].gaps[0].message
    assert re.fullmatch(r"Login failed for user 'name-\d+'\. Reason: 'msdb' \[CLIENT: ip-\d+\]", message)


def test_public_names_and_unknown_values_stay() -> None:
    base = inventory("sql01.corp.example")
    logins = (LoginMapping(None, True, None), LoginMapping("sa", False, "CORP\\joe"))
    changed = replace(base, linked_servers=(replace(base.linked_servers[0], logins=logins, catalog="master"),))
    after, _ = pseudonymise(snapshot(inventories=(changed,)), PseudonymKey())
    link = after.inventories[0].linked_servers[0]
    assert (link.product, link.provider, link.catalog, link.provider_string) == (
        "SQL Server",
        "SQLNCLI",
        "master",
        None,
    )
    assert (link.logins[0].local_login, link.logins[1].local_login) == (None, "sa")
    assert after.inventories[0].listeners[0].address == "0.0.0.0"


@pytest.fixture(scope="module")
def shared_hostile() -> Snapshot:
    return pseudonymise(hostile(), PseudonymKey())[0]


@pytest.mark.parametrize("form", FORMS)
def test_a_hostile_estate_is_shared_like_any_other(form: str, shared_hostile: Snapshot, tmp_path: Path) -> None:
    assert all(
        each.name == "" or re.fullmatch(r"[a-z]+-\d+|-?\W*\d*\W*.*", each.name, re.DOTALL)
        for each in shared_hostile.edges
    )
    assert written(form, shared_hostile, tmp_path)


@settings(max_examples=60, deadline=None)
@given(
    before=st.text(max_size=30),
    after=st.text(max_size=30),
    change=st.sampled_from(
        [str, str.upper, str.lower, str.title, lambda name: f"{name}\\X", lambda name: f"a.{name}.b"]
    ),
)
def test_a_known_name_is_found_in_any_surroundings(before: str, after: str, change: Any) -> None:
    run = snapshot(edges=(edge("Zqcanary77", reasons=(f"{before}{change('Zqcanary77')}{after}",)),))
    assert CANARY not in pseudonymise(run, PseudonymKey())[0].edges[0].reasons[0].lower()


def test_names_that_only_a_certificate_holds_are_found_in_sentences_too() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Zqcanary Hidden Root")])
    made = x509.CertificateBuilder(name, name, key.public_key(), 77, datetime(2026, 1, 1), datetime(2030, 1, 1))
    pem = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
    store = TrustStoreRecord("system", "system store of ZQCANARYBOX", 1, (pem,))
    edges = (edge("a1", reasons=("CN=Zqcanary Hidden Root is not trusted in the system store of zqcanarybox.",)),)
    after, _ = pseudonymise(snapshot(trust_stores=(store,), edges=edges), PseudonymKey())
    assert CANARY not in snapshot_json(after).lower()
    assert re.fullmatch(
        r"CN=certificate-\d+ is not trusted in the system store of host-\d+\.", after.edges[0].reasons[0]
    )


# --- the key -------------------------------------------------------------------------------------------------------


def test_the_same_key_gives_the_same_pseudonyms_and_new_names_new_ones() -> None:
    first, key = pseudonymise(snapshot(), PseudonymKey())
    again, same = pseudonymise(snapshot(), key)
    assert again == first
    assert same == key
    more, longer = pseudonymise(snapshot(edges=(*reversed(snapshot().edges), edge("BRAND_NEW"))), key)
    assert longer.entries[: len(key.entries)] == key.entries
    assert len(longer.entries) == len(key.entries) + 1
    assert {each.source for each in more.edges} == {each.source for each in first.edges}


def test_no_pseudonym_is_the_real_name_of_something_else() -> None:
    edges = tuple(edge(f"link-00{number}") for number in range(1, 5))
    _, key = pseudonymise(snapshot(edges=edges), PseudonymKey())
    names = {each.name.lower() for each in key.entries}
    assert not names & {each.pseudonym for each in key.entries}
    assert max(Counter(each.pseudonym for each in key.entries).values()) == 1


def test_the_key_reads_the_report_back() -> None:
    before = snapshot()
    after, key = pseudonymise(before, PseudonymKey())
    back = {each.pseudonym: each.name for each in key.entries}
    read_back = [back.get(each.name, each.name).lower() for each in after.edges]
    assert read_back == [each.name.lower() for each in before.edges]


def test_a_snapshot_is_not_pseudonymised_twice() -> None:
    once, key = pseudonymise(snapshot(), PseudonymKey())
    with pytest.raises(UsageError, match="already"):
        pseudonymise(once, key)


def test_the_key_file_comes_back_as_it_was_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "a.key.json"
    path.write_text("", encoding="utf-8")
    path.chmod(0o644)
    key = PseudonymKey((Pseudonym("host", "Ünïcode\ud800", "host-001"),))
    write_key(key, path)
    assert read_key(path) == key
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_file_is_an_empty_key(tmp_path: Path) -> None:
    assert read_key(tmp_path / "none.json") == PseudonymKey()
    assert default_key_path(Path("out/report.html")) == Path("out/report.html.key.json")


@pytest.mark.parametrize(
    ("content", "mend"),
    [
        (b"{", "not a key"),
        (b"\xff\xfe\x00", "not a key"),
        (b"[]", "not a key"),
        (b'{"format": "something else"}', "not a key"),
        (b'{"format": "assessor pseudonym key", "version": 9}', "another version"),
        (b'{"format": "assessor pseudonym key", "version": 1}', "no list"),
        (b'{"format": "assessor pseudonym key", "version": 1, "pseudonyms": [{"name": "a"}]}', r"pseudonyms\[0\]"),
        (
            json.dumps(
                {
                    "format": "assessor pseudonym key",
                    "version": 1,
                    "pseudonyms": [{"kind": "host", "name": name, "pseudonym": "host-001"} for name in "ab"],
                }
            ).encode(),
            "twice",
        ),
    ],
)
def test_a_damaged_key_is_one_sentence(tmp_path: Path, content: bytes, mend: str) -> None:
    path = tmp_path / "key.json"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=mend):
        read_key(path)


def test_a_key_that_can_not_be_read_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_key(tmp_path)

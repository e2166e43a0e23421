"""Lists that exist already become an estate file; whatever they hold, the file that comes out can be read."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessor.errors import UsageError
from assessor.estate import Estate, load_estate
from assessor.estate_import import (
    ImportedEstate,
    Listed,
    Refused,
    imported_estate,
    servers_in_csv,
    servers_registered,
)

DAY = date(2027, 3, 20)


def imported(text: str | bytes) -> ImportedEstate:
    data = text.encode() if isinstance(text, str) else text
    return imported_estate(servers_in_csv(data, "list.csv"), "list.csv", DAY)


def loaded(made: ImportedEstate, folder: Path) -> Estate:
    path = folder / "estate.toml"
    path.write_text(made.text, encoding="utf-8")
    return load_estate(path)


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_csv_is_read_with_its_columns_in_any_order_and_any_spelling(
    delimiter: str, encoding: str, tmp_path: Path
) -> None:
    lines = [
        ["Wave", "Login", "Address"],
        ["2", "sql:inventory", "SQL01\\SALES"],
        ["none", "windows", "SQL02"],
        ["", "", "sql03.corp.example"],
        ["1", "CORP\\svc-ü", "SQL04"],
    ]
    text = "\r\n".join(delimiter.join(line) for line in lines)
    if delimiter == ",":
        text += '\r\n1,,"SQL05,1450"'
    made = imported(text.encode(encoding))
    assert made.refused == ()
    estate = loaded(made, tmp_path)
    assert [instance.address for instance in estate.instances][:4] == [
        "SQL01\\SALES",
        "SQL02",
        "sql03.corp.example",
        "SQL04",
    ]
    assert [instance.wave for instance in estate.instances][:4] == [2, None, 1, 1]
    assert estate.instances[0].login.user == "inventory"
    assert estate.upgrade_date == DAY
    if delimiter == ",":
        assert estate.instances[4].data_source.port == 1450


def test_a_server_that_is_listed_twice_is_one_instance_with_a_comment(tmp_path: Path) -> None:
    made = imported("address;wave\nSQL01;1\nSQL02;1\ntcp:sql01,1433;2\n")
    assert (made.instances, made.merged) == (2, 1)
    assert "# also line 4: tcp:sql01,1433, with wave 2" in made.text
    assert len(loaded(made, tmp_path).instances) == 2


def test_a_bad_row_is_left_out_with_its_line_number_and_the_others_are_taken(tmp_path: Path) -> None:
    made = imported(
        "address;wave\nSQL01;1\nnp:\\\\x\\pipe\\sql\\query;1\nSQL02;soon\n;2\nSQL03;1;more\n\nhost:1433;1\n(localdb)\\x;1\n"
    )
    assert made.instances == 1
    assert [refused.where for refused in made.refused] == ["line 3", "line 4", "line 5", "line 6", "line 8", "line 9"]
    assert "# line 4: its wave is no whole number" in made.text
    assert len(loaded(made, tmp_path).instances) == 1


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no column called address"),
        ("name;wave\nSQL01;1\n", "no column called address"),
        ("address;password\nSQL01;hunter2\n", "column of passwords"),
        ("address\n", "lists no server"),
        ("address\nnp:x\n", "lists no server"),
    ],
)
def test_a_list_that_is_of_no_use_is_refused_in_one_sentence(text: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint) as raised:
        imported(text)
    assert "hunter2" not in str(raised.value)


REGSRVR = """<?xml version="1.0"?>
<model xmlns="http://schemas.serviceml.org/smlif/2007/02"><bufferData><instances><document><data>
<RegisteredServers:ServerGroup xmlns:RegisteredServers="http://schemas.microsoft.com/sqlserver/RegisteredServers/2007/08"
    xmlns:sfc="http://schemas.microsoft.com/sqlserver/sfc/serialization/2007/08" xmlns:sml="http://schemas.serviceml.org/sml/2007/02">
  <RegisteredServers:Name type="string">Production</RegisteredServers:Name></RegisteredServers:ServerGroup></data></document>
{servers}
</instances></bufferData></model>"""
SERVER = """<document><data>
<RegisteredServers:RegisteredServer xmlns:RegisteredServers="http://schemas.microsoft.com/sqlserver/RegisteredServers/2007/08"
    xmlns:sfc="http://schemas.microsoft.com/sqlserver/sfc/serialization/2007/08" xmlns:sml="http://schemas.serviceml.org/sml/2007/02">
  <RegisteredServers:Parent><sfc:Reference sml:ref="true">
  <sml:Uri>/RegisteredServersStore/ServerGroup/DatabaseEngineServerGroup/ServerGroup/{group}</sml:Uri>
  </sfc:Reference></RegisteredServers:Parent>
  <RegisteredServers:Name type="string">{name}</RegisteredServers:Name>
  <RegisteredServers:Description type="string"></RegisteredServers:Description>
  <RegisteredServers:ServerName type="string">{server}</RegisteredServers:ServerName>
  <RegisteredServers:ConnectionStringWithEncryptedPassword
    type="string">server={server};uid=sa;password=AQAAcanary</RegisteredServers:ConnectionStringWithEncryptedPassword>
  <RegisteredServers:ServerType type="ServerType">{kind}</RegisteredServers:ServerType>
</RegisteredServers:RegisteredServer></data></document>"""


def registered(*servers: dict[str, str]) -> bytes:
    defaults = {"group": "Production", "name": "label", "server": "SQL01", "kind": "DatabaseEngine"}
    return REGSRVR.replace("{servers}", "".join(SERVER.format(**(defaults | server)) for server in servers)).encode()


def test_registered_servers_are_read_with_their_groups_as_comments_and_no_password(tmp_path: Path) -> None:
    data = registered(
        {"server": "SQL01\\SALES", "name": "Sales &amp; Co"},
        {"server": "cube01", "kind": "AnalysisServices"},
        {"server": "SQL02", "group": "Test"},
    )
    made = imported_estate(servers_registered(data, "x"), "x.regsrvr", DAY)
    assert [instance.address for instance in loaded(made, tmp_path).instances] == ["SQL01\\SALES", "SQL02"]
    assert "Production ----" in made.text
    assert "# Sales & Co" in made.text
    assert [refused.reason for refused in made.refused] == ["it is no database engine"]
    assert "canary" not in made.text


BOMB = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><l>&b;</l>'


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (BOMB, "document type declaration"),
        (b"", "is no file that SSMS exported"),
        (b"<a>", "is no file that SSMS exported"),
        (b"<a/>", "holds no registered server"),
        (b"<a>" * 100 + b"</a>" * 100, "deep"),
        (b'<?xml version="1.0" encoding="x-nobody"?><a/>', "is no file that SSMS exported"),
        (b'<?xml version="1.0" encoding="cp932"?><a/>', "is no file that SSMS exported"),
        (b"\x00\xff" * 50, "is no file that SSMS exported"),
    ],
)
def test_a_bomb_or_another_file_is_refused(data: bytes, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        servers_registered(data, "x.regsrvr")


def test_a_registration_that_names_no_server_is_refused_with_its_label() -> None:
    (refused,) = servers_registered(registered({"server": "", "name": "empty"}), "x")
    assert isinstance(refused, Refused)
    assert refused.where == "registration empty"


HOSTILE = st.text(st.characters(codec="utf-8"), max_size=40)


@settings(deadline=None, max_examples=80)
@given(
    st.lists(
        st.builds(Listed, address=HOSTILE, where=HOSTILE, group=HOSTILE, label=HOSTILE, wave=HOSTILE, login=HOSTILE)
    )
)
def test_no_list_can_write_anything_but_addresses_and_comments(servers: list[Listed]) -> None:
    good = Listed("SQL01", "line 1")
    made = imported_estate([*servers, good], "x\n[routes]", DAY)
    document = tomllib.loads(made.text)
    assert set(document) == {"name", "upgrade_date", "defaults", "instances"}
    for instance in document["instances"]:
        assert set(instance) <= {"address", "wave", "login"}
    assert made.instances + made.merged + len(made.refused) == len(servers) + 1


@settings(deadline=None, max_examples=80)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_list_or_refused(data: bytes) -> None:
    for read in (lambda: imported(b"address\nSQL01\n" + data), lambda: servers_registered(data, "x")):
        try:
            read()
        except UsageError as error:
            assert "\n" not in str(error)  # noqa: PT017 - refused or not, both are right

"""The data-source grammar: every way of writing a server's address, and every way of getting it wrong."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessor.names import BadDataSource, DataSource, Protocol, parse_data_source, same_server_key

TCP, NP, LPC, ADMIN = Protocol.TCP, Protocol.NAMED_PIPES, Protocol.SHARED_MEMORY, Protocol.ADMIN


@pytest.mark.parametrize(
    ("text", "protocol", "host", "instance", "port"),
    [
        ("sql01", None, "sql01", None, None),
        ("SQL01.Corp.Example", None, "SQL01.Corp.Example", None, None),
        ("sql01.corp.example.", None, "sql01.corp.example.", None, None),
        ("tcp:sql01", TCP, "sql01", None, None),
        ("TCP: sql01 , 1450 ", TCP, "sql01", None, 1450),
        ("  sql01\\SALES  ", None, "sql01", "SALES", None),
        ("tcp:sql01\\SALES,1450", TCP, "sql01", "SALES", 1450),
        ("sql01 \\ SALES , 1450", None, "sql01", "SALES", 1450),
        ("sql01\\MSSQLSERVER", None, "sql01", None, None),
        ("sql01\\mssqlserver,1433", None, "sql01", None, 1433),
        ("sql01,1", None, "sql01", None, 1),
        ("sql01,65535", None, "sql01", None, 65535),
        ("np:sql01", NP, "sql01", None, None),
        ("Np:sql01\\SALES", NP, "sql01", "SALES", None),
        ("lpc:sql01", LPC, "sql01", None, None),
        ("admin:sql01\\SALES", ADMIN, "sql01", "SALES", None),
        ("admin:.", ADMIN, ".", None, None),
        (".", None, ".", None, None),
        (".\\SQLEXPRESS", None, ".", "SQLEXPRESS", None),
        ("(local)", None, "(local)", None, None),
        ("(LOCAL)\\X", None, "(LOCAL)", "X", None),
        ("localhost,1440", None, "localhost", None, 1440),
        ("", None, "", None, None),
        ("   ", None, "", None, None),
        ("tcp:", TCP, "", None, None),
        (",1433", None, "", None, 1433),
        ("(localdb)\\MSSQLLocalDB", None, "(localdb)", "MSSQLLocalDB", None),
        ("::1", None, "::1", None, None),
        ("::1,1433", None, "::1", None, 1433),
        ("[::1],1433", None, "::1", None, 1433),
        ("tcp:[2001:db8::5]\\X", TCP, "2001:db8::5", "X", None),
        ("fe80::1%eth0", None, "fe80::1%eth0", None, None),
        ("10.0.0.5,14333", None, "10.0.0.5", None, 14333),
        ("bücher-sql", None, "bücher-sql", None, None),
        ("_app$01", None, "_app$01", None, None),
    ],
)
def test_a_data_source_is_taken_apart(
    text: str, protocol: Protocol | None, host: str, instance: str | None, port: int | None
) -> None:
    assert parse_data_source(text) == DataSource(text, protocol, host, instance, port)


@pytest.mark.parametrize(
    ("text", "host", "instance", "pipe"),
    [
        (r"np:\\sql01\pipe\sql\query", "sql01", None, r"sql\query"),
        (r"np:\\sql01\PIPE\MSSQL$SALES\sql\query", "sql01", "SALES", r"MSSQL$SALES\sql\query"),
        (r"\\.\pipe\sql\query", ".", None, r"sql\query"),
        (r"\\sql01.corp.example\pipe\tools\q", "sql01.corp.example", None, r"tools\q"),
    ],
)
def test_a_pipe_path_names_its_host_and_instance(text: str, host: str, instance: str | None, pipe: str) -> None:
    assert parse_data_source(text) == DataSource(text, NP, host, instance, None, pipe)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sql01,", "comma"),
        ("sql01,0", "1 to 65535"),
        ("sql01,70000", "1 to 65535"),
        ("sql01,99999999999999999999", "1 to 65535"),
        ("sql01,x", "no port"),
        ("sql01,1433,1434", "no port"),
        ("sql01,１４３３", "no port"),
        ("sql01,-1", "no port"),
        ("sql01\\a\\b", "one instance name"),
        ("sql01\\", "one instance name"),
        ("\\SALES", "no host"),
        ("(localdb)", "LocalDB"),
        ("sql01:1433", "write sql01,1433"),
        ("tcp:sql01:1433", "write sql01,1433"),
        ("sql01/SALES", "'/'"),
        ("jdbc:sqlserver://sql01", "'/'"),
        ("http://sql01/", "'/'"),
        ("udp:sql01", "tcp:"),
        ("[sql01]", "IPv6"),
        ("[10.0.0.5,1433]", "no port"),
        ("[10.0.0.5]", "IPv6"),
        ("my server", "character"),
        ("<server_name>.database.windows.net", "character"),
        ("sql*", "character"),
        ("sql01\\my inst", "instance name"),
        ("sql01\n", "U+000A"),
        ("sql\x0001", "U+0000"),
        ("sql\u202e01", "U+202E"),
        ("sql\ud80001", "U+D800"),
        ("sql01..corp", "between dots"),
        (".corp", "between dots"),
        ("a" * 64, "63"),
        ("a." * 200, "253"),
        ("x" * 5000, "5000 characters"),
        (r"\\sql01\share\file.mdb", "pipe path"),
        (r"tcp:\\sql01\pipe\sql\query", "pipe path"),
    ],
)
def test_a_bad_data_source_is_refused_with_one_sentence_that_mends_it(text: str, says: str) -> None:
    with pytest.raises(BadDataSource) as refused:
        parse_data_source(text)
    sentence = str(refused.value)
    assert says in sentence
    assert sentence.isprintable()
    assert len(sentence) < 300


@pytest.mark.parametrize("text", ["Server=a;PWD=Zq9Secret", "sql01;PWD=Zq9Secret,x", "sa:Zq9Secret@sql01:1433"])
def test_a_refusal_never_repeats_what_may_be_a_password(text: str) -> None:
    with pytest.raises(BadDataSource) as refused:
        parse_data_source(text)
    assert "Zq9Secret" not in str(refused.value)


@settings(deadline=None, max_examples=500)
@given(st.one_of(st.text(max_size=40), st.text(r"a.\,:/[]()1 np", max_size=24)))
def test_any_text_is_parsed_or_refused_with_a_printable_sentence(text: str) -> None:
    sentence = ""
    try:
        source = parse_data_source(text)
    except BadDataSource as refused:
        sentence = str(refused)
    if sentence:
        assert sentence.isprintable()
        return
    assert source.text == text
    assert source.port is None or 1 <= source.port <= 65535
    assert source.instance is None or source.instance.strip() == source.instance != ""


hosts = st.from_regex(r"[a-z][a-z0-9-]{0,8}(\.[a-z]{1,5}){0,2}", fullmatch=True)
instances = st.from_regex(r"[A-Z_][A-Z0-9_$]{0,10}", fullmatch=True).filter(lambda name: name != "MSSQLSERVER")


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from(["", "tcp:", "NP:", "Lpc:", "admin:"]),
    hosts,
    st.none() | instances,
    st.none() | st.integers(1, 65535),
)
def test_whatever_is_put_together_is_taken_apart_again(
    prefix: str, host: str, instance: str | None, port: int | None
) -> None:
    text = prefix + host + (f"\\{instance}" if instance else "") + (f",{port}" if port else "")
    source = parse_data_source(text)
    assert (source.host, source.instance, source.port) == (host, instance, port)
    assert source.protocol == (prefix.lower().rstrip(":") or None)


@pytest.mark.parametrize("text", [".", "(local)", "(LOCAL)", "localhost", "LocalHost", "", "127.0.0.1", "::1", "tcp:."])
def test_the_local_machine_goes_by_many_names(text: str) -> None:
    assert parse_data_source(text).is_local
    assert same_server_key(parse_data_source(text), local_host="SQL01") == "sql01"


@pytest.mark.parametrize(
    "text",
    [
        "SQL01",
        "tcp:sql01",
        "sql01.",
        "sql01,1433",
        "sql01\\MSSQLSERVER",
        "np:sql01",
        r"\\sql01\pipe\sql\query",
        "admin:sql01,1434",
    ],
)
def test_every_spelling_of_one_server_has_the_same_key(text: str) -> None:
    assert same_server_key(parse_data_source(text)) == "sql01"


def test_other_servers_have_other_keys() -> None:
    texts = ["sql01", "sql01,1434", "sql01\\A", "sql01\\B", "sql02", "sql01.corp.example", r"\\sql01\pipe\x\y"]
    assert len({same_server_key(parse_data_source(text)) for text in texts}) == len(texts)


def test_a_port_beats_an_instance_in_the_key() -> None:
    assert same_server_key(parse_data_source("sql01\\A,1500")) == "sql01,1500"
    assert same_server_key(parse_data_source("sql01\\A,1433")) == "sql01"

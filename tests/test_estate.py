"""The estate file: what is accepted, what it means, and one sentence for everything else."""

from __future__ import annotations

import os
import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessor.cli.init import estate_template, init
from assessor.clients.options import Encrypt
from assessor.errors import EstateError, OutputError
from assessor.estate import _MENDS, Estate, LoginMethod, load_estate
from assessor.passwords import EnvironmentVariable, KeyringEntry, PasswordFile, Prompt

HEAD = 'name = "Test"\nupgrade_date = 2027-03-20\n'
ONE = "[[instances]]\naddress = 'SQL01'\n"


def load(folder: Path, text: str | bytes) -> Estate:
    file = folder / "estate.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_estate(file)


def refusal(folder: Path, text: str | bytes) -> str:
    with pytest.raises(EstateError) as raised:
        load(folder, text)
    message = str(raised.value)
    assert "\n" not in message
    assert "estate.toml" in message
    assert "pydantic" not in message
    return message.removeprefix(str(folder / "estate.toml"))


def test_the_smallest_file_is_encrypted_validated_and_not_upgraded(tmp_path: Path) -> None:
    estate = load(tmp_path, HEAD + ONE)
    (instance,) = estate.instances
    assert (estate.name, estate.upgrade_date, estate.horizon_days) == ("Test", date(2027, 3, 20), 90)
    assert instance.address == "SQL01"
    assert instance.wave is None
    assert instance.login.method is LoginMethod.WINDOWS
    assert instance.trust_store is None
    assert (instance.connection.encrypt, instance.connection.validate) == (Encrypt.MANDATORY, True)
    assert instance.connection.word == "validated"


def test_an_instance_overrides_the_defaults_key_by_key(tmp_path: Path) -> None:
    (tmp_path / "roots.pem").write_text("x")
    (tmp_path / "other.pem").write_text("x")
    estate = load(
        tmp_path,
        HEAD
        + """
        [defaults]
        wave = 1
        trust_store = "roots.pem"
        login = { method = "sql", user = "sa", password = { env = "P" } }
        connection = { validate = false, login_timeout_seconds = 3 }
        [[instances]]
        address = 'SQL01'
        [[instances]]
        address = 'SQL02\\SALES'
        wave = 2
        trust_store = "other.pem"
        [instances.login]
        method = "windows"
        [instances.connection]
        validate = true
        host_name_in_certificate = "sql02.corp.example"
        """,
    )
    first, second = estate.instances
    assert first.login.password == EnvironmentVariable("P")
    assert (first.wave, second.wave) == (1, 2)
    assert first.trust_store == tmp_path / "roots.pem"
    assert second.trust_store == tmp_path / "other.pem"
    assert second.login.method is LoginMethod.WINDOWS
    assert (first.connection.validate, second.connection.validate) == (False, True)
    assert first.connection.word == "trusted_without_validation"
    assert second.connection.login_timeout_seconds == 3
    assert second.connection.host_name_in_certificate == "sql02.corp.example"


@pytest.mark.parametrize("opt_out", ["upgrade = false", 'wave = "none"'])
def test_an_instance_opts_out_of_the_default_wave(tmp_path: Path, opt_out: str) -> None:
    estate = load(tmp_path, HEAD + "[defaults]\nwave = 1\n" + ONE + opt_out)
    assert estate.instances[0].wave is None


def test_optional_encryption_is_stated_as_unencrypted(tmp_path: Path) -> None:
    estate = load(tmp_path, HEAD + ONE + 'connection = { encrypt = "optional" }')
    assert estate.instances[0].connection.word == "unencrypted"


@pytest.mark.parametrize(
    ("written", "source"),
    [
        ('{ env = "P" }', EnvironmentVariable("P")),
        ('{ keyring = { service = "s", user = "u" } }', KeyringEntry("s", "u")),
        ("{ prompt = true }", Prompt("sa")),
    ],
)
def test_a_password_is_named_by_the_place_where_it_lies(tmp_path: Path, written: str, source: object) -> None:
    estate = load(tmp_path, HEAD + ONE + f'login = {{ method = "sql", user = "sa", password = {written} }}')
    assert estate.instances[0].login.password == source


def test_a_relative_password_file_is_relative_to_the_estate_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    estate = load(tmp_path, HEAD + ONE + 'login = { method = "sql", user = "sa", password = { file = "p.txt" } }')
    assert estate.instances[0].login.password == PasswordFile(tmp_path / "p.txt")


def test_routes_are_read(tmp_path: Path) -> None:
    estate = load(tmp_path, HEAD + ONE + '[routes]\n"sql01" = "10.0.0.5"\n')
    assert estate.routes.to("SQL01", 1433) == ("10.0.0.5", 1433)


def test_a_byte_order_mark_and_windows_line_ends_are_accepted(tmp_path: Path) -> None:
    text = (HEAD + ONE).replace("\n", "\r\n")
    assert load(tmp_path, b"\xef\xbb\xbf" + text.encode()).name == "Test"


LOGIN = "[instances.login]\n"

REFUSED = [
    # what is written, and what the sentence must hold
    ("", ["is empty", "assessor init"]),
    (ONE, ["name is missing", 'name = "Production"']),
    (f'name = "x"\n{ONE}', ["upgrade_date is missing", "upgrade_date = 2027"]),
    (f'name = "x"\nupgrade_date = "2027-03-20"\n{ONE}', ["line 2: upgrade_date", "without quotes"]),
    (f'name = "x"\nupgrade_date = 2027-03-20T10:00:00\n{ONE}', ["line 2: upgrade_date", "without quotes"]),
    (f"{HEAD}horizon_days = -1\n{ONE}", ["line 3: horizon_days", "0 to 3650"]),
    (f'{HEAD}horizon_days = "90"\n{ONE}', ["line 3: horizon_days"]),
    (f"{HEAD}horizon_days = true\n{ONE}", ["line 3: horizon_days"]),
    (HEAD, ["instances is missing", "[[instances]]"]),
    (f"{HEAD}instances = []", ["instances", "[[instances]]"]),
    (f"{HEAD}[instances]\naddress = 'SQL01'", ["instances", "[[instances]]"]),
    (f"{HEAD}instances = ['SQL01']", ["instances[1]", "[[instances]]"]),
    (f"{HEAD}[[instances]]\nwave = 1", ["line 3: instances[1].address is missing"]),
    (f"{HEAD}[[instances]]\naddress = 5", ["line 4: instances[1].address"]),
    (f"{HEAD}[[instances]]\naddress = '  '", ["instances[1].address is empty"]),
    (f"{HEAD}[[instances]]\naddress = 'np:\\\\SQL01\\pipe\\sql\\query'", ["instances[1].address", "TCP"]),
    (f"{HEAD}[[instances]]\naddress = '(localdb)\\X'", ["instances[1].address", "TCP"]),
    (f"{HEAD}[[instances]]\naddress = 'SQL01:1433'", ["instances[1].address", "SQL01,1433"]),
    (f"{HEAD}{ONE}wave = 1.5", ["line 5: instances[1].wave", "wave = 1"]),
    (f"{HEAD}{ONE}wave = true", ["instances[1].wave"]),
    (f'{HEAD}{ONE}wave = "first"', ["instances[1].wave", '"none"']),
    (f"{HEAD}{ONE}wave = -1", ["instances[1].wave"]),
    (f"{HEAD}{ONE}wave = 1\nupgrade = false", ["line 6: instances[1].upgrade", "keep one"]),
    (f"{HEAD}{ONE}upgrade = true", ["instances[1].upgrade", "wave"]),
    (f"{HEAD}{ONE}adress = 'x'", ["line 5: instances[1].adress", "did you mean address?"]),
    (f"{HEAD}{ONE}xyzzy = 1", ["line 5: instances[1].xyzzy", "known are"]),
    (f"{HEAD}[default]\nwave = 1\n{ONE}", ["line 3: default ", "did you mean defaults?"]),
    (f"{HEAD}[[instance]]\naddress = 'a'", ["instance ", "did you mean instances?"]),
    (f"{HEAD}{ONE}login = 'windows'", ["instances[1].login", 'method = "windows"']),
    (f"{HEAD}{ONE}{LOGIN}user = 'x'", ["instances[1].login.method is missing"]),
    (f"{HEAD}{ONE}{LOGIN}method = 'kerberos'", ["line 6: instances[1].login.method", '"windows", "sql" or "entra"']),
    (f"{HEAD}{ONE}{LOGIN}method = 'sql'", ["line 5: instances[1].login has no user"]),
    (f"{HEAD}{ONE}{LOGIN}method = 'sql'\nuser = 'sa'", ["instances[1].login has no password", "env"]),
    (f"{HEAD}{ONE}{LOGIN}method = 'windows'\nuser = 'sa'", ["login.user", "account that runs assessor"]),
    (f"{HEAD}{ONE}{LOGIN}method = 'windows'\npassword = {{ env = 'X' }}", ["login.password", "leave it out"]),
    (f"{HEAD}{ONE}{LOGIN}method = 'windows'\nauthentication = 'SqlPassword'", ["login.authentication"]),
    (f"{HEAD}{ONE}{LOGIN}method = 'entra'", ["has no authentication", "ActiveDirectoryIntegrated"]),
    (f"{HEAD}{ONE}{LOGIN}method = 'entra'\nauthentication = 'Magic'", ["login.authentication", "ODBC Driver 18"]),
    (
        f"{HEAD}{ONE}{LOGIN}method = 'sql'\nuser = 'sa'\npassword = {{}}",
        ["login.password names no place", "exactly one of env, keyring, file and prompt"],
    ),
    (
        f"{HEAD}{ONE}{LOGIN}method = 'sql'\nuser = 'sa'\npassword = {{ env = 'A', file = 'b' }}",
        ["login.password names 2 places"],
    ),
    (f"{HEAD}{ONE}{LOGIN}method = 'sql'\nuser = 'sa'\npassword = {{ prompt = false }}", ["login.password.prompt"]),
    (f"{HEAD}{ONE}trust_store = 'missing.pem'", ["line 5: instances[1].trust_store", "does not exist"]),
    (f"{HEAD}[defaults]\ntrust_store = 'missing.pem'\n{ONE}", ["line 4: defaults.trust_store"]),
    (f"{HEAD}connect_trust_store = '.'\n{ONE}", ["line 3: connect_trust_store is a folder"]),
    (f'{HEAD}connect_trust_store = "a\\u0000b"\n{ONE}', ["line 3: connect_trust_store"]),
    (f"{HEAD}{ONE}connection = {{ encrypt = 'yes' }}", ["instances[1].connection.encrypt", '"mandatory"']),
    (f"{HEAD}{ONE}connection = {{ validate = 'no' }}", ["instances[1].connection.validate"]),
    (f"{HEAD}{ONE}connection = {{ login_timeout_seconds = 0 }}", ["login_timeout_seconds", "1 to 600"]),
    (f"{HEAD}{ONE}connection = {{ encrypt = 'strict', validate = false }}", ["strict", "validate"]),
    (f"{HEAD}{ONE}[routes]\nsql01 = 5", ["routes"]),
    (f"{HEAD}{ONE}[routes]\n'' = 'x'", ["routes"]),
    (f"{HEAD}{ONE}[routes]\n'sql01' = 'x:99999'", ["routes"]),
    ('name = "x', ["not valid TOML", "Unterminated"]),
    (f'{HEAD}[[instances]]\naddress = "SQL01\\SALES"', ["not valid TOML", "single quotes"]),
    (b'name = "\xe9"', ["line 1: not UTF-8"]),
    ('name = "x"'.encode("utf-16"), ["UTF-16"]),
    (b"\0\0\0", ["not valid TOML"]),
    (HEAD + ONE + "x = " + "[" * 5000 + "]" * 5000, []),
]


@pytest.mark.parametrize(("text", "parts"), REFUSED, ids=range(len(REFUSED)))
def test_a_faulty_file_is_refused_in_one_sentence(tmp_path: Path, text: str | bytes, parts: list[str]) -> None:
    message = refusal(tmp_path, text)
    for part in parts:
        assert part in message


@pytest.mark.parametrize("key", ["password", "Password", "pwd", "PWD"])
@pytest.mark.parametrize("place", [HEAD, HEAD + ONE, HEAD + ONE + LOGIN, HEAD + "[defaults.login]\n"])
def test_a_password_written_out_is_refused_and_never_repeated(tmp_path: Path, place: str, key: str) -> None:
    message = refusal(tmp_path, place + f"{key} = 'hunter2'\n")
    assert "written out" in message
    assert "env" in message
    assert "hunter2" not in message


@pytest.mark.parametrize(
    "text",
    [
        ONE + "login = { method = 'sql', user = 'sa', password = 'hunter2\n",
        ONE + "login = { method = 'sql', user = 'sa', pasword = 'hunter2' }\n",
        ONE + "login = { method = 'hunter2' }\n",
        "[[instances]]\naddress = 'Server=x;PWD=hunter2'\n",
        ONE + "trust_store = { a = 'hunter2' }\n",
    ],
)
def test_no_refusal_repeats_a_misplaced_secret(tmp_path: Path, text: str) -> None:
    assert "hunter2" not in refusal(tmp_path, HEAD + text)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("SQL01", "sql01"),
        ("SQL01", "tcp:SQL01"),
        ("SQL01", "SQL01,1433"),
        ("SQL01\\MSSQLSERVER", "SQL01"),
        ("SQL01\\SALES", "sql01\\sales"),
        ("SQL01\\SALES,1450", "SQL01,1450"),
    ],
)
def test_one_server_written_in_two_ways_is_refused(tmp_path: Path, first: str, second: str) -> None:
    message = refusal(tmp_path, f"{HEAD}[[instances]]\naddress = '{first}'\n[[instances]]\naddress = '{second}'\n")
    assert "line 6: instances[2].address is the same server as instances[1]" in message


@pytest.mark.parametrize(("first", "second"), [("SQL01", "SQL01\\SALES"), ("SQL01", "SQL01,1450"), ("SQL01", "SQL02")])
def test_two_servers_are_two(tmp_path: Path, first: str, second: str) -> None:
    estate = load(tmp_path, f"{HEAD}[[instances]]\naddress = '{first}'\n[[instances]]\naddress = '{second}'\n")
    assert len(estate.instances) == 2


def test_a_missing_file_is_told_with_the_way_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(EstateError, match="does not exist; write an estate file with: assessor init"):
        load_estate(tmp_path / "none.toml")


def test_a_folder_is_no_estate_file(tmp_path: Path) -> None:
    with pytest.raises(EstateError, match="is a folder"):
        load_estate(tmp_path)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a file that may not be read")
def test_an_unreadable_file_is_told(tmp_path: Path) -> None:
    file = tmp_path / "estate.toml"
    file.write_text("x")
    file.chmod(0)
    with pytest.raises(EstateError, match="can't be read"):
        load_estate(file)


def test_a_line_number_is_left_out_rather_than_wrong(tmp_path: Path) -> None:
    message = refusal(
        tmp_path, f'name = """\nhorizon_days = 1\n"""\nupgrade_date = 2027-01-01\nhorizon_days = "x"\n{ONE}'
    )
    assert message.startswith(": horizon_days")


SCALARS = st.one_of(st.integers(-5, 5), st.booleans(), st.text("ab'\\;=\n", max_size=5), st.floats(0, 1))
KEYS = st.sampled_from(
    ["name", "wave", "login", "method", "user", "password", "env", "address", "connection", "routes", "x"]
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=8,
)


def toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{key}" = {toml(inner)}' for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace("\n", "\\n") + '"'
    return repr(value)


@settings(deadline=None, max_examples=150)
@given(
    st.dictionaries(
        st.sampled_from(["name", "horizon_days", "defaults", "instances", "routes", "connect_trust_store", "y"]),
        TREES,
        max_size=4,
    )
)
def test_any_toml_is_accepted_or_refused_in_one_sentence(
    tmp_path_factory: pytest.TempPathFactory, document: dict[str, object]
) -> None:
    file = tmp_path_factory.mktemp("estate") / "estate.toml"
    file.write_text("\n".join(f"{key} = {toml(value)}" for key, value in document.items()), encoding="utf-8")
    refusals: list[str] = []
    try:
        load_estate(file)
    except EstateError as error:
        refusals.append(str(error))
    assert "\n" not in "".join(refusals)


def test_init_writes_a_file_that_is_accepted_as_it_stands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "estate.toml"
    init(file)
    estate = load_estate(file)
    assert [instance.wave for instance in estate.instances] == [1, 2, None]
    assert "estate.toml" in capsys.readouterr().out


def test_every_example_in_the_template_is_accepted_too(tmp_path: Path) -> None:
    (tmp_path / "roots").mkdir()
    for name in ("internal-root-ca.pem", "roots/sql03.pem"):
        (tmp_path / name).write_text("x")
    text = estate_template(date(2027, 3, 20))
    examples = [line[2:] for line in text.splitlines() if line.startswith("# ") and " = " in line and "{" in line]
    assert len(examples) >= 7
    for example in examples:
        load(tmp_path, HEAD + ONE + example)


def test_init_refuses_to_replace_a_file_unless_forced(tmp_path: Path) -> None:
    file = tmp_path / "estate.toml"
    file.write_text("mine")
    with pytest.raises(OutputError, match="--force"):
        init(file)
    assert file.read_text() == "mine"
    init(file, force=True)
    assert load_estate(file).instances


def test_every_key_is_documented() -> None:
    text = (Path(__file__).parent.parent / "docs" / "estate-file.md").read_text(encoding="utf-8")
    missing = [key for key in _MENDS if not re.search(rf"\b{key}\b", text)]
    assert missing == []


def test_the_example_of_the_documentation_is_accepted(tmp_path: Path) -> None:
    text = (Path(__file__).parent.parent / "docs" / "estate-file.md").read_text(encoding="utf-8")
    example = text.split("\n\n    ", 1)[1].split("\n\n## ", 1)[0]
    (tmp_path / "roots").mkdir()
    (tmp_path / "roots" / "corp.pem").write_text("x")
    estate = load(tmp_path, "\n".join(line.removeprefix("    ") for line in example.splitlines()))
    assert [instance.wave for instance in estate.instances] == [1, 2, None]

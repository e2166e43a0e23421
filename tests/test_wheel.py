"""What `pipx install .` gives: the wheel, whole, and at home in any folder."""

import os
import subprocess
import sys
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

import assessor

TREE = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((TREE / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # Without isolation: hatchling is a dev extra, so the build asks no package index for anything.
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", str(TREE), "--no-deps", "--no-build-isolation"]
    options = ["--no-index", "--no-input", "--disable-pip-version-check", "--wheel-dir", str(folder)]
    built = subprocess.run([*command, *options], capture_output=True, text=True, check=False, cwd=folder)
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def names(wheel: Path) -> frozenset[str]:
    with zipfile.ZipFile(wheel) as archive:
        return frozenset(archive.namelist())


@pytest.fixture(scope="module")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def files_below(folder: Path) -> set[str]:
    """Paths relative to `folder`, with forward slashes, of what git would keep there."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {path.as_posix() for path in found if "__pycache__" not in path.parts}


def metadata_text(wheel: Path, name: str) -> str:
    with zipfile.ZipFile(wheel) as archive:
        (inside,) = (entry for entry in archive.namelist() if entry.endswith(f".dist-info/{name}"))
        return archive.read(inside).decode("utf-8")


def run_from(unpacked: Path, cwd: Path, code: str) -> str:
    # -P and the path in front: the unpacked package must win over the editable install of this venv.
    environment = {**os.environ, "PYTHONPATH": str(unpacked)}
    command = [sys.executable, "-P", "-c", code]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, env=environment)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.parametrize("folder", ["queries", "sample_data"])
def test_shipped_files_are_the_same_in_the_wheel_as_in_the_tree(folder: str, wheel: Path) -> None:
    kept = files_below(TREE / folder)
    assert kept, f"{folder}/ is empty"
    prefix = f"assessor/_shipped/{folder}/"
    with zipfile.ZipFile(wheel) as archive:
        shipped = {name.removeprefix(prefix) for name in archive.namelist() if name.startswith(prefix)}
        assert shipped == kept
        for name in sorted(kept):
            assert archive.read(prefix + name) == (TREE / folder / name).read_bytes(), name


def test_at_least_one_query_travels(names: frozenset[str]) -> None:
    assert [name for name in names if name.startswith("assessor/_shipped/queries/") and name.endswith(".sql")]


def test_every_file_of_the_package_travels_rules_and_profiles_included(names: frozenset[str]) -> None:
    package = {f"assessor/{name}" for name in files_below(TREE / "assessor")}
    assert {name for name in names if name.startswith("assessor/") and "/_shipped/" not in name} == package
    assert "assessor/py.typed" in names
    assert any(name.endswith(".toml") for name in names)


def test_nothing_but_the_package_and_its_metadata_travels(names: frozenset[str], wheel: Path) -> None:
    # A wheel's metadata folder is NAME-VERSION.dist-info (Binary distribution format, PyPA specifications).
    metadata = f"assessor-{assessor.__version__}.dist-info/"
    strangers = {name for name in names if not name.startswith(("assessor/", metadata))}
    assert strangers == set()
    assert not [name for name in names if name.endswith(".pyc")]


def test_a_licence_in_the_tree_is_in_the_wheel(names: frozenset[str]) -> None:
    in_tree = {path.name for path in TREE.glob("LICEN[CS]E*")}
    assert {name.rpartition("/")[2] for name in names if ".dist-info/licenses/" in name} == in_tree


def test_metadata_says_what_the_project_file_says(wheel: Path) -> None:
    metadata = Parser().parsestr(metadata_text(wheel, "METADATA"))
    assert metadata["Version"] == assessor.__version__
    assert metadata["Requires-Python"] == PROJECT["requires-python"]
    unconditional = {line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line}
    assert unconditional == set(PROJECT["dependencies"])


def test_the_wheel_installs_the_command_assessor(wheel: Path) -> None:
    assert "assessor = assessor.start:main" in metadata_text(wheel, "entry_points.txt").splitlines()


def test_a_wheel_elsewhere_finds_its_own_queries_and_sample_data(unpacked: Path, tmp_path: Path) -> None:
    code = (
        "import assessor, assessor.shipped as s\n"
        "print(assessor.__file__, s.queries_dir(), s.sample_data_dir(), sep='\\n')\n"
    )
    package, queries, sample_data = (Path(line) for line in run_from(unpacked, tmp_path, code).splitlines())
    assert package == unpacked / "assessor" / "__init__.py"
    assert queries == unpacked / "assessor" / "_shipped" / "queries"
    assert sample_data == unpacked / "assessor" / "_shipped" / "sample_data"
    assert files_below(queries) == files_below(TREE / "queries")
    assert files_below(sample_data) == files_below(TREE / "sample_data")


def test_every_module_of_the_wheel_imports_elsewhere(unpacked: Path, tmp_path: Path) -> None:
    code = (
        "import importlib, pkgutil, assessor\n"
        "names = [m.name for m in pkgutil.walk_packages(assessor.__path__, 'assessor.')]\n"
        "print(*(importlib.import_module(n).__name__ for n in names if not n.endswith('__main__')))\n"
    )
    imported = run_from(unpacked, tmp_path, code).split()
    assert "assessor.errors" in imported

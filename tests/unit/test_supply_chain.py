"""What is installed is what was locked; what is in the repository opens no door."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ["requirements.txt", "requirements-dev.txt"]
OURS = ["bot", "handlers", "sandbox", "tests", "bench"]

#: Looks like what real services give out. The sandbox's own begin otherwise, so that nobody mistakes them.
_REAL = re.compile(
    r"xox[abpe]-\d{9,}-\d|xapp-\d-A\d{2}\w{6,}-\d|-----BEGIN [A-Z ]*PRIVATE KEY|AKIA[0-9A-Z]{16}|whsec_[0-9a-f]{32}"
)


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_is_pinned_and_hashed(name: str) -> None:
    """Each is one version with the hashes of its files; `pip --require-hashes` takes no other file from anywhere."""
    packages = _packages(name)
    assert len(packages) > 10
    for package in packages:
        assert re.match(r"[\w.\[\]-]+==[\w.+!]+( ; [^\\]+)? \\\n", package), package.splitlines()[0]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", package), package.splitlines()[0]
        assert not re.search(r"--hash=(?!sha256:[0-9a-f]{64})", package)


@pytest.mark.parametrize("name", LOCKS)
def test_no_lock_file_names_a_place(name: str) -> None:
    """Where packages come from is decided by whoever installs: no index, no link, no file, no repository."""
    written = (ROOT / name).read_text()
    assert not re.search(
        r"^\s*(-i|-f|-e|--index-url|--extra-index-url|--find-links|--trusted-host)\b", written, re.MULTILINE
    )
    assert "://" not in written
    assert " @ " not in written


def test_the_smaller_lock_is_in_the_larger() -> None:
    """What the tests run is what is deployed."""
    deployed, tested = (
        {one.split(" ", 1)[0] for one in _packages(name) if "sys_platform == 'win32'" not in one.splitlines()[0]}
        for name in LOCKS
    )
    assert deployed <= tested


def test_what_is_installed_is_hashed() -> None:
    """The one way to install that we give is the strict one."""
    assert re.search(r"pip install .*--require-hashes -r requirements-dev\.txt", (ROOT / "Makefile").read_text())


def test_nothing_in_the_repository_opens_a_door() -> None:
    """No token, key or secret of a real service is written down; what a deployment has stays out of the repository."""
    for folder in (*OURS, "docs"):
        for path in (ROOT / folder).rglob("*"):
            if (
                "node_modules" not in path.parts
                and path.is_file()
                and path.suffix in {".py", ".md", ".json", ".yml", ".js", ".html", ".sql", ".toml"}
            ):
                assert not _REAL.search(path.read_text()), path
    assert {".env", "/data/"} <= set((ROOT / ".gitignore").read_text().split())
    assert not re.search(r"^\w+=\S*(xox|xapp-|whsec_)\w{12}", (ROOT / ".env.example").read_text(), re.MULTILINE)


@pytest.mark.parametrize("folder", ["bot", "handlers"])
def test_nothing_runs_what_it_reads(folder: str) -> None:
    """No eval, no pickle, no shell, no YAML with types, and nobody who switches certificates off."""
    forbidden = {"eval", "exec", "pickle", "marshal", "shelve", "os.system", "os.popen", "yaml"}
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Name(id=name)):
                    assert name not in forbidden, f"{path.name}: {name}"
                case ast.Import(names=names):
                    assert not {one.name for one in names} & forbidden, path.name
                case ast.ImportFrom(module=module):
                    assert module not in forbidden, path.name
                case ast.keyword(arg="shell" | "verify" | "ssl", value=ast.Constant(value=value)):
                    assert value is None or (value is True) is not (node.arg == "shell"), f"{path.name}: {node.arg}"


def _packages(name: str) -> list[str]:
    """Return what each package's lines say."""
    written = (ROOT / name).read_text()
    return re.split(r"\n(?=[^#\s])", written[re.search(r"^[^#\s]", written, re.MULTILINE).start() :])

"""Run every test that docs/threat-model.md names, and write there what came of it."""

import argparse
import ast
import re
import subprocess
import sys
import tempfile
from collections import Counter
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.proofs.record import Record

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "threat-model.md"

#: A fixture: it looks at the log after every test, whichever it is.
EVERY_TEST = "tests/conftest.py"


def sections() -> dict[str, list[tuple[str, str]]]:
    """Return the page's sections and the tests that each names: (path, name), those of the results left out."""
    page = PAGE.read_text().partition("<!-- results -->")[0]
    parts = re.split(r"^## (.*)$", page, flags=re.MULTILINE)[1:]
    named = {
        title: re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text) for title, text in zip(*[iter(parts)] * 2, strict=True)
    }
    return {title: tests for title, tests in named.items() if tests}


@cache
def places(path: str) -> dict[str, str]:
    """Return the functions in a module by name, as pytest writes them: `Class::test`, or the name itself."""
    found: dict[str, str] = {}
    for node in ast.parse((ROOT / path).read_text()).body:
        inside = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        found |= {
            one.name: prefix + one.name for one in inside if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
        }
    return found


def run(tests: list[tuple[str, str]], workers: int) -> tuple[Counter[str], Counter[str]]:
    """Run tests; return by name how many cases each had, and how many of them did not pass."""
    nodes = [f"{path}::{places(path)[name]}" for path, name in dict.fromkeys(tests) if path != EVERY_TEST]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        how = ["-q", "-n", str(workers), "--dist", "loadscope", f"--junitxml={report}"]
        subprocess.run([sys.executable, "-m", "pytest", *how, *nodes], cwd=ROOT, check=False)
        cases = list(ET.parse(report).iter("testcase"))
    names = [str(case.get("name")).partition("[")[0] for case in cases]
    wrong = [name for name, case in zip(names, cases, strict=True) if len(case) and case[0].tag != "system-out"]
    return Counter(names), Counter(wrong)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=2, help="modules at once")
    parser.add_argument("--dry", action="store_true", help="do not write the page")
    arguments = parser.parse_args()
    record = Record(page="../threat-model", command="make prove-security")
    named = sections()
    cases, wrong = run([test for tests in named.values() for test in tests], arguments.workers)
    rows, missing = [], []
    for title, tests in named.items():
        names = {name for path, name in tests if path != EVERY_TEST}
        missing += sorted(names - set(cases))
        rows.append((title, len(names), sum(cases[name] for name in names), sum(wrong[name] for name in names)))
    record.table(("", "tests", "cases", "did not pass"), rows)
    record.say("The log of all of them had no number, address, word of a text, token or secret in it.")
    if missing or wrong:
        print(record.text(), "did not pass:", dict(wrong), "were not run:", missing)  # noqa: T201
        return 1
    if arguments.dry:
        print(record.text())  # noqa: T201
    else:
        record.write()
    return 0


if __name__ == "__main__":
    sys.exit(main())

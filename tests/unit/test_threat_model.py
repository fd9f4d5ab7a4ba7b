"""docs/threat-model.md names its tests, and they are there: the page cannot say more than is held."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/threat-model.md").read_text().partition("<!-- results -->")[0]

#: Each line of a table that is neither its head nor its rule.
LINES = [line for line in PAGE.splitlines() if re.match(r"\| (?!Who could |What could |---)", line)]
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)


@cache
def _functions(path: str) -> set[str]:
    """Return the names of the tests and fixtures in a module, also of those in its classes."""
    found = ast.walk(ast.parse((ROOT / path).read_text()))
    return {node.name for node in found if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize(("path", "name"), sorted(set(NAMED)), ids=lambda value: value)
def test_every_test_that_it_names_is_there(path: str, name: str) -> None:
    """A test that is renamed or taken away takes the page along."""
    assert name in _functions(path)
    assert name.startswith("test_") or path == "tests/conftest.py"


@pytest.mark.parametrize("line", LINES, ids=lambda line: line[2:50])
def test_every_line_names_a_test(line: str) -> None:
    """What nothing holds stands under "What is left"."""
    cells = [cell.strip() for cell in line.strip("|").split(" | ")]
    assert len(cells) == 3
    assert re.fullmatch(r"(`tests/[\w/]+\.py::\w+` ?)+", cells[2].strip(" |"))


def test_it_covers_both_sides() -> None:
    """There are lines, and enough of them to be read."""
    assert 30 <= len(LINES) <= 60
    assert len(set(NAMED)) >= 80

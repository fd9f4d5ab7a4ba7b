"""No query is made of anything but our own words: what people write travels beside it, as parameters."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    path for path in (ROOT / "bot").rglob("*.py") if "psycopg" in path.read_text() or "storage" in path.parts
)

#: What takes a query as its first argument.
_ASKING = {"execute", "executemany", "copy", "stream"}

#: A piece of a query, however small: what asks for rows is in capitals, as everywhere here.
_SQL = re.compile(
    r"\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|WHERE|SET LOCAL|VALUES|JOIN|AND|RETURNING|ORDER BY|NOTIFY|LISTEN)\b"
    r"|= %s"
)


def _made(tree: ast.Module) -> Iterator[tuple[ast.expr, ast.AST]]:
    """Yield whatever makes a query, or a piece of one, of several parts, with the function in which it stands."""
    for function in [
        tree,
        *(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)),
    ]:
        for node in ast.walk(function):
            match node:
                case ast.Call(func=ast.Attribute(attr=attribute), args=[query, *_]) if attribute in _ASKING:
                    if not isinstance(query, ast.Name):  # a name stands for what was made elsewhere
                        yield query, function
                case ast.JoinedStr() if _SQL.search(ast.unparse(node)):
                    yield node, function
                case ast.BinOp(op=ast.Add() | ast.Mod()) if _SQL.search(ast.unparse(node)):
                    yield node, function
                case ast.Call(func=ast.Attribute(value=ast.Constant(), attr="format" | "join")):
                    if _SQL.search(ast.unparse(node)):
                        yield node, function


def _literals(function: ast.AST) -> set[str]:
    """Return the names in a function that stand for words of ours, by what they are declared to be or made of."""
    names = set()
    for node in ast.walk(function):
        match node:
            case ast.arg(arg=name, annotation=ast.expr() as declared) if "LiteralString" in ast.unparse(declared):
                names.add(name)
            case ast.AnnAssign(target=ast.Name(id=name), annotation=declared):
                if "LiteralString" in ast.unparse(declared):
                    names.add(name)
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant() | ast.IfExp(body=ast.Constant())):
                names.add(name)
    return names


def _is_ours(written: ast.expr, names: set[str]) -> bool:
    """Say whether something is made of constants only: ours are in capitals, here and in the modules beside."""
    match written:
        case ast.Constant():
            ours = True
        case ast.JoinedStr(values=values):
            ours = all(_is_ours(value, names) for value in values)
        case ast.FormattedValue(value=value):
            ours = _is_ours(value, names)
        case ast.Name(id=name):
            ours = name in names or name.isupper()
        case ast.Attribute(value=ast.Name(), attr=name):
            ours = name.isupper() or ast.unparse(written) == "step.sql"  # a migration: a file of ours
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):  # a number is no words
            ours = name == "int" or all(_is_ours(one, names) for one in arguments)
        case ast.Subscript(value=value):  # a table's name, looked up among ours
            ours = _is_ours(value, set())
        case ast.Call(func=ast.Attribute(value=value, attr="format"), args=[], keywords=keywords):
            ours = _is_ours(value, names) and all(_is_ours(one.value, names) for one in keywords)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            ours = _is_ours(left, names) and _is_ours(right, names)
        case _:
            ours = False
    return ours


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_query_is_words_of_ours(path: Path) -> None:
    """What is put into one is a constant, or declared to be a literal."""
    for written, function in _made(ast.parse(path.read_text())):
        assert _is_ours(written, _literals(function)), f"line {written.lineno}: {ast.unparse(written)[:200]}"


@pytest.mark.parametrize(
    "line",
    [
        "await c.execute(f\"SELECT 1 WHERE name = '{name}'\")",
        "await c.execute('SELECT 1 WHERE name = ' + name)",
        "await c.execute('SELECT 1 WHERE name = %s' % name)",
        "await c.execute('SELECT 1 WHERE name = {}'.format(name))",
        "which = f\"name = '{name}' AND true\"\n    await c.execute(which)",
    ],
)
def test_a_query_made_of_a_value_is_found(line: str) -> None:
    """The check bites."""
    tree = ast.parse(f"async def find(c, name: str):\n    {line}\n")
    assert not all(_is_ours(written, _literals(function)) for written, function in _made(tree))

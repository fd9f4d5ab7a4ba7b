"""Bad input on a small scale, and that what looks for flaws finds them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.webhooks import sandbox_process
from tests.proofs import input_drawing, input_readers
from tests.proofs.input import Found, _grown, proof
from tests.proofs.input_answers import SHORT_WAITS
from tests.proofs.input_mutation import Lots, mutated, smaller, written
from tests.proofs.input_readers import Reader


@pytest.mark.timeout(180)
async def test_bad_input(database_urls: Callable[[], str], tmp_path: Path) -> None:
    """No 500, no unhandled exception, no stuck job, no growth in memory."""
    async with sandbox_process() as sandbox:
        found = await proof(7, 1_500, database_urls, tmp_path, sandbox, waits=SHORT_WAITS)
    assert found.flaws == []
    assert found.total >= 1_400
    assert {"200", "400", "401"} <= {answer.rpartition(" ")[2] for answer in found.answers}


def test_the_same_seed_gives_the_same_input() -> None:
    """Whatever is found can be found again."""
    for reader in (*input_readers.READERS, input_drawing.READER):
        first, second = (repr(reader.make(Lots(7, reader.name, 3))) for _ in range(2))
        assert first == second
    sample = {"a": [1, {"b": "c"}], "d": None}
    assert len({written(mutated(sample, Lots(1, number))) for number in range(200)}) > 150
    assert sample == {"a": [1, {"b": "c"}], "d": None}


@pytest.mark.parametrize(
    ("read", "what"),
    [
        pytest.param(lambda value: value["a"]["b"], "TypeError", id="what raises"),
        pytest.param(lambda value: str(value.get("a")), "let through", id="what cannot be stored"),
    ],
)
def test_a_flaw_is_found_and_made_small(read: Callable[[Any], Any], what: str) -> None:
    """A reader that trusts its input is found out, and with how little."""
    sample = {"a": {"b": "x"}, "c": ["d"] * 5, "e": {"f": 1}}
    reader = Reader("a careless one", lambda lots: mutated(sample, lots), read, (KeyError, AttributeError))
    _, flaws, _ = input_readers.run(1, 3_000, (reader,))
    found = [one for one in flaws if one.what.startswith(what)]
    assert found, flaws
    assert min(len(written(one.given)) for one in found) < len(written(sample)) / 2


def test_what_fails_is_made_small() -> None:
    """All that does not matter for it is left out."""
    given = {"x": [1, 2, {"y": "nothing"}], "z": "a long text with a ! in it"}
    assert smaller(given, lambda value: "!" in str(value.get("z", ""))) == {"z": "!"}


def test_growth_is_noticed() -> None:
    """A bot that is much larger in the second half is a flaw; one that became larger at first is not."""
    assert _grown([60.0, 80.0, 82.0, 83.0]) == []
    assert _grown([60.0, 62.0, 82.0, 83.0]) == ["memory grew from 62 to 83 MB"]
    assert Found().total == 0

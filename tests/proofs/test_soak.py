"""A short soak: ten seconds of work and trouble end true, and the checks of the long one notice what grows."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.storage.database import POOL_SIZE
from sandbox.driver import Sandbox
from tests.proofs.soak import read_options, run, soaking
from tests.proofs.soak_figures import BOUNDED, RECORD, Load, Sample, growth, verdict

#: Connections beside the pool: two workers listen, one leads, one says that we live.
BESIDE_THE_POOL = 4

#: What heals within seconds. A lost answer is found by reading Blooio's chats, which takes minutes.
ROTA = ["half of the bot's database connections are killed", "the socket breaks", "200 webhooks come twice"]

OPTIONS = [*("--minutes", "0.17"), *("--rate", "20"), *("--every", "1"), *("--fault-every", "1.2")]


@pytest.mark.timeout(300)  # it takes twenty seconds; on a machine that does much else, far longer
async def test_ten_seconds_leave_nothing_behind(database_url: str, tmp_path: Path) -> None:
    """Everything arrived once and in order, no job is left, and neither connections nor memory have grown much."""
    async with Sandbox.start() as sandbox, soaking(sandbox, database_url, tmp_path) as soak:
        soak.rota = ROTA
        samples = await run(soak, read_options(OPTIONS), report=lambda _: None)
        await soak.settles(timeout=150)

        assert await soak.wrong() == []
        assert (soak.complaints(), dict(soak.errors)) == ([], {})
        assert soak.load.texts >= 200
        assert set(soak.faults) == set(ROTA)
        assert max(one.connections for one in samples) <= POOL_SIZE + BESIDE_THE_POOL
        assert samples[-1].memory - samples[0].memory < 40
        assert await soak.ask("SELECT count(*) FROM procrastinate_jobs") == [(0,)]

        soak.pals[0].wrote.append("answer 0")
        assert [one.partition(": ")[2] for one in await soak.wrong()] == ["missing: answer 0"]


def test_a_line_through_a_leak_is_found() -> None:
    """Ten megabytes an hour are ten, whatever saws up and down around them."""
    leak = [(15.0 * n, 80 + 10 * n / 240 + (-1) ** n) for n in range(240)]
    assert abs(growth(leak) - 10) < 0.5
    assert abs(growth([(at, 80.0) for at, _ in leak])) < 0.01


STARTED, STEPS = 1_000.0, 60

#: One look each fifteen seconds, at a bot of which nothing grows.
FLAT = [
    Sample(
        at=STARTED + 15 * n,
        texts=300 * n,
        memory=80.0,
        files=50,
        asking=40,
        asked=20,
        threads=5,
        cpu=3.0 * n,
        database_cpu=1.5 * n,
        connections=20,
        ack=(0.01, 0.02),
        blooio=(0.1, 0.2),
        receipt=(0.1, 0.2),
        rows=dict.fromkeys(BOUNDED, 100),
        dead={},
        sizes=dict.fromkeys(RECORD, 1.0),
    )
    for n in range(STEPS)
]


def rising(**slopes: float) -> list[Sample]:
    """The same, but these figures grow by so much from each look to the next."""
    return [
        replace(one, **{name: getattr(one, name) + round(slope * n) for name, slope in slopes.items()})
        for n, one in enumerate(FLAT)
    ]


@pytest.mark.parametrize(
    ("samples", "slower", "broken"),
    [
        pytest.param(FLAT, 1.0, [], id="all is flat"),
        pytest.param(rising(memory=0.2), 1.0, ["… growth in the second half, MB an hour"], id="a leak"),
        pytest.param(rising(connections=0.2), 1.0, ["connections to the database: usual, most"], id="connections"),
        pytest.param(rising(files=1), 1.0, ["open files: usual, most"], id="files"),
        pytest.param(rising(asking=4), 1.0, ["connections to Slack and Blooio: usual, most"], id="vendors"),
        pytest.param(rising(asked=9), 1.0, [], id="whoever tells us something holds on to as many as they like"),
        pytest.param(
            [replace(one, rows=one.rows | {"events": 100 * n}) for n, one in enumerate(FLAT)],
            1.0,
            ["rows of `events`: mean of the first half, of the second"],
            id="a table that nobody tidies",
        ),
        pytest.param(
            [replace(one, cpu=one.cpu * (1 + n / STEPS)) for n, one in enumerate(FLAT)],
            1.0,
            ["processor of the bot, ms a text: first, last tenth"],
            id="work that grows with what was done",
        ),
        pytest.param(FLAT, 1.5, ["acknowledgement, p50 in ms: first, last tenth"], id="a slower answer"),
    ],
)
async def test_what_grows_or_gets_slower_is_noticed(samples: list[Sample], slower: float, broken: list[str]) -> None:
    """Each promise fails by itself, and none while all is flat."""
    ended = FLAT[-1].at
    acks = [(STARTED + n, 0.01 * (slower if n > 600 else 1.0), True) for n in range(round(ended - STARTED))]
    load = Load(texts=samples[-1].texts, acks=acks, ended=ended)
    found = await verdict(samples, load, nothing_stored)
    assert [what for what, *_, holds in found if not holds] == broken


async def nothing_stored(query: str, *_: Any) -> list[tuple[Any, ...]]:
    """A database in which there is nothing: counts are 0."""
    return [(0,)] if "count(" in query else []

"""Events in disorder: twice, late, in another order, and while nobody is connected."""

import asyncio

import pytest

from sandbox.driver import Sandbox
from sandbox.slack.driver import Refused
from tests.contract.slack_fixtures import APP, answering, over_sockets


async def deliveries(sandbox, count):
    """Wait until events were delivered so often; return the records."""

    async def made():
        found = await sandbox.exchanges(name="deliver:events_api")
        return found if len(found) >= count else None

    found = await sandbox.until(made)
    assert len(found) == count
    return found


async def say(sandbox, *words):
    for word in words:
        await sandbox.person("ben").posts("#support", word)


def texts(heard):
    return [one["event"]["text"] for one in heard]


async def test_an_event_comes_again_in_another_envelope(sandbox, heard):
    """The second time it has the same event_id and says that it is a retry; the next event comes once."""
    await sandbox.repeats_events()
    await say(sandbox, "one")
    await sandbox.until(lambda: len(heard) == 2)
    await say(sandbox, "two")
    await sandbox.until(lambda: len(heard) == 3)
    first, again, last = await deliveries(sandbox, 3)
    assert first["body"] == again["body"]
    assert first["raw_path"] != again["raw_path"]  # the envelopes
    assert [{name: one["headers"][name] for name in ("attempt", "reason")} for one in (first, again, last)] == [
        {"attempt": "0", "reason": ""},
        {"attempt": "1", "reason": "http_timeout"},
        {"attempt": "0", "reason": ""},
    ]
    assert texts(heard) == ["one", "one", "two"]


async def test_a_repeated_event_that_nobody_takes_comes_further_times(sandbox):
    """That it came twice at first takes no retry of Slack's away."""
    await sandbox.repeats_events()
    await say(sandbox, "one")  # nobody is connected
    await deliveries(sandbox, 2)
    await sandbox.advance(61)
    assert [one["headers"]["attempt"] for one in await deliveries(sandbox, 3)] == ["0", "1", "2"]


async def test_a_repeated_event_says_so_in_its_headers(sandbox):
    """Over HTTP it carries the number and the reason of a retry."""
    async with answering(sandbox) as requests:
        await sandbox.repeats_events(2)
        await say(sandbox, "one", "two", "three")
        await sandbox.until(lambda: len(requests) == 5)
    retries = [one for one in requests if "x-slack-retry-num" in one.headers]
    assert sorted(one.json["event"]["text"] for one in retries) == ["one", "two"]
    assert {(one.headers["x-slack-retry-num"], one.headers["x-slack-retry-reason"]) for one in retries} == {
        ("1", "http_timeout")
    }


async def test_events_come_twice_until_it_is_taken_back(sandbox, heard):
    """Without a number each event comes twice, and with 0 none any more."""
    await sandbox.repeats_events(None)
    await say(sandbox, "one", "two", "three")
    await sandbox.until(lambda: len(heard) == 6)
    await sandbox.repeats_events(0)
    await say(sandbox, "four")
    await sandbox.until(lambda: len(heard) == 7)
    assert sorted(texts(heard)) == sorted(["one", "two", "three"] * 2 + ["four"])


async def test_an_event_can_come_twice_at_once(sandbox):
    """Both are on their way before either is answered."""
    async with answering(sandbox) as requests:
        await sandbox.order(vendor="slack", where="deliver:events_api", kind="latency", seconds=60)
        await sandbox.repeats_events(at_once=True)
        await say(sandbox, "one")
        await sandbox.until(lambda: len(requests) == 1)  # the second, while the first is still held up
        assert requests[0].headers["x-slack-retry-num"] == "1"
        await sandbox.advance(60)
        await sandbox.until(lambda: len(requests) == 2)
    assert "x-slack-retry-num" not in requests[1].headers


async def test_held_events_wait(sandbox, heard):
    """What is raised after the order does not go out before the release."""
    await sandbox.holds_events()
    await say(sandbox, "one", "two")
    assert await sandbox.exchanges(name="deliver:events_api") == []
    assert (await sandbox.person("ana").types("#support", "/text hello")).text == "Got hello"  # commands are no events
    assert heard.of("what", "message") == []
    assert await sandbox.releases_events() == 2
    assert texts(heard.of("what", "message")) == ["one", "two"]
    await say(sandbox, "three")
    await sandbox.until(lambda: len(heard.of("what", "message")) == 3)


@pytest.mark.parametrize(
    ("order", "came"),
    [
        pytest.param("raised", ["one", "two", "three"], id="as they were raised"),
        pytest.param("reversed", ["three", "two", "one"], id="the last first"),
        pytest.param([1, 0, 1, 2], ["two", "one", "two", "three"], id="named one by one, one twice"),
        pytest.param([2], ["three"], id="only one"),
    ],
)
async def test_events_come_in_another_order(sandbox, heard, order, came):
    """Released events come one after the other in the order that was asked for."""
    await sandbox.holds_events()
    await say(sandbox, "one", "two", "three")
    assert await sandbox.releases_events(order) == len(came)
    assert texts(heard) == came


async def test_an_edit_can_overtake_its_message(sandbox, heard):
    """The change of a message arrives before the message itself."""
    await sandbox.holds_events()
    message = await sandbox.person("ben").posts("#support", "one")
    await sandbox.person("ben").edits(message, "two")
    async with answering(sandbox) as requests:
        await sandbox.releases_events("reversed")
        assert [one.json["event"].get("subtype") for one in requests] == ["message_changed", None]


async def test_shuffling_is_the_same_each_time(sandbox, heard):
    """A seed decides the order, and all of the events come."""
    words = [str(number) for number in range(8)]
    rounds = []
    for seed in (7, 7, 8):
        await sandbox.holds_events()
        await say(sandbox, *words)
        await sandbox.releases_events("shuffled", seed=seed)
        rounds.append(texts(heard))
        heard.clear()
    assert rounds[0] == rounds[1]
    assert rounds[0] != rounds[2]
    assert [sorted(one) for one in rounds] == [words] * 3


async def test_an_order_that_makes_no_sense_releases_nothing(sandbox, heard):
    """The events are still there after a mistake."""
    await sandbox.holds_events()
    await say(sandbox, "one")
    for order in ("sideways", [1], ["one"]):
        with pytest.raises(Refused):
            await sandbox.releases_events(order)
    assert await sandbox.releases_events() == 1
    assert texts(heard) == ["one"]


async def test_a_released_event_that_is_not_taken_is_retried(sandbox):
    """Nobody is there at the release: the event comes as a retry once somebody is."""
    await sandbox.holds_events()
    await say(sandbox, "early")
    assert await sandbox.releases_events() == 1
    await deliveries(sandbox, 2)  # at once, and almost at once again
    async with over_sockets(sandbox) as heard:
        await sandbox.advance(60)
        await sandbox.until(lambda: len(heard) == 1)
        [*_, last] = await deliveries(sandbox, 3)
    assert (last["headers"]["attempt"], last["headers"]["reason"]) == ("2", "connection_failed")
    assert texts(heard) == ["early"]


async def test_events_of_an_hour_without_anybody_come_late_or_not_at_all():
    """What nobody took within the retries is gone, as in real life; what is raised later comes."""
    async with Sandbox.start(APP) as sandbox:
        await say(sandbox, "lost")
        for seconds, count in ((0, 2), (60, 3), (300, 4)):
            await sandbox.advance(seconds)
            await deliveries(sandbox, count)
        async with over_sockets(sandbox) as heard, asyncio.timeout(30):
            await sandbox.advance(3600)
            await say(sandbox, "later")
            await sandbox.until(lambda: list(heard))
        assert texts(heard) == ["later"]

"""What becomes of a text, phone by phone, on the sandbox's clock."""

import pytest

from sandbox.blooio.seed import FAY, JANE, NORA, PAT, RITA, SAM
from tests.contract.blooio_world import running

LONG = 3_600


@pytest.fixture
async def world():
    async with running() as world:
        yield world


async def test_imessage(world):
    """A text is queued, then sent, then delivered; it shows on the phone when delivered."""
    await world.slow_phone()
    message_id = await world.sent(JANE)
    queued = await world.status(message_id)
    world.basics.clock.advance(100)
    await world.becomes(message_id, "sent")
    sent, on_screen = await world.status(message_id), await world.phone(JANE).received()
    world.basics.clock.advance(100)
    await world.becomes(message_id, "delivered")
    delivered = await world.status(message_id)

    assert (queued["status"], queued["protocol"]) == ("queued", None)
    assert (sent["status"], sent["protocol"], sent["time_delivered"]) == ("sent", "imessage", None)
    assert on_screen == []
    assert delivered["status"] == "delivered"
    assert delivered["time_delivered"] - delivered["time_sent"] == 100_000
    assert len(await world.phone(JANE).received()) == 1


async def test_each_step_keeps_its_own_time(world):
    """A text is sent after 0.3 seconds and delivered after 1, also when the clock jumps over both."""
    message_id = await world.sent(JANE)
    world.basics.clock.advance(LONG)
    await world.becomes(message_id, "delivered")

    [text] = await world.phone(JANE).received()
    answer = await world.status(message_id)
    assert answer["time_sent"] / 1000 == pytest.approx(text.at + 0.3, abs=0.01)
    assert answer["time_delivered"] / 1000 == pytest.approx(text.at + 1, abs=0.01)


@pytest.mark.parametrize(
    ("address", "protocol", "status"),
    [
        pytest.param(RITA, "rcs", "delivered", id="RCS is delivered"),
        pytest.param(SAM, "sms", "sent", id="SMS stays sent"),
        pytest.param(PAT, "imessage", "delivered", id="an email has iMessage"),
        pytest.param("+15550107772", "imessage", "delivered", id="a stranger with an even last digit has iMessage"),
        pytest.param("+15550107773", "sms", "sent", id="a stranger with an odd last digit has SMS"),
    ],
)
async def test_the_best_channel_is_used(world, address, protocol, status):
    """The channel follows from the phone, and SMS says nothing after `sent` although it arrives."""
    message_id = await world.sent(address)
    world.basics.clock.advance(LONG)
    [text] = await world.phone(address).received(1)

    answer = await world.status(message_id, address)
    assert (text.protocol, text.status) == (answer["protocol"], answer["status"]) == (protocol, status)


async def test_sms_with_delivery_reports(world):
    """A carrier may report: then an SMS is delivered as well."""
    await world.phone(SAM).becomes(sms_delivers=True)
    message_id = await world.sent(SAM)
    world.basics.clock.advance(LONG)

    await world.becomes(message_id, "delivered")


async def test_a_slow_phone(world):
    """Nora's phone takes eight seconds."""
    message_id = await world.sent(NORA)
    world.basics.clock.advance(LONG)
    await world.becomes(message_id, "delivered")

    [text] = await world.phone(NORA).received()
    assert text.reached_at == pytest.approx(text.at + 8, abs=0.01)


async def test_a_text_that_fails(world):
    """What is sent to Fay fails after it was sent, with a code for webhooks and words for the API."""
    message_id = await world.sent(FAY)
    world.basics.clock.advance(LONG)
    await world.becomes(message_id, "failed")

    answer = await world.status(message_id, FAY)
    assert (answer["status"], answer["protocol"]) == ("failed", "imessage")
    assert "recipient_unreachable" in answer["error"]
    assert await world.phone(FAY).received() == []


async def test_an_unreachable_phone(world):
    """A text to a phone that is off stays sent, and arrives when the phone is back."""
    await world.phone(JANE).becomes(unreachable=True)
    message_id = await world.sent(JANE)
    world.basics.clock.advance(LONG)
    await world.becomes(message_id, "sent")
    screen = await world.phone(JANE).received()
    await world.phone(JANE).becomes(unreachable=False)
    await world.becomes(message_id, "delivered")

    assert screen == []
    [text] = await world.phone(JANE).received()
    assert text.reached_at > text.at + LONG


async def test_a_text_that_is_stuck(world):
    """A stuck text stays queued, and goes out when it is let go."""
    await world.phone(JANE).becomes(stuck=True)
    message_id = await world.sent(JANE)
    world.basics.clock.advance(LONG)
    stuck = await world.status(message_id)
    await world.phone(JANE).becomes(stuck=False)
    await world.becomes(message_id, "delivered")

    assert stuck["status"] == "queued"


async def test_a_phone_without_any_channel(world):
    """Where no channel is left, a text fails without ever being sent."""
    await world.phone(PAT).becomes(imessage=False)
    message_id = await world.sent(PAT)
    world.basics.clock.advance(LONG)
    await world.becomes(message_id, "failed")

    [text] = await world.phone(PAT).texts()
    assert (text.protocol, text.error) == (None, "no_channel")


async def test_the_claimed_channel_is_not_the_real_one(world):
    """A capability check may promise iMessage where the text then travels as SMS."""
    await world.phone(SAM).becomes(claims={"imessage": True})
    promised = (await world.http.get(f"/contacts/{SAM}/capabilities")).json()["capabilities"]["imessage"]
    await world.sent(SAM)
    world.basics.clock.advance(LONG)

    [text] = await world.phone(SAM).received(1)
    assert (promised, text.protocol) == (True, "sms")


async def test_a_protocol_that_is_pending_first(world):
    """The protocol may be unsettled while queued and sent, and settles when the text arrives."""
    await world.slow_phone()
    await world.phone(JANE).becomes(pending_first=True)
    message_id = await world.sent(JANE)
    protocols = [(await world.status(message_id))["protocol"]]
    for seconds, status in ((100, "sent"), (100, "delivered")):
        world.basics.clock.advance(seconds)
        await world.becomes(message_id, status)
        protocols.append((await world.status(message_id))["protocol"])

    assert protocols == ["pending", "pending", "imessage"]


async def test_reading(world):
    """A read text has a time on the phone; REST has no word for it and goes on saying delivered."""
    message_id = await world.sent(JANE)
    world.basics.clock.advance(LONG)
    await world.phone(JANE).received(1)
    await world.phone(JANE).reads()

    [text] = await world.phone(JANE).texts()
    assert (text.status, text.read_at is not None) == ("read", True)
    assert (await world.status(message_id))["status"] == "delivered"


@pytest.mark.parametrize(
    ("address", "profile"),
    [
        pytest.param(JANE, {"receipts": False}, id="receipts are off"),
        pytest.param(SAM, {}, id="SMS has none"),
        pytest.param(RITA, {}, id="RCS has none here"),
    ],
)
async def test_reading_unnoticed(world, address, profile):
    """Without receipts the person reads, and Blooio does not hear of it."""
    await world.phone(address).becomes(**profile)
    await world.sent(address)
    world.basics.clock.advance(LONG)
    await world.phone(address).received(1)
    await world.phone(address).reads()
    [read] = await world.phone(address).texts()
    world.basics.clock.advance(LONG)
    await world.phone(address).reads()

    [again] = await world.phone(address).texts()
    assert read.read_at is not None
    assert read.status != "read"
    assert again == read


async def test_reading_at_once(world):
    """A phone can read by itself, so many seconds after a text was accepted."""
    await world.phone(JANE).becomes(read_after=500)
    message_id = await world.sent(JANE)
    world.basics.clock.advance(400)
    await world.becomes(message_id, "delivered")
    world.basics.clock.advance(100)

    await world.becomes(message_id, "read")


async def test_texts_arrive_in_order(world):
    """Twenty texts to one phone show in the order in which they were accepted."""
    for number in range(20):
        await world.sent(JANE, text=str(number))
    world.basics.clock.advance(LONG)

    assert [text.text for text in await world.phone(JANE).received(20)] == [str(number) for number in range(20)]

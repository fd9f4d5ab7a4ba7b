"""`/text`, from the words typed to the receipt in the thread."""

from tests.acceptance.stage import SUPPORT, Stage


async def test_a_text_reaches_the_phone_and_the_thread_says_how(stage: Stage) -> None:
    """An iMessage is delivered, an SMS is sent, and each thread says so by itself."""
    shown = await stage.ana.types(SUPPORT, "/text +15551234567 Hi Jane :wave:")
    assert shown.text.startswith(("Texting Jane Doe.", "Texting +1 555-123-4567."))  # as soon as the book is read
    await stage.ben.types(SUPPORT, "/text +15557654321 Hi Sam")

    await stage.settles("🔵 iMessage · Delivered", "🟢 SMS · Sent")

    (text,) = await stage.sandbox.phone("+15551234567").received()
    assert (text.text, text.protocol, text.metadata) == ("Hi Jane 👋", "imessage", {"expected_protocol": "imessage"})
    (text,) = await stage.sandbox.phone("+15557654321").received()
    assert (text.text, text.protocol) == ("Hi Sam", "sms")


async def test_a_text_typed_during_the_check_expects_what_it_finds(stage: Stage) -> None:
    """The second text waits behind the first, whose check is still under way, and then expects the same channel."""
    check = "GET /contacts/+15551234567/capabilities"
    await stage.sandbox.order(vendor="blooio", where=check, kind="latency", seconds=1.0)
    await stage.ana.types(SUPPORT, "/text +15551234567 One")
    await stage.ana.types(SUPPORT, "/text +15551234567 Two")

    await stage.settles("🔵 iMessage · Delivered", "🔵 iMessage · Delivered")

    async with stage.app.pool.connection() as connection:
        cursor = await connection.execute("SELECT body, expected_channel FROM deliveries ORDER BY body")
        assert await cursor.fetchall() == [("One", "imessage"), ("Two", "imessage")]
    sent = await stage.sandbox.phone("+15551234567").received()
    assert [text.metadata for text in sent] == [{"expected_protocol": "imessage"}] * 2

"""`/text`, from the words typed to the receipt in the thread."""

from tests.acceptance.stage import SUPPORT, Stage


async def test_a_text_reaches_the_phone_and_the_thread_says_how(stage: Stage) -> None:
    """An iMessage is delivered, an SMS is sent, and each thread says so by itself."""
    shown = await stage.ana.types(SUPPORT, "/text +15551234567 Hi Jane :wave:")
    assert shown.text.startswith("Texting +1 555-123-4567.")
    await stage.ben.types(SUPPORT, "/text +15557654321 Hi Sam")

    await stage.settles("🔵 iMessage · Delivered", "🟢 SMS · Sent")

    (text,) = await stage.sandbox.phone("+15551234567").received()
    assert (text.text, text.protocol, text.metadata) == ("Hi Jane 👋", "imessage", {"expected_protocol": "imessage"})
    (text,) = await stage.sandbox.phone("+15557654321").received()
    assert (text.text, text.protocol) == ("Hi Sam", "sms")

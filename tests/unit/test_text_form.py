"""What people write into a form, and what becomes of it."""

import pytest

from bot.reading.command import MAX_BODY, TextCommand
from bot.reading.form import FormProblem, parse_text_form


@pytest.mark.parametrize(
    ("to", "message", "address", "body"),
    [
        pytest.param("+1 555-123-4567", "Hi Jane", "+15551234567", "Hi Jane", id="as it was prefilled"),
        pytest.param(" (555) 123-4567 ", " Hi\n\nJane ", "+15551234567", "Hi\n\nJane", id="as people write it"),
        pytest.param("Jane@X.example", "Hi :wave:", "jane@x.example", "Hi 👋", id="an emoji"),
        pytest.param("+15551234567", "a <b> & &amp; *c*", "+15551234567", "a <b> & &amp; *c*", id="nothing is markup"),
        pytest.param(
            "+15551234567", "https://x.example/?a=1&b=:2:", "+15551234567", "https://x.example/?a=1&b=:2:", id="a link"
        ),
    ],
)
def test_a_form_is_read(to: str, message: str, address: str, body: str) -> None:
    """The number as `/text` reads it, the words as they were typed."""
    assert parse_text_form(to, message, region="US") == TextCommand(address, body)


@pytest.mark.parametrize(
    ("to", "message", "to_problem", "message_problem"),
    [
        pytest.param("+1 555", "Hi", "“+1 555” is not a complete phone number.", None, id="half a number"),
        pytest.param("Jane", "Hi", "“Jane” is not a phone number or an email address.", None, id="a name"),
        pytest.param(" ", "Hi", "There is nobody to text yet. Write a number", None, id="nobody"),
        pytest.param("+15551234567", " \n ", None, "There is no message yet. Write it here.", id="nothing"),
        pytest.param(
            "+15551234567",
            "x" * (MAX_BODY + 1),
            None,
            "The message has 2,001 characters, 1 too many.",
            id="too much",
        ),
        pytest.param(
            "911", "", "Texts from here do not reach emergency services.", "There is no message yet.", id="both"
        ),
    ],
)
def test_what_is_wrong_is_said_of_each_field(
    to: str, message: str, to_problem: str | None, message_problem: str | None
) -> None:
    """All at once, so that nothing has to be sent twice to learn it."""
    with pytest.raises(FormProblem) as caught:
        parse_text_form(to, message, region="US")
    for said, expected in ((caught.value.to, to_problem), (caught.value.message, message_problem)):
        assert (said is None) == (expected is None)
        assert (said or "").startswith(expected or "")

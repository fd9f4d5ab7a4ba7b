"""The fields of a view: what is in them, what can be entered, and what a client checks before it sends."""

import pytest

from sandbox.slack.driver import Refused
from sandbox.slack.seed import BEN
from tests.contract.slack_forms import ONE, TWO, actions, button, entry, modal, options, plain
from tests.contract.test_slack_web_api import SUPPORT

REQUIRED = "Please complete this required field."


GROUPED = {"option_groups": [{"label": plain("All"), "options": options("One", "Two")}]}

#: The element, what is entered, the state that the app gets, what is seen; and the state without anything entered.
ENTERED = [
    ("plain_text_input", {}, "hi", ("value", "hi", None), "hi"),
    ("plain_text_input", {"multiline": True}, "a\nb", ("value", "a\nb", None), "a\nb"),
    ("email_text_input", {}, "a@x.example", ("value", "a@x.example", None), "a@x.example"),
    ("url_text_input", {}, "https://x.example", ("value", "https://x.example", None), "https://x.example"),
    ("number_input", {"is_decimal_allowed": False}, 7, ("value", "7", None), "7"),
    ("static_select", {"options": options("One", "Two")}, "Two", ("selected_option", TWO, None), "Two"),
    ("static_select", GROUPED, "two", ("selected_option", TWO, None), "Two"),
    ("multi_static_select", {"options": options("One", "Two")}, ["Two"], ("selected_options", [TWO], []), ["Two"]),
    ("radio_buttons", {"options": options("One", "Two")}, "one", ("selected_option", ONE, None), "One"),
    (
        "checkboxes",
        {"options": options("One", "Two")},
        ["One", "Two"],
        ("selected_options", [ONE, TWO], []),
        ["One", "Two"],
    ),
    ("users_select", {}, "ben", ("selected_user", BEN.id, None), "Ben Baker"),
    ("multi_users_select", {}, ["@ben"], ("selected_users", [BEN.id], []), ["Ben Baker"]),
    ("conversations_select", {}, "#support", ("selected_conversation", SUPPORT, None), "#support"),
    ("multi_conversations_select", {}, ["#support"], ("selected_conversations", [SUPPORT], []), ["#support"]),
    ("channels_select", {}, "#support", ("selected_channel", SUPPORT, None), "#support"),
    ("multi_channels_select", {}, ["#support"], ("selected_channels", [SUPPORT], []), ["#support"]),
    ("datepicker", {}, "2026-11-22", ("selected_date", "2026-11-22", None), "2026-11-22"),
    ("timepicker", {}, "23:59", ("selected_time", "23:59", None), "23:59"),
    ("datetimepicker", {}, "2026-01-31T10:00", ("selected_date_time", 1769871600, None), 1769871600),
]


@pytest.mark.parametrize("row", ENTERED, ids=lambda row: f"{row[0]} {row[2]!r}")
async def test_each_element_has_its_key_and_its_emptiness(app, ana, row):
    """What is entered is seen, and stands in `state.values` under the key of its element, empty ones too."""
    kind, parts, value, state, seen = row
    await app.shows(modal(entry(kind, **parts), entry(kind, block="empty", optional=True, **parts)))
    await ana.fills("a", value)
    assert (await ana.modal())["a"].value == seen
    assert (await ana.submits()).outcome == "closed"
    key, given, empty = state
    values = app.payloads[-1]["view"]["state"]["values"]
    assert values == {"b": {"a": {"type": kind, key: given}}, "empty": {"a": {"type": kind, key: empty}}}


async def test_rich_text_is_entered_as_rich_text(app, ana):
    """A `rich_text_input` keeps elements."""
    await app.shows(modal(entry("rich_text_input")))
    await ana.fills("a", "hello")
    await ana.submits()
    section_ = {"type": "rich_text_section", "elements": [{"type": "text", "text": "hello"}]}
    state = app.payloads[-1]["view"]["state"]["values"]["b"]["a"]
    assert state == {"type": "rich_text_input", "rich_text_value": {"type": "rich_text", "elements": [section_]}}


#: The element, and what it holds from the start.
INITIAL = [
    ("plain_text_input", {"initial_value": "hi"}, "hi"),
    ("static_select", {"options": options("One", "Two"), "initial_option": options("Two")[0]}, "Two"),
    ("checkboxes", {"options": options("One", "Two"), "initial_options": options("Two")}, ["Two"]),
    ("external_select", {"initial_option": options("Two")[0]}, "Two"),
    ("users_select", {"initial_user": BEN.id}, "Ben Baker"),
    ("multi_channels_select", {"initial_channels": [SUPPORT]}, ["#support"]),
    ("datepicker", {"initial_date": "2026-01-31"}, "2026-01-31"),
    ("datetimepicker", {"initial_date_time": 1769871600}, 1769871600),
    ("conversations_select", {"default_to_current_conversation": True}, "#support"),
    ("multi_conversations_select", {"default_to_current_conversation": True}, ["#support"]),
]


@pytest.mark.parametrize(("kind", "parts", "seen"), [pytest.param(*row, id=f"{row[0]} {row[2]}") for row in INITIAL])
async def test_an_element_starts_with_its_initial_value(app, ana, kind, parts, seen):
    """`initial_*`, or the conversation in front of which the modal was opened."""
    await app.shows(modal(entry(kind, **parts)))
    assert (await ana.modal())["a"].value == seen


#: The element, and what a client does not let a person enter there.
IMPOSSIBLE = [
    ("plain_text_input", {}, "a\nb", "one line"),
    ("static_select", {"options": options("One")}, "Three", "no option Three"),
    (
        "multi_static_select",
        {"options": options("One", "Two"), "max_selected_items": 1},
        ["One", "Two"],
        "no more than 1",
    ),
    ("users_select", {}, "nobody", "nobody called"),
    ("channels_select", {}, "#vip", "does not offer"),
    ("conversations_select", {"filter": {"include": ["public"]}}, "#vip", "does not offer"),
    ("conversations_select", {"filter": {"exclude_bot_users": True}}, "@bot", "does not offer"),
    ("datepicker", {}, "2026-02-30", "is not YYYY-MM-DD"),
    ("timepicker", {}, "24:00", "is not HH:MM"),
    ("datetimepicker", {}, "tomorrow", "not a date and a time"),
]


@pytest.mark.parametrize("row", IMPOSSIBLE, ids=lambda row: f"{row[0]} {row[1]} {row[2]!r}")
async def test_a_client_lets_nobody_enter_what_is_not_there(app, ana, row):
    """Options, people and places that a menu does not offer, and what no picker makes."""
    kind, parts, value, words = row
    await app.shows(modal(entry(kind, **parts)))
    with pytest.raises(Refused, match=words):
        await ana.fills("a", value)


async def test_a_guest_is_offered_only_where_she_is(app):
    """A public channel that a guest was not added to is none of her menus'."""
    gus = app.sandbox.person("gus")
    await app.shows(modal(entry("channels_select")), "gus")
    with pytest.raises(Refused, match="does not offer #random"):
        await gus.fills("a", "#random")
    await gus.fills("a", "#support")


async def test_a_pushed_view_knows_the_same_conversation(app, ana):
    """`default_to_current_conversation` is where the first view was opened."""
    await app.shows(modal(actions(button())))
    await app.pushes(modal(entry("conversations_select", default_to_current_conversation=True)))
    assert (await ana.modal())["a"].value == "#support"


async def test_one_action_in_two_blocks_is_told_apart_by_the_block(app, ana):
    """An `action_id` stands for one element of one block, so the block can be named as well."""
    both = {"dispatch_action": True}
    await app.shows(modal(entry(block="one", label="First", **both), entry(block="two", label="Second", **both)))
    await ana.fills("a", "2", block_id="two")
    await ana.fills("First", "1")
    assert (await ana.modal()).values == {"First": "1", "Second": "2"}
    await ana.clicks_in_modal("a", block_id="two")
    assert app.payloads[-1]["actions"][0]["block_id"] == "two"


async def test_only_inputs_are_filled_and_only_in_a_modal(app, ana):
    """Without a modal, without such a field, and in a menu that is no input."""
    with pytest.raises(Refused, match="no modal open"):
        await ana.fills("a", "x")
    await app.shows(modal(actions({"type": "users_select", "action_id": "who"})))
    for what in ("nothing", "who"):
        with pytest.raises(Refused, match="nothing to fill"):
            await ana.fills(what, "ben")


#: The element, what stands in it, and the words under it; without words it is sent.
CHECKED = [
    ("plain_text_input", {}, None, REQUIRED),
    ("plain_text_input", {}, "  ", REQUIRED),
    ("plain_text_input", {"optional": True}, None, None),
    ("static_select", {"options": options("One")}, None, REQUIRED),
    ("checkboxes", {"options": options("One")}, [], REQUIRED),
    ("plain_text_input", {"min_length": 3}, "ab", "Please use at least 3 characters."),
    ("plain_text_input", {"min_length": 3}, "abc", None),
    ("plain_text_input", {"min_length": 3, "optional": True}, "", None),
    ("plain_text_input", {"max_length": 3}, "abcd", "Please use at most 3 characters."),
    ("plain_text_input", {"max_length": 3}, "xyz", None),
    ("email_text_input", {}, "ana", "Please enter a valid email address."),
    ("url_text_input", {}, "x.example", "Please enter a valid URL."),
    ("number_input", {"is_decimal_allowed": False}, "seven", "Please enter a valid number."),
    ("number_input", {"is_decimal_allowed": False}, "7.5", "Please enter a whole number."),
    ("number_input", {"is_decimal_allowed": True}, "7.5", None),
    ("number_input", {"is_decimal_allowed": False, "min_value": "7"}, "6", "Please enter a number of at least 7."),
    ("number_input", {"is_decimal_allowed": False, "max_value": "7"}, "8", "Please enter a number of at most 7."),
    ("number_input", {"is_decimal_allowed": False, "min_value": "7", "max_value": "7"}, "7", None),
]


@pytest.mark.parametrize("row", CHECKED, ids=lambda row: f"{row[0]} {row[2]!r} {row[3]}")
async def test_the_client_checks_fields_before_it_sends(app, ana, row):
    """What is missing or malformed is told under the field, and the app hears nothing."""
    kind, parts, value, words = row
    await app.shows(modal(entry(kind, **parts)))
    await ana.fills("a", value)
    before = len(app.payloads)
    submitted = await ana.submits()
    assert submitted.outcome == ("invalid" if words else "closed")
    assert len(app.payloads) - before == (0 if words else 1)
    if words:
        assert submitted.modal.errors == {"a": words}
        await ana.fills("a", None)
        assert (await ana.modal()).errors == {}


async def test_an_update_keeps_what_was_entered_in_the_same_fields(app, client, ana):
    """Same block, action and type keep the value; a new block, action or type starts anew."""
    view = await app.shows(modal(entry(initial_value="first")))
    await ana.fills("a", "mine")
    for fields, expected in (
        (entry(initial_value="second"), "mine"),
        (entry(action="other", initial_value="second"), "second"),
        (entry(action="other", block="new", initial_value="third"), "third"),
        (entry("email_text_input", action="other", block="new", initial_value="a@x.example"), "a@x.example"),
    ):
        await client.views_update(view_id=view["id"], view=modal(fields))
        assert [one.value for one in (await ana.modal()).fields] == [expected]
    await ana.submits()
    assert app.payloads[-1]["view"]["state"]["values"]["new"]["other"]["value"] == "a@x.example"


async def test_a_cleared_field_stays_cleared_through_an_update(app, client, ana):
    """`initial_*` is not applied again to a field that the person has emptied."""
    view = await app.shows(modal(entry(initial_value="first", optional=True)))
    await ana.fills("a", "")
    await client.views_update(view_id=view["id"], view=modal(entry(initial_value="first", optional=True)))
    assert (await ana.modal())["a"].value == ""

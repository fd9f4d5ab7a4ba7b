"""The limits of Block Kit, one line each: what is just allowed passes, and one more is refused with its place."""

import pytest

from sandbox.slack.blocks import check, normalise, summed_length


def plain(text="x"):
    return {"type": "plain_text", "text": text}


def mrkdwn(text="x"):
    return {"type": "mrkdwn", "text": text}


def section(**parts):
    return {"type": "section", "text": mrkdwn()} | parts


def header(text):
    return {"type": "header", "text": plain(text)}


def context(count):
    return {"type": "context", "elements": [mrkdwn()] * count}


def button(**parts):
    return {"type": "button", "text": plain()} | parts


def actions(*elements):
    return {"type": "actions", "elements": list(elements)}


def options(count, **parts):
    return [{"text": plain(), "value": f"v{number}"} | parts for number in range(count)]


def menu(kind="static_select", count=1, **parts):
    return {"type": kind, "options": options(count)} | parts


def entry(element, **parts):
    return {"type": "input", "label": plain(), "element": element} | parts


def table(rows, columns):
    return {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}] * columns] * rows}


def confirm(**parts):
    whole = {"title": plain(), "text": plain(), "confirm": plain(), "deny": plain()} | parts
    return actions(button(confirm=whole))


#: Name, what is just allowed, what is one too much, and the place of the problem.
LIMITS = [
    ("section text", section(text=mrkdwn("x" * 3000)), section(text=mrkdwn("x" * 3001)), "/text/text"),
    ("empty text", section(text=mrkdwn("x")), section(text=mrkdwn("")), "/text/text"),
    ("section fields", section(fields=[plain()] * 10), section(fields=[plain()] * 11), "/fields"),
    ("a field", section(fields=[plain("x" * 2000)]), section(fields=[plain("x" * 2001)]), "/fields/0/text"),
    ("header", header("x" * 150), header("x" * 151), "/text/text"),
    ("context elements", context(10), context(11), "/elements"),
    ("no context elements", context(1), context(0), "/elements"),
    ("actions", actions(*[button()] * 25), actions(*[button()] * 26), "/elements"),
    ("no actions", actions(button()), actions(), "/elements"),
    ("block_id", section(block_id="x" * 255), section(block_id="x" * 256), "/block_id"),
    ("action_id", actions(button(action_id="x" * 255)), actions(button(action_id="x" * 256)), "/elements/0/action_id"),
    (
        "button text",
        actions(button(text=plain("x" * 75))),
        actions(button(text=plain("x" * 76))),
        "/elements/0/text/text",
    ),
    ("button value", actions(button(value="x" * 2000)), actions(button(value="x" * 2001)), "/elements/0/value"),
    ("button url", actions(button(url="x" * 3000)), actions(button(url="x" * 3001)), "/elements/0/url"),
    ("button style", actions(button(style="danger")), actions(button(style="loud")), "/elements/0/style"),
    (
        "confirm title",
        confirm(title=plain("x" * 100)),
        confirm(title=plain("x" * 101)),
        "/elements/0/confirm/title/text",
    ),
    ("confirm text", confirm(text=plain("x" * 300)), confirm(text=plain("x" * 301)), "/elements/0/confirm/text/text"),
    ("confirm deny", confirm(deny=plain("x" * 30)), confirm(deny=plain("x" * 31)), "/elements/0/confirm/deny/text"),
    ("options", actions(menu(count=100)), actions(menu(count=101)), "/elements/0/options"),
    ("overflow", actions(menu("overflow", 5)), actions(menu("overflow", 6)), "/elements/0/options"),
    ("checkboxes", actions(menu("checkboxes", 10)), actions(menu("checkboxes", 11)), "/elements/0/options"),
    ("radio buttons", actions(menu("radio_buttons", 10)), actions(menu("radio_buttons", 11)), "/elements/0/options"),
    (
        "option value",
        actions(menu(options=options(1, value="x" * 150))),
        actions(menu(options=options(1, value="x" * 151))),
        "/elements/0/options/0/value",
    ),
    (
        "option description",
        actions(menu(options=options(1, description=plain("x" * 75)))),
        actions(menu(options=options(1, description=plain("x" * 76)))),
        "/elements/0/options/0/description/text",
    ),
    (
        "placeholder",
        actions(menu(placeholder=plain("x" * 150))),
        actions(menu(placeholder=plain("x" * 151))),
        "/elements/0/placeholder/text",
    ),
    (
        "initial option",
        actions(menu(initial_option=options(1)[0])),
        actions(menu(initial_option=options(2)[1])),
        "/elements/0/initial_option",
    ),
    (
        "input label",
        entry({"type": "plain_text_input"}, label=plain("x" * 2000)),
        entry({"type": "plain_text_input"}, label=plain("x" * 2001)),
        "/label/text",
    ),
    (
        "input length",
        entry({"type": "plain_text_input", "max_length": 3000}),
        entry({"type": "plain_text_input", "max_length": 3001}),
        "/element/max_length",
    ),
    (
        "a date",
        actions({"type": "datepicker", "initial_date": "2026-11-22"}),
        actions({"type": "datepicker", "initial_date": "22.11.2026"}),
        "/elements/0/initial_date",
    ),
    (
        "a time",
        actions({"type": "timepicker", "initial_time": "23:59"}),
        actions({"type": "timepicker", "initial_time": "24:00"}),
        "/elements/0/initial_time",
    ),
    (
        "image description",
        {"type": "image", "image_url": "u", "alt_text": "x" * 2000},
        {"type": "image", "image_url": "u", "alt_text": "x" * 2001},
        "/alt_text",
    ),
    ("markdown", {"type": "markdown", "text": "x" * 12_000}, {"type": "markdown", "text": "x" * 12_001}, "/text"),
    ("table rows", table(100, 1), table(101, 1), "/rows"),
    ("table columns", table(1, 20), table(1, 21), "/rows/0"),
]


@pytest.mark.parametrize(("allowed", "refused", "place"), [pytest.param(*rest, id=name) for name, *rest in LIMITS])
def test_a_limit_is_exact(allowed, refused, place):
    """The limit itself passes; one past it is refused, and the pointer leads to it."""
    assert check([allowed]) == []
    assert [problem.pointer for problem in check([refused])] == [f"/blocks/0{place}"]


#: What Slack does not accept at all.
NONSENSE = [
    ("a type nobody knows", {"type": "fireworks"}, "unsupported type: fireworks [json-pointer:/blocks/0/type]"),
    ("no type", {}, "unsupported type: None [json-pointer:/blocks/0/type]"),
    ("no object", "x", "unsupported type: None [json-pointer:/blocks/0/type]"),
    (
        "a key nobody knows",
        section(colour="red"),
        "invalid additional property: colour [json-pointer:/blocks/0]",
    ),
    (
        "neither text nor fields",
        {"type": "section"},
        "must define either `text` or `fields` [json-pointer:/blocks/0]",
    ),
    (
        "a header in mrkdwn",
        {"type": "header", "text": mrkdwn()},
        "unsupported type: mrkdwn [json-pointer:/blocks/0/text/type]",
    ),
    ("text that is a string", section(text="x"), "unsupported type: None [json-pointer:/blocks/0/text/type]"),
    (
        "a divider with text",
        {"type": "divider", "text": "x"},
        "invalid additional property: text [json-pointer:/blocks/0]",
    ),
    (
        "a button without text",
        actions({"type": "button"}),
        "missing required field: text [json-pointer:/blocks/0/elements/0]",
    ),
    (
        "both kinds of options",
        actions(menu(option_groups=[{"label": plain(), "options": options(1)}])),
        "must define exactly one of: options, option_groups [json-pointer:/blocks/0/elements/0]",
    ),
    (
        "two kinds of image",
        {"type": "image", "alt_text": "x", "image_url": "u", "slack_file": {"id": "F1"}},
        "must define exactly one of: image_url, slack_file [json-pointer:/blocks/0]",
    ),
]


@pytest.mark.parametrize(("block", "words"), [pytest.param(*rest, id=name) for name, *rest in NONSENSE])
def test_nonsense_is_refused_in_words(block, words):
    """What is no block is refused as Slack words it."""
    assert [str(problem) for problem in check([block])] == [words]


#: Element, the blocks of a message it may stand in. A part of Slack's matrix for every kind of element.
MATRIX = {
    "button": {"section", "actions"},
    "overflow": {"section", "actions"},
    "static_select": {"section", "actions", "input"},
    "external_select": {"section", "actions", "input"},
    "users_select": {"section", "actions", "input"},
    "conversations_select": {"section", "actions", "input"},
    "channels_select": {"section", "actions", "input"},
    "multi_static_select": {"section", "input"},
    "multi_users_select": {"section", "input"},
    "checkboxes": {"section", "actions", "input"},
    "radio_buttons": {"section", "actions", "input"},
    "datepicker": {"section", "actions", "input"},
    "timepicker": {"section", "actions", "input"},
    "datetimepicker": {"actions", "input"},
    "plain_text_input": {"input"},
    "image": {"section"},
    "number_input": set(),
    "email_text_input": set(),
    "file_input": set(),
}
PARTS = {
    "button": {"text": plain()},
    "overflow": {"options": options(1)},
    "static_select": {"options": options(1)},
    "multi_static_select": {"options": options(1)},
    "checkboxes": {"options": options(1)},
    "radio_buttons": {"options": options(1)},
    "image": {"image_url": "u", "alt_text": "x"},
    "number_input": {"is_decimal_allowed": True},
}


@pytest.mark.parametrize("kind", MATRIX)
def test_an_element_stands_only_where_it_may(kind):
    """Each element is taken by some blocks of a message and refused by the others."""
    element = {"type": kind} | PARTS.get(kind, {})
    places = {"section": section(accessory=element), "actions": actions(element), "input": entry(element)}
    assert {place for place, block in places.items() if check([block]) == []} == MATRIX[kind]


def test_a_message_has_fifty_blocks_and_a_modal_a_hundred():
    """The number of blocks depends on the surface."""
    assert check([section()] * 50) == []
    assert [str(one) for one in check([section()] * 51)] == ["no more than 50 items allowed [json-pointer:/blocks]"]
    assert check([section()] * 100, "modal") == []
    assert check([{"type": "markdown", "text": "x"}], "modal") != []


def test_ids_are_unique():
    """A block_id is there once in a message, an action_id once in its block."""
    assert check([section(block_id="a"), section(block_id="a")])[0].pointer == "/blocks/1/block_id"
    assert check([actions(button(action_id="a"), button(action_id="a"))])[0].pointer == "/blocks/0"
    assert check([actions(button(action_id="a")), actions(button(action_id="a"))]) == []


def test_some_limits_are_of_the_whole_message():
    """All markdown together, and tables, are counted over the message."""
    half = {"type": "markdown", "text": "x" * 6_001}
    assert check([half, half])[0].pointer == "/blocks"
    assert str(check([table(1, 1), table(1, 1)])[0]).startswith("only one table")


def test_normalised_blocks_keep_what_was_given():
    """Only what is missing is filled in, and the given blocks are left as they were."""
    given = [section(block_id="mine"), actions(button(action_id="go"), button())]
    first, second = normalise(given)
    assert first["block_id"] == "mine"
    assert second["elements"][0]["action_id"] == "go"
    assert second["elements"][1]["action_id"]
    assert "block_id" not in given[1]


def test_the_sum_counts_every_text():
    """Texts of sections, fields, buttons and markdown all count."""
    blocks = [section(fields=[plain("12345")]), actions(button(text=plain("123"))), header("1234")]
    assert summed_length(blocks) == 1 + 5 + 3 + 4

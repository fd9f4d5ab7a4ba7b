"""Single values of Blooio's JSON, read with distrust."""

import math
from datetime import UTC, datetime

import pytest

from bot.blooio import reading
from bot.texting.model import Attachment, Channel, DeliveryStatus

MOMENT = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(1768469400000, MOMENT, id="milliseconds"),
        pytest.param(1768469400, MOMENT, id="seconds"),
        pytest.param("1768469400000", MOMENT, id="milliseconds as text"),
        pytest.param(1768469400000.0, MOMENT, id="a float"),
        pytest.param("2026-01-15T09:30:00Z", MOMENT, id="ISO"),
        pytest.param("2026-01-15T10:30:00+01:00", MOMENT, id="ISO from another zone"),
        pytest.param("2026-01-15T09:30:00", MOMENT, id="ISO without a zone is UTC"),
        pytest.param(None, None, id="null"),
        pytest.param("", None, id="empty"),
        pytest.param("yesterday", None, id="a word"),
        pytest.param(0, None, id="zero"),
        pytest.param(-1, None, id="never"),
        pytest.param(True, None, id="a boolean is not the number one"),
        pytest.param(10**30, None, id="beyond the calendar"),
        pytest.param("9999-12-31T23:59:59Z", None, id="the end of the calendar"),
        pytest.param("0001-01-01T00:00:00Z", None, id="its beginning"),
        pytest.param(10**400, None, id="beyond floats"),
        pytest.param(math.inf, None, id="infinity"),
        pytest.param(math.nan, None, id="not a number"),
        pytest.param("9999-12-31T23:59:59-23:59", None, id="off the end of the calendar"),
        pytest.param([1], None, id="a list"),
    ],
)
def test_moments(value, expected):
    """Times come in several units, and a bad one never costs the event it is in."""
    assert reading.moment(value) == expected


@pytest.mark.parametrize(
    ("protocol", "channel"),
    [
        pytest.param("imessage", Channel.IMESSAGE, id="iMessage"),
        pytest.param("rcs", Channel.RCS, id="RCS"),
        pytest.param("sms", Channel.SMS, id="SMS"),
        pytest.param("non-imessage", Channel.SMS, id="not iMessage, in older answers"),
        pytest.param("pending", None, id="not settled yet"),
        pytest.param("unknown", None, id="never settled"),
        pytest.param("pigeon", None, id="a new word"),
        pytest.param(None, None, id="null"),
        pytest.param({}, None, id="not even a word"),
    ],
)
def test_channels(protocol, channel):
    """Blooio's word for the channel; None keeps what is known."""
    assert reading.channel(protocol) is channel


@pytest.mark.parametrize(
    ("word", "status"),
    [
        pytest.param("queued", DeliveryStatus.QUEUED, id="queued"),
        pytest.param("pending", DeliveryStatus.QUEUED, id="pending is as far as queued"),
        pytest.param("sent", DeliveryStatus.SENT, id="sent"),
        pytest.param("delivered", DeliveryStatus.DELIVERED, id="delivered"),
        pytest.param("read", DeliveryStatus.READ, id="read"),
        pytest.param("failed", DeliveryStatus.FAILED, id="failed"),
        pytest.param("cancelled", DeliveryStatus.CANCELLED, id="cancelled"),
        pytest.param("cancellation_requested", None, id="a wish to cancel proves nothing"),
        pytest.param("received", None, id="the status of an inbound text"),
        pytest.param("teleported", None, id="a new word"),
        pytest.param(None, None, id="null"),
    ],
)
def test_statuses(word, status):
    """Blooio's word for a text's fate; None keeps what is known."""
    assert reading.status(word) is status


@pytest.mark.parametrize(
    ("value", "address"),
    [
        pytest.param("+15551234567", "+15551234567", id="a phone"),
        pytest.param(" Jane@Example.com ", "jane@example.com", id="an email address in lower case"),
        pytest.param("ct_x1", None, id="an internal id"),
        pytest.param("grp_abc123", None, id="a group"),
        pytest.param("", None, id="empty"),
        pytest.param(15551234567, None, id="a number"),
    ],
)
def test_addresses(value, address):
    """Only what a person can be texted at is an address."""
    assert reading.address(value) == address


def test_text_is_made_storable():
    """NUL and half a surrogate pair are valid JSON, and PostgreSQL refuses both."""
    assert reading.text("a\0b\ud83dc 👋") == "ab?c 👋"


def test_attachments_in_every_notation():
    """Addresses, and objects whose keys changed with the years; what has no address is left out."""
    assert reading.attachments(
        [
            "https://files.example.com/a.jpg",
            {"url": "https://files.example.com/b.jpg", "name": "b.jpg"},
            {"url": "https://files.example.com/c.jpg", "file_name": "c.jpg", "mime_type": "image/jpeg", "size": 9},
            {"url": "https://files.example.com/d.jpg", "media_type": "image/jpeg"},
            {"name": "e.jpg"},
            None,
        ]
    ) == (
        Attachment("https://files.example.com/a.jpg"),
        Attachment("https://files.example.com/b.jpg", name="b.jpg"),
        Attachment("https://files.example.com/c.jpg", name="c.jpg", media_type="image/jpeg"),
        Attachment("https://files.example.com/d.jpg", media_type="image/jpeg"),
    )
    assert reading.attachments(None) == ()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<html>", id="HTML"),
        pytest.param(b"[1]", id="a list"),
        pytest.param(b"\xff", id="not text"),
        pytest.param(b'{"a":' * 100_000, id="absurdly deep"),
        pytest.param(b'{"a":' + b"9" * 10_000 + b"}", id="an absurdly long number"),
    ],
)
def test_what_is_no_object(content):
    """Whatever arrives, reading it does not raise."""
    assert reading.json_object(content) is None

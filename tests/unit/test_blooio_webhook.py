"""What Blooio tells us unasked."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.blooio import webhook
from bot.blooio.webhook import InvalidSignature, MalformedEvent, MessageReceived, Reaction, StatusChanged, UnknownEvent
from bot.texting.model import Attachment, Channel, DeliveryStatus, StatusReport

JANE = "+15551234567"
LINE = "+15550109999"

# Blooio's test vectors.
SECRET = "whsec_test_secret_0001"
BODY = (
    b'{"event":"message.received","message_id":"msg_test0001","external_id":"+15550100001",'
    b'"internal_id":"+15550109999","sender":"+15550100001","text":"Hi there","attachments":[],'
    b'"protocol":"imessage","status":"received","is_group":false,"timestamp":1760000000123}'
)
HEX = "ea4e38af310434fe901079203d3b4042064b4b1d72cd9c7da940c5788a0f2624"
SIGNED_AT = datetime.fromtimestamp(1760000000, UTC)

SECRET_2 = "whsec_test_secret_0002"
BODY_2 = (
    b'{ "event": "message.failed", "message_id": "msg_test0002", "external_id": "+15550100002", "status": "failed", '
    b'"protocol": null, "error_code": "test_code", "error_message": "caf\xc3\xa9 \xe2\x98\x95", '
    b'"timestamp": 1760000300000 }\n'
)
HEX_2 = "0b851e9554c342e4c09296752d97fe6c0ee149ccbea52d8ad5f2cdd81830331b"


NAMES = (*webhook.STATUS_OF_EVENT, "message.received", "message.reaction", "poll.voted")
FIELDS = (
    *("event", "type", "data", "id", "message_id", "external_id", "internal_id", "sender", "contact", "recipient"),
    *("identifier", "group", "group_id", "timestamp", "created_at", "sent_at", "delivered_at", "read_at", "error"),
    *("error_code", "protocol", "text", "attachments", "url", "reply_to", "reaction", "action", "direction"),
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from([JANE, "grp_1", "imessage", "msg_7", "\ud800\0", 10**400, *NAMES]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=5),
    max_leaves=8,
)


def sample(name):
    return (Path(__file__).parents[1] / "samples" / "blooio" / f"{name}.json").read_bytes()


def seconds(milliseconds):
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


class TestVerify:
    """Whether it is Blooio."""

    @pytest.mark.parametrize(
        "header",
        [
            pytest.param(f"t=1760000000,v1={HEX}", id="as published"),
            pytest.param(f"t=1760000000,v1={'0' * 64},v1={HEX}", id="any of several signatures"),
            pytest.param(f"t=1760000000,v0=x,v1={HEX}", id="unknown keys are ignored"),
            pytest.param(f" t = 1760000000 , v1 = {HEX} ", id="spaces are ignored"),
            pytest.param(f"v1={HEX},t=1760000000", id="in any order"),
        ],
    )
    def test_a_signed_body_is_accepted(self, header):
        """The published vector, and the forms a header may take."""
        webhook.verify(header, BODY, secrets=[SECRET], now=SIGNED_AT)

    def test_the_bytes_are_what_is_signed(self):
        """A body with spaces, accents and a final newline verifies as it came."""
        webhook.verify(f"t=1760000300,v1={HEX_2}", BODY_2, secrets=[SECRET_2], now=seconds(1760000300000))

    def test_either_secret_may_have_signed(self):
        """While a secret is being exchanged, the current and the next are good."""
        webhook.verify(f"t=1760000000,v1={HEX}", BODY, secrets=[SECRET_2, SECRET], now=SIGNED_AT)

    @pytest.mark.parametrize("late", [-300, 300])
    def test_five_minutes_are_forgiven(self, late):
        """Clocks differ and retries take time."""
        now = SIGNED_AT + timedelta(seconds=late)

        webhook.verify(f"t=1760000000,v1={HEX}", BODY, secrets=[SECRET], now=now)

    @pytest.mark.parametrize("late", [-301, 301])
    def test_more_than_five_minutes_are_not(self, late):
        """An old request may be somebody's recording."""
        with pytest.raises(InvalidSignature):
            webhook.verify(f"t=1760000000,v1={HEX}", BODY, secrets=[SECRET], now=SIGNED_AT + timedelta(seconds=late))

    @pytest.mark.parametrize(
        "header",
        [
            pytest.param(None, id="no header"),
            pytest.param("", id="an empty header"),
            pytest.param("t=1760000000", id="no signature"),
            pytest.param(f"v1={HEX}", id="no time"),
            pytest.param(f"t=,v1={HEX}", id="an empty time"),
            pytest.param(f"t=1760000001,v1={HEX}", id="another time than the signed one"),
            pytest.param(f"t=01760000000,v1={HEX}", id="the same time, written differently"),
            pytest.param(f"t=1_760_000_000,v1={HEX}", id="a time only Python reads"),
            pytest.param(f"t=١٧٦٠٠٠٠٠٠٠,v1={HEX}", id="digits of another script"),
            pytest.param(f"t={'9' * 5000},v1={HEX}", id="a time beyond time"),
            pytest.param(f"t=1760000000,t=1760000000,v1={HEX}", id="two times"),
            pytest.param("t=1760000000,v1=", id="an empty signature"),
            pytest.param("t=1760000000,v1=not-hex-é-\ud800", id="a signature that is no hex"),
            pytest.param(f"t=1760000000,v0={HEX}", id="the right signature under an unknown key"),
            pytest.param(f"t=1760000000,v1={HEX[:-1]}", id="a signature cut short"),
            pytest.param(
                "ef18f560cbdd6d87030289755243b4a5e02195ba00f80715db7c50209caf849f", id="the body alone signed, bare"
            ),
            pytest.param(
                "t=1760000000,v1=ef18f560cbdd6d87030289755243b4a5e02195ba00f80715db7c50209caf849f",
                id="the body alone signed",
            ),
            pytest.param(
                "t=1760000000,v1=2fd4083715cc5b8307185a8428963333d0987d02af77340f27a6adf860707e4e",
                id="signed with the secret without its prefix",
            ),
        ],
    )
    def test_anything_else_is_refused(self, header):
        """The published counter-examples, and what else a stranger may try."""
        with pytest.raises(InvalidSignature):
            webhook.verify(header, BODY, secrets=[SECRET], now=SIGNED_AT)

    def test_a_signature_of_the_same_json_written_differently(self):
        """Whoever parses before verifying would accept this."""
        with pytest.raises(InvalidSignature):
            webhook.verify(
                "t=1760000300,v1=90bf0f3cd12972b4319fc2979d7829011a7962192fefa94fc7e7f7589e178bd7",
                BODY_2,
                secrets=[SECRET_2],
                now=seconds(1760000300000),
            )

    def test_a_body_that_was_changed(self):
        """The signature is of this body and no other."""
        with pytest.raises(InvalidSignature):
            webhook.verify(f"t=1760000000,v1={HEX}", BODY + b" ", secrets=[SECRET], now=SIGNED_AT)

    @pytest.mark.parametrize(
        "secrets",
        [
            pytest.param([], id="no secret"),
            pytest.param([""], id="an empty secret"),
            pytest.param([SECRET_2], id="another secret"),
        ],
    )
    def test_without_the_right_secret_nothing_is_accepted(self, secrets):
        """An empty secret is none: anybody could sign with it."""
        forged = hmac.new(b"", b"1760000000." + BODY, hashlib.sha256).hexdigest()

        with pytest.raises(InvalidSignature):
            webhook.verify(f"t=1760000000,v1={HEX},v1={forged}", BODY, secrets=secrets, now=SIGNED_AT)


class TestStatusChanged:
    """A text moved on."""

    @pytest.mark.parametrize(
        ("name", "at", "report"),
        [
            pytest.param(
                "webhook_sent",
                1760000004000,
                StatusReport(DeliveryStatus.SENT, Channel.IMESSAGE, sent_at=seconds(1760000004000)),
                id="sent; without a time of its own, at the time of the event",
            ),
            pytest.param(
                "webhook_delivered",
                1760000005000,
                StatusReport(DeliveryStatus.DELIVERED, Channel.IMESSAGE, delivered_at=seconds(1760000004800)),
                id="delivered",
            ),
            pytest.param(
                "webhook_read",
                1760000060000,
                StatusReport(DeliveryStatus.READ, Channel.IMESSAGE, read_at=seconds(1760000059000)),
                id="read",
            ),
            pytest.param(
                "webhook_failed",
                1760000006000,
                StatusReport(
                    DeliveryStatus.FAILED,
                    None,
                    failed_at=seconds(1760000006000),
                    error_code="not_sent",
                    error_words="Blooio says: carrier_rejected",
                ),
                id="failed",
            ),
            pytest.param(
                "v4_2026-09-01_delivered",
                1760000005000,
                StatusReport(DeliveryStatus.DELIVERED, Channel.IMESSAGE, delivered_at=seconds(1760000004800)),
                id="delivered, in the first envelope",
            ),
            pytest.param(
                "v4_2026-10-01_failed",
                1760000006000,
                StatusReport(
                    DeliveryStatus.FAILED,
                    None,
                    failed_at=seconds(1760000006000),
                    error_code="not_sent",
                    error_words="Blooio says: carrier_rejected",
                ),
                id="failed, in the second envelope",
            ),
        ],
    )
    def test_each_step(self, name, at, report):
        """Every step of a text, in each body it may come in."""
        status = report.status.value

        assert webhook.parse(sample(name)) == StatusChanged(
            key=f"message.{status}:msg_7", message_id="msg_7", address=JANE, line=LINE, at=seconds(at), report=report
        )

    def test_the_event_decides_and_not_the_status(self):
        """The name is the news; the body's `status` may be what the text is by now."""
        body = json.dumps({"event": "message.sent", "message_id": "msg_7", "status": "delivered"}).encode()

        assert webhook.parse(body).report.status is DeliveryStatus.SENT


class TestMessageReceived:
    """A person texted us."""

    def test_flat(self):
        """The body of API v2."""
        assert webhook.parse(sample("webhook_received")) == MessageReceived(
            key="message.received:msg_9",
            message_id="msg_9",
            address=JANE,
            group_id=None,
            line=LINE,
            at=seconds(1760000009000),
            text="On my way!",
            attachments=(),
            channel=Channel.IMESSAGE,
            reply_to=None,
        )

    def test_in_a_group(self):
        """Who wrote and where are different; a text may be nothing but files, in two notations."""
        assert webhook.parse(sample("webhook_received_in_group")) == MessageReceived(
            key="message.received:msg_10",
            message_id="msg_10",
            address=JANE,
            group_id="grp_abc123",
            line=LINE,
            at=seconds(1760000009000),
            text="",
            attachments=(
                Attachment("https://files.example.com/door.jpg"),
                Attachment("https://files.example.com/note.pdf", name="note.pdf", media_type="application/pdf"),
            ),
            channel=Channel.IMESSAGE,
            reply_to="msg_7",
        )

    def test_in_the_second_envelope(self):
        """Version 2026-10-01 dropped the words of v2."""
        assert webhook.parse(sample("v4_2026-10-01_received")) == MessageReceived(
            key="message.received:msg_9",
            message_id="msg_9",
            address=JANE,
            group_id=None,
            line=LINE,
            at=seconds(1760000009000),
            text="On my way!",
            attachments=(Attachment("https://files.example.com/door.jpg", media_type="image/jpeg"),),
            channel=Channel.RCS,
            reply_to="msg_7",
        )

    def test_in_a_group_and_the_second_envelope(self):
        """The group is an object there, and our line is the channel's address."""
        event = webhook.parse(sample("v4_2026-10-01_received_in_group"))

        assert (event.address, event.group_id, event.line, event.attachments) == (JANE, "grp_abc123", LINE, ())

    def test_the_same_news_in_two_bodies_has_one_key(self):
        """Two subscriptions of different versions must not post a text twice."""
        assert webhook.parse(sample("webhook_received")).key == webhook.parse(sample("v4_2026-10-01_received")).key

    def test_without_a_sender_the_other_party_wrote(self):
        """Older bodies name only the other party."""
        body = {"event": "message.received", "message_id": "msg_9", "external_id": JANE, "text": "Hi"}

        assert webhook.parse(json.dumps(body).encode()).address == JANE

    @pytest.mark.parametrize("timestamp", ["soon", None, -1, 1e300, [], {"$date": 1}])
    def test_a_bad_time_does_not_cost_the_text(self, timestamp):
        """What the person wrote matters more than when."""
        body = {"event": "message.received", "message_id": "msg_9", "sender": JANE, "timestamp": timestamp}

        event = webhook.parse(json.dumps(body).encode())

        assert (event.address, event.at) == (JANE, None)


class TestReaction:
    """A reaction was put on a message, or taken back."""

    def test_flat(self):
        """A heart from Jane."""
        assert webhook.parse(sample("webhook_reaction")) == Reaction(
            key=f"message.reaction:msg_7:{JANE}:love:True:2025-10-09T08:54:30+00:00",
            message_id="msg_7",
            address=JANE,
            group_id=None,
            line=LINE,
            at=seconds(1760000070000),
            reaction="love",
            added=True,
        )

    def test_taken_back_in_the_second_envelope(self):
        """And the heart taken back, which is other news about the same message."""
        event = webhook.parse(sample("v4_2026-10-01_reaction"))

        assert (event.address, event.reaction, event.added) == (JANE, "love", False)
        assert event.key != webhook.parse(sample("webhook_reaction")).key

    @pytest.mark.parametrize(
        "who",
        [
            pytest.param({"direction": "outbound", "sender": None}, id="nobody sent it"),
            pytest.param({"sender": LINE}, id="our line sent it"),
        ],
    )
    def test_our_own(self, who):
        """A reaction we made elsewhere has nobody's address."""
        body = {"event": "message.reaction", "message_id": "msg_7", "external_id": JANE, "internal_id": LINE}

        assert webhook.parse(json.dumps(body | {"reaction": "👍"} | who).encode()).address is None


class TestUnknownEvent:
    """What we have no use for is kept, not refused."""

    @pytest.mark.parametrize(
        ("name", "key"),
        [
            pytest.param("v4_2026-10-01_safety", "safety.state_changed:evt_6", id="an envelope has an id"),
            pytest.param("webhook_poll", "poll.voted:", id="a flat body is its own id"),
        ],
    )
    def test_other_events(self, name, key):
        """Blooio may add events at any time."""
        event = webhook.parse(sample(name))

        assert isinstance(event, UnknownEvent)
        assert event.raw == json.loads(sample(name))
        assert event.key.startswith(key)
        assert event == webhook.parse(sample(name))

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param({"event": "message.delivered"}, id="delivered, but which text?"),
            pytest.param({"event": "message.received", "message_id": "msg_9"}, id="received, but from whom?"),
            pytest.param({"event": "message.reaction", "message_id": "msg_7"}, id="a reaction without one"),
        ],
    )
    def test_known_events_that_lack_the_needed(self, body):
        """Nothing can be done with them, and nothing is lost."""
        event = webhook.parse(json.dumps(body).encode())

        assert (type(event), event.name) == (UnknownEvent, body["event"])


class TestMalformed:
    """What Blooio never sends."""

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(b"", id="nothing"),
            pytest.param(b"<html>", id="HTML"),
            pytest.param(b"[]", id="a list"),
            pytest.param(b"{}", id="no event"),
            pytest.param(b'{"event": 7}', id="an event that is no name"),
            pytest.param(b'{"type": "", "data": {}}', id="an envelope without a name"),
            pytest.param(b"[" * 100_000, id="absurdly deep"),
        ],
    )
    def test_is_refused(self, body):
        """One error for all of it."""
        with pytest.raises(MalformedEvent):
            webhook.parse(body)

    @given(
        st.fixed_dictionaries(
            {},
            optional={
                "event": st.sampled_from(NAMES),
                "type": st.sampled_from(NAMES),
                "message_id": st.just("msg_7"),
                "data": st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=6),
            },
        ),
        st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=6),
    )
    @settings(max_examples=200, deadline=None, database=None)
    def test_no_json_breaks_the_parser(self, usual, unusual):
        """Whatever the values, the answer is an event with a storable key, or MalformedEvent."""
        try:
            event = webhook.parse(json.dumps(unusual | usual).encode())
        except MalformedEvent:
            return
        assert "\0" not in event.key
        assert event.key.encode()

    @given(st.binary(max_size=200))
    @settings(max_examples=100, deadline=None, database=None)
    def test_no_bytes_break_the_parser(self, body):
        """Nor do bytes that are no JSON at all."""
        with pytest.raises(MalformedEvent):
            webhook.parse(body)

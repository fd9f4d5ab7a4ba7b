"""Blooio's calls and answers as values."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.blooio import wire
from bot.texting import errors
from bot.texting.model import (
    Accepted,
    Account,
    Attachment,
    Capabilities,
    Channel,
    Contact,
    DeliveryStatus,
    Line,
    Message,
    StatusReport,
)

JANE = "+15551234567"
HOOK = "https://bot.example.com/blooio/webhooks"
NOW = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
AT_4000 = datetime(2025, 10, 9, 8, 53, 24, tzinfo=UTC)  # 1760000004000 ms
AT_4800 = datetime(2025, 10, 9, 8, 53, 24, 800_000, tzinfo=UTC)


def answer(name, status=200):
    """Return a sample as the three things every `parse_…` takes."""
    return status, {}, (Path(__file__).parents[1] / "samples" / "blooio" / f"{name}.json").read_bytes()


def said(body, status=200):
    return status, {}, json.dumps(body).encode()


class TestRequests:
    """What is asked."""

    @pytest.mark.parametrize(
        ("request_", "method", "path"),
        [
            pytest.param(
                wire.capabilities(JANE), "GET", "/contacts/%2B15551234567/capabilities", id="the plus is encoded"
            ),
            pytest.param(wire.get_contact("jane@example.com"), "GET", "/contacts/jane%40example.com", id="so is the @"),
            pytest.param(
                wire.message_status(JANE, "msg/7?#"),
                "GET",
                "/chats/%2B15551234567/messages/msg%2F7%3F%23/status",
                id="a message id is opaque",
            ),
            pytest.param(
                wire.remove_tag(JANE, "à la carte"),
                "DELETE",
                "/contacts/%2B15551234567/tags/%C3%A0%20la%20carte",
                id="a tag may hold anything",
            ),
            pytest.param(wire.me(), "GET", "/me", id="whose key"),
            pytest.param(wire.lines(), "GET", "/me/numbers", id="our numbers"),
        ],
    )
    def test_addresses_are_percent_encoded(self, request_, method, path):
        """Everything that goes into a path is encoded, with nothing left as it is."""
        assert (request_.method, request_.path) == (method, path)

    @pytest.mark.parametrize(
        ("request_", "expected"),
        [
            pytest.param(
                wire.react(JANE, "msg/7", "love", added=True),
                wire.Request("POST", "/chats/%2B15551234567/messages/msg%2F7/reactions", json={"reaction": "+love"}),
                id="a reaction is put there",
            ),
            pytest.param(
                wire.react(JANE, "msg_7", "🎉", added=False),
                wire.Request("POST", "/chats/%2B15551234567/messages/msg_7/reactions", json={"reaction": "-🎉"}),
                id="a reaction is taken off",
            ),
            pytest.param(
                wire.typing(JANE, begins=True), wire.Request("POST", "/chats/%2B15551234567/typing"), id="we type"
            ),
            pytest.param(
                wire.typing(JANE, begins=False),
                wire.Request("DELETE", "/chats/%2B15551234567/typing"),
                id="we type no longer",
            ),
            pytest.param(wire.mark_read(JANE), wire.Request("POST", "/chats/%2B15551234567/read"), id="it was read"),
        ],
    )
    def test_small_signs(self, request_, expected):
        """What goes on between people besides texts."""
        assert request_ == expected

    def test_a_send_carries_its_key_in_a_header(self):
        """The seed's send: one text, the channel we expect, and the key that makes it safe to repeat."""
        request = wire.send_message(JANE, "Hi", idempotency_key="k-1", metadata={"expected_protocol": "imessage"})

        assert request == wire.Request(
            "POST",
            "/chats/%2B15551234567/messages",
            json={"text": "Hi", "metadata": {"expected_protocol": "imessage"}},
            headers={"Idempotency-Key": "k-1"},
        )

    def test_a_send_may_pin_our_line(self):
        """A reply leaves from the number the person knows."""
        request = wire.send_message(JANE, "Hi", idempotency_key="k-1", from_number="+15550109999")

        assert request.json == {"text": "Hi", "from_number": "+15550109999"}

    def test_a_send_may_have_files(self):
        """Each at its address with its name; a text of files alone has no words, not empty ones."""
        files = (Attachment("https://bot.example/files/t/a.jpg", "a.jpg"), Attachment("https://bot.example/files/u/b"))
        attached = [{"url": files[0].url, "name": "a.jpg"}, files[1].url]

        request = wire.send_message(JANE, "Hi", idempotency_key="k-1", attachments=files)
        alone = wire.send_message(JANE, "", idempotency_key="k-1", attachments=files)

        assert request.json == {"text": "Hi", "attachments": attached}
        assert alone.json == {"attachments": attached}

    def test_a_contact_may_be_nameless(self):
        """The name is left out, not sent as null."""
        assert wire.create_contact(JANE).json == {"identifier": JANE}
        assert wire.create_contact(JANE, "John Doe").json == {"identifier": JANE, "name": "John Doe"}

    def test_no_name_clears_the_name(self):
        """Null means something when a contact is updated."""
        assert wire.update_contact(JANE, name=None) == wire.Request(
            "PATCH", "/contacts/%2B15551234567", json={"name": None}
        )

    def test_contacts_are_searched_by_page(self):
        """The search goes unencoded into the parameters, where the HTTP client encodes it."""
        assert wire.list_contacts(query="+1555", offset=50).params == {
            "q": "+1555",
            "sort": "recent",
            "limit": 50,
            "offset": 50,
        }

    def test_messages_are_listed_since_a_time_in_milliseconds(self):
        """A chat is read forward from a moment."""
        request = wire.list_messages(JANE, direction="outbound", since=AT_4800)

        assert request.path == "/chats/%2B15551234567/messages"
        assert request.params == {
            "direction": "outbound",
            "since": 1760000004800,
            "sort": "asc",
            "limit": 200,
            "offset": 0,
        }

    def test_webhooks(self):
        """Everything is told for good, and nothing is left to a default; an id is opaque."""
        assert wire.list_webhooks() == wire.Request("GET", "/webhooks")
        assert wire.create_webhook(HOOK) == wire.Request(
            "POST", "/webhooks", json={"webhook_url": HOOK, "webhook_type": "all", "valid_until": -1}
        )
        assert wire.rotate_webhook_secret("wh/1") == wire.Request("POST", "/webhooks/wh%2F1/secret/rotate")

    def test_tags_are_added_together(self):
        """One call adds several."""
        assert wire.add_tags(JANE, "vip", "new").json == {"tags": ["vip", "new"]}


class TestCapabilities:
    """What a person can receive."""

    def test_the_guides_example(self):
        """The answer printed in Blooio's guide."""
        assert wire.parse_capabilities(*answer("capabilities"), now=NOW) == Capabilities(
            imessage=True, sms=True, checked_at=datetime(2023, 12, 21, 1, 50, 57, tzinfo=UTC)
        )

    @pytest.mark.parametrize(
        ("body", "imessage", "sms"),
        [
            pytest.param({"imessage": False, "sms": True}, False, True, id="flat instead of nested"),
            pytest.param({"capabilities": {"imessage": True}}, True, None, id="a missing key is unknown, not no"),
            pytest.param({"capabilities": {"imessage": "yes", "sms": None}}, None, None, id="no booleans"),
            pytest.param({"capabilities": None}, None, None, id="nothing at all"),
        ],
    )
    def test_shapes(self, body, imessage, sms):
        """Two shapes are documented, and any key may be missing."""
        assert wire.parse_capabilities(*said(body), now=NOW) == Capabilities(imessage, sms, checked_at=NOW)

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param({"last_checked": 1768469400000}, id="milliseconds"),
            pytest.param({"last_checked": 1768469400}, id="seconds"),
            pytest.param({"lastChecked": "2026-01-15T09:30:00Z"}, id="ISO under the older name"),
            pytest.param({"last_checked": "some day"}, id="unreadable, so the time of asking"),
        ],
    )
    def test_times_of_the_check(self, body):
        """When it was checked is told in several ways, or not."""
        assert wire.parse_capabilities(*said(body), now=NOW).checked_at == NOW


class TestAccepted:
    """The answer to a send."""

    @pytest.mark.parametrize(
        "given",
        [
            pytest.param(answer("accepted", 202), id="accepted the first time"),
            pytest.param(answer("accepted", 200), id="repeated with the same key"),
            pytest.param(answer("accepted_in_parts", 202), id="several messages: the first"),
        ],
    )
    def test_an_accepted_text_has_an_id(self, given):
        """Any success tells the message's id."""
        assert wire.parse_accepted(*given) == Accepted("msg_7")

    def test_a_text_may_fail_inside_a_success(self):
        """Blooio may say 202 and `failed` in one breath."""
        with pytest.raises(errors.NotSent):
            wire.parse_accepted(*answer("accepted_then_failed", 202))

    @pytest.mark.parametrize(
        "content",
        [
            pytest.param(b"", id="nothing"),
            pytest.param(b"<html>OK</html>", id="a proxy's page"),
            pytest.param(b'{"message_id": "ms', id="cut off"),
            pytest.param(b'"msg_7"', id="not an object"),
            pytest.param(b'{"status": "queued"}', id="no id"),
            pytest.param(b'{"message_id": null, "message_ids": []}', id="empty ids"),
        ],
    )
    def test_a_success_that_cannot_be_read_is_unconfirmed(self, content):
        """The text may be on its way, so nobody may be told that it is not."""
        with pytest.raises(errors.Unconfirmed):
            wire.parse_accepted(202, {}, content)


class TestStatus:
    """What became of a text."""

    def test_delivered(self):
        """A delivered iMessage, with the time of each step."""
        assert wire.parse_status(*answer("status_delivered")) == StatusReport(
            DeliveryStatus.DELIVERED, Channel.IMESSAGE, sent_at=AT_4000, delivered_at=AT_4800
        )

    def test_failed(self):
        """A failure keeps Blooio's reason, as there is no list of them."""
        assert wire.parse_status(*answer("status_failed")) == StatusReport(
            DeliveryStatus.FAILED,
            None,
            error_code="not_sent",
            error_words="Blooio says: carrier_rejected",
        )

    def test_a_text_that_is_not_there_yet(self):
        """The status of a text just sent may be 404 for a while."""
        with pytest.raises(errors.NotFound):
            wire.parse_status(*said({"error": "ApiError", "status": 404}, status=404))


class TestMessages:
    """A chat as Blooio remembers it."""

    def test_a_page(self):
        """Both directions, and a text of nothing but a file."""
        page = wire.parse_messages(*answer("messages"), limit=200, offset=0)

        assert page.items == (
            Message(
                "msg_7",
                inbound=False,
                text="Hi Jane, your order is ready",
                attachments=(),
                line="+15550109999",
                report=StatusReport(DeliveryStatus.DELIVERED, Channel.IMESSAGE, sent_at=AT_4000, delivered_at=AT_4800),
            ),
            Message(
                "msg_9",
                inbound=True,
                text="",
                attachments=(Attachment("https://files.example.com/door.jpg", name="door.jpg"),),
                line="+15550109999",
                report=StatusReport(None, Channel.IMESSAGE, sent_at=datetime(2025, 10, 9, 8, 53, 29, tzinfo=UTC)),
            ),
        )
        assert page.next_offset is None

    def test_a_message_without_an_id_is_left_out(self):
        """Nothing could be done with it."""
        assert wire.parse_messages(*said({"messages": [{"text": "Hi"}, 7]}), limit=200, offset=0).items == ()


class TestContacts:
    """The address book."""

    def test_one(self):
        """A contact with everything."""
        assert wire.parse_contact(*answer("contact", 201)) == Contact(
            JANE, "John Doe", tags=("vip",), last_message_at=datetime(2025, 10, 9, 8, 53, 25, tzinfo=UTC)
        )

    def test_a_page(self):
        """An email address becomes lower case, tags may be objects, and an internal id is not an address."""
        page = wire.parse_contacts(*answer("contacts"), limit=50, offset=0)

        assert page.items == (Contact(JANE, "Jane Doe"), Contact("john@example.com", None, tags=("vip",)))
        assert page.total == 2

    @pytest.mark.parametrize(
        "content",
        [
            pytest.param(b"<html>", id="a proxy's page"),
            pytest.param(b'{"contact_id": "ct_x1", "id": "ct_x1"}', id="no address"),
        ],
    )
    def test_a_contact_that_cannot_be_read(self, content):
        """Asking again may help, and does no harm."""
        with pytest.raises(errors.BlooioTrouble):
            wire.parse_contact(200, {}, content)

    @pytest.mark.parametrize(
        ("received", "pagination", "next_offset"),
        [
            pytest.param(2, {"limit": 2, "offset": 10, "total": 13}, 12, id="more to come"),
            pytest.param(2, {"limit": 2, "offset": 10, "total": 12}, None, id="the total is reached"),
            pytest.param(1, {"limit": 2, "offset": 10, "total": 13}, 11, id="a short page, but the total says more"),
            pytest.param(0, {"limit": 2, "offset": 10, "total": 13}, None, id="an empty page ends it"),
            pytest.param(2, {"total": 13, "has_more": False}, None, id="no more, whatever the total"),
            pytest.param(2, None, 12, id="a full page without a total"),
            pytest.param(1, None, None, id="a short page without a total"),
            pytest.param(2, {"total": "many"}, 12, id="a total that is no number"),
        ],
    )
    def test_where_the_next_page_starts(self, received, pagination, next_offset):
        """A list is read on until Blooio says, or shows, that it is over."""
        body = {"contacts": [{"identifier": JANE}] * received, "pagination": pagination}

        assert wire.parse_contacts(*said(body), limit=2, offset=10).next_offset == next_offset

    def test_an_unreadable_row_still_counts(self):
        """Otherwise the next page would repeat rows."""
        body = {"contacts": [{"identifier": JANE}, None], "pagination": {"total": 3}}
        page = wire.parse_contacts(*said(body), limit=2, offset=0)

        assert (len(page.items), page.next_offset) == (1, 2)


class TestAccount:
    """Our key and our numbers."""

    def test_me_forgets_the_key(self):
        """Blooio repeats the key in its answer, and we leave it there."""
        account = wire.parse_me(*answer("me"))

        assert account == Account(
            valid=True, organization="Doe & Sons", lines=(Line("+15550109999", active=True, reply_only=False),)
        )
        assert "secret" not in repr(account)

    def test_lines(self):
        """A number on the inbound plan may only reply."""
        assert wire.parse_lines(*answer("numbers")) == (
            Line("+15550109999", active=True, reply_only=False),
            Line("+15550108888", active=False, reply_only=True),
        )

    def test_a_line_that_tells_nothing_is_taken_to_work(self):
        """Older answers lack the plan; missing is no reason for an alarm."""
        assert wire.parse_lines(*said({"numbers": [{"phone_number": JANE}, {}]})) == (
            Line(JANE, active=True, reply_only=False),
        )


class TestWebhooks:
    """What Blooio tells us of its webhooks."""

    @pytest.mark.parametrize(
        ("row", "expected"),
        [
            pytest.param(
                {"webhook_id": "wh_1", "is_active": True, "deprecated_at": None, "valid_until": -1},
                wire.Webhook("wh_1", HOOK),
                id="one that works, for good",
            ),
            pytest.param(
                {"webhook_id": "wh_1", "is_active": False}, wire.Webhook("wh_1", HOOK, active=False), id="paused"
            ),
            pytest.param(
                {"webhook_id": "wh_1", "deprecated_at": 1760000004000},
                wire.Webhook("wh_1", HOOK, active=False),
                id="paused, told by the time only",
            ),
            pytest.param(
                {"webhook_id": "wh_1", "valid_until": 1760000004000},
                wire.Webhook("wh_1", HOOK, valid_until=AT_4000),
                id="until a time",
            ),
            pytest.param({}, wire.Webhook("", HOOK), id="nothing but its address: missing is no reason for an alarm"),
            pytest.param(
                {"webhook_id": 7, "is_active": "no", "valid_until": "for ever"}, wire.Webhook("", HOOK), id="nonsense"
            ),
        ],
    )
    def test_listed(self, row, expected):
        """A webhook is listed with its state and never with its secret."""
        assert wire.parse_webhooks(*said({"webhooks": [{"webhook_url": HOOK, **row}]})) == (expected,)

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param({}, id="no list"),
            pytest.param({"webhooks": None}, id="null"),
            pytest.param({"webhooks": [7, {"webhook_id": "wh_1"}]}, id="rows without an address"),
        ],
    )
    def test_none_listed(self, body):
        """What names no address is no webhook."""
        assert wire.parse_webhooks(*said(body)) == ()

    @pytest.mark.parametrize(
        ("body", "webhook_id", "secret"),
        [
            pytest.param({"webhook_id": "wh_1", "signing_secret": "whsec_1"}, "wh_1", "whsec_1", id="new"),
            pytest.param({"webhook_id": "wh_1", "message": "exists"}, "wh_1", None, id="known"),
            pytest.param({"signing_secret": "whsec_1"}, "", "whsec_1", id="the secret counts, the id may be missing"),
            pytest.param({"webhook_id": "wh_1", "signing_secret": " "}, "wh_1", None, id="blank"),
        ],
    )
    def test_registered(self, body, webhook_id, secret):
        """Only a new one tells its secret."""
        webhook = wire.parse_webhook(*said(body), url=HOOK)

        assert webhook == wire.Webhook(webhook_id, HOOK, secret=secret)

    @pytest.mark.parametrize(
        ("status", "error"),
        [
            pytest.param(409, errors.AlreadyExists, id="as many as there can be"),
            pytest.param(410, errors.Unavailable, id="registration is closed"),
            pytest.param(400, errors.NotAccepted, id="an address it does not like"),
        ],
    )
    def test_not_registered(self, status, error):
        """Each refusal is an error of its own."""
        with pytest.raises(error):
            wire.parse_webhook(*said({"error": "ApiError", "status": status}, status), url=HOOK)

    def test_a_new_secret(self):
        """Rotating tells the new secret; an answer without one cannot be read."""
        assert wire.parse_webhook_secret(*said({"webhook_id": "wh_1", "signing_secret": "whsec_2"})) == "whsec_2"
        for body in ({"webhook_id": "wh_1"}, {"signing_secret": None}):
            with pytest.raises(errors.BlooioTrouble):
                wire.parse_webhook_secret(*said(body))

    def test_a_secret_is_not_shown(self):
        """Whoever prints a webhook does not print its secret."""
        assert "whsec" not in repr(wire.Webhook("wh_1", HOOK, secret="whsec_1"))


def test_done_is_any_success():
    """Only the status matters, and what is not a success is an error."""
    wire.parse_done(201, {}, b"")
    with pytest.raises(errors.NotFound):
        wire.parse_done(404, {}, b"")

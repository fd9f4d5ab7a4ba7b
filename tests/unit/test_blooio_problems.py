"""Blooio's refusals in our words."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from bot.blooio.problems import failure, problem
from bot.texting import errors

SAMPLES = Path(__file__).parents[1] / "samples" / "blooio"
DATE = "Thu, 09 Oct 2025 08:53:20 GMT"


def refusal(status, code=None, headers=None, **context):
    body = {"error": "ApiError", "message": "No.", "status": status, **({"code": code} if code else {}), **context}
    return problem(status, headers or {}, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        pytest.param(400, None, errors.NotAccepted, id="a bad number"),
        pytest.param(400, "attachment_first_message_not_allowed", errors.TextFirst, id="a file cannot open a chat"),
        pytest.param(400, "reply_target_invalid", errors.CannotQuote, id="nothing to quote"),
        pytest.param(400, "reply_target_chat_mismatch", errors.CannotQuote, id="quotes another chat"),
        pytest.param(400, "reply_target_device_mismatch", errors.CannotQuote, id="quotes another line"),
        pytest.param(400, "reply_target_expired", errors.CannotQuote, id="quotes something too old"),
        pytest.param(400, "reply_target_not_supported", errors.CannotQuote, id="only iMessage quotes"),
        pytest.param(404, "reply_target_not_found", errors.CannotQuote, id="quotes the unknown"),
        pytest.param(400, "format_unsupported_for_channel_type", errors.PlainTextOnly, id="no Markdown here"),
        pytest.param(400, "invalid_content", errors.PlainTextOnly, id="a mix it refuses"),
        pytest.param(401, None, errors.Disconnected, id="the key is wrong"),
        pytest.param(402, None, errors.AllowanceUsedUp, id="the trial is used up"),
        pytest.param(403, None, errors.NotAllowed, id="an emergency number, or not in the plan"),
        pytest.param(403, "inbound_only_no_prior_inbound", errors.ReplyOnly, id="the number may only reply"),
        pytest.param(403, "conversation_content_restricted", errors.NoLinksYet, id="a link before their first reply"),
        pytest.param(403, "safety_new_conversations_paused", errors.NewTextsPaused, id="the line is protected"),
        pytest.param(403, "safety_reply_only", errors.NewTextsPaused, id="the line is reduced to replies"),
        pytest.param(403, "safety_account_review", errors.NewTextsPaused, id="the account is under review"),
        pytest.param(404, None, errors.NotFound, id="unknown"),
        pytest.param(408, None, errors.BlooioTrouble, id="it waited too long for us"),
        pytest.param(409, None, errors.AlreadyExists, id="it is there already"),
        pytest.param(410, None, errors.Unavailable, id="webhook registration is closed"),
        pytest.param(422, "too_long", errors.NotAccepted, id="validation, as in v4"),
        pytest.param(422, "invalid_content", errors.PlainTextOnly, id="a known code beats its status"),
        pytest.param(425, None, errors.BlooioTrouble, id="too early"),
        pytest.param(429, "outbound_limit_reached", errors.LimitReached, id="the cap on new people"),
        pytest.param(429, "new_conversation_limit_reached", errors.LimitReached, id="the day's cap on new people"),
        pytest.param(429, "conversation_awaiting_reply", errors.AwaitingReply, id="they have not answered"),
        pytest.param(429, "conversation_streak_limit", errors.AwaitingReply, id="too many in a row"),
        pytest.param(429, "conversation_inactive_paused", errors.AwaitingReply, id="silent for two weeks"),
        pytest.param(429, None, errors.Throttled, id="too fast"),
        pytest.param(429, "slow_down", errors.Throttled, id="too fast, in a new word"),
        pytest.param(500, None, errors.BlooioTrouble, id="it broke"),
        pytest.param(501, None, errors.Unavailable, id="coming soon"),
        pytest.param(502, None, errors.BlooioTrouble, id="the line is briefly away"),
        pytest.param(503, None, errors.LineOffline, id="no number is online"),
        pytest.param(504, None, errors.BlooioTrouble, id="too slow inside"),
        pytest.param(405, None, errors.NotAccepted, id="a client error nobody documents"),
        pytest.param(403, "moon_phase", errors.NotAllowed, id="an unknown code goes by its status"),
        pytest.param(522, None, errors.BlooioTrouble, id="the proxy in front cannot reach it"),
        pytest.param(301, None, errors.Unavailable, id="a redirect: not the API's address"),
    ],
)
def test_the_catalogue(status, code, kind):
    """Every refusal Blooio documents, and those it does not."""
    error = refusal(status, code)

    assert type(error) is kind
    assert error.provider_code == code


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<html><h1>502 Bad Gateway</h1></html>", id="a proxy's page"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'{"code": 7, "error": null}', id="a code that is no text"),
        pytest.param(b"\xff\xfe\x00", id="bytes"),
    ],
)
def test_the_status_is_enough(content):
    """A body that says nothing leaves the status to speak."""
    error = problem(502, {}, content)

    assert (type(error), error.provider_code) == (errors.BlooioTrouble, None)


@pytest.mark.parametrize("content", [b"", b"<html><h1>503 Service Unavailable</h1></html>"])
def test_a_page_says_nothing_of_our_line(content):
    """A 503 that is not Blooio's own is an outage, which is waited out: our line is not offline."""
    assert type(problem(503, {}, content)) is errors.BlooioTrouble


def test_a_code_in_the_envelope_of_v4():
    """API v4 wraps its code."""
    assert type(problem(429, {}, (SAMPLES / "error_v4.json").read_bytes())) is errors.AwaitingReply


@pytest.mark.parametrize(
    ("sample", "words"),
    [
        pytest.param(
            "error_outbound_limit",
            "The limit for new people is reached (12 of 15). You can still text everyone you have texted before.",
            id="the organisation's cap",
        ),
        pytest.param(
            "error_conversation_limit",
            "Today's limit for new people is reached (15 of 15). You can still text everyone you have texted before.",
            id="the day's cap",
        ),
    ],
)
def test_a_limit_is_told_with_its_numbers(sample, words):
    """Whoever hits a limit wants to know how far it reaches."""
    assert problem(429, {}, (SAMPLES / f"{sample}.json").read_bytes()).words == words


def test_a_limit_without_numbers():
    """Missing numbers are not made up."""
    assert refusal(429, "outbound_limit_reached", current=3).words == errors.LimitReached.words


def test_blooios_own_sentence_is_not_kept():
    """It may quote a phone, and errors end in logs."""
    error = problem(429, {}, (SAMPLES / "error_outbound_limit.json").read_bytes())

    assert "+15551234567" not in f"{error!r} {error} {error.words}"


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        pytest.param({"retry-after": "7"}, timedelta(seconds=7), id="seconds"),
        pytest.param({"retry-after": "1.5"}, timedelta(seconds=1.5), id="a fraction"),
        pytest.param(
            {"retry-after": "Thu, 09 Oct 2025 08:54:20 GMT", "date": DATE}, timedelta(minutes=1), id="an HTTP date"
        ),
        pytest.param({"retry-after": DATE, "date": DATE}, timedelta(seconds=1), id="a date already here"),
        pytest.param({"retry-after": "0"}, timedelta(seconds=1), id="at once is never at once"),
        pytest.param({"retry-after": "-3"}, timedelta(seconds=1), id="the past"),
        pytest.param({"retry-after": "86400"}, timedelta(hours=1), id="a day is cut short"),
        pytest.param({"retry-after": "1e999"}, timedelta(hours=1), id="for ever is cut short"),
        pytest.param({"retry-after": "Thu, 09 Oct 2025 08:54:20 GMT"}, None, id="a date, and nothing to count from"),
        pytest.param({"retry-after": "nan"}, None, id="not a number"),
        pytest.param({"retry-after": "soon"}, None, id="a word"),
        pytest.param({"retry-after": ""}, None, id="empty"),
        pytest.param({}, None, id="missing"),
    ],
)
def test_how_long_to_wait(headers, wait):
    """Blooio may ask for a wait in two notations; absurd ones are bounded or ignored."""
    assert refusal(429, headers=headers).retry_after == wait


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        pytest.param({}, "not_sent", errors.NotSent.words, id="no reason"),
        pytest.param(
            {"error_code": "carrier_rejected", "error_message": "+15551234567 said no"},
            "not_sent",
            "Blooio says: carrier_rejected",
            id="a code nobody lists is shown",
        ),
        pytest.param(
            {"error": {"code": "inbound_only_no_prior_inbound"}}, "reply_only", errors.ReplyOnly.words, id="a known one"
        ),
    ],
)
def test_why_an_accepted_text_failed(body, code, words):
    """Known codes get our words; for others a person at least sees the code."""
    error = failure(body)

    assert (error.code, error.words) == (code, words)


def test_an_endless_reason_is_cut():
    """What Slack shows must fit."""
    assert len(failure({"error": "x" * 10_000}).words) < 300

"""
What a button or a form carries along is the client's: whoever changes it reads nothing and does nothing more for it.

Every request here is one of Slack's, signed, with its values exchanged for those of a thread that its sender cannot
see.
"""

import itertools
import json
import re
import time
from dataclasses import dataclass
from typing import Any, LiteralString
from urllib.parse import urlencode
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from slack_sdk.signature import SignatureVerifier

from bot.access import permission, sight
from bot.blocks import composer, replies
from bot.blocks.card import CARD_MORE, CLAIM, DONE, REOPEN
from bot.blocks.channel_settings import QUIET, REPLIES, SETTINGS_FORM
from bot.blocks.files import TRY_AGAIN
from bot.blocks.forms import EDIT_FORM, MESSAGE
from bot.blocks.forms import TO as EDIT_TO
from bot.blocks.inbound import SHOW_ALL
from bot.blocks.opt_outs import ALLOW_FORM, ASKED_BY, NOTE
from bot.blocks.ownership import HAND_OFF_FORM, TO
from bot.blocks.receipt import Button
from bot.storage.threads import LEADS_NOWHERE
from bot.texting.errors import UnknownText
from sandbox.blooio.driver import Phone
from sandbox.faults import Kind
from sandbox.slack.driver import Person
from tests.acceptance.people import Story, until_read
from tests.acceptance.stage import SUPPORT, Stage, is_card

#: Nothing in what somebody is told may be of the thread that they cannot see.
WORDS, REPLY, NAME = "the merger is on Friday", "see you at the notary", "Mia Secretive"

GONE, UNKNOWN = f"⚠️ {LEADS_NOWHERE}", f"⚠️ {UnknownText.words}"
NO_REPLY = "⚠️ This reply cannot be found any more. Nothing was sent."
NOT_YOURS = "You are not in this channel, so nothing was changed."
NOT_THERE = "You are not in that channel. Choose another one."

_views = itertools.count(1)

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def shared_transport() -> str:
    """Over HTTP anybody can be Slack who has its secret: the test."""
    return "http"


@dataclass(frozen=True)
class Secret:
    """A thread in a private channel of Ana's, with a text that failed and a reply; Ben is not in it."""

    story: Story
    phone: Phone
    thread_id: int
    card_ts: str
    failed: UUID
    reply_ts: str
    inbound: UUID

    @property
    def home(self) -> str:
        return self.story.home

    @property
    def ben(self) -> Person:
        return self.story.stage.ben

    async def is_as_it_was(self) -> None:
        """Nothing was texted, claimed, closed or chosen."""
        assert [text.text for text in await self.phone.received()] == [REPLY]
        async with self.story.stage.app.pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT owner_id, done_at, (SELECT count(*) FROM deliveries d WHERE d.thread_id = t.id),"
                " (SELECT count(*) FROM channels c WHERE c.conversation_id = t.conversation_id)"
                " FROM threads t WHERE id = %s",
                (self.thread_id,),
            )
            assert await cursor.fetchall() == [("U0ANAALVARE", None, 2, 0)]

    async def is_told(self, words: str) -> None:
        """Ben is told this, where he clicked, and nothing about the person."""
        said = await self.story.is_told(words, self.ben, where=SUPPORT)
        assert_tells_nothing(self, said)


def assert_tells_nothing(secret: Secret, said: str) -> None:
    for word in (WORDS, REPLY, NAME, secret.phone.address[-4:]):
        assert word not in said


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def secret(shared_stage: Stage) -> Secret:
    """The one that is left as it was."""
    await until_read(shared_stage)
    return await new_secret(shared_stage)


async def new_secret(stage: Stage) -> Secret:
    sandbox = stage.sandbox
    name = f"hush-{next(_views)}"
    story = Story(stage, await sandbox.creates_channel(name, members=["ana", "bot"], private=True))
    phone = await story.knows(NAME)
    where = f"POST /chats/{phone.address}/messages"
    await sandbox.order(vendor="blooio", where=where, kind=Kind.STATUS, status=403, times=1)
    await story.types(f"{phone.address} {WORDS}")
    thread_id, card_ts, failed = await row(
        story, "SELECT t.id, t.card_ts, d.id FROM deliveries d", "d.status = 'failed' AND t.card_ts <> ''", phone
    )
    reply = await story.ana.posts(story.home, REPLY, thread_ts=card_ts)
    await phone.received(1)
    await phone.replies("x" * 5000)
    (inbound,) = await row(story, "SELECT d.id FROM inbound d", "d.posted_ts IS NOT NULL", phone)
    return Secret(story, phone, thread_id, card_ts, failed, reply.ts, inbound)


async def row(story: Story, columns: LiteralString, which: LiteralString, phone: Phone) -> Any:
    """Wait for a row about somebody."""

    async def found() -> Any:
        async with story.stage.app.pool.connection() as connection:
            cursor = await connection.execute(
                f"{columns} JOIN threads t ON t.id = d.thread_id JOIN people p ON p.id = t.person_id"
                f" WHERE p.address = %s AND {which}",
                (phone.address,),
            )
            return await cursor.fetchone()

    return await story.stage.sandbox.until(found)


async def post(stage: Stage, payload: dict[str, Any], *, times: int = 1) -> httpx.Response:
    """Post a payload as Slack does; the same bytes under the same signature several *times*."""
    body = urlencode({"payload": json.dumps(payload)}).encode()
    timestamp = str(int(time.time()))
    verifier = SignatureVerifier(stage.sandbox.environment()["SLACK_SIGNING_SECRET"])
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": verifier.generate_signature(timestamp=timestamp, body=body) or "",
    }
    async with httpx.AsyncClient(base_url=stage.app.url, trust_env=False) as http:
        for _ in range(times):
            response = await http.post("/slack/events", content=body, headers=headers)
    assert response.status_code == 200
    return response


def by(user_id: str) -> dict[str, Any]:
    return {"team": {"id": "T0ACMEHQ001"}, "user": {"id": user_id, "username": "x", "team_id": "T0ACMEHQ001"}}


async def clicks(
    stage: Stage, user_id: str, action_id: str, value: str, *, menu: bool = False, home: str = "C0SUPPORT01"
) -> None:
    """Click in *home* on a button that has *value*, whether or not a message there has such a one."""
    action: dict[str, Any] = {"action_id": action_id, "block_id": "b", "action_ts": "1.1", "type": "button"}
    action |= {"selected_option": {"value": value}, "type": "overflow"} if menu else {"value": value}
    await post(
        stage,
        by(user_id)
        | {
            "type": "block_actions",
            "trigger_id": "1.1.x",
            "container": {"type": "message", "channel_id": home, "message_ts": "1.1"},
            "channel": {"id": home},
            "response_url": "http://127.0.0.1:9/actions/none",
            "actions": [action],
        },
    )


async def submits(
    stage: Stage, user_id: str, callback_id: str, kept: str, values: dict[str, Any], *, times: int = 1
) -> dict[str, Any]:
    """Submit a form that says so of what it is about; return the answer."""
    view = {
        "id": f"V{next(_views)}",
        "type": "modal",
        "callback_id": callback_id,
        "private_metadata": kept,
        "state": {"values": {name: {name: value} for name, value in values.items()}},
        "blocks": [{"type": "input", "block_id": name} for name in values],
    }
    response = await post(stage, by(user_id) | {"type": "view_submission", "view": view}, times=times)
    answer: dict[str, Any] = response.json() if response.content else {}
    return answer


BEN, ANA = "U0BENBAKER1", "U0ANAALVARE"


@pytest.mark.parametrize("action_id", [CLAIM, DONE, REOPEN])
async def test_the_number_of_a_thread_opens_none(secret: Secret, action_id: str) -> None:
    """Threads are numbered: the next one's card is claimed, closed and named by nobody who cannot see it."""
    await clicks(secret.story.stage, BEN, action_id, str(secret.thread_id))
    await secret.is_told(GONE)
    await secret.is_as_it_was()


@pytest.mark.parametrize("word", ["contact", "hand_off", "add", "claim"])
async def test_nor_does_it_in_the_menu_of_a_card(secret: Secret, word: str) -> None:
    """The menu shows no card of the address book, and opens no form with their name."""
    await clicks(secret.story.stage, BEN, CARD_MORE, f"{word}:{secret.thread_id}:{ANA}", menu=True)
    await secret.is_told(GONE)
    await secret.is_as_it_was()


@pytest.mark.parametrize("button", sorted({button.action_id for button in Button}))
async def test_the_id_of_a_text_opens_none(secret: Secret, button: str) -> None:
    """The ids of texts are in every report: they show no words, check no number and send nothing again."""
    await clicks(secret.story.stage, BEN, button, str(secret.failed))
    await secret.is_told(UNKNOWN)
    await secret.is_as_it_was()


async def test_the_link_of_a_reply_opens_none(secret: Secret) -> None:
    """A link tells where a reply stands and when it was written: that shows nobody what it says."""
    await clicks(secret.story.stage, BEN, replies.CORRECT, f"{secret.home}:{secret.reply_ts}")
    await secret.is_told(NO_REPLY)
    answer = await submits(
        secret.story.stage,
        BEN,
        replies.CORRECTION_FORM,
        f"{secret.home}:{secret.reply_ts}",
        {MESSAGE: {"type": "plain_text_input", "value": "Never mind"}},
    )
    assert answer["errors"] == {MESSAGE: NO_REPLY.removeprefix("⚠️ ")}
    for action_id in (replies.TEXT_IT, replies.KEEP):
        await clicks(secret.story.stage, BEN, action_id, f"{secret.reply_ts}:")
    await secret.is_as_it_was()


async def test_the_id_of_what_they_wrote_opens_nothing(secret: Secret) -> None:
    """Neither all of a long text nor its files."""
    stage = secret.story.stage
    before = len(await stage.sandbox.exchanges(vendor="slack", name="views.open"))
    for action_id in (SHOW_ALL, TRY_AGAIN):
        await clicks(stage, BEN, action_id, str(secret.inbound))
    assert len(await stage.sandbox.exchanges(vendor="slack", name="views.open")) == before
    await clicks(stage, ANA, SHOW_ALL, str(secret.inbound))  # not from where it stands, not even she
    assert len(await stage.sandbox.exchanges(vendor="slack", name="views.open")) == before


async def test_a_form_is_about_what_its_sender_sees(secret: Secret) -> None:
    """Hand off, edit and send, settings, and where a thread is to live: each is refused in the form, in words."""
    stage = secret.story.stage
    answers = [
        await submits(
            stage,
            BEN,
            HAND_OFF_FORM,
            json.dumps({"thread": secret.thread_id, "owner": ANA}),
            {TO: {"type": "users_select", "selected_user": BEN}},
        ),
        await submits(
            stage,
            BEN,
            EDIT_FORM,
            str(secret.failed),
            {
                EDIT_TO: {"type": "plain_text_input", "value": "+15550007777"},
                MESSAGE: {"type": "plain_text_input", "value": "Mine now"},
            },
        ),
        await submits(
            stage,
            BEN,
            SETTINGS_FORM,
            json.dumps({"here": secret.home}),
            {
                REPLIES: {"type": "static_select", "selected_option": {"value": "never"}},
                QUIET: {"type": "static_select", "selected_option": {"value": "0"}},
            },
        ),
        await submits(stage, BEN, composer.COMPOSE_FORM, json.dumps({"here": secret.home}), _composed(secret.home)),
    ]
    assert [answer["errors"] for answer in answers] == [
        {TO: LEADS_NOWHERE},
        {MESSAGE: UnknownText.words},
        {REPLIES: NOT_YOURS},
        {composer.HOME: NOT_THERE},
    ]
    await secret.is_as_it_was()
    assert await stage.sandbox.phone("+15550007777").received() == []


def _composed(home: str, to: str = "+15550007777") -> dict[str, Any]:
    return {
        composer.TO: {"type": "external_select", "selected_option": {"value": to}},
        MESSAGE: {"type": "plain_text_input", "value": "Hello there"},
        composer.HOME: {"type": "conversations_select", "selected_conversation": home},
    }


async def test_whoever_is_in_it_may_from_elsewhere(shared_stage: Stage) -> None:
    """The same requests work for Ana, who is in the channel: what is refused above is refused for that reason."""
    stage, secret = shared_stage, await new_secret(shared_stage)
    await clicks(stage, ANA, DONE, str(secret.thread_id))
    await clicks(stage, ANA, REOPEN, str(secret.thread_id))
    handed = await submits(
        stage,
        ANA,
        HAND_OFF_FORM,
        json.dumps({"thread": secret.thread_id, "owner": ANA}),
        {TO: {"type": "users_select", "selected_user": BEN}},
    )
    saved = await submits(
        stage,
        ANA,
        SETTINGS_FORM,
        json.dumps({"here": secret.home}),
        {
            REPLIES: {"type": "static_select", "selected_option": {"value": "never"}},
            QUIET: {"type": "static_select", "selected_option": {"value": "0"}},
        },
    )
    assert (handed, saved) == ({}, {})
    async with stage.app.pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT action FROM audit WHERE thread_id = %s ORDER BY id", (secret.thread_id,)
        )
        done = [action for (action,) in await cursor.fetchall()]
    assert [action for action in done if action in {"done", "reopen", "hand_off"}] == ["done", "reopen", "hand_off"]


async def test_what_a_colleague_texts_meanwhile_is_said_without_its_words(shared_stage: Stage) -> None:
    """Whoever writes to the same person is told that somebody else did, and not what, in a channel they are not in."""
    stage, secret = shared_stage, await new_secret(shared_stage)
    await secret.story.types(f"{secret.phone.address} {WORDS}")
    values = _composed("C0SUPPORT01", secret.phone.address)
    answer = await submits(stage, BEN, composer.COMPOSE_FORM, json.dumps({"here": "C0SUPPORT01"}), values)
    assert answer["errors"] == {MESSAGE: "Meanwhile ana texted them, too. Press Send again to send yours too."}


async def test_another_workspaces_rows_are_nobodys_here(secret: Secret) -> None:
    """A thread and a text of another workspace do not exist, not even for whoever is where they stand."""
    stage = secret.story.stage
    async with stage.app.pool.connection() as connection:
        await connection.execute("UPDATE people SET team_id = 'T0OTHER' WHERE address = %s", (secret.phone.address,))
    told = []
    for action_id, value in ((DONE, str(secret.thread_id)), (Button.CHECK_NUMBER.action_id, str(secret.failed))):
        before = len(await secret.story.told(stage.ana, where=SUPPORT))
        await clicks(stage, ANA, action_id, value)

        async def answered(before: int = before) -> list[str]:
            return (await secret.story.told(stage.ana, where=SUPPORT))[before:]

        told += await stage.sandbox.until(answered)
    assert told == [GONE, UNKNOWN]
    async with stage.app.pool.connection() as connection:
        cursor = await connection.execute("SELECT done_at FROM threads WHERE id = %s", (secret.thread_id,))
        assert await cursor.fetchall() == [(None,)]
        await connection.execute("UPDATE people SET team_id = 'T0ACMEHQ001' WHERE team_id = 'T0OTHER'")


async def test_the_words_of_a_private_channel_stay_in_it(secret: Secret, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address book is everybody's; what was texted shows to those who are in the channel, while they are."""
    monkeypatch.setattr(sight, "FRESH_SECONDS", 0.0)
    stage, show = secret.story.stage, f"/contact show {secret.phone.address}"
    hidden = (await secret.ben.types(SUPPORT, show)).text
    assert NAME in hidden
    assert hidden.count("🔒 in a conversation that you are not in") == 2
    assert WORDS not in hidden
    assert REPLY not in hidden
    assert WORDS in (await stage.ana.types(SUPPORT, show)).text

    await stage.sandbox.changes_members(secret.home, "ben")
    assert WORDS in (await secret.ben.types(SUPPORT, show)).text
    await stage.sandbox.changes_members(secret.home, "ben", remove=True)
    assert WORDS not in (await secret.ben.types(SUPPORT, show)).text


async def test_while_slack_does_not_say_nobody_sees_more(secret: Secret, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an answer nothing is shown and nothing is done, and whoever wants it is told to try again."""
    monkeypatch.setattr(sight, "FRESH_SECONDS", 0.0)
    stage = secret.story.stage
    stage.app.slack.people.insiders.put(secret.home, frozenset())
    monkeypatch.setattr(sight, "LAST_SECONDS", -1.0)
    await stage.sandbox.order(vendor="slack", where="conversations.members", kind=Kind.STATUS, status=500, times=None)
    await clicks(stage, BEN, DONE, str(secret.thread_id))
    await secret.is_told("⚠️ Slack did not say in time whether you may see this, so nothing was done.")
    shown = (await secret.ben.types(SUPPORT, f"/contact show {secret.phone.address}")).text
    assert WORDS not in shown
    await stage.sandbox.calm()
    await secret.is_as_it_was()


@pytest.mark.parametrize(
    "value", ["", ".", "..", "../webhooks", "x" * 2000, "+1\u2028", "' OR 1=1 --", "%2e%2e", "\x00"]
)
async def test_an_address_of_no_shape_reaches_no_other_path(secret: Secret, value: str) -> None:
    """What is no address opts nobody out, and asks Blooio for a contact of that name or for nothing."""
    stage = secret.story.stage
    since = max((one["id"] for one in await stage.sandbox.exchanges(vendor="blooio")), default=0)
    for action_id in ("contact_show", "contact_check", "contact_opt_out", "contact_allow", "contact_edit"):
        await clicks(stage, BEN, action_id, value)
    async with stage.app.pool.connection() as connection:
        cursor = await connection.execute("SELECT count(*) FROM people WHERE address !~ '^\\+\\d{7,15}$|@'")
        assert await cursor.fetchall() == [(0,)]
    asked = [one["raw_path"] for one in await stage.sandbox.exchanges(vendor="blooio", since=since)]
    mine = [path for path in asked if "/contacts/" in path and "/contacts/%2B" not in path]
    assert [path for path in mine if not re.fullmatch(r"[^?]*/contacts/[^/?.][^/?]*(/capabilities)?", path)] == []


async def test_a_question_is_answered_by_whoever_may_text_then(
    shared_stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who was asked about a reply, and becomes a guest before they answer, texts nobody."""
    monkeypatch.setattr(permission, "FRESH_SECONDS", 0.0)
    stage, sandbox = shared_stage, shared_stage.sandbox
    story = Story(stage, await sandbox.creates_channel(f"asked-{next(_views)}", members=["ana", "ben", "bot"]))
    phone = await story.knows(None)
    await story.types(f"{phone.address} Hello Mia")
    (card_ts,) = await row(story, "SELECT t.card_ts FROM deliveries d", "t.card_ts <> ''", phone)
    reply = await stage.ben.posts(story.home, "It is done", thread_ts=card_ts)  # seconds after Ana
    await row(story, "SELECT d.fate FROM replies d", "d.fate = 'asked'", phone)

    await sandbox.changes_person("ben", is_guest=True)
    await clicks(stage, BEN, replies.TEXT_IT, f"{reply.ts}:", home=story.home)
    assert (await story.is_told("⚠️ Guests cannot text customers", stage.ben)) != ""
    assert await row(story, "SELECT count(*) FROM replies d", "d.fate = 'asked'", phone) == (1,)
    await sandbox.changes_person("ben", is_guest=False)
    await clicks(stage, ANA, replies.TEXT_IT, f"{reply.ts}:", home=story.home)  # nor by anybody else
    await clicks(stage, BEN, replies.TEXT_IT, f"{reply.ts}:", home=story.home)
    assert [text.text for text in await phone.received(2)] == ["Hello Mia", "It is done"]


async def test_an_opt_out_is_overridden_by_whoever_is_an_admin_then(
    shared_stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not by whoever makes up the form, nor by whoever was an admin when it was opened."""
    monkeypatch.setattr(permission, "FRESH_SECONDS", 0.0)
    stage = shared_stage
    story = Story(stage, await stage.sandbox.creates_channel(f"out-{next(_views)}", members=["ana", "ben", "bot"]))
    phone = await story.knows(None)
    await clicks(stage, BEN, "contact_opt_out", phone.address)
    kept = json.dumps({"here": story.home, "address": phone.address})
    written = {
        ASKED_BY: {"type": "plain_text_input", "value": "Mia"},
        NOTE: {"type": "plain_text_input", "value": "She asked for it at the desk"},
    }
    answers = [await submits(stage, BEN, ALLOW_FORM, kept, written)]
    await stage.sandbox.changes_person("ana", is_admin=False)
    answers.append(await submits(stage, ANA, ALLOW_FORM, kept, written))
    await stage.sandbox.changes_person("ana", is_admin=True)
    for answer in answers:
        assert answer["errors"][NOTE].startswith("Only an admin can allow texts to somebody who opted out.")
    assert (await submits(stage, ANA, ALLOW_FORM, kept, written))["response_action"] == "update"


async def test_what_is_posted_twice_is_done_once(shared_stage: Stage) -> None:
    """A request that somebody caught and repeats, byte for byte and in time, sends nothing again."""
    phone = shared_stage.sandbox.phone("+15550008888")
    await phone.becomes(imessage=True, sent_after=0, delivered_after=0)
    before = len(await phone.received())
    values = _composed("C0SUPPORT01", "+15550008888")
    await submits(shared_stage, BEN, composer.COMPOSE_FORM, json.dumps({"here": "C0SUPPORT01"}), values, times=3)
    assert [text.text for text in await phone.received(before + 1)][before:] == ["Hello there"]
    async with shared_stage.app.pool.connection() as connection:
        cursor = await connection.execute("SELECT count(*) FROM deliveries WHERE body = 'Hello there'")
        assert await cursor.fetchall() == [(1,)]


async def test_the_figures_and_the_probes_tell_nothing_personal(secret: Secret) -> None:
    """`/metrics`, `/readyz` and `/healthz` answer anybody: with numbers, and the names of parts and of kinds."""
    stage = secret.story.stage
    await stage.sandbox.order(vendor="slack", where="auth.test", kind=Kind.STATUS, status=500, times=1)
    async with httpx.AsyncClient(base_url=stage.app.url, trust_env=False) as http:
        said = "\n".join([(await http.get(path)).text for path in ("/metrics", "/readyz", "/healthz", "/nothing")])
    assert "texting_answer_seconds_count" in said
    for value in stage.sandbox.environment().values():
        assert value not in said or value.isdigit()
    for word in (WORDS, REPLY, NAME, "Ana", "acme", secret.phone.address[2:], secret.home, ANA, str(secret.failed)):
        assert word not in said
    labels = set(re.findall(r'="([^"]*)"', said))
    assert all(re.fullmatch(r"[\w.+/-]{1,40}", label) for label in labels), labels


async def test_a_card_is_a_card_of_the_channel(secret: Secret) -> None:
    """The stage is what it says: the card stands in the private channel, and Ben does not see it."""
    cards = [one for one in await secret.story.ana.sees(secret.home) if is_card(one)]
    assert [card.ts for card in cards] == [secret.card_ts]

"""Slack and Blooio gone mad before the running bot: signed requests with anything in them, and what is no request."""

import asyncio
import copy
import hashlib
import hmac
import json
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp

from sandbox.slack.driver import Message, Person, Refused
from sandbox.slack.seed import SIGNING_SECRET
from sandbox.slack.signing import sign
from tests.message_events import CASES, Where
from tests.proofs.input_mutation import NAMES, Lots, broken, mangled, mutated, word, written
from tests.proofs.input_readers import _EVENTS, _TYPED
from tests.proofs.scene import SECRET, Scene

#: What nobody writes by chance: it must not be in any log.
MARKER = "zqmarkerqz"

#: What the wildest request may take, on a busy machine. Slack waits three seconds.
SLOWEST = 20.0

#: How often a request comes that is answered with 503.
_AGAIN = 4

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
TEAM, HOME = "T0ACMEHQ001", "C0SUPPORT01"
PEOPLE = ("U0ANAALVARE", "U0BENBAKER1", "U0GUSGUEST1", "U0EVEGLOBEX", "U0NOBODY001", "USLACKBOT", "")

_BAD_REQUESTS = (
    b"GET / HTTP/1.1\r\n\r\n",
    b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab",
    b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST /blooio/webhooks HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
    b"POST /blooio/webhooks HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    b"POST /blooio/webhooks HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\nx",
    b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /slack/events HTTP/1.1\r\n" + b"X: " + b"y" * 70_000 + b"\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\0" * 5_000,
    b"GET /files/%00%ff/../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /files/" + b"a" * 5_000 + b"/b HTTP/1.1\r\nHost: x\r\n\r\n",
    b"DELETE /slack/events HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /slack/events HTTP/9.9\r\nHost: x\r\n\r\n",
)


@dataclass
class Wire:
    """Whoever has both secrets, and means no good."""

    url: str
    http: aiohttp.ClientSession
    answers: Counter[str] = field(default_factory=Counter)  # how many, by what was sent and the status
    flaws: list[str] = field(default_factory=list)
    slowest: float = 0.0

    async def slack(self, body: Any, *, form: bool | None = None, **headers: str) -> tuple[int, str]:
        """Send a request of Slack's, as JSON or in a form, signed."""
        given = isinstance(body, Mapping)
        if form is None:
            form = not (given and body.get("type") == "event_callback")
        if given and "command" in body and form:
            raw = urlencode([(str(name), _in_form(value)) for name, value in body.items()], errors="replace").encode()
        elif form:
            raw = urlencode({"payload": written(body).decode()}).encode()
        else:
            raw = written(body)
        kind = body.get("type") if given else None
        name = "command" if given and "command" in body else kind if isinstance(kind, str) and kind in KINDS else "odd"
        return await self.post("/slack/events", raw, signed_by_slack(raw, FORM if form else JSON) | headers, name, body)

    async def blooio(self, body: bytes) -> tuple[int, str]:
        return await self.post("/blooio/webhooks", body, signed_by_blooio(body), "webhook", body)

    async def post(
        self, path: str, raw: bytes, headers: Mapping[str, str], name: str, given: Any, *, method: str = "POST"
    ) -> tuple[int, str]:
        """
        Send anything; note how it was answered, and what is wrong with that.

        503 says that it could not be stored in time, on a machine that is busy with this: it comes again, as from both.
        """
        for _ in range(_AGAIN):
            status, text = await self._post(path, raw, headers, name, given, method=method)
            if status != HTTPStatus.SERVICE_UNAVAILABLE:
                return status, text
            await asyncio.sleep(1)
        self.flaws.append(f"{name}: 503 again and again\n  given {given!r:.3000}")
        return status, text

    async def _post(
        self, path: str, raw: bytes, headers: Mapping[str, str], name: str, given: Any, *, method: str
    ) -> tuple[int, str]:
        started = time.monotonic()
        try:
            async with self.http.request(method, self.url + path, data=raw, headers=headers) as response:
                status, text = response.status, await response.text()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            status, text = 0, type(error).__name__
        seconds = time.monotonic() - started
        self.slowest = max(self.slowest, seconds)
        self.answers[f"{name} {status}"] += 1
        wrong = status >= HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.SERVICE_UNAVAILABLE
        if wrong or status == 0 or seconds > SLOWEST:
            self.flaws.append(f"{name}: {status} {text[:100]} after {seconds:.1f} s\n  given {given!r:.3000}")
        return status, text

    async def raw(self, request: bytes) -> None:
        """Send bytes that are perhaps no HTTP, and hang up."""
        parts = urlsplit(self.url)
        with suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
            async with asyncio.timeout(5):
                reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
                try:
                    writer.write(request)
                    writer.write_eof()
                    answer = await reader.read(100)
                finally:
                    writer.close()
            status = re.match(rb"HTTP/1.1 (\d+)", answer)
            self.answers[f"broken HTTP {status[1].decode() if status else 'hung up'}"] += 1
            if status and status[1] >= b"500":
                self.flaws.append(f"broken HTTP: {answer!r}\n  given {request!r:.500}")
            return
        self.answers["broken HTTP hung up"] += 1


KINDS = (
    *("event_callback", "block_actions", "view_submission", "view_closed", "shortcut", "message_action"),
    "block_suggestion",
)


def _in_form(value: Any) -> str:
    return value if isinstance(value, str) else written(value).decode()


def signed_by_slack(raw: bytes, content_type: str) -> dict[str, str]:
    now = int(time.time())
    stamp, signature = "X-Slack-Request-Timestamp", sign(SIGNING_SECRET, now, raw)
    return {"Content-Type": content_type, stamp: str(now), "X-Slack-Signature": signature}


def signed_by_blooio(raw: bytes) -> dict[str, str]:
    now = str(int(time.time()))
    signature = hmac.new(SECRET.encode(), now.encode() + b"." + raw, hashlib.sha256).hexdigest()
    return {"Content-Type": JSON, "X-Blooio-Signature": f"t={now},v1={signature}"}


# --- What is sent -----------------------------------------------------------------------------------------------------


@dataclass
class Corpus:
    """What Slack and Blooio really sent while people used the bot: the beginnings of all that is not so real."""

    bodies: list[dict[str, Any]]  # of Slack's requests
    webhooks: list[dict[str, Any]]
    action_ids: list[str]
    values: list[str]  # of buttons
    message_ids: list[str]  # Blooio's
    threads: list[tuple[str, str]]  # conversation and `thread_ts`

    def commands(self) -> list[dict[str, Any]]:
        return [one for one in self.bodies if "command" in one]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [one for one in self.bodies if one.get("type") == kind]


async def send(number: int, wire: Wire, corpus: Corpus, lots: Lots) -> None:
    """Send one input, which depends on *lots* and on what there is in the corpus."""
    kind = lots.random.random()
    if kind < 0.25:
        body = written(_webhook(number, corpus, lots))
        await wire.blooio(broken(body, lots) if lots.chance(0.05) else body)
    elif kind < 0.45:
        await wire.slack(_command(number, corpus, lots))
    elif kind < 0.75:
        body = _interaction(number, corpus, lots)
        await wire.slack(body, form=True if lots.chance(0.95) else None)
    elif kind < 0.93:
        retry = {"X-Slack-Retry-Num": _header(lots), "X-Slack-Retry-Reason": _header(lots)} if lots.chance(0.2) else {}
        await wire.slack(_event(number, corpus, lots), **retry)
    elif kind < 0.96:
        await _unsigned(wire, corpus, lots)
    elif kind < 0.98:
        raw = broken(written(lots.one(corpus.bodies)), lots)
        await wire.post(
            "/slack/events", raw, signed_by_slack(raw, lots.one((FORM, JSON, "text/plain", ""))), "broken", raw
        )
    else:
        request = bytes(lots.one(_BAD_REQUESTS))
        await wire.raw(broken(request, lots) if lots.chance(0.5) else request)


def _header(lots: Lots) -> str:
    return str(lots.one(("1", "0", "-1", "9" * 50, "²", "x", "http_timeout", "1; DROP", "½", "")))


def _webhook(number: int, corpus: Corpus, lots: Lots) -> Any:
    event = copy.deepcopy(lots.one((*_EVENTS, *corpus.webhooks)))
    inside = event.get("data") if isinstance(event.get("data"), dict) else event
    for name in ("message_id", "id"):
        if name in inside:
            inside[name] = lots.one(corpus.message_ids) if lots.chance(0.5) else f"msg_bad_{number}"
    if "text" in inside and lots.chance(0.7):
        inside["text"] = mangled(f"{MARKER} hello", lots)[:30_000]
    if "sender" in inside and lots.chance(0.3):
        inside["sender"] = f"+1555{7_000_000 + number % 50}"
    return mutated(event, lots)


def _command(number: int, corpus: Corpus, lots: Lots) -> Any:
    body = copy.deepcopy(lots.one(corpus.commands()))
    body["trigger_id"] = f"1.2.{number}"
    body["command"] = lots.one(("/text", "/text", "/contact"))
    verb = lots.one(("", "", "add ", "edit ", "find ", "list ", "show ", "tag ", "untag ", "report "))
    text = str(lots.one(_TYPED)) if lots.chance(0.5) else f"{verb}{lots.one(_TYPED)} {MARKER}"
    body["text"] = mangled(text, lots)[:40_000] if lots.chance(0.6) else word(lots)[:40_000]
    if lots.chance(0.1):
        body["user_id"] = lots.one(PEOPLE)
    return mutated(body, lots, most=2) if lots.chance(0.35) else body


def _interaction(number: int, corpus: Corpus, lots: Lots) -> Any:
    kind = lots.one(
        (
            "block_actions",
            "block_actions",
            "view_submission",
            "view_closed",
            "block_suggestion",
            "message_action",
            "shortcut",
        )
    )
    found = corpus.of(str(kind)) or corpus.of("block_actions")
    body = copy.deepcopy(lots.one(found))
    body["trigger_id"] = f"1.2.{number}"
    for action in body.get("actions") or []:
        if lots.chance(0.6):
            action["action_id"] = lots.one(corpus.action_ids)
        if lots.chance(0.6):
            action["value"] = lots.one(corpus.values) if lots.chance(0.6) else word(lots)
        if lots.chance(0.3):
            action["selected_option"] = {"text": {"type": "plain_text", "text": "x"}, "value": lots.one(corpus.values)}
    if isinstance(body.get("view"), dict) and lots.chance(0.4):
        _fill_in(body["view"], lots)
    if isinstance(body.get("message"), dict) and lots.chance(0.4):
        body["message"]["text"] = f"{MARKER} {word(lots)}"[:40_000]
    if lots.chance(0.2):
        body["user"] = {**body["user"], "id": lots.one(PEOPLE)}
    return mutated(body, lots, most=3) if lots.chance(0.7) else body


def _fill_in(view: dict[str, Any], lots: Lots) -> None:
    """Write into a form, and let it remember something else."""
    for block in (view.get("state") or {}).get("values", {}).values():
        for state in block.values():
            if "value" in state:
                state["value"] = mangled(str(lots.one(_TYPED)), lots)[:3_000]
    if lots.chance(0.4):
        with suppress(ValueError, TypeError):
            view["private_metadata"] = written(mutated(json.loads(view["private_metadata"]), lots)).decode()
    elif lots.chance(0.2):
        view["private_metadata"] = word(lots)


def _event(number: int, corpus: Corpus, lots: Lots) -> Any:
    home, thread_ts = lots.one(corpus.threads)
    if lots.chance(0.6):
        event = lots.one(CASES).make(Where(home, thread_ts, f"{1_700_100_000 + number}.000100"))
        if isinstance(event.get("text"), str) and lots.chance(0.5):
            event["text"] = f"{MARKER} {mangled(event['text'], lots)}"[:40_000]
    else:
        event = copy.deepcopy(lots.one([one["event"] for one in corpus.of("event_callback")]))
    body = {"token": "x", "team_id": TEAM, "api_app_id": "A0TEXTING01", "event": event, "type": "event_callback"}
    body |= {
        "event_id": f"Ev{number}",
        "event_time": 1,
        "authorizations": [{"team_id": TEAM, "user_id": "U0TEXTING01"}],
    }
    if lots.chance(0.2):
        return mutated(body, lots)
    if lots.chance(0.7):
        changed = mutated(event, lots)
        body["event"] = (
            changed if isinstance(changed, dict) and changed.get("type") in ("message", "reaction_added") else event
        )
    return body


async def _unsigned(wire: Wire, corpus: Corpus, lots: Lots) -> None:
    """Send what neither of them signed: it has to be refused."""
    to_slack = lots.chance(0.5)
    raw = written(lots.one(corpus.bodies if to_slack else corpus.webhooks or _EVENTS))
    headers = signed_by_slack(raw, JSON) if to_slack else signed_by_blooio(raw)
    name = lots.one([one for one in headers if one != "Content-Type"])
    right = headers.pop(name)
    if lots.chance(0.7):
        wrong = re.sub(r"[\0-\x1f\x7f\u0100-\U0010ffff]", "?", mangled(right, lots))[:2_000]
        headers[name] = "x" if right in wrong else wrong  # beside a right one, Blooio may send others
    path = "/slack/events" if to_slack else "/blooio/webhooks"
    status, _ = await wire.post(path, raw, headers, "unsigned", headers)
    if status not in {400, 401}:
        wire.flaws.append(f"unsigned: let in with {status}\n  given {headers!r}")


# --- Where it begins --------------------------------------------------------------------------------------------------


async def tour(scene: Scene, *, home: str = HOME) -> Corpus:
    """Use the bot as people do, so that there is something of everything; return what was sent meanwhile."""
    ana, ben, sandbox = scene.sandbox.person("ana"), scene.sandbox.person("ben"), scene.sandbox
    phones = [sandbox.phone(f"+1555{6_000_001 + number}") for number in range(4)]
    for phone in phones:
        await phone.becomes(imessage=True, sent_after=0, delivered_after=0)
    await phones[3].becomes(fails_with="carrier_rejected")
    for phone in phones:
        assert (await ana.types(home, f"/text {phone.address} Hello")).text.startswith("Texting ")
    await sandbox.until(lambda: _texted(scene, 4), timeout=60)
    cards = [one for one in await ana.sees(home) if one.reply_count]
    for phone in phones[:2]:
        await phone.replies("On my way! " + "long " * 3_000)
    for words in ("Fine", "!a note", "<@U0BENBAKER1> see?", "and this"):
        await ana.posts(home, words, thread_ts=cards[0].ts)
    mine = await ana.posts(home, "to be edited", thread_ts=cards[0].ts)
    await ana.edits(mine, "edited")
    for command in (
        "add +15556000001 Jane Doe #vip",
        "list",
        "show Jane",
        "edit Jane",
        "find j",
        "add",
        "tag Jane x",
        "help",
    ):
        await _try(ana.types(home, f"/contact {command}"))
        await _try(ana.submits())
    for command in ("", "Jane", "Jan hello", "nobody hello", "help", "settings", "report", "report csv", "jane hi"):
        await _try(ana.types(home, f"/text {command}"))
        await _try(ana.submits())
    await sandbox.until(lambda: _texted(scene, 4), timeout=60)
    for person in (ana, ben):
        await _press_everything(person, home)
    await _try(ana.uses_shortcut("New text", where=home))
    await _try(ana.suggestions("To", "jan"))
    await _try(ana.fills("To", "Jane"))
    await _try(ana.submits())
    await _try(ana.closes())
    for name in ("Text this to…", "Text this reply", "Add as contact"):
        await _try(ana.uses_message_shortcut(mine, name))
        await _try(ana.submits())
        await _try(ana.closes())
    await ana.reacts(cards[0], "white_check_mark")
    await ana.reacts(cards[0], "white_check_mark", remove=True)
    await ana.deletes(home, mine.ts)
    return await harvest(scene, home, [one.ts for one in cards])


async def _try(work: Any) -> None:
    """What a window does not offer now is left."""
    with suppress(Refused):
        await work


async def _press_everything(person: Person, home: str) -> None:
    """Press every button that a person sees, and choose everything in the menus; submit or close what opens."""
    for message in await person.sees_all(home):
        for element in _elements(message.blocks):
            if element.get("type") == "overflow":
                for option in element.get("options") or []:
                    await _press(person, message, element["action_id"], option["text"]["text"])
            elif element.get("type") == "button" and "url" not in element:
                await _press(person, message, element["action_id"], None)


async def _press(person: Person, message: Message, what: str, value: Any) -> None:
    await _try(person.clicks(message, what, value))
    await _try(person.submits())
    await _try(person.closes(everything=True))


def _elements(blocks: Sequence[Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for block in blocks:
        found += block.get("elements") or [] if block.get("type") == "actions" else []
        found += [block["accessory"]] if isinstance(block.get("accessory"), dict) else []
    return found


async def _texted(scene: Scene, count: int) -> bool:
    sent = await scene.sandbox.exchanges(vendor="blooio", name="POST /chats/*/messages")
    cards = [one for one in await scene.sandbox.person("ana").sees(HOME) if one.reply_count]
    return len(sent) >= count and len(cards) >= count


async def harvest(scene: Scene, home: str, cards: Sequence[str]) -> Corpus:
    """Collect what Slack and Blooio sent the bot so far."""
    delivered = await scene.sandbox.exchanges(name="deliver:*")
    bodies = [one["body"] for one in delivered if one["vendor"] == "slack" and isinstance(one["body"], dict)]
    webhooks = [one["body"] for one in delivered if one["vendor"] == "blooio" and isinstance(one["body"], dict)]
    written_out = json.dumps([one["body"] for one in await scene.sandbox.exchanges(vendor="slack")])
    sent = await scene.sandbox.exchanges(vendor="blooio", name="POST /chats/*/messages")
    return Corpus(
        bodies=bodies,
        webhooks=webhooks,
        action_ids=sorted({*re.findall(r'"action_id": "([\w.-]+)"', written_out), *NAMES[:3]}),
        values=sorted({*re.findall(r'"value": "([^"\\]{1,200})"', written_out), "", "0", "1:U0ANAALVARE"}),
        message_ids=sorted({str((one["response"] or {}).get("message_id")) for one in sent}),
        threads=[(home, ts) for ts in cards],
    )

"""What reads input without doing anything, given it by the ten thousand: it answers, or says what is wrong, in time."""

import dataclasses
import json
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from bot.blocks import channel_settings, composer, contact_forms, contacts, opt_outs, ownership, replies
from bot.blooio import webhook, wire
from bot.blooio.webhook import InvalidSignature, MalformedEvent, MessageReceived
from bot.files import kinds, links, outgoing
from bot.hearing import news
from bot.ingress import web
from bot.ingress.web import Malformed
from bot.reading import harmless, names, opt_words, reply, request, searching, shared, tapback
from bot.reading.addresses import AddressProblem, read_address
from bot.reading.command import CommandProblem, parse_text_command
from bot.reading.contact_command import parse_contact_command
from bot.reading.contact_form import ContactFormProblem, parse_add_form, parse_edit_form
from bot.reading.form import FormProblem, parse_text_form
from bot.reading.request import Unreadable, storable
from bot.reading.slack_text import mentioned_users, plain_text
from bot.slack.members import read_member
from bot.texting.errors import TextingError
from tests.message_events import BOT, BOT_USER, CASES, Where
from tests.proofs.input_mutation import Lots, broken, mangled, mutated, smaller, word, written

SAMPLES = Path(__file__).parents[1] / "samples" / "blooio"

#: What one input may take. Slack waits three seconds for an answer, and others wait while one is read.
SLOWEST = 0.5  # seconds, on a busy machine

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
US = reply.Us(BOT_USER, BOT, "acme.slack.com")


@dataclass(frozen=True)
class Reader:
    """One reader: how input for it is made, how it reads, and what it may raise. Whatever else it does is a flaw."""

    name: str
    make: Callable[[Lots], Any]
    read: Callable[[Any], Any]
    refuses: tuple[type[Exception], ...] = ()
    weight: int = 1


@dataclass(frozen=True)
class Flaw:
    """An input that was not read as it should be."""

    reader: str
    number: int
    what: str
    given: Any  # as small as it could be made

    def __str__(self) -> str:
        return f"{self.reader} #{self.number}: {self.what}\n  given {self.given!r:.2000}"


def run(seed: int, count: int, readers: Sequence[Reader]) -> tuple[dict[str, int], list[Flaw], float]:
    """Give the readers *count* inputs in all; return how many each got, what was wrong, and the slowest in seconds."""
    total = sum(one.weight for one in readers)
    given: dict[str, int] = {}
    flaws: list[Flaw] = []
    slowest = 0.0
    for reader in readers:
        given[reader.name] = max(1, round(count * reader.weight / total))
        for number in range(given[reader.name]):
            value = reader.make(Lots(seed, reader.name, number))
            started = time.process_time()
            what = trouble_of(reader, value)
            seconds = time.process_time() - started
            slowest = max(slowest, seconds)
            if what is None and seconds > SLOWEST:
                what = f"took {min(_seconds(reader, value) for _ in range(2)):.1f} s"
            if what is not None:
                flaws.append(Flaw(reader.name, number, what, _shrunk(reader, value, what)))
                if sum(one.reader == reader.name for one in flaws) >= 5:
                    break  # the rest would be more of the same
    return given, flaws, slowest


def trouble_of(reader: Reader, value: Any) -> str | None:
    """Say what is wrong with how a value is read, in a line; None if nothing is."""
    try:
        result = reader.read(value)
    except reader.refuses:
        return None
    except Exception as error:  # noqa: BLE001  (whatever it is, it is what is looked for)
        where = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {error!s:.150} ({Path(where.filename).name}:{where.lineno})"
    return next((f"let through {one[:60]!r}" for one in _strings(result) if not is_storable(one)), None)


def is_storable(text: str) -> bool:
    """Whether PostgreSQL takes it: UTF-8, and no NUL."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif dataclasses.is_dataclass(value):
        for one in dataclasses.fields(value):
            yield from _strings(getattr(value, one.name))
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield str(name)
            yield from _strings(one)
    elif isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield from _strings(one)


def _seconds(reader: Reader, value: Any) -> float:
    started = time.process_time()
    trouble_of(reader, value)
    return time.process_time() - started


def _shrunk(reader: Reader, value: Any, what: str) -> Any:
    kind = what.partition(":")[0]
    if kind.startswith("took"):
        return value
    return smaller(value, lambda candidate: (trouble_of(reader, candidate) or "").partition(":")[0] == kind)


# --- Blooio -----------------------------------------------------------------------------------------------------------

_SAMPLES: dict[str, Any] = {path.stem: json.loads(path.read_text()) for path in sorted(SAMPLES.glob("*.json"))}
_EVENTS = [_SAMPLES[name] for name in _SAMPLES if name.startswith(("webhook_", "v4_"))]
_ANSWERS = [sample for sample in _SAMPLES.values() if sample not in _EVENTS]


def _event(lots: Lots) -> Any:
    return mutated(lots.one(_EVENTS), lots)


def event_body(given: Any) -> bytes:
    return given if isinstance(given, bytes) else written(given)


def _read_event(given: Any) -> Any:
    event = webhook.parse(event_body(given))
    if isinstance(event, webhook.UnknownEvent):
        return event.name, event.key  # its body is kept as bytes
    told = news.told_by([event, event])
    return event, told, news.received_of(event) if isinstance(event, MessageReceived) else None


def _signature(lots: Lots) -> list[Any]:
    good = f"t={int(NOW.timestamp())},v1={'a' * 64}"
    return [mangled(good, lots), word(lots), lots.one((["secret"], ["", "x"], []))]


def _verify(given: Any) -> None:
    header, body, secrets = given
    webhook.verify(header, str(body).encode(errors="replace"), secrets=secrets, now=NOW)


_HEADERS = ("retry-after", "date", "content-type")
_STATUSES = (
    100,
    199,
    200,
    200,
    200,
    201,
    202,
    202,
    204,
    299,
    302,
    400,
    401,
    403,
    404,
    409,
    410,
    422,
    429,
    500,
    503,
    599,
)


def _answer(lots: Lots) -> list[Any]:
    headers = {name: word(lots)[:200] for name in _HEADERS if lots.chance(0.3)}
    if lots.chance(0.3):
        headers["retry-after"] = lots.one(
            ("1e400", "-5", "nan", "inf", "1e308", "Thu, 01 Jan 1970 00:00:00 GMT", "٣", "1_0")
        )
    return [lots.one(_STATUSES), headers, mutated(lots.one(_ANSWERS), lots), lots.random.randrange(8)]


_PARSERS: tuple[Callable[..., Any], ...] = (
    lambda *answer: wire.parse_capabilities(*answer, now=NOW),
    wire.parse_accepted,
    wire.parse_status,
    lambda *answer: wire.parse_messages(*answer, limit=200, offset=0),
    lambda *answer: wire.parse_chats(*answer, limit=100, offset=0),
    wire.parse_contact,
    lambda *answer: wire.parse_contacts(*answer, limit=50, offset=50),
    wire.parse_done,
    wire.parse_me,
    wire.parse_lines,
    wire.parse_webhooks,
    lambda *answer: wire.parse_webhook(*answer, url="https://bot.example/blooio/webhooks"),
    wire.parse_webhook_secret,
)


def _read_answers(given: Any) -> list[Any]:
    status, headers, body, _ = given
    content = body if isinstance(body, bytes) else written(body)
    read: list[Any] = []
    for parse in _PARSERS:
        try:
            value = parse(
                status, httpx.Headers({name: text.encode(errors="replace") for name, text in headers.items()}), content
            )
        except TextingError as error:
            value = [error.words, error.provider_code]
        read.append(value)
    return read


# --- Slack: words -----------------------------------------------------------------------------------------------------

_TYPED = (
    *("+15551234567 Hello", "+1 (555) 123-4567 Hi Jane", "555-123-4567: hi", '"Jane Doe" hello', "jane hello there"),
    *(
        "jane@example.com hi",
        '"+49 30 123456" 10 Uhr',
        "<tel:+15551234567|555-123-4567> hi",
        "Jane, Ben: hello",
        "help",
    ),
    *("report 30d csv", "settings", "", "add +1 555 123 4567 Jane Doe #vip", 'tag Jane vip "west coast"', "find jan"),
    *(
        "edit Jane",
        "edit +15551234567 Jane Roe",
        "show <#C1|x>",
        "untag Jane vip, x",
        "list",
        "new a@b.example <Jane> &amp;",
    ),
    *(
        "<@U0ANAALVARE> see :wave::skin-tone-3: <https://a.example|a> &lt;b&gt;",
        "+39 312 345 6789 ciao",
        "!note",
        "🔵 hi",
    ),
)
_REGIONS = ("US", "DE", "GB", "IT", "CH")


def _typed(lots: Lots) -> list[str]:
    text = str(lots.one(_TYPED))
    for _ in range(lots.count(4)):
        text = mangled(text, lots) if lots.chance(0.85) else word(lots)
    return [storable(text[:50_000]), str(lots.one(_REGIONS))]  # as whatever Slack sends, once it is let in


def _read_words(given: Any) -> list[Any]:
    text, region = given
    read: list[Any] = [plain_text(text, names={"U0ANAALVARE": "Ana"}), mentioned_users(text) and None]
    read.append(tapback.tapback_of(text) and None)
    cleaned = harmless.cleaned(text)
    read += [harmless.name(text, 60), harmless.one_line(text, 60), harmless.inert(cleaned)]
    opt_words.OptWords.of(["STOP"], ["START"], ["HELP"]).read(text)
    searching.searchable(text, region, (text,))
    searching.wanted(text)
    for reading in names.name_readings(text):
        names.next_names(reading)
    kinds.kind_of(text, text)
    kinds.is_program(text)
    kinds.is_audio(text, text)
    kinds.clean_name(text, None)
    kinds.name_of(text, text)
    links.read_path(text, text, key=b"k", now=NOW)
    links.safe_name(text)
    return read


def _read_text_command(given: Any) -> Any:
    return parse_text_command(given[0], region=given[1])


def _read_contact_command(given: Any) -> Any:
    return parse_contact_command(given[0], region=given[1])


def _read_address(given: Any) -> Any:
    return read_address(given[0], region=given[1])


def _read_forms(given: Any) -> list[Any]:
    text, region = given
    read: list[Any] = []
    for parse in (
        lambda: parse_text_form(text, text, region=region),
        lambda: parse_text_form("+15551234567", text, region=region, with_files=True),
        lambda: parse_add_form(text, "+15551234567", text, region=region),
        lambda: parse_add_form("Jane", text, "", region=region),
        lambda: parse_edit_form(text, text, name_before="Jane", tags_before=("vip",)),
    ):
        try:
            read.append(parse())
        except FormProblem as problem:
            read += [problem.to, problem.message]
        except ContactFormProblem as problem:
            read += problem.of.values()
    return read


# --- Slack: requests --------------------------------------------------------------------------------------------------


def _message_event(lots: Lots) -> Any:
    return mutated(lots.one(CASES).make(Where()), lots)


def _read_message_event(event: Any) -> list[Any]:
    if not isinstance(event, dict):
        return []
    event = request.storable(event)
    read: list[Any] = []
    for read_one in (reply.read_typed, reply.read_edit):
        typed = read_one(event, US)
        if typed is not None:
            decision = reply.decide(typed, US, reply.Setting())
            reply.is_note(typed, US)
            reply.was_note(typed, US)
            reply.without_mark(typed, US)
            read += [decision.body, decision.words, decision.reason]
            outgoing.read_files(typed.files)
    reply.read_deletion(event, US)
    pointed_at = {"type": "message_action", "callback_id": "x", "trigger_id": "x", "channel": {"id": "C1"}}
    message = request.readable(pointed_at | {"user": {"id": "U1"}, "message": event})["message"]
    return [*read, shared.words_of(message, ours=True), shared.address_in(message, region="US")]


def _slack_body(lots: Lots) -> list[Any]:
    forms = (
        b"command=%2Ftext&text=hi&team_id=T1&user_id=U1&channel_id=C1",
        b"payload=%7B%22type%22%3A%22block_actions%22%7D",
        b'{"type":"event_callback","event":{"type":"message"}}',
        b"ssl_check=1",
    )
    content_types = (
        "application/json",
        "application/x-www-form-urlencoded",
        "text/plain",
        "",
        "application/json; charset=x",
    )
    body = lots.one(forms)
    return [broken(body, lots) if lots.chance(0.7) else body, lots.one((*content_types, word(lots)[:50]))]


def _read_slack_body(given: Any) -> Any:
    raw, content_type = given
    raw = raw if isinstance(raw, bytes) else str(raw).encode(errors="replace")
    return request.readable(web.parse(raw, content_type=str(content_type)))


_OPTION = {"text": {"type": "plain_text", "text": "Jane"}, "value": "+15551234567"}
_REMEMBERED = {"here": "C1", "home": "C1", "cut": False, "address": "+15551234567", "name": "Jane", "tags": ["vip"]}
_SUBMITTED = {
    "type": "view_submission",
    "team": {"id": "T1"},
    "user": {"id": "U1", "username": "ana", "team_id": "T1"},
    "view": {
        "id": "V1",
        "type": "modal",
        "hash": "1.a",
        "callback_id": "compose_form",
        "blocks": [{"type": "input", "block_id": "to"}],
        "state": {
            "values": {
                "to": {"compose_to": {"type": "external_select", "selected_option": _OPTION}},
                "message": {"message": {"type": "plain_text_input", "value": "Hi"}},
                "line": {"compose_line": {"selected_option": _OPTION}},
                "home": {"home": {"selected_conversation": "C1"}},
                "hand_to": {"hand_to": {"selected_user": "U1"}},
                "name": {"name": {"value": "Jane"}},
                "address": {"address": {"value": "+15551234567"}},
                "tags": {"tags": {"value": "vip"}},
                "asked_by": {"asked_by": {"value": "Jane"}},
                "note": {"note": {"value": "She called today"}},
                "channel_replies": {"channel_replies": {"selected_option": {"value": "texted"}}},
                "channel_quiet": {"channel_quiet": {"selected_option": {"value": "60"}}},
            }
        },
    },
}


def _submitted(lots: Lots) -> Any:
    body = mutated(_SUBMITTED, lots) if lots.chance(0.7) else mutated(_SUBMITTED, lots, most=1)
    if isinstance(body, dict) and isinstance(body.get("view"), dict):
        kept = mutated(_REMEMBERED | {"thread": 1, "owner": "U1", "draft": "x"}, lots)
        body["view"]["private_metadata"] = word(lots) if lots.chance(0.1) else written(kept).decode()
    return body


def _read_view(given: Any) -> list[Any]:
    view = request.readable(given if isinstance(given, dict) else {"type": given}).get("view")
    if view is None:
        return []
    read: list[Any] = []
    for read_one in (
        composer.read_writing,
        contact_forms.read_typed,
        contact_forms.read_shown,
        contact_forms.read_here,
        channel_settings.read_settings,
        opt_outs.read_allowing,
        ownership.read_hand_off,
    ):
        try:
            read.append(read_one(view))
        except Unreadable:
            continue
    value = str(view.get("private_metadata") or "")
    with suppress(ValueError):
        contacts.read_place(value)
    return [*read, replies.read_question(value), replies.read_about(value)]


def _let_in(value: Any) -> Any:
    """Return it as all that comes from Slack, once it is let in."""
    try:
        return storable(value)
    except Unreadable:
        return {}


def _member(lots: Lots) -> Any:
    profile = {"display_name": "Ana", "real_name": "Ana A", "image_72": "https://a.example/72.png", "image_48": None}
    user = {"id": "U1", "team_id": "T1", "tz": "Europe/Berlin", "tz_offset": 3600, "profile": profile, "deleted": False}
    return _let_in(mutated(user | {"enterprise_user": {"enterprise_id": "E1"}, "is_bot": False}, lots))


def _files(lots: Lots) -> Any:
    file = {
        "id": "F1",
        "name": "a.pdf",
        "mimetype": "application/pdf",
        "size": 9,
        "mode": "hosted",
        "url_private": "https://x",
    }
    return _let_in(mutated([file, file | {"file_access": "check_file_info"}], lots))


def _read_files(given: Any) -> Any:
    files = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    found = outgoing.read_files(files)
    outgoing.obstacle_of(found, words="hi", first=False)
    for file in files:
        outgoing.is_there(file)
        outgoing.is_shared(file)
    return found


READERS: tuple[Reader, ...] = (
    Reader("webhook bodies", _event, _read_event, (MalformedEvent,), weight=25),
    Reader("webhook bytes", lambda lots: broken(written(_event(lots)), lots), _read_event, (MalformedEvent,), weight=3),
    Reader("webhook signatures", _signature, _verify, (InvalidSignature,), weight=4),
    Reader("Blooio's answers", _answer, _read_answers, weight=12),
    Reader("message events", _message_event, _read_message_event, (Unreadable,), weight=20),
    Reader("requests of Slack's", _slack_body, _read_slack_body, (Malformed, Unreadable), weight=4),
    Reader("forms", _submitted, _read_view, (Unreadable,), weight=12),
    Reader("what follows /text", _typed, _read_text_command, (CommandProblem,), weight=8),
    Reader("what follows /contact", _typed, _read_contact_command, (CommandProblem,), weight=6),
    Reader("numbers and addresses", _typed, _read_address, (AddressProblem,), weight=5),
    Reader("what is written in forms", _typed, _read_forms, weight=4),
    Reader("words in any other place", _typed, _read_words, weight=4),
    Reader(
        "members of the workspace",
        _member,
        lambda given: read_member(given) if isinstance(given, dict) else None,
        weight=3,
    ),
    Reader("files of Slack's", _files, _read_files, weight=3),
)

"""`/_sandbox/phones` and `/_sandbox/blooio`: what a test, the page or the driver does to the other end of a text."""

import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from sandbox.blooio.errors import ApiError
from sandbox.blooio.inbound import Inbound
from sandbox.blooio.model import AttachmentForm, Group, Line, Phone
from sandbox.blooio.profiles import describe
from sandbox.blooio.records import Records, new_id, read_address, stranger
from sandbox.blooio.sending import read_attachments
from sandbox.blooio.state import group_json, phone_json, state_json
from sandbox.blooio.timeline import Timeline
from sandbox.changes import Changes

CHOICES: dict[str, tuple[Any, ...]] = {
    "strict_paths": (False, True),
    "on_key_reuse": ("ignore", "conflict"),
    "webhooks": ("open", "closed"),
    "links_need_reply": (False, True),
    "cancelling": (False, True),
    "attachments": tuple(AttachmentForm),
    "on_bad_attachment": ("fail", "refuse"),
    "fetch_head_first": (False, True),
    "blocks_after_stop": (False, True),
    "reaction_echo": ("off", "null", "line"),
    "replaced_reactions": ("silent", "told"),
}
LONGEST_WAIT = 60.0  # seconds
SMALLEST_GROUP = 2  # people beside us

Handler = Callable[[web.Request], Awaitable[web.Response]]


class Control:
    """The control routes of phones and settings. A mistake is a 400 with `{"error": words}`."""

    def __init__(self, records: Records, changes: Changes, timeline: Timeline, inbound: Inbound) -> None:
        self._records = records
        self._changes = changes
        self._timeline = timeline
        self._inbound = inbound

    def add_routes(self, app: web.Application) -> None:
        phone = "/_sandbox/phones/{address}"
        for method, path, handler in (
            ("GET", "/_sandbox/phones", self.phones),
            ("POST", "/_sandbox/phones", self.put_phone),
            ("GET", phone, self.phone),
            ("PATCH", phone, self.change_phone),
            ("POST", phone + "/texts", self.text),
            ("POST", phone + "/read", self.read),
            ("POST", phone + "/reactions", self.react),
            ("POST", "/_sandbox/blooio/groups", self.put_group),
            ("GET", "/_sandbox/blooio/groups/{group}", self.group),
            ("GET", "/_sandbox/blooio/settings", self.settings),
            ("POST", "/_sandbox/blooio/settings", self.change_settings),
        ):
            app.router.add_route(method, path, mistakes_told(handler))

    async def phones(self, request: web.Request) -> web.Response:  # noqa: ARG002 - aiohttp's signature
        return web.json_response(state_json(self._records))

    async def put_phone(self, request: web.Request) -> web.Response:
        """Add a phone, or replace its profile. Its texts stay."""
        profile = await json_object(request)
        address = read_address(profile.pop("address", None))
        phone = stranger(address)
        describe(phone, profile)
        self._records.phones[address] = phone
        return self._changed(phone)

    async def phone(self, request: web.Request) -> web.Response:
        """One phone; with `?received=2&timeout=5`, as soon as 2 texts have reached it or 5 seconds have passed."""
        phone = self._phone(request)
        wanted = int(request.query.get("received", "0"))
        timeout = min(float(request.query.get("timeout", "0")), LONGEST_WAIT)
        deadline = time.monotonic() + timeout
        while self._received(phone) < wanted and (left := deadline - time.monotonic()) > 0:
            await self._changes.wait(self._changes.revision, left)
        return web.json_response(phone_json(self._records, phone))

    async def change_phone(self, request: web.Request) -> web.Response:
        phone = self._phone(request)
        describe(phone, await json_object(request))
        return self._changed(phone)

    async def text(self, request: web.Request) -> web.Response:
        """`{"text": …, "attachments": […], "line": …, "group": …}`: the person writes to us, perhaps in a group."""
        fields = await json_object(request)
        message = self._inbound.text(
            self._phone(request),
            fields.get("text"),
            attachments=[self._records.known(one) for one in read_attachments(fields.get("attachments"))],
            line=fields.get("line"),
            group=fields.get("group"),
        )
        return web.json_response({"message_id": message.message_id})

    async def read(self, request: web.Request) -> web.Response:
        """The person looks at their texts; all that have reached the phone are read."""
        phone = self._phone(request)
        self._inbound.read(phone)
        return web.json_response(phone_json(self._records, phone))

    async def react(self, request: web.Request) -> web.Response:
        """
        `{"reaction": "love", "message_id": …, "action": "add", "in_words": false}`.

        On our last text if none is named; in words as a phone without iMessage does it.
        """
        fields = await json_object(request)
        react = self._inbound.react_in_words if fields.get("in_words") else self._inbound.react
        message = react(
            self._phone(request),
            fields.get("reaction"),
            message_id=fields.get("message_id"),
            action=fields.get("action", "add"),
        )
        return web.json_response({"message_id": message.message_id})

    async def put_group(self, request: web.Request) -> web.Response:
        """`{"members": ["+1…", …], "name": …}`: the members found a group that our line is in."""
        fields = await json_object(request)
        members, name = fields.get("members"), fields.get("name")
        if not isinstance(members, list) or len(members) < SMALLEST_GROUP:
            raise ValueError(f"a group has {SMALLEST_GROUP} members or more")
        if not (name is None or isinstance(name, str)):
            raise ValueError("name must be a string")
        members = [self._records.phone(read_address(member)).address for member in members]
        group = Group(new_id("grp"), name, members, self._records.clock.now())
        self._records.groups[group.group_id] = group
        self._changes.bump()
        return web.json_response(group_json(self._records, group))

    async def group(self, request: web.Request) -> web.Response:
        group = self._records.groups.get(request.match_info["group"])
        if group is None:
            raise ValueError("there is no such group")
        return web.json_response(group_json(self._records, group))

    async def settings(self, request: web.Request) -> web.Response:  # noqa: ARG002 - aiohttp's signature
        return self._settings()

    async def change_settings(self, request: web.Request) -> web.Response:
        """Any of `CHOICES`, and `lines`: all of them anew, as `[{"number": …, "plan_kind": …, "is_active": …}]`."""
        fields = await json_object(request)
        lines = _read_lines(fields.pop("lines")) if "lines" in fields else None
        for name, value in fields.items():
            if name not in CHOICES:
                raise ValueError(f"there is no setting {name!r}; there are lines, {', '.join(CHOICES)}")
            if value not in CHOICES[name]:
                raise ValueError(f"{name} must be one of {', '.join(map(json.dumps, CHOICES[name]))}")
        for name, value in fields.items():
            setattr(self._records.settings, name, value)
        if lines is not None:
            self._records.lines = lines
        self._changes.bump()
        return self._settings()

    def _settings(self) -> web.Response:
        state = state_json(self._records)
        return web.json_response({**state["settings"], "lines": state["lines"]})

    def _phone(self, request: web.Request) -> Phone:
        return self._records.phone(read_address(request.match_info["address"]))

    def _received(self, phone: Phone) -> int:
        return len(self._records.screens.get(phone.address, ()))

    def _changed(self, phone: Phone) -> web.Response:
        self._changes.bump()
        self._timeline.resume(phone)
        return web.json_response(phone_json(self._records, phone))


def mistakes_told(handler: Handler) -> Handler:
    """Answer what is wrong with a control request in words."""

    async def answer(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except (ValueError, ApiError) as mistake:
            return web.json_response({"error": str(mistake)}, status=400)

    return answer


async def json_object(request: web.Request) -> dict[str, Any]:
    fields = await request.json()
    if not isinstance(fields, dict):
        raise ValueError("the body must be a JSON object")  # noqa: TRY004 - the type of a body is the caller's mistake
    return fields


def _read_lines(lines: Any) -> list[Line]:
    if not isinstance(lines, list):
        raise ValueError("lines must be an array")  # noqa: TRY004 - as above
    for line in lines:
        if not isinstance(line, dict) or not line.keys() <= {"number", "plan_kind", "is_active"}:
            raise ValueError("a line has number, plan_kind and is_active")
    return [Line(**{**line, "number": read_address(line.get("number"))}) for line in lines]

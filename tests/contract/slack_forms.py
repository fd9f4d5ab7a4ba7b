"""What the tests of views share: views in few words, and an app whose every answer the test decides."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.driver import Sandbox
from tests.contract.slack_fixtures import Request, serving

JSON = dict[str, Any]

#: What `entry` writes beside the element and not into it.
OF_THE_BLOCK = {"optional", "dispatch_action", "hint"}


def plain(text: str = "x") -> JSON:
    return {"type": "plain_text", "text": text}


def options(*texts: str) -> list[JSON]:
    return [{"text": plain(text), "value": text.lower()} for text in texts]


#: What the first two of `options("One", "Two")` are in a payload.
ONE, TWO = ({"text": plain(text) | {"emoji": True}, "value": text.lower()} for text in ("One", "Two"))


def entry(
    kind: str = "plain_text_input", *, action: str = "a", block: str = "b", label: str = "", **parts: Any
) -> JSON:
    """Write an input block around an element with *parts*. Without a label it is called as its action is."""
    outer = {key: value for key, value in parts.items() if key in OF_THE_BLOCK}
    element = {"type": kind, "action_id": action} | {key: parts[key] for key in parts if key not in OF_THE_BLOCK}
    return {"type": "input", "block_id": block, "label": plain(label or action), "element": element} | outer


def button(action: str = "go", text: str = "Go") -> JSON:
    return {"type": "button", "action_id": action, "text": plain(text)}


def actions(*elements: JSON, block: str = "row") -> JSON:
    return {"type": "actions", "block_id": block, "elements": list(elements)}


def section(text: str, **parts: Any) -> JSON:
    return {"type": "section", "block_id": "told", "text": plain(text)} | parts


def modal(*blocks: JSON, **parts: Any) -> JSON:
    return {"type": "modal", "title": plain("A form"), "submit": plain("Send"), "blocks": list(blocks)} | parts


def errors(**words: Any) -> JSON:
    """Write an acknowledgement that shows words under fields, by `block_id`."""
    return {"response_action": "errors", "errors": words}


def answering_with(answer: JSON) -> JSON:
    """Write an answer for `web.Response`: a `response_action` or what is in `json` as JSON, all else as it stands."""
    if "response_action" in answer or "json" in answer:
        return {"text": json.dumps(answer.get("json", answer)), "content_type": "application/json"}
    return answer


@dataclass
class App:
    """An app at a URL. It takes everything, and answers with what stands in *answers*, then with nothing."""

    sandbox: Sandbox
    client: AsyncWebClient
    payloads: list[JSON] = field(default_factory=list)  # the interactions it was sent
    answers: list[JSON] = field(default_factory=list)  # arguments of `web.Response`
    held: asyncio.Event = field(default_factory=asyncio.Event)  # set: it answers

    async def take(self, request: web.Request) -> web.Response:
        received = Request(request.headers, await request.read())
        if b"url_verification" in received.body:
            return web.Response(text=received.json["challenge"])
        if "payload" not in received.form:
            self.payloads.append(received.form)
            return web.Response()
        self.payloads.append(json.loads(received.form["payload"]))
        await self.held.wait()
        return web.Response(**(self.answers.pop(0) if self.answers else {}))

    async def trigger(self, person: str = "ana") -> str:
        """Let a person type a command, and return its trigger id."""
        await self.sandbox.person(person).types("#support", "/text hello")
        return str(self.payloads[-1]["trigger_id"])

    async def shows(self, view: JSON, person: str = "ana") -> JSON:
        """Open a view in front of a person, and return what the Web API says of it."""
        answer = await self.client.views_open(trigger_id=await self.trigger(person), view=view)
        return dict(answer["view"])

    async def pushes(self, view: JSON, person: str = "ana") -> JSON:
        """Push a view over the open one, which has a button called Go, and return what the Web API says of it."""
        await self.sandbox.person(person).clicks_in_modal("Go")
        answer = await self.client.views_push(trigger_id=self.payloads[-1]["trigger_id"], view=view)
        return dict(answer["view"])


@asynccontextmanager
async def app_of(sandbox: Sandbox, client: AsyncWebClient) -> AsyncIterator[App]:
    """Serve the app and have the sandbox deliver there."""
    app = App(sandbox, client)
    app.held.set()
    async with serving(app.take) as url:
        await sandbox.set_transport(request_url=url)
        yield app

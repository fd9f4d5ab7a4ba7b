"""
Bolt for Python with asyncio, as its guide shows it: say it in the channel, check, send, answer in the thread.

With `--shared` it has what somebody finds out who measures: one session for every call to Slack, and aiohttp's
connection pool under httpx.
"""

import argparse
import os
from typing import Any
from urllib.parse import quote

import aiohttp
import httpx
from aiohttp import web
from httpx_aiohttp import AiohttpTransport
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

slack = AsyncWebClient(token=os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"])
app = AsyncApp(client=slack, signing_secret=os.environ["SLACK_SIGNING_SECRET"])
blooio = httpx.AsyncClient(
    base_url=os.environ["BLOOIO_BASE_URL"], headers={"Authorization": f"Bearer {os.environ['BLOOIO_API_KEY']}"}
)


@app.command("/text")
async def text(ack: AsyncAck, command: dict[str, Any], client: AsyncWebClient) -> None:
    phone, _, words = command["text"].partition(" ")
    await ack(f"Texting {phone}")
    card = await client.chat_postMessage(channel=command["channel_id"], text=f"Texting {phone}")
    who = quote(phone, safe="")
    answer = (await blooio.get(f"/contacts/{who}/capabilities")).raise_for_status().json()
    channel = "iMessage" if answer["capabilities"]["imessage"] else "SMS"
    sent = (await blooio.post(f"/chats/{who}/messages", json={"text": words})).raise_for_status().json()
    await client.chat_postMessage(
        channel=command["channel_id"], thread_ts=card["ts"], text=f"{words}\n{channel} · {sent['status']}"
    )


async def share_connections(_: web.Application) -> None:
    global blooio  # noqa: PLW0603  (a script of one page)
    slack.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=100))
    blooio = httpx.AsyncClient(base_url=blooio.base_url, headers=blooio.headers, transport=AiohttpTransport())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", action="store_true", help="share connections")
    server = app.server(port=int(os.environ["PORT"]))
    if parser.parse_args().shared:
        server.web_app.on_startup.append(share_connections)
    server.start()

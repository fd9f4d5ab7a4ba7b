"""Bolt for Python, as its guide shows it: say it in the channel, check, send, answer in the thread."""

import os
from typing import Any
from urllib.parse import quote

import httpx
from slack_bolt import Ack, App
from slack_sdk import WebClient

app = App(
    client=WebClient(token=os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"]),
    signing_secret=os.environ["SLACK_SIGNING_SECRET"],
)
BLOOIO = os.environ["BLOOIO_BASE_URL"]
HEADERS = {"Authorization": f"Bearer {os.environ['BLOOIO_API_KEY']}"}


@app.command("/text")
def text(ack: Ack, command: dict[str, Any], client: WebClient) -> None:
    phone, _, words = command["text"].partition(" ")
    ack(f"Texting {phone}")
    card = client.chat_postMessage(channel=command["channel_id"], text=f"Texting {phone}")
    who = quote(phone, safe="")
    answer = httpx.get(f"{BLOOIO}/contacts/{who}/capabilities", headers=HEADERS).raise_for_status().json()
    channel = "iMessage" if answer["capabilities"]["imessage"] else "SMS"
    sent = httpx.post(f"{BLOOIO}/chats/{who}/messages", json={"text": words}, headers=HEADERS).raise_for_status().json()
    client.chat_postMessage(
        channel=command["channel_id"], thread_ts=card["ts"], text=f"{words}\n{channel} · {sent['status']}"
    )


if __name__ == "__main__":
    app.start(port=int(os.environ["PORT"]), http_server_logger_enabled=False)

"""What the page asks for: a conversation's newest messages first, then only what has changed."""

from typing import Any

import httpx
import pytest

from sandbox.driver import Sandbox
from tests.contract.slack_forms import actions, button

SUPPORT, GLOBEX, DIRECT = "C0SUPPORT01", "C0GLOBEX001", "D0ANABEN001"
ANA, BEN, GUS = "U0ANAALVARE", "U0BENBAKER1", "U0GUSGUEST1"


class Page:
    """What one person's page was told last."""

    def __init__(self, http: httpx.AsyncClient, viewer: str = ANA, conversation: str = SUPPORT) -> None:
        self.http = http
        self.where = {"as": viewer, "in": conversation}
        self.revision = 0
        self.slack: dict[str, Any] = {}

    async def looks(self, *, anew: bool = False, **query: str) -> list[str]:
        """Ask for news, or *anew* for everything; return what the messages read that were told."""
        asked = self.where | query | {"since": str(0 if anew else self.revision)}
        answer = (await self.http.get("/_sandbox/page", params=asked)).json()
        self.revision, self.slack = answer["revision"], answer["slack"]
        return [one["read"] for one in self.slack["messages"]]

    def told(self, words: str) -> dict[str, Any]:
        [found] = [one for one in self.slack["messages"] if one["read"] == words]
        return found

    def conversation(self, name: str) -> dict[str, Any]:
        [found] = [one for one in self.slack["conversations"] if one["name"] == name]
        return found


@pytest.fixture
async def http(sandbox: Sandbox):
    async with httpx.AsyncClient(base_url=sandbox.url, trust_env=False, verify=False) as client:
        yield client


@pytest.fixture
def page(http) -> Page:
    return Page(http)


@pytest.fixture
def ben(sandbox):
    return sandbox.person("ben")


async def test_only_what_changed_is_told_again(page, ana, ben):
    """An edit, a reaction, a reply and a deletion each tell of the messages that look different, and of no others."""
    first, second = await ana.posts("#support", "First"), await ben.posts("#support", "Second")
    await ben.posts("#support", "Third")
    assert await page.looks() == ["First", "Second", "Third"]
    assert await page.looks() == []
    await ana.edits(first, "First!")
    assert await page.looks() == ["First!"]
    await ana.reacts(second, "eyes")
    assert await page.looks() == ["Second"]
    await ana.reacts(second, "eyes", remove=True)
    assert await page.looks() == ["Second"]
    await ben.posts("#support", "A reply", thread_ts=first.ts)
    assert await page.looks() == ["First!"]
    assert page.told("First!")["replies"]["people"] == [BEN]
    await ben.deletes("#support", second.ts)
    assert (await page.looks(), page.slack["gone"]) == ([], [second.ts])
    await ana.deletes("#support", first.ts)
    assert await page.looks() == ["This message was deleted."]


async def test_a_thread_comes_with_the_message_one_looks_at(page, ana, ben):
    """Its replies are told of when it is open; a reply's own `ts` opens it too, and the last deletion closes it."""
    parent = await ana.posts("#support", "Parent")
    reply = await ben.posts("#support", "Reply", thread_ts=parent.ts)
    assert await page.looks() == ["Parent"]
    assert await page.looks(anew=True, at=reply.ts) == ["Parent", "Reply"]
    await ben.edits(reply, "Reply!")
    assert await page.looks(at=parent.ts) == ["Reply!"]
    await ben.deletes("#support", reply.ts)
    assert (await page.looks(at=parent.ts), page.slack["gone"]) == (["Parent"], [reply.ts])
    assert page.told("Parent")["replies"] == {"people": [], "latest": None}


async def test_files_that_go_change_their_messages(page, sandbox, ana):
    """A deleted and a hidden file are told of with the message that they were in."""
    message = await ana.uploads("#support", files=[("one.txt", b"1"), ("two.txt", b"2")], text="Two files")
    await page.looks()
    await ana.deletes_file(message.files[0])
    assert await page.looks() == ["Two files"]
    await sandbox.hides_file(message.files[1])
    await page.looks()
    assert [one["is_hidden"] for one in page.told("Two files")["files"]] == [False, True]


async def test_long_conversations_come_in_pages(page, http, ana):
    """The newest hundred at first; then those before, until there are none; a link leads to the middle."""
    said = [await ana.posts("#support", f"{number}") for number in range(230)]
    assert await page.looks() == [f"{number}" for number in range(130, 230)]
    assert page.slack["has_older"]
    pages = []
    for place in (130, 30):
        before = {"before": said[place].ts}
        answer = (await http.get("/_sandbox/older", params=page.where | before)).json()
        pages.append(([one["read"] for one in answer["messages"]], answer["has_older"]))
    assert pages == [([f"{number}" for number in range(30, 130)], True), ([f"{number}" for number in range(30)], False)]
    assert await page.looks(anew=True, at=said[50].ts) == [f"{number}" for number in range(30, 230)]
    await ana.edits(said[100], "changed")
    assert await page.looks(oldest=said[130].ts) == []
    assert await page.looks(anew=True, oldest=said[100].ts) == ["changed", *(f"{number}" for number in range(101, 230))]


async def test_what_is_for_one_person_is_told_to_that_person(page, http, ana):
    """An ephemeral message is in Ana's page and not in Ben's, until she puts it away."""
    await ana.types("#support", "/nothing")
    [told] = await page.looks()
    assert told == "/nothing is not a valid command"
    assert await Page(http, BEN).looks() == []
    await ana.deletes("#support", page.told(told)["ts"])
    assert (await page.looks(), len(page.slack["gone"])) == ([], 1)


async def test_a_guest_asks_in_vain_for_what_she_does_not_see(page, http, ana):
    """Neither messages nor older ones of a conversation she is not in are told."""
    said = await ana.posts("@ben", "Between us")
    guest = Page(http, GUS, DIRECT)
    assert await guest.looks() == []
    older = await http.get("/_sandbox/older", params=guest.where | {"before": f"{float(said.ts) + 1}"})
    assert older.json() == {"messages": [], "has_older": False}


async def test_what_calls_for_a_person(page, http, sandbox, ana, ben):
    """Mentions, of a group too and in threads, and each direct message; not one's own words, nor who joined."""
    one = await ben.posts("#support", "Nothing special")
    two = await ben.posts("#support", "@ana look")
    three = await ben.posts("#support", "@support-team look", thread_ts=one.ts)
    four = await ben.posts("@ana", "Coffee?")
    await ana.posts("#support", "@ana says herself")
    await sandbox.changes_members("#support", "eve")
    await page.looks()
    assert page.conversation("support")["newest"] == two.ts
    assert page.conversation("support")["calls"] == [two.ts, three.ts]
    assert page.conversation("Ben Baker")["calls"] == [four.ts]
    guest = Page(http, GUS)
    await guest.looks()
    assert guest.conversation("support")["calls"] == []


async def test_the_names_of_emoji(http):
    """Each character comes with all its shortcodes, the usual one first."""
    emoji = (await http.get("/_sandbox/emoji")).json()["emoji"]
    assert ["👍", "+1", "thumbsup"] in emoji
    assert emoji[0][1] == "grinning"


async def test_one_of_two_buttons_with_the_same_action(sandbox, ana, app):
    """An `action_id` may stand in several blocks: the one that was pressed is told."""
    rows = [actions(button("go", f"Go {name}"), block=name) for name in ("a", "b")]
    await app.client.chat_postMessage(channel=SUPPORT, text="Rows", blocks=rows)
    [message] = await ana.sees("#support")
    pressed = {"as": "ana", "in": "#support", "ts": message.ts, "what": "go", "block_id": "b"}
    async with httpx.AsyncClient(base_url=sandbox.url, trust_env=False, verify=False) as http:
        assert (await http.post("/_sandbox/slack/click", json=pressed)).status_code == 200
    assert app.payloads[-1]["actions"][0]["block_id"] == "b"

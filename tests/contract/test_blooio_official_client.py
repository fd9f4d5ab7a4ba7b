"""Blooio's own Python package works against the local Blooio, and finds every field that it knows."""

import blooio
import pytest
from blooio import BaseModel

from sandbox.blooio.seed import JANE, LINE, SAM
from tests.contract.blooio_world import running


@pytest.fixture
async def world():
    async with running() as world:
        yield world


def missing(model, *, but=(), path=""):
    """The documented fields that an answer left out, however deep."""
    found = {path + name for name in type(model).model_fields if name not in model.model_fields_set} - set(but)
    for name in model.model_fields_set:
        value = getattr(model, name)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, BaseModel):
                found |= missing(one, but=but, path=f"{path}{name}.")
    return found


def valid(model):
    """Whether every value has the type, or is one of the words, that the official model gives it."""
    return type(model).model_validate_json(model.to_json()) == model


async def test_me(world):
    """The account is valid, and the key, the organisation, the line and the usage are all there."""
    me = await world.client.me.retrieve()

    assert (me.valid, me.auth_type, me.devices[0].phone_number) == (True, "api_key", LINE)
    assert not missing(me)
    assert valid(me)


async def test_numbers(world):
    """The line is listed with an ISO time, and with the plan that later documents added."""
    answer = await world.client.me.numbers.list()

    assert [(n.phone_number, n.is_active, n.plan_kind) for n in answer.numbers] == [(LINE, True, "dedicated")]
    assert answer.numbers[0].last_active.tzinfo is not None
    assert not missing(answer)


async def test_capabilities(world):
    """A capability check answers for people in the address book and for strangers."""
    jane = await world.client.contacts.check_capabilities(JANE)
    stranger = await world.client.contacts.check_capabilities("+15550107771")

    assert (jane.contact, jane.type, jane.capabilities.imessage) == (JANE, "phone", True)
    assert stranger.capabilities.imessage is False
    assert not missing(jane) | missing(stranger)
    assert valid(jane)


async def test_send_and_status(world):
    """A text is accepted as queued, and its status can be asked for at once and later."""
    await world.slow_phone()
    sent = await world.client.chats.messages.send(JANE, text="Hello", idempotency_key="one")
    at_once = await world.client.chats.messages.get_status(sent.message_id, chat_id=JANE)
    world.basics.clock.advance(300)
    await world.becomes(sent.message_id, "delivered")
    later = await world.client.chats.messages.get_status(sent.message_id, chat_id=JANE)

    assert (sent.status, at_once.status, later.status, later.protocol) == ("queued", "queued", "delivered", "imessage")
    assert not missing(at_once) | missing(later)
    assert valid(at_once)
    assert valid(later)


async def test_contacts(world):
    """Contacts are created, read, renamed, tagged, listed page by page and deleted."""
    contacts = world.client.contacts
    created = await contacts.create(identifier="new@example.test", name="New")
    renamed = await contacts.update(created.id, name="Newer")
    added = await contacts.tags.add(created.id, tags=["vip"])
    tags = await contacts.tags.list(created.id)
    read = await contacts.retrieve(created.id)
    pages = [await contacts.list(limit=2, offset=offset, sort="name_asc") for offset in (0, 2, 4)]
    removed = await contacts.tags.remove("vip", contact_id=created.id)
    deleted = await contacts.delete(created.id)

    assert (created.name, renamed.name, read.tags, tags.tags[0].tag) == ("New", "Newer", ["vip"], "vip")
    assert added.tags_added == ["vip"]
    names = [contact.name for page in pages for contact in page.contacts]
    assert names == sorted(names)
    assert [page.pagination.total for page in pages] == [len(names)] * 3
    for answer in (created, renamed, read, tags, *pages, removed, deleted):
        assert not missing(answer)
        assert valid(answer)


async def test_chats_and_messages(world):
    """Chats and their messages are listed and read, also the ones that came in."""
    sent = await world.client.chats.messages.send(JANE, text="Hello")
    world.basics.clock.advance(2)
    await world.phone().received(1)
    await world.phone().replies("Hi", attachments=["https://files.example.test/a.png"])
    await world.phone().reacts("love")

    chats = await world.client.chats.list()
    chat = await world.client.chats.retrieve(JANE)
    messages = await world.client.chats.messages.list(JANE, sort="asc")
    message = await world.client.chats.messages.retrieve(sent.message_id, chat_id=JANE)

    assert [m.direction for m in messages.messages] == ["outbound", "inbound"]
    assert message.reactions[0].sender == JANE
    for answer in (chats, chat, messages, message):
        assert not missing(answer)
        assert valid(answer)


async def test_groups(world):
    """Groups, their members and what was written in them are read."""
    group_id = await world.gateway.group([JANE, SAM], "Lunch")
    await world.phone().replies("Noon?", group=group_id)
    group = await world.client.groups.retrieve(group_id)
    groups = await world.client.groups.list(sort="name_asc")
    members = await world.client.groups.members.list(group_id)
    messages = await world.client.chats.messages.list(group_id)
    chats = await world.client.chats.list()

    assert (group.name, group.member_count, group.last_message_text) == ("Lunch", 2, "Noon?")
    assert [member.name for member in members.members] == ["Jane Doe", "Sam Green"]
    assert (messages.messages[0].sender, chats.chats[0].type) == (JANE, "group")
    for answer in (group, groups, members, messages, chats):
        assert not missing(answer)
        assert valid(answer)
    with pytest.raises(blooio.NotFoundError):
        await world.client.groups.retrieve("grp_unknown")


async def test_files(world):
    """A file is sent and received, and shown by reads as objects."""
    await world.client.chats.messages.send(JANE, text="Hello")
    url = await world.phone().offers("a.png", b"\x89PNG", "image/png")
    sent = await world.client.chats.messages.send(JANE, attachments=[{"url": url, "name": "b.png"}, url])
    world.basics.clock.advance(2)
    await world.becomes(sent.message_id, "delivered")
    await world.phone().replies(None, files=[("c.png", b"\x89PNG", "image/png")])
    received, ours, _ = (await world.client.chats.messages.list(JANE)).messages

    assert ours.attachments == [{"url": url, "name": "b.png"}, {"url": url}]
    assert received.attachments[0]["name"] == "c.png"
    assert (await world.phone().texts())[1].attachments[1]["size"] == 4


async def test_signs(world):
    """Read receipts, typing, reactions and the contact card are accepted as documented."""
    sent = await world.client.chats.messages.send(JANE, text="Hello")
    read = await world.client.chats.mark_as_read(JANE)
    start = await world.client.chats.typing.start(JANE)
    stop = await world.client.chats.typing.stop(JANE)
    reaction = await world.client.chats.messages.react(sent.message_id, chat_id=JANE, reaction="+love")
    card = await world.client.chats.share_contact_card(JANE)

    assert (read.status, start.typing, stop.typing, reaction.action) == ("read", True, False, "add")
    assert missing(start) == {"stopped_at"}
    assert missing(stop) == {"started_at"}
    assert not missing(read) | missing(reaction) | missing(card)


async def test_webhooks(world):
    """A webhook is registered, read, changed, rotated and deleted; only registering and rotating show a secret."""
    webhooks = world.client.webhooks
    raw = await webhooks.with_raw_response.create(webhook_url=world.listener.url, webhook_type="all")
    created = await raw.parse()
    again = await webhooks.create(webhook_url=world.listener.url)
    webhook = await webhooks.retrieve(created.webhook_id)
    paused = await webhooks.update(created.webhook_id, deprecate=True)
    rotated = await webhooks.secret.rotate(created.webhook_id)
    listed = await webhooks.list()
    deleted = await webhooks.delete(created.webhook_id)

    assert raw.status_code == 201
    assert (await raw.json())["signing_secret"].startswith("whsec_")
    assert again.webhook_id == created.webhook_id
    assert (webhook.is_active, paused.is_active) == (True, False)
    assert not missing(again) | missing(webhook) | missing(rotated) | missing(listed) | missing(deleted)
    assert valid(listed)


async def test_webhook_logs_and_replay(world):
    """Deliveries are logged with their bodies, and can be repeated."""
    webhook = await world.client.webhooks.create(webhook_url=world.listener.url, webhook_type="all")
    await world.phone().replies("Hi")
    await world.attempted(1)

    logs = await world.client.webhooks.logs.list(webhook.webhook_id)
    event_id = logs.logs[0].event_id
    replayed = await world.client.webhooks.logs.replay(event_id, webhook_id=webhook.webhook_id)

    only_some_events = {"delivered_at", "error_code", "error_message", "read_at", "sent_at"}
    only_groups = {"group_id", "group_name", "participants"}
    assert {name.rpartition(".")[2] for name in missing(logs)} == only_some_events | only_groups
    assert (replayed.success, replayed.original_event_id) == (True, event_id)
    assert not missing(replayed)


async def test_errors(world):
    """The official client raises its own exceptions, with the documented body."""
    with pytest.raises(blooio.NotFoundError) as not_found:
        await world.client.contacts.retrieve("+15550107770")
    with pytest.raises(blooio.ConflictError):
        await world.client.contacts.create(identifier=SAM)

    assert not_found.value.body == {"error": "ApiError", "message": "Contact not found", "status": 404}

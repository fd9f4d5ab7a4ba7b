"""A Bolt app that is not ours works against the local Slack, over both transports."""

from tests.contract.slack_fixtures import over_http, over_sockets


async def posted(person):
    return [one for one in await person.sees("#support") if not one.ephemeral]


async def test_a_command_is_answered_to_the_person_who_typed_it(sandbox, heard):
    """What Bolt acknowledges with is what the person alone reads."""
    ana, ben = sandbox.person("ana"), sandbox.person("ben")
    shown = await ana.types("#support", "/text +15551234567 hello")
    assert (shown.text, shown.error) == ("Got +15551234567 hello", None)
    assert [one.text for one in await ana.sees("#support")] == ["Got +15551234567 hello"]
    assert await ben.sees("#support") == []


async def test_a_click_reaches_the_app_and_its_response_url_replaces_the_message(sandbox, heard):
    """A button in a posted message sends block_actions, whose response_url edits that message."""
    ana = sandbox.person("ana")
    await ana.types("#support", "/text post")
    [message] = await sandbox.until(lambda: posted(ana))
    assert message.text == "[Try again]"
    assert (await ana.clicks(message, "Try again")).error is None
    [payload] = heard.of("what", "action")
    assert payload["actions"][0]["value"] == "v1"

    async def replaced():
        return [one.text for one in await posted(ana)] == ["Pressed"]

    await sandbox.until(replaced)


async def test_a_typed_message_reaches_the_app(sandbox, heard):
    """A message in a channel the bot is in arrives as an event, escaped."""
    sent = await sandbox.person("ben").posts("#support", "See you at <the> desk")
    [body] = await sandbox.until(lambda: heard.of("what", "message"))
    assert body["event"]["text"] == "See you at &lt;the&gt; desk"
    assert body["event"]["ts"] == sent.ts


async def test_a_late_acknowledgement_is_a_timeout_to_the_person(sandbox, heard):
    """An app that does not acknowledge in time: Slackbot tells the person alone."""
    await sandbox.limits(ack_limit=0.1)
    shown = await sandbox.person("ana").types("#support", "/text late")
    assert shown.error == "operation_timeout"
    assert shown.text == '/text failed with the error "operation_timeout"'
    assert [one.author for one in await sandbox.person("ana").sees("#support")] == ["Slackbot"]


async def test_without_a_listener_an_http_app_fails_the_dispatch(sandbox):
    """Bolt answers 404 to what it has no listener for, which the person reads as dispatch_failed."""
    async with over_http(sandbox, listening=False):
        shown = await sandbox.person("ana").types("#support", "/text hello")
        assert shown.error == "dispatch_failed"


async def test_without_a_listener_a_socket_app_times_out(sandbox):
    """Over a socket Bolt sends no frame for what it has no listener for: nothing tells it from silence."""
    await sandbox.limits(ack_limit=0.1)
    async with over_sockets(sandbox, listening=False):
        shown = await sandbox.person("ana").types("#support", "/text hello")
        assert shown.error == "operation_timeout"


async def test_nobody_there_fails_the_dispatch(sandbox):
    """Without a socket, or with a URL where nobody listens, the person reads dispatch_failed."""
    ana = sandbox.person("ana")
    assert (await ana.types("#support", "/text hello")).error == "dispatch_failed"
    await sandbox.set_transport(request_url="http://127.0.0.1:9/slack/events")
    assert (await ana.types("#support", "/text hello")).error == "dispatch_failed"


async def test_a_doubled_command_arrives_twice_and_is_answered_once(sandbox, heard):
    """Slack may deliver twice; the person still sees one answer."""
    await sandbox.order(vendor="slack", where="deliver:slash_commands", kind="double")
    shown = await sandbox.person("ana").types("#support", "/text hello")
    assert shown.text == "Got hello"
    await sandbox.until(lambda: len(heard.of("what", "command")) == 2)
    first, second = heard.of("what", "command")
    assert first["trigger_id"] == second["trigger_id"]
    assert len(await sandbox.person("ana").sees("#support")) == 1


async def test_an_event_whose_delivery_was_lost_is_retried_with_the_same_id(sandbox, heard):
    """An event comes again at once, after a minute and after five more, with a new envelope and the same id."""
    await sandbox.order(vendor="slack", where="deliver:events_api", kind="drop_before", times=3)
    await sandbox.person("ben").posts("#support", "hello")

    async def tries(count):
        found = await sandbox.exchanges(name="deliver:events_api")
        return found if len(found) == count else None

    assert await sandbox.until(lambda: tries(2))
    await sandbox.advance(60)
    assert await sandbox.until(lambda: tries(3))
    assert heard == []
    await sandbox.advance(300)
    all_tries = await sandbox.until(lambda: tries(4))
    assert [one["headers"]["attempt"] for one in all_tries] == ["0", "1", "2", "3"]
    assert len({one["body"]["event_id"] for one in all_tries}) == 1
    assert len(heard) == 1


async def test_an_event_from_before_the_app_connected_comes_as_a_retry(sandbox):
    """What happened while no socket was open is delivered once one is, and says that it is a retry."""
    await sandbox.person("ben").posts("#support", "early")
    async with over_sockets(sandbox) as heard:
        await sandbox.advance(60)
        [body] = await sandbox.until(lambda: heard.of("what", "message"))
        assert body["event"]["text"] == "early"


async def test_an_app_told_to_reconnect_comes_back(sandbox):
    """After a disconnect message the SDK opens a new socket, and commands arrive over it."""
    async with over_sockets(sandbox):
        for reason in ("refresh_requested", "warning", "too_many_websockets", "link_disabled"):
            await sandbox.disconnect(reason)
            await sandbox.connected()
            assert (await sandbox.person("ana").types("#support", "/text hello")).text == "Got hello", reason


async def test_an_app_whose_connection_broke_comes_back(sandbox):
    """The SDK notices a connection that was cut without a word."""
    async with over_sockets(sandbox):
        await sandbox.disconnect(cut=True)

        async def answered():
            return (await sandbox.person("ana").types("#support", "/text hello")).text == "Got hello"

        await sandbox.until(answered)


async def test_switching_the_transport_moves_delivery_at_once(sandbox):
    """With a request URL nothing goes over the sockets any more, and the URL is challenged first."""
    async with over_sockets(sandbox) as by_socket, over_http(sandbox) as by_http:
        assert (await sandbox.transport())["verified"] is True
        assert (await sandbox.person("ana").types("#support", "/text hello")).text == "Got hello"
        assert (len(by_socket), len(by_http)) == (0, 1)
        assert "SLACK_APP_TOKEN" not in sandbox.environment()


async def test_the_app_hears_its_own_messages(sandbox, heard):
    """The bot's posts are events too; Bolt's own filter is what keeps them from the listener."""
    await sandbox.person("ana").types("#support", "/text post")

    async def delivered():
        found = await sandbox.exchanges(name="deliver:events_api")
        return [one for one in found if one["body"]["event"].get("bot_id")]

    [own] = await sandbox.until(delivered)
    assert own["status"] == 200
    assert heard.of("what", "message") == []

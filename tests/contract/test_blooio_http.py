"""Keys, paths, pages and refusals of the local Blooio."""

import pytest

from sandbox.blooio.seed import JANE, PAT
from tests.contract.blooio_world import running


@pytest.fixture
async def world():
    async with running() as world:
        yield world


@pytest.mark.parametrize(
    ("authorization", "words"),
    [
        pytest.param("Bearer nonsense", "Invalid or missing", id="another key"),
        pytest.param("Basic bl_sandbox", "Invalid or missing", id="another scheme"),
        pytest.param("", "Invalid or missing", id="no key"),
        pytest.param("Bearer bl_live_123", "This is a sandbox", id="a real key"),
        pytest.param("Bearer api_123", "This is a sandbox", id="a real key of the other kind"),
    ],
)
async def test_only_sandbox_keys_are_let_in(world, authorization, words):
    """Any key but the sandbox's own is a documented 401, and a real one is told where it has landed."""
    answer = await world.http.get("/me", headers={"Authorization": authorization})

    assert answer.status_code == 401
    assert answer.json() == {"error": "ApiError", "message": answer.json()["message"], "status": 401}
    assert words in answer.json()["message"]


@pytest.mark.parametrize("path", ["/contacts/%2B15551234567", "/contacts/+15551234567", "/contacts/%2b1555123456%37"])
async def test_a_plus_may_be_encoded_or_raw(world, path):
    """By default both spellings of "+" reach the same person, since Blooio's own client sends the raw one."""
    assert (await world.http.get(path)).json()["name"] == "Jane Doe"


async def test_strict_paths_take_a_raw_plus_for_a_space(world):
    """In strict mode only an encoded "+" is one, as Blooio's documents warn."""
    await world.gateway.becomes(strict_paths=True)

    raw, encoded = await world.http.get("/contacts/+15551234567"), await world.http.get("/contacts/%2B15551234567")

    assert (raw.status_code, encoded.status_code) == (400, 200)


async def test_an_email_is_encoded_once(world):
    """An address with "@" is found encoded or raw, and not when it was encoded twice."""
    statuses = [
        (await world.http.get(f"/contacts/{path}/capabilities")).status_code
        for path in ("pat%40example.test", PAT, "pat%2540example.test")
    ]

    assert statuses == [200, 200, 400]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/nothing"), ("PUT", "/me"), ("GET", "/me/"), ("GET", "/"), ("DELETE", f"/chats/{JANE}/messages/msg_1")],
)
async def test_an_unknown_route_is_a_404(world, method, path):
    """What no document knows is refused in JSON: other methods too, and cancelling unless it is switched on."""
    answer = await world.http.request(method, path)

    assert (answer.status_code, answer.json()["error"]) == (404, "ApiError")


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=many", "offset=-1", "sort=upwards"])
async def test_bad_pages_are_refused(world, query):
    """A page that cannot be is a 400 and not silently another one."""
    assert (await world.http.get(f"/contacts?{query}")).status_code == 400


@pytest.mark.parametrize("content", [b"", b"[]", b'{"text": "half', b"text=form"])
async def test_a_body_has_to_be_a_json_object(world, content):
    """Anything else is a 400."""
    answer = await world.http.post("/chats/%2B15551234567/messages", content=content)

    assert answer.status_code == 400


async def test_requests_are_recorded(world):
    """Each call is kept with its raw path, its unknown fields and its key for retries, but not with the API key."""
    await world.send(text="Hello", unheard_of=True, key="one")

    exchange = world.basics.exchanges.kept[-1]
    assert (exchange.vendor, exchange.name) == ("blooio", f"POST /chats/{JANE}/messages")
    assert exchange.raw_path == "/blooio/v2/api/chats/%2B15551234567/messages"
    assert exchange.body == {"text": "Hello", "unheard_of": True}
    assert exchange.headers["idempotency-key"] == "one"
    assert "authorization" not in exchange.headers


async def test_refused_requests_are_recorded_too(world):
    """A call with a wrong key is kept as any other."""
    await world.http.get("/me", headers={"Authorization": "Bearer wrong"})

    assert world.basics.exchanges.kept[-1].status == 401

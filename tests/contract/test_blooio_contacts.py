"""The local Blooio's address book."""

import pytest

from sandbox.blooio.seed import FAY, JANE, LINE, NORA, PAT, RITA, SAM
from tests.contract.blooio_world import running


@pytest.fixture
async def world():
    async with running() as world:
        yield world


async def test_the_named_people_are_contacts(world):
    """Everybody with a name is in the address book from the start, and Pat, who has none, is not."""
    contacts = (await world.http.get("/contacts")).json()["contacts"]

    assert {contact["id"] for contact in contacts} == {JANE, SAM, RITA, NORA, FAY}


@pytest.mark.parametrize(
    ("identifier", "status"),
    [
        pytest.param("+15550107770", 201, id="a number"),
        pytest.param("New@Example.test", 201, id="an email"),
        pytest.param(JANE, 409, id="somebody known"),
        pytest.param("555-123-4567", 400, id="a number in no standard form"),
        pytest.param("+1 555 123 4567", 400, id="a number with spaces"),
        pytest.param("nobody", 400, id="no address at all"),
        pytest.param(None, 400, id="nothing"),
    ],
)
async def test_creating(world, identifier, status):
    """Only E.164 numbers and emails make contacts, and each only once."""
    answer = await world.http.post("/contacts", json={"identifier": identifier, "name": "New"})

    assert answer.status_code == status


async def test_emails_have_no_case(world):
    """An email is the same person in any case."""
    created = await world.http.post("/contacts", json={"identifier": "New@Example.test"})

    assert created.json()["id"] == "new@example.test"
    assert (await world.http.get("/contacts/NEW@example.test")).status_code == 200


async def test_a_name_can_be_cleared(world):
    """Renaming to null leaves a contact without a name."""
    assert (await world.http.patch(f"/contacts/{JANE}", json={"name": None})).json()["name"] is None
    assert (await world.http.patch(f"/contacts/{JANE}", json={"name": 7})).status_code == 400


async def test_deleting_is_soft(world):
    """A deleted contact is gone from every answer, and can be created again."""
    deleted = await world.http.delete(f"/contacts/{JANE}")

    assert deleted.json()["success"] is True
    assert (await world.http.get(f"/contacts/{JANE}")).status_code == 404
    assert (await world.http.get("/contacts")).json()["pagination"]["total"] == 4
    assert (await world.http.post("/contacts", json={"identifier": JANE})).status_code == 201


@pytest.mark.parametrize(("q", "expected"), [("jane", [JANE]), ("5557654", [SAM]), ("nobody", [])])
async def test_searching(world, q, expected):
    """A search matches names and identifiers, whatever their case."""
    contacts = (await world.http.get("/contacts", params={"q": q})).json()["contacts"]

    assert [contact["id"] for contact in contacts] == expected


async def test_recent_comes_first(world):
    """Whoever was written to last leads the list, and closes it the other way round."""
    world.basics.clock.advance(60)
    await world.sent(SAM)

    recent = (await world.http.get("/contacts")).json()["contacts"]
    oldest = (await world.http.get("/contacts", params={"sort": "oldest"})).json()["contacts"]

    assert recent[0]["id"] == oldest[-1]["id"] == SAM


async def test_tags(world):
    """A tag is strings in a contact and objects in its own list, and cannot be removed twice."""
    tags = f"/contacts/{JANE}/tags"
    await world.http.post(tags, json={"tags": ["vip", "new york/east"]})
    first = await world.http.delete(tags + "/new%20york%2Feast")
    second = await world.http.delete(tags + "/new%20york%2Feast")

    assert (first.status_code, second.status_code) == (200, 404)
    assert (await world.http.get(f"/contacts/{JANE}")).json()["tags"] == ["vip"]
    assert [tag["tag"] for tag in (await world.http.get(tags)).json()["tags"]] == ["vip"]
    assert (await world.http.post(tags, json={"tags": "vip"})).status_code == 400


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        pytest.param(JANE, {"imessage": True, "sms": True, "facetime": True}, id="iMessage"),
        pytest.param(SAM, {"imessage": False, "sms": True, "facetime": False}, id="SMS"),
        pytest.param(PAT, {"imessage": True, "sms": False, "facetime": True}, id="iMessage by email"),
        pytest.param("+15550107772", {"imessage": True, "sms": True, "facetime": True}, id="a stranger, even"),
        pytest.param("+15550107773", {"imessage": False, "sms": True, "facetime": False}, id="a stranger, odd"),
    ],
)
async def test_capabilities(world, address, expected):
    """What an address can receive follows from its phone; a stranger's from the last digit."""
    assert (await world.http.get(f"/contacts/{address}/capabilities")).json()["capabilities"] == expected


async def test_capabilities_may_be_wrong_or_unknown(world):
    """A check answers what a phone claims, and leaves out what it is told not to know."""
    await world.phone(SAM).becomes(claims={"imessage": True, "facetime": None})

    capabilities = (await world.http.get(f"/contacts/{SAM}/capabilities")).json()["capabilities"]

    assert capabilities == {"imessage": True, "sms": True}


async def test_capabilities_need_a_line(world):
    """Without an active line there is nothing to check with."""
    await world.gateway.becomes(lines=[{"number": LINE, "is_active": False}])

    assert (await world.http.get(f"/contacts/{JANE}/capabilities")).status_code == 503

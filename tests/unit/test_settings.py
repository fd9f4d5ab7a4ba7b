"""The environment becomes settings, or one message that names everything wrong with it."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.settings import SettingsError, read_settings
from bot.texting.model import OptWord

ENOUGH = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "BLOOIO_API_KEY": "key"}


def test_the_least_is_three_secrets() -> None:
    """Everything else has the documented default."""
    settings = read_settings(ENOUGH)

    assert settings.socket_mode
    assert settings.slack_api_url == "https://slack.com/api/"
    assert settings.blooio_base_url == "https://backend.blooio.com/v2/api"
    assert (settings.host, settings.port) == ("127.0.0.1", 3000)
    assert (settings.default_region, settings.data_dir) == ("US", Path("data"))
    assert settings.database_url is None
    assert settings.blooio_webhook_secrets == ()
    assert settings.blooio_metadata
    assert not settings.blooio_register_webhook
    assert (settings.admin_channel, settings.keep_events) == (None, timedelta(days=30))
    assert settings.max_file_bytes == 25 * 2**20
    assert not any((settings.text_channels, settings.text_users, settings.text_groups, settings.text_admins))
    assert not any((settings.allow_guests, settings.allow_external))
    assert not any((settings.typing, settings.mark_read))


def test_a_port_opens_the_bot_to_others() -> None:
    """A platform that sets PORT wants it reachable, unless HOST says otherwise."""
    assert read_settings(ENOUGH | {"PORT": "8080"}).host == "0.0.0.0"
    assert read_settings(ENOUGH | {"PORT": "8080", "HOST": "127.0.0.1"}).host == "127.0.0.1"


def test_http_mode_needs_a_signing_secret_instead_of_an_app_token() -> None:
    """Without an app token the bot listens over HTTP."""
    environment = ENOUGH | {"SLACK_APP_TOKEN": "", "SLACK_SIGNING_SECRET": "s"}
    assert not read_settings(environment).socket_mode


def test_webhook_secrets_are_a_list() -> None:
    """Two secrets are the current and the next, so that rotating loses nothing."""
    environment = ENOUGH | {"BLOOIO_WEBHOOK_SECRET": "whsec_1, whsec_2"}
    assert read_settings(environment).blooio_webhook_secrets == ("whsec_1", "whsec_2")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("SLACK_BOT_TOKEN", "xoxp-1", id="a user's token is not a bot's"),
        pytest.param("SLACK_APP_TOKEN", "xoxb-1", id="a bot's token is not an app's"),
        pytest.param("BLOOIO_API_KEY", " ", id="blank counts as missing"),
        pytest.param("SLACK_API_URL", "http://slack.example/api/", id="plain http leaves this machine"),
        pytest.param("BLOOIO_BASE_URL", "backend.blooio.com", id="an address without its scheme"),
        pytest.param("PUBLIC_URL", "http://bot.example", id="a public address without TLS"),
        pytest.param("DATABASE_URL", "mysql://localhost/x", id="another kind of database"),
        pytest.param("PORT", "70000", id="no such port"),
        pytest.param("PORT", "³", id="a digit that is not a number"),
        pytest.param("DEFAULT_REGION", "Germany", id="a country's name instead of its letters"),
        pytest.param("BLOOIO_METADATA", "perhaps", id="neither true nor false"),
        pytest.param("KEEP_EVENTS_DAYS", "0", id="events kept for no time"),
        pytest.param("KEEP_EVENTS_DAYS", "9" * 5000, id="events kept beyond time"),
        pytest.param("KEEP_EVENTS_DAYS", "two weeks", id="days in words"),
        pytest.param("MAX_FILE_MB", "0", id="no files at all"),
        pytest.param("MAX_FILE_MB", "1001", id="files larger than Slack takes"),
        pytest.param("TEXT_CHANNELS", "#support", id="a channel's name instead of its id"),
        pytest.param("TEXT_CHANNELS", "C012,U012", id="a person among channels"),
        pytest.param("TEXT_USERS", "@ana", id="a person's name instead of their id"),
        pytest.param("TEXT_USERS", "U012;U013", id="separated by another sign"),
        pytest.param("TEXT_GROUPS", "C012", id="a channel for a group"),
        pytest.param("TEXT_ADMINS", "S012", id="a group for an admin"),
        pytest.param("TEXT_ADMINS", "u012", id="an id in small letters"),
        pytest.param("ALLOW_GUESTS", "some", id="guests by halves"),
        pytest.param("ALLOW_EXTERNAL", "Globex", id="other workspaces by name"),
    ],
)
def test_a_malformed_setting_is_named(name: str, value: str) -> None:
    """The message says which setting it is."""
    with pytest.raises(SettingsError) as refused:
        read_settings(ENOUGH | {name: value})
    assert [problem.split()[0] for problem in refused.value.problems] == [name]


def test_ids_are_lists() -> None:
    """Commas, spaces and both at once separate them."""
    environment = ENOUGH | {"TEXT_CHANNELS": "C012, G345", "TEXT_USERS": "U1 W2", "TEXT_GROUPS": "S1,"}
    settings = read_settings(environment)
    assert settings.text_channels == {"C012", "G345"}
    assert (settings.text_users, settings.text_groups) == ({"U1", "W2"}, {"S1"})


def test_an_id_that_is_none_is_named() -> None:
    """Somebody who wrote a name among ids reads which."""
    with pytest.raises(SettingsError, match=r"TEXT_CHANNELS should be ids such as C0123456789, .*, and not #support"):
        read_settings(ENOUGH | {"TEXT_CHANNELS": "C012,#support"})


def test_everything_wrong_is_said_at_once() -> None:
    """Nobody has to start the bot five times to learn five things."""
    with pytest.raises(SettingsError) as refused:
        read_settings({"PORT": "x", "DEFAULT_REGION": "?"})
    named = [problem.split()[0] for problem in refused.value.problems]
    assert named == ["SLACK_APP_TOKEN", "SLACK_BOT_TOKEN", "BLOOIO_API_KEY", "PORT", "DEFAULT_REGION"]
    assert all(name in str(refused.value) for name in named)


def test_plain_http_is_for_this_machine() -> None:
    """A stand-in on loopback needs no certificate."""
    settings = read_settings(ENOUGH | {"SLACK_API_URL": "http://127.0.0.1:9/api", "BLOOIO_BASE_URL": "http://[::1]:9/"})
    assert (settings.slack_api_url, settings.blooio_base_url) == ("http://127.0.0.1:9/api/", "http://[::1]:9")


def test_secrets_stay_out_of_the_repr() -> None:
    """Whoever prints the settings prints no secret."""
    secrets = {
        "SLACK_SIGNING_SECRET": "sign",
        "BLOOIO_WEBHOOK_SECRET": "whsec",
        "DATABASE_URL": "postgresql://u:pw@h/d",
    }
    shown = repr(read_settings(ENOUGH | secrets))
    assert not [secret for secret in ("xoxb", "xapp", "key", "sign", "whsec", "pw") if f"'{secret}" in shown]
    assert "pw@" not in shown


def test_registering_needs_an_address() -> None:
    """A webhook without a public address would be registered nowhere."""
    with pytest.raises(SettingsError, match="PUBLIC_URL is missing"):
        read_settings(ENOUGH | {"BLOOIO_REGISTER_WEBHOOK": "true"})


def test_standard_words_can_be_chosen() -> None:
    """Lists take the place of the usual ones, but STOP and START stay words; so do the answers, or there is none."""
    usual = read_settings(ENOUGH)
    assert usual.opt_words.read("unsubscribe") == (OptWord.STOP, "UNSUBSCRIBE")
    assert usual.opt_words.read("info") == (OptWord.HELP, "INFO")
    answers = usual.opt_answers
    assert answers[OptWord.STOP] == "You will get no more texts from {team}. Reply START to get them again."
    chosen = ENOUGH | {"STOP_WORDS": "Stopp, Ende", "HELP_WORDS": "none", "STOP_REPLY": "Ok.", "START_REPLY": "off"}
    settings = read_settings(chosen)
    assert settings.opt_words.read("stopp!") == (OptWord.STOP, "STOPP")
    assert settings.opt_words.read("Stop") == (OptWord.STOP, "STOP")
    assert settings.opt_words.read("unsubscribe") is None
    assert settings.opt_words.read("help") is None
    assert settings.opt_answers == answers | {OptWord.STOP: "Ok.", OptWord.START: None}


@pytest.mark.parametrize(
    ("environment", "problem"),
    [
        pytest.param({"STOP_WORDS": "Stopp,,Ende"}, "STOP_WORDS", id="a word that is none"),
        pytest.param({"HELP_WORDS": "?"}, "HELP_WORDS", id="no letters"),
        pytest.param({"START_WORDS": "Stop!"}, "START_WORDS", id="STOP cannot opt in"),
        pytest.param({"HELP_WORDS": "info, yes"}, "START_WORDS and HELP_WORDS", id="one word for two things"),
        pytest.param({"STOP_REPLY": "x" * 2001}, "STOP_REPLY", id="an answer longer than a text"),
    ],
)
def test_standard_words_that_cannot_be(environment: dict[str, str], problem: str) -> None:
    """What is wrong is named before the bot starts."""
    with pytest.raises(SettingsError) as refused:
        read_settings(ENOUGH | environment)
    assert problem in str(refused.value)

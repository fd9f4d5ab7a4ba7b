"""Acme, the workspace that every sandbox starts with: the same people and places each time."""

from sandbox.slack.model import SLACKBOT_ID, App, Conversation, Kind, Person, Team, UserGroup

TEAM = Team(id="T0ACMEHQ001", name="Acme", domain="acme")

APP_ID = "A0TEXTING01"
BOT_ID = "B0TEXTING01"
BOT_USER_ID = "U0TEXTING01"

GLOBEX = Team(id="T0GLOBEX001", name="Globex", domain="globex")

ANA = Person(
    "U0ANAALVARE",
    "ana",
    "Ana Alvarez",
    tz="America/New_York",
    title="Support lead",
    email="ana@acme.example",
    is_admin=True,
)
BEN = Person("U0BENBAKER1", "ben", "Ben Baker", tz="Europe/Berlin", title="Support", email="ben@acme.example")
GUS = Person("U0GUSGUEST1", "gus", "Gus Guest", tz="America/Los_Angeles", email="gus@guest.example", is_guest=True)
EVE = Person("U0EVEGLOBEX", "eve", "Eve Evans", tz="Europe/London", email="eve@globex.example", team=GLOBEX)
SLACKBOT = Person(SLACKBOT_ID, "slackbot", "Slackbot", is_bot=True)

HUMANS = (ANA, BEN, GUS)
OUTSIDERS = (EVE,)  # of other workspaces

#: Another app of the workspace, whose messages the app that is being built should not take for people's.
ANOTHER = App(id="A0DEPLOYER1", bot_id="B0DEPLOYER1", bot_user_id="U0DEPLOYER1", name="Deployer")
ANOTHER_BOT = Person(ANOTHER.bot_user_id, "deployer", "Deployer", is_bot=True)

CREATED = 1_700_000_000  # epoch seconds: all of Acme is as old as this

#: The app's tokens. They are for show: nothing outside this process accepts them.
BOT_TOKEN = "xoxb-sandbox-0123456789-acme"
APP_TOKEN = "xapp-sandbox-0123456789-acme"
SIGNING_SECRET = "5a4db0c5000000000000000000000001"


SUPPORT_TEAM = UserGroup("S0SUPPORT01", "support-team", "Support team", (ANA.id, BEN.id))


def the_app(name: str) -> App:
    return App(id=APP_ID, bot_id=BOT_ID, bot_user_id=BOT_USER_ID, name=name)


def bot_user(display_name: str, name: str) -> Person:
    return Person(BOT_USER_ID, display_name, name, is_bot=True)


def conversations() -> list[Conversation]:
    """
    Build Acme's conversations anew.

    The bot is in #general, #support, #desk, #globex (shared with Globex) and #old, and has a DM with everybody of Acme.
    """
    everybody = [person.id for person in HUMANS]
    team = [ANA.id, BEN.id]
    return [
        _channel("C0GENERAL01", "general", [*everybody, BOT_USER_ID], is_general=True),
        _channel("C0SUPPORT01", "support", [*everybody, BOT_USER_ID]),
        _channel("C0RANDOM001", "random", team),
        _channel("C0VIPROOM01", "vip", team, kind=Kind.PRIVATE),
        _channel("C0DESKROOM1", "desk", [*team, BOT_USER_ID], kind=Kind.PRIVATE),
        _channel("C0GLOBEX001", "globex", [*team, EVE.id, BOT_USER_ID], shared_with=(GLOBEX.id,)),
        _channel("C0OLDNEWS01", "old", [*team, BOT_USER_ID], is_archived=True),
        _direct("D0ANABEN001", ANA.id, BEN.id),
        _direct("D0ANABOT001", ANA.id, BOT_USER_ID),
        _direct("D0BENBOT001", BEN.id, BOT_USER_ID),
        _direct("D0GUSBOT001", GUS.id, BOT_USER_ID),
    ]


def _channel(
    identifier: str,
    name: str,
    members: list[str],
    *,
    kind: Kind = Kind.PUBLIC,
    is_general: bool = False,
    is_archived: bool = False,
    shared_with: tuple[str, ...] = (),
) -> Conversation:
    return Conversation(
        identifier,
        kind,
        name,
        list(members),
        creator_id=ANA.id,
        created=CREATED,
        is_general=is_general,
        is_archived=is_archived,
        shared_with=shared_with,
    )


def _direct(identifier: str, one: str, other: str) -> Conversation:
    return Conversation(identifier, Kind.IM, members=[one, other], creator_id=one, created=CREATED)

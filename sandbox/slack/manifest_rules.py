"""What Slack demands of an app manifest, as a JSON schema. Source: docs.slack.dev/reference/app-manifest."""

from typing import Any

Schema = dict[str, Any]

FLAG: Schema = {"type": "boolean"}


def text(longest: int, *, shortest: int = 0, pattern: str | None = None) -> Schema:
    return {"type": "string", "minLength": shortest, "maxLength": longest} | ({"pattern": pattern} if pattern else {})


def listing(items: Schema, *, most: int, least: int = 0, unique: bool = False) -> Schema:
    return {"type": "array", "items": items, "minItems": least, "maxItems": most, "uniqueItems": unique}


def group(*, required: tuple[str, ...] = (), **properties: Schema) -> Schema:
    """Describe an object. Keys that Slack does not know are refused."""
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


WEB_ADDRESS = r"^https?://"
SCOPES = listing(text(50), most=255)

COMMAND = group(
    required=("command", "description"),
    command=text(32, shortest=2, pattern="^/"),
    description=text(2000, shortest=1),
    usage_hint=text(1000, shortest=1),
    should_escape=FLAG,
    url=text(3000, pattern=WEB_ADDRESS),
)
SHORTCUT = group(
    required=("name", "type", "callback_id", "description"),
    name=text(24),
    type={"enum": ["global", "message"]},
    callback_id=text(255),
    description=text(150),
)
UNFURL_DOMAIN = text(255, pattern=r"^(?!.*://)[^A-Z]+$")
METADATA_SUBSCRIPTION = group(required=("app_id", "event_type"), app_id=text(255), event_type=text(50))

#: Keys we know the name of and nothing else: the sandbox imitates none of their features.
ANYTHING: Schema = {}

MANIFEST = group(
    required=("display_information",),
    _metadata=group(
        major_version={"type": "integer", "minimum": 1, "maximum": 2},
        minor_version={"type": "integer"},
        schema_version={"type": "integer"},
        min_version={"type": "integer"},
    ),
    display_information=group(
        required=("name",),
        name=text(35, shortest=1),
        description=text(140),
        long_description=text(4000, shortest=175),
        background_color=text(7, pattern="^#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$"),
    ),
    features=group(
        app_home=group(home_tab_enabled=FLAG, messages_tab_enabled=FLAG, messages_tab_read_only_enabled=FLAG),
        bot_user=group(
            required=("display_name",),
            display_name=text(80, shortest=1, pattern=r"^[a-z0-9\-_.]+$"),
            always_online=FLAG,
        ),
        slash_commands=listing(COMMAND, least=1, most=50),
        shortcuts=listing(SHORTCUT, least=1, most=10),
        unfurl_domains=listing(UNFURL_DOMAIN, most=5, unique=True),
        assistant_view=ANYTHING,
        agent_view=ANYTHING,
        functions=ANYTHING,
        workflow_steps=ANYTHING,
    ),
    oauth_config=group(
        redirect_urls=listing(text(2500), most=1000, unique=True),
        scopes=group(bot=SCOPES, user=SCOPES, bot_optional=SCOPES, user_optional=SCOPES),
        token_management_enabled=FLAG,
        pkce_enabled=FLAG,
    ),
    settings=group(
        allowed_ip_address_ranges=listing({"type": "string"}, least=1, most=50),
        event_subscriptions=group(
            request_url=text(3500),
            bot_events=listing({"type": "string"}, most=100),
            user_events=listing({"type": "string"}, most=100),
            metadata_subscriptions=listing(METADATA_SUBSCRIPTION, least=1, most=20),
        ),
        incoming_webhooks=group(incoming_webhooks_enabled=FLAG),
        interactivity=group(
            required=("is_enabled",),
            is_enabled=FLAG,
            request_url=text(3500),
            message_menu_options_url=text(3500),
        ),
        org_deploy_enabled=FLAG,
        socket_mode_enabled=FLAG,
        token_rotation_enabled=FLAG,
        is_hosted=FLAG,
        function_runtime={"type": "string"},
        siws_links=ANYTHING,
        is_mcp_enabled=FLAG,
    ),
)

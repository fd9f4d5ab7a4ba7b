"""The webhook that the bot registered for itself, and its secret, which only this table has."""

from dataclasses import dataclass, field
from typing import Any

from psycopg import AsyncConnection


@dataclass(frozen=True, slots=True)
class KeptWebhook:
    """A row of `webhooks`."""

    webhook_id: str
    secret: str = field(repr=False)


async def kept_webhook(connection: AsyncConnection[Any], url: str) -> KeptWebhook | None:
    cursor = await connection.execute("SELECT webhook_id, secret FROM webhooks WHERE url = %s", (url,))
    row = await cursor.fetchone()
    return KeptWebhook(*row) if row else None


async def keep_webhook(connection: AsyncConnection[Any], url: str, webhook_id: str, secret: str) -> None:
    """Keep a secret that Blooio has just shown, in place of any earlier one of this address."""
    await connection.execute(
        """
        INSERT INTO webhooks (url, webhook_id, secret) VALUES (%s, %s, %s)
        ON CONFLICT (url) DO UPDATE
           SET webhook_id = EXCLUDED.webhook_id, secret = EXCLUDED.secret, registered_at = now()
        """,
        (url, webhook_id, secret),
    )


async def replace_secret(connection: AsyncConnection[Any], url: str, webhook_id: str, secret: str) -> bool:
    """Replace the secret of a webhook that the bot registered; return whether it had. Nothing is added."""
    cursor = await connection.execute(
        "UPDATE webhooks SET webhook_id = %s, secret = %s WHERE url = %s", (webhook_id, secret, url)
    )
    return cursor.rowcount > 0

"""What failed together must not come back together."""

import secrets
from datetime import timedelta


def jittered(wait: timedelta) -> timedelta:
    """Make a wait longer by up to a quarter, never shorter: it may be what somebody asked for."""
    return wait * (1 + secrets.randbelow(250) / 1000)

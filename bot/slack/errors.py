"""
Why a call to Slack did not succeed, sorted into what can be done about it.

    SlackError
    ├── SlackBusy      rate-limited; says for how long
    ├── SlackTrouble   no answer, or none that can be read: it may have happened
    └── SlackRefused   Slack's own `error`; trying the same again will not help
"""

from datetime import timedelta

from bot.jitter import jittered

#: `error` values that mean our token is of no more use.
TOKEN_ERRORS = {
    "invalid_auth",
    "account_inactive",
    "token_revoked",
    "token_expired",
    "not_authed",
    "org_login_required",
}

#: What did not succeed is tried again after this long at the latest.
_LONGEST_PAUSE = timedelta(minutes=1)


class SlackError(Exception):
    """A call to Slack did not succeed."""


class SlackBusy(SlackError):
    """Slack asks us to wait; nothing happened."""

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__(f"retry after {retry_after.total_seconds():.0f} s")
        self.retry_after = retry_after


class SlackTrouble(SlackError):
    """The outcome is unknown: the call may have had its effect."""


class SlackRefused(SlackError):
    """Slack says no; `code` is its `error`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def pause_after(error: SlackError, failures: int) -> timedelta:
    """Say how long to leave alone what did not succeed, ever longer; *failures* are those in a row before."""
    if isinstance(error, SlackRefused) and error.code in TOKEN_ERRORS:
        return _LONGEST_PAUSE
    return jittered(min(timedelta(seconds=2 ** min(failures, 10)), _LONGEST_PAUSE))

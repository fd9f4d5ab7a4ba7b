"""The forms of the address book, submitted: saved in Blooio, or given back with what is wrong under its field."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.blocks import contact_forms, contacts
from bot.blocks.answer import problem
from bot.blocks.contact_forms import ADD_FORM, ADDRESS, EDIT_FORM, NAME, Outcome
from bot.blocks.mrkdwn import Payload, escape
from bot.desk import Asker, Desk
from bot.errands import ACKNOWLEDGED_SECONDS, Errands
from bot.reading.addresses import pretty
from bot.reading.contact_form import ContactFormProblem, parse_add_form, parse_edit_form
from bot.slack.client import Slack
from bot.slack.errors import SlackBusy, SlackError, SlackRefused
from bot.texting.book import Change, ChangedMeanwhile
from bot.texting.errors import TextingError
from bot.texting.model import Contact
from handlers.clicks import team_of

logger = logging.getLogger(__name__)

#: How long somebody looks at the button they pressed before the form says that it goes on. Slack waits three seconds.
_SAID_AFTER_SECONDS = 2.0

#: How often a form is shown what became of it, if Slack does not answer.
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Submission:
    """A form as somebody submitted it."""

    view_id: str
    user_id: str
    here: str  # the conversation it was opened from
    field: str  # below which it is said what came in the way
    given_back: str  # the same in one line, for somebody who has closed the form
    again: Callable[[str], Payload]  # the form with what was written, and with a word above
    compared: Callable[[Contact], Payload]  # the same beside what somebody else has made of the contact


async def submit_new(
    ack: AsyncAck,
    body: dict[str, Any],
    view: dict[str, Any],
    *,
    desk: Desk,
    slack: Slack,
    errands: Errands,
    region: str,
) -> None:
    """Add somebody."""
    typed = contact_forms.read_typed(view)
    try:
        new = parse_add_form(typed.name, typed.address, typed.tags, region=region)
    except ContactFormProblem as wrong:
        await ack(response_action="errors", errors=wrong.of)
        return
    tags = "".join(f' #"{tag}"' if " " in tag else f" #{tag}" for tag in new.tags)
    submission = Submission(
        view_id=str(view["id"]),
        user_id=str(body["user"]["id"]),
        here=typed.here,
        field=ADDRESS,
        given_back=f"/contact add {pretty(new.address)} {new.name or ''}{tags}",
        again=lambda notice: contact_forms.add_form(typed, notice=notice),
        compared=lambda _: contact_forms.add_form(typed),
    )
    asker = Asker(team_of(body), submission.user_id, "")
    saving = desk.add_by_form(new.address, new.name, new.tags, asker, draft=typed.draft)
    await _save(ack, submission, saving, slack, errands)


async def submit_edited(
    ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], *, desk: Desk, slack: Slack, errands: Errands
) -> None:
    """Change somebody, unless somebody else changed them while the form was open."""
    typed, shown = contact_forms.read_typed(view), contact_forms.read_shown(view)
    before = shown.tags or ()
    try:
        name, tags = parse_edit_form(typed.name, typed.tags, name_before=shown.name, tags_before=before)
    except ContactFormProblem as wrong:
        await ack(response_action="errors", errors=wrong.of)
        return
    change = Change(shown.address, shown.name, name)
    if shown.tags is not None:
        change = replace(
            change,
            more_tags=tuple(tag for tag in tags if tag not in before),
            fewer_tags=tuple(tag for tag in before if tag not in tags),
        )
    submission = Submission(
        view_id=str(view["id"]),
        user_id=str(body["user"]["id"]),
        here=typed.here,
        field=NAME,
        given_back=f"/contact edit {pretty(shown.address)} {name or ''}",
        again=lambda notice: contact_forms.edit_form(shown, typed, notice=notice),
        compared=lambda now: contact_forms.edit_form(
            replace(shown, name=now.name), typed, notice=contacts.renamed_meanwhile(now, name)
        ),
    )
    asker = Asker(team_of(body), submission.user_id, "")  # Slack does not say where a form stands
    await _save(ack, submission, desk.change_by_form(change, asker), slack, errands)


async def _save(
    ack: AsyncAck,
    submission: Submission,
    saving: Coroutine[Any, Any, Outcome],
    slack: Slack,
    errands: Errands,
) -> None:
    """Acknowledge with what saving comes to, or soon that it goes on; what was written is never lost."""
    task = errands.run(saving, "contact form")
    done, _ = await asyncio.wait({task}, timeout=_SAID_AFTER_SECONDS)
    if not done:
        await ack(response_action="update", view=contact_forms.saving(submission.here))
        errands.run(_show_later(task, submission, slack), "contact form answer")
        return
    try:
        outcome = task.result()
    except ChangedMeanwhile as other:
        await ack(response_action="update", view=submission.compared(other.contact))
    except TextingError as error:
        logger.warning("contact_not_saved code=%s", error.code)
        await ack(response_action="errors", errors={submission.field: contacts.not_saved(error)})
    else:
        await ack(response_action="update", view=contact_forms.outcome(outcome, submission.here))


async def _show_later(task: asyncio.Task[Outcome], submission: Submission, slack: Slack) -> None:
    """Show in the form what became of it; or, if it was closed meanwhile, tell whoever had written it."""
    try:
        outcome = await task
        view, told = contact_forms.outcome(outcome, submission.here), contact_forms.told(outcome)
    except ChangedMeanwhile as other:
        view = submission.compared(other.contact)
        told = problem("Somebody else changed this contact meanwhile. Nothing was saved.", submission.given_back)
    except TextingError as error:
        logger.warning("contact_not_saved code=%s", error.code)
        words = contacts.not_saved(error)
        view, told = submission.again(f"⚠️ {escape(words)}"), problem(words, submission.given_back)
    except Exception:
        reference = secrets.token_hex(4)
        logger.exception("contact_failed reference=%s", reference)
        told = contacts.went_wrong(reference)
        view = submission.again(told["text"])
    await asyncio.sleep(ACKNOWLEDGED_SECONDS)
    if not await _shown(slack, submission.view_id, view):
        await _tell(slack, submission, told)


async def _shown(slack: Slack, view_id: str, view: Payload) -> bool:
    """Show *view* where the form stands; return whether somebody may see it."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            await slack.update_view(view_id, view, made_from=None)
        except SlackRefused as refused:
            logger.info("form_closed error=%s", refused.code)
            return False
        except SlackBusy as busy:
            await asyncio.sleep(busy.retry_after.total_seconds())
        except SlackError:
            await asyncio.sleep(attempt)
        else:
            return True
    return False


async def _tell(slack: Slack, submission: Submission, payload: Payload) -> None:
    """Tell somebody where they opened the form, or in their messages with us."""
    try:
        await slack.whisper(submission.here, submission.user_id, payload)
    except SlackError as refused:
        logger.info("not_whispered error=%s", refused)
        try:
            home = await slack.places.direct(submission.user_id)
            await slack.post(home, payload, key=f"contact:{submission.view_id}")
        except SlackError as error:
            logger.warning("not_told error=%s", error)


def register(app: AsyncApp, *, desk: Desk, slack: Slack, errands: Errands, region: str) -> None:
    app.view(ADD_FORM)(partial(submit_new, desk=desk, slack=slack, errands=errands, region=region))
    app.view(EDIT_FORM)(partial(submit_edited, desk=desk, slack=slack, errands=errands))

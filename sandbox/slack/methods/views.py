"""Methods that open and change views. Source: docs.slack.dev/reference/methods, the views family."""

from sandbox.slack.call import JSON, Call
from sandbox.slack.errors import SlackError, invalid_arguments
from sandbox.slack.interactions import view_json
from sandbox.slack.triggers import Trigger
from sandbox.slack.views import View, read_view


async def open_modal(call: Call) -> JSON:
    """Show a modal to the person whose trigger id it is. A call that fails leaves the trigger id to be exchanged."""
    trigger, content = _trigger(call), read_view(_view(call), "modal")
    view = call.workspace.views.open(trigger.user_id, content, here=trigger.conversation_id)
    trigger.exchanged = True
    return _written(call, view)


async def push(call: Call) -> JSON:
    """Put a modal over the one in which somebody acted, which must still be there."""
    trigger, content = _trigger(call), read_view(_view(call), "modal")
    views = call.workspace.views
    if not any(view.id == trigger.view_id for view in views.stack(trigger.user_id)):
        raise SlackError("not_found")
    view = views.push(trigger.user_id, content)
    trigger.exchanged = True
    return _written(call, view)


async def update(call: Call) -> JSON:
    views = call.workspace.views
    external_id = call.given("external_id")
    view = views.with_external_id(external_id) if external_id else views.with_id(call.required("view_id"))
    views.update(view, read_view(_view(call), view.content["type"]), hash_=call.given("hash"))
    return _written(call, view)


async def publish(call: Call) -> JSON:
    person = call.person("user_id")
    if not call.manifest.home_tab:
        raise SlackError("not_enabled")
    content = read_view(_view(call), "home")
    view = call.workspace.views.publish(person.id, content, hash_=call.given("hash"))
    return _written(call, view)


def _trigger(call: Call) -> Trigger:
    given = call.given("interactivity_pointer") or call.required("trigger_id")
    return call.workspace.triggers.find(given)


def _view(call: Call) -> object:
    view: object = call.arguments.get("view")
    if view in (None, ""):
        raise invalid_arguments("missing required field: view")
    return view


def _written(call: Call, view: View) -> JSON:
    return {"view": view_json(view, call.workspace)}

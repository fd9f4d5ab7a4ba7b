// The box in which one types a message or a slash command, and the examples beside it.

import { opensMenu } from "./menu.js";
import { element, show } from "./nodes.js";
import { channelOf, owner, spaced } from "./phones.js";
import { offerOnSlash, refresh, takesKey } from "./slash.js";

const form = document.getElementById("composer");
const typed = document.getElementById("typed");
const button = form.querySelector(".bar button:not([type])");
const shortcuts = document.getElementById("shortcuts");
const refusal = document.getElementById("refusal");
const examples = document.getElementById("examples");

const INVITATION = typed.placeholder;

let globals = []; // the global shortcuts, as items of a menu

/** Call `send(text)` for what is typed. Words it does not take, by resolving to false or throwing, are given back. */
export function listen(send) {
  opensMenu(shortcuts, { label: "Shortcuts", items: () => globals });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = typed.value.trim();
    if (!text) return;
    typed.value = "";
    refresh();
    refuse("");
    const taken = await send(text).catch((error) => refuse(error.message));
    if (!taken) typed.value ||= text;
  });
  typed.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (takesKey(event)) return event.preventDefault();
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    form.requestSubmit();
  });
}

/** Say why something was not done. */
export function refuse(words) {
  refusal.textContent = words;
}

/** Put the beginning of a text to *phone* in the box, for the reader to change and send. */
export function begin(phone) {
  const name = phone.name?.split(" ")[0] ?? "there";
  typed.value = `/text ${spaced(phone.address)} Hi ${name}, your order is ready`;
  typed.focus();
}

/**
 * Offer the app's commands and its global shortcuts, which `use(callbackId)` is told of, and to text two phones: one
 * with iMessage, one with SMS only.
 *
 * *closed* says why nothing can be written here, if so.
 */
export function showComposer({ app, use, phones, closed }) {
  offerFrom(app, use);
  typed.disabled = button.disabled = shortcuts.disabled = Boolean(closed);
  typed.placeholder = closed ?? INVITATION;
  const offered = ["imessage", "sms"].map((channel) => phones.find((one) => one.channel === channel)).filter(Boolean);
  const items = offered.map(({ texts, ...phone }) => ({ key: phone.address, phone, closed }));
  show(examples, items, ({ phone }) =>
    element(
      "button",
      { type: "button", click: () => begin(phone), disabled: Boolean(closed) },
      `Text ${owner(phone)} (${channelOf(phone)})`,
    ),
  );
}

function offerFrom(app, use) {
  const ofApp = { image: `/_sandbox/avatar/${app.user_id}.svg`, by: app.name };
  globals = app.shortcuts
    .filter(({ kind }) => kind === "global")
    .map(({ name, description, callback_id }) => ({ ...ofApp, name, description, choose: () => use(callback_id) }));
  const commands = app.commands.map(({ command, usage_hint, description }) => {
    return { ...ofApp, name: command, hint: usage_hint, description };
  });
  shortcuts.hidden = globals.length === 0;
  offerOnSlash([...commands, ...globals]);
}

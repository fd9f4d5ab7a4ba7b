// What a composer offers while one types: the app's commands and shortcuts, and names.

import { sign } from "./sidebar.js";

/** Whom one can mention beside people and groups. */
const EVERYBODY = ["channel", "here"].map((name) => ({ handle: name, name, image: null }));

/** What the app offers, as items of menus; `use(callbackId)` is told of a shortcut. */
export function offersOf(app, use) {
  const ofApp = { image: avatar(app.user_id), by: app.name };
  const shortcuts = app.shortcuts
    .filter(({ kind }) => kind === "global")
    .map(({ name, description, callback_id }) => ({ ...ofApp, name, description, choose: () => use(callback_id) }));
  const commands = app.commands.map(({ command, usage_hint, description }) => {
    return { ...ofApp, name: command, hint: usage_hint, description };
  });
  return { commands, shortcuts };
}

/** Whom and what one can mention. *directory* is `mrkdwn`'s. */
export function namesOf(directory) {
  const people = Object.values(directory.people).map(({ id, handle, name }) => ({ handle, name, image: avatar(id) }));
  const groups = Object.values(directory.groups).map(({ handle, name }) => ({ handle, name, image: null }));
  const channels = Object.values(directory.conversations).filter(({ kind }) => sign(kind));
  return { mentions: [...people, ...groups, ...EVERYBODY], channels: channels.map(({ name }) => name) };
}

function avatar(id) {
  return `/_sandbox/avatar/${id}.svg`;
}

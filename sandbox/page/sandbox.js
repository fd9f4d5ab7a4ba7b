// The sandbox's control routes, as functions. A mistake is thrown as an Error in words for the person at the screen.

const LONGEST_WAIT = 25; // seconds of one long poll

/** Read all that `as` sees with the conversation `in`, at once or as soon as it is newer than `since`. */
export function state({ since, signal, ...place }) {
  const query = new URLSearchParams({ ...given(place), since, wait: since ? LONGEST_WAIT : 0 });
  return ask(`/_sandbox/state?${query}`, { signal });
}

/** Type a slash command; resolves once the app has acknowledged it, or Slack has said that it failed. */
export function type(command) {
  return post("/_sandbox/slack/type", command);
}

/** Post a message. */
export function say(message) {
  return post("/_sandbox/slack/post", message);
}

/** Press a button of a message. */
export function click(press) {
  return post("/_sandbox/slack/click", press);
}

/** Use the global shortcut `what`; resolves once the app has acknowledged it, or Slack has said that it failed. */
export function useShortcut(shortcut) {
  return post("/_sandbox/slack/shortcut", shortcut);
}

/** Use the shortcut `what` on a message. */
export function useMessageShortcut(shortcut) {
  return post("/_sandbox/slack/message_shortcut", shortcut);
}

/** Open the direct message with the app, on a `tab`. */
export function visit(tab) {
  return post("/_sandbox/slack/visit", tab);
}

/** Enter `value` into the field `what` of the topmost modal, or with `home` of the Home. */
export function fill(entry) {
  return post("/_sandbox/slack/modal/fill", entry);
}

/** Press a button of the topmost modal, or with `home` of the Home, or choose `value` in a menu that tells the app. */
export function clickInView(press) {
  return post("/_sandbox/slack/modal/click", press);
}

/** Ask what an external menu of the topmost modal, or with `home` of the Home, offers for what was `typed`. */
export function suggest(query) {
  return post("/_sandbox/slack/modal/suggest", query);
}

/** Submit the topmost modal; resolves once the app has acknowledged it, or Slack has said that it failed. */
export function submitModal(who) {
  return post("/_sandbox/slack/modal/submit", who);
}

/** Close the topmost modal, or `everything` that is open. */
export function closeModal(who) {
  return post("/_sandbox/slack/modal/close", who);
}

function post(path, body) {
  return ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}

async function ask(path, options) {
  const response = await fetch(path, options);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

function given(query) {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value));
}

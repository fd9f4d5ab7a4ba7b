// The sandbox's control routes, as functions. A mistake is thrown as an Error in words for the person at the screen.

const LONGEST_WAIT = 25; // seconds of one long poll

/**
 * Read what `as` sees who looks at the conversation `in`, at once or as soon as it is newer than `since`: of the
 * messages then only those that have changed. They begin with `oldest`, and hold `at` and its thread.
 */
export function page({ since, signal, ...place }) {
  const query = new URLSearchParams({ ...given(place), since, wait: since ? LONGEST_WAIT : 0 });
  return ask(`/_sandbox/page?${query}`, { signal });
}

/** Read the messages of a conversation that stand before one of them. */
export function older(place) {
  return ask(`/_sandbox/older?${new URLSearchParams(place)}`);
}

/** Read the table of emoji. */
export function emoji() {
  return ask("/_sandbox/emoji");
}

/** Type a slash command; resolves once the app has acknowledged it, or Slack has said that it failed. */
export function type(command) {
  return post("/_sandbox/slack/type", command);
}

/** Post a message. */
export function say(message) {
  return post("/_sandbox/slack/post", message);
}

/** Post files in one message; `progress(part)` is told how much of them has been sent, from 0 to 1. */
export function upload(message, progress) {
  return post("/_sandbox/slack/upload", message, progress);
}

/** Keep a file for a form; `progress` as above. */
export function keepFile(file, progress) {
  return post("/_sandbox/slack/keep", file, progress);
}

/** Change the words of a message of one's own. */
export function edit(change) {
  return post("/_sandbox/slack/edit", change);
}

/** Delete a message. */
export function remove(message) {
  return post("/_sandbox/slack/delete", message);
}

/** Leave the reaction `name` on a message, or with `remove` take it back. */
export function react(reaction) {
  return post("/_sandbox/slack/react", reaction);
}

/** Press a button of a message, or choose `value` in one of its elements. */
export function click(press) {
  return post("/_sandbox/slack/click", press);
}

/** Ask what an external menu of a message offers for what was `typed`. */
export function suggestInMessage(query) {
  return post("/_sandbox/slack/suggest", query);
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

function post(path, body, progress) {
  const request = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  return progress ? askSlowly(path, request, progress) : ask(path, request);
}

/** Ask one of the sandbox's routes. */
export async function ask(path, options) {
  const response = await fetch(path, options);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

/** Ask with a request whose sending takes its time. */
function askSlowly(path, { method, headers, body }, progress) {
  const request = new XMLHttpRequest(); // `fetch` does not tell how far it is
  request.open(method, path);
  for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
  request.responseType = "json";
  request.upload.addEventListener("progress", ({ loaded, total }) => progress(Math.min(0.99, loaded / total)));
  return new Promise((resolve, reject) => {
    request.addEventListener("loadend", () => {
      progress(1);
      if (request.status === 200) resolve(request.response);
      else reject(new Error(request.response?.error ?? "The sandbox does not answer."));
    });
    progress(0);
    request.send(body);
  });
}

function given(query) {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value));
}

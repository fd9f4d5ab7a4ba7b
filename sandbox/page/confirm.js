// Asking before something is done: a dialog over everything else, in the app's words or the page's.

import { words } from "./blocks.js";
import { element } from "./nodes.js";

/**
 * Ask the reader, and resolve to the answer.
 *
 * *asked* is a confirm object of Block Kit, or none: then nobody is asked. *directory* is `mrkdwn`'s.
 * Source: docs.slack.dev/reference/block-kit/composition-objects/confirmation-dialog-object.
 */
export function confirmed(asked, directory) {
  if (!asked) return Promise.resolve(true);
  const before = document.activeElement;
  const { promise, resolve } = withResolvers();
  const yes = element("button", { class: asked.style === "danger" ? "danger solid" : "primary", value: "yes" }, words(asked.confirm, directory));
  const dialog = element(
    "dialog",
    { class: "modal confirm", role: "alertdialog", "aria-labelledby": "confirm-title", "aria-describedby": "confirm-text", close },
    element(
      "form",
      { method: "dialog" },
      element("header", {}, element("h2", { id: "confirm-title" }, words(asked.title, directory))),
      element("div", { class: "blocks", id: "confirm-text" }, words(asked.text, directory)),
      element("footer", {}, element("button", { value: "" }, words(asked.deny, directory)), yes),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  yes.focus();
  return promise;

  function close() {
    dialog.remove();
    before?.focus?.({ preventScroll: true });
    resolve(dialog.returnValue === "yes");
  }
}

/** Write a question in the page's own words as Block Kit has them. */
export function question(title, text, confirm, { style } = {}) {
  const [titled, said, agreed, denied] = [title, text, confirm, "Cancel"].map((one) => ({ type: "plain_text", text: one }));
  return { title: titled, text: said, confirm: agreed, deny: denied, style };
}

function withResolvers() {
  let resolve;
  const promise = new Promise((settle) => (resolve = settle));
  return { promise, resolve };
}

// Changing a message of one's own, in its place.

import { asTyped } from "./mrkdwn.js";
import { element } from "./nodes.js";

/** Draw the form. `save(text)` resolves to whether that was done; `close()` ends it. */
export function drawEditing(message, directory, { save, close }) {
  const box = element("textarea", { rows: 2, "aria-label": "Edit message", keydown: key });
  box.value = asTyped(message.text, directory);
  return element(
    "li",
    { class: "message editing", tabindex: -1 },
    element(
      "form",
      { class: "box", submit },
      box,
      element(
        "div",
        { class: "bar" },
        element("small", {}, "Escape cancels, Enter saves"),
        element("button", { type: "button", class: "button", click: close }, "Cancel"),
        element("button", { class: "button primary" }, "Save"),
      ),
    ),
  );

  async function submit(event) {
    event.preventDefault();
    if (!box.value.trim() || (await save(box.value))) close();
  }

  function key(event) {
    if (event.isComposing) return;
    if (event.key === "Escape") {
      event.stopPropagation();
      close();
    }
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    box.form.requestSubmit();
  }
}

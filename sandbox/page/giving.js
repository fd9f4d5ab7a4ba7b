// The field in which one gives the app files. Source: docs.slack.dev/reference/block-kit/block-elements/file-input-element.

import { element, icon } from "./nodes.js";
import { read, takesDrops } from "./uploads.js";

/** A button to choose files with, and those that were chosen; they may be dropped on it too. */
export function files(one, { id, field, state, enter, upload, describedBy }) {
  const kept = state.files ?? [];
  const most = one.max_files ?? 10;
  const accept = one.filetypes?.map((type) => `.${type}`).join(",");
  const chooser = element("input", {
    type: "file",
    hidden: true,
    multiple: most > 1,
    accept,
    "aria-label": field.label,
    change: () => take([...chooser.files]),
  });
  const choose = element(
    "button",
    { type: "button", class: "button", id, "aria-describedby": describedBy, click: () => chooser.click() },
    icon("attach"),
    most > 1 ? "Choose files" : "Choose a file",
  );
  const progress = element("progress", { max: 1, value: 0, hidden: true, "aria-label": "Sending" });
  const list = kept.map((file) =>
    element(
      "button",
      { type: "button", class: "chosen", "aria-label": `Remove ${file.name}`, click: () => enter(ids(kept.filter((other) => other !== file))) },
      file.name,
      icon("close"),
    ),
  );
  const drawn = element("div", { class: "uploads" }, list, kept.length < most && choose, chooser, progress);
  takesDrops(drawn, take);
  return drawn;

  async function take(given) {
    progress.hidden = false;
    const made = [];
    for (const file of await read(given)) made.push(await upload(file, (part) => (progress.value = part)));
    progress.hidden = true;
    const added = made.filter(Boolean);
    if (added.length) enter([...ids(kept), ...added]);
  }
}

function ids(files) {
  return files.map(({ id }) => id);
}

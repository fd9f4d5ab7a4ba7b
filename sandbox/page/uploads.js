// The files that go with the message one is typing: chosen, dropped or pasted, and shown until they are sent.

import { sized } from "./files.js";
import { element, icon, iconButton } from "./nodes.js";

const MOST_FILES = 10; // of one message, as in Slack
const MOST_BYTES = 20 * 1024 * 1024; // of one message; what the sandbox takes

/** The files of one composer. `place` is where they are shown, `tell(words)` says which cannot be sent. */
export class Uploads {
  constructor(place, tell) {
    this.place = place;
    this.tell = tell;
    this.files = [];
  }

  add(files) {
    const refused = [];
    for (const file of files) {
      const all = [...this.files, file].reduce((sum, one) => sum + one.size, 0);
      if (file.size === 0) refused.push(`${file.name} is empty.`);
      else if (all > MOST_BYTES) refused.push(`${file.name} (${sized(file.size)}) is too much: the sandbox takes ${sized(MOST_BYTES)} in one message.`);
      else if (this.files.length === MOST_FILES) refused.push(`${file.name} is one too many: a message takes ${MOST_FILES} files.`);
      else this.files.push(file);
    }
    this.tell(refused.join(" "));
    this.show();
  }

  /** Take what there is away, to be sent. */
  clear() {
    const files = this.files;
    this.files = [];
    this.show();
    return files;
  }

  /** Put files back that were there before. */
  put(files) {
    this.files = files;
    this.show();
  }

  /** Show how far the sending of these files is, from 0 to 1. */
  showProgress(files, part) {
    if (part >= 1) return this.show();
    const words = files.length === 1 ? `Sending ${files[0].name}…` : `Sending ${files.length} files…`;
    this.place.replaceChildren(
      element("li", { class: "sending" }, words, element("progress", { max: 1, value: part, "aria-label": words })),
    );
  }

  show() {
    this.place.replaceChildren(...this.files.map((file) => this.draw(file)));
  }

  draw(file) {
    const remove = () => {
      this.files = this.files.filter((one) => one !== file);
      this.show();
    };
    return element(
      "li",
      {},
      icon("file"),
      element("span", {}, file.name, element("small", {}, sized(file.size))),
      iconButton("close", `Remove ${file.name}`, { click: remove }),
    );
  }
}

/** Let files be dropped on *pane*; `add(files)` takes them. */
export function takesDrops(pane, add) {
  const hasFiles = ({ dataTransfer }) => [...dataTransfer.types].includes("Files");
  pane.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    pane.classList.add("dropping");
  });
  pane.addEventListener("dragleave", ({ relatedTarget }) => {
    if (!pane.contains(relatedTarget)) pane.classList.remove("dropping");
  });
  pane.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    pane.classList.remove("dropping");
    add([...event.dataTransfer.files]);
  });
}

/** Read files as `sandbox.upload` takes them. */
export function read(files) {
  return Promise.all(files.map(async (file) => ({ name: file.name, content: base64(await file.arrayBuffer()) })));
}

function base64(buffer) {
  const bytes = new Uint8Array(buffer);
  let text = "";
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return btoa(text);
}

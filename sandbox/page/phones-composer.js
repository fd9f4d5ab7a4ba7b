// Writing back from a phone: a box, files, and answers that take one click.

import { element, iconButton } from "./nodes.js";
import * as routes from "./routes.js";
import { tell } from "./tell.js";
import { takesDrops, Uploads } from "./uploads.js";

const ANSWERS = ["Yes, please", "On my way!", "STOP", "START"];

/** The composer of one phone; `phone()` is how it is now. */
export class PhoneComposer {
  constructor(address, phone) {
    this.address = address;
    this.phone = phone;
    this.busy = false;
    this.wrong = element("p", { class: "refusal", role: "alert" });
    this.pending = element("ul", { class: "pending", "aria-label": "Files to be sent" });
    this.uploads = new Uploads(this.pending, (words) => (this.wrong.textContent = words));
    this.chooser = element("input", { type: "file", multiple: true, hidden: true, change: () => this.chosen() });
    this.box = element("textarea", {
      rows: 1,
      "aria-label": "Write back",
      keydown: (event) => this.key(event),
      paste: (event) => this.pasted(event),
    });
    this.submit = iconButton("send", "Send from this phone", { type: "submit" });
    this.quick = element(
      "div",
      { class: "quick", role: "group", "aria-label": "Quick answers" },
      ANSWERS.map((words) => element("button", { type: "button", click: () => this.send(words, []) }, words)),
    );
    this.node = element(
      "form",
      { class: "back", submit: (event) => this.submitted(event) },
      this.quick,
      this.pending,
      this.wrong,
      element(
        "div",
        { class: "pill" },
        iconButton("attach", "Attach files to this text", { click: () => this.chooser.click() }),
        this.chooser,
        this.box,
        this.submit,
      ),
    );
    takesDrops(this.node, (files) => this.uploads.add(files));
  }

  addQuick(button) {
    this.quick.append(button);
  }

  show(phone) {
    const placeholder = { imessage: "iMessage", rcs: "RCS message", sms: "Text message" }[phone.channel] ?? "No channel";
    if (this.box.placeholder !== placeholder) this.box.placeholder = placeholder;
    this.submit.className = `icon ${phone.channel ?? ""}`;
  }

  key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.node.requestSubmit();
  }

  chosen() {
    this.uploads.add([...this.chooser.files]);
    this.chooser.value = "";
    this.box.focus();
  }

  pasted(event) {
    const files = [...event.clipboardData.files];
    if (!files.length) return;
    event.preventDefault();
    this.uploads.add(files);
  }

  async submitted(event) {
    event.preventDefault();
    const text = this.box.value.trim();
    if (this.busy || (!text && !this.uploads.files.length)) return;
    const files = this.uploads.clear();
    this.box.value = "";
    if (await this.send(text, files)) return;
    this.box.value ||= text; // nothing that was typed is lost
    this.uploads.add(files);
  }

  /** Send, and say whether that was done. */
  async send(text, files) {
    this.busy = true;
    this.wrong.textContent = "";
    try {
      const attachments = [];
      for (const file of files) attachments.push(await routes.offer(this.address, file));
      await routes.write(this.address, { text: text || null, attachments });
      return true;
    } catch (mistake) {
      tell(mistake.message);
      return false;
    } finally {
      this.busy = false;
    }
  }
}

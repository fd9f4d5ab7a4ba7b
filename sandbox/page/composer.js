// A box in which one types a message, in a conversation or in a thread.

import { Completion } from "./completion.js";
import { opensMenu } from "./menu.js";
import { element, iconButton } from "./nodes.js";
import { opensPicker } from "./picker.js";
import { isInOpen } from "./popover.js";
import { takesDrops, Uploads } from "./uploads.js";

/**
 * Draws itself into *form*. Words and files that `send({text, files, broadcast, progress})` does not take, by resolving
 * to false or throwing, are given back. Files may be dropped on *pane*.
 */
export class Composer {
  constructor(form, { id, label, pane, send }) {
    this.form = form;
    this.send = send;
    this.drafts = new Map(); // what was being typed elsewhere
    this.where = "";
    this.isWanted = false; // by whoever comes to a conversation, once it is drawn
    this.shown = new Promise((resolve) => (this.resolveShown = resolve)); // there is a place to send to
    this.globals = []; // the global shortcuts, as items of a menu
    this.box = element("textarea", { id, rows: 1, "aria-label": label, keydown: (event) => this.key(event) });
    this.completion = new Completion(this.box);
    this.refusal = element("p", { class: "refusal", role: "alert" });
    this.pending = element("ul", { class: "pending", "aria-label": "Files to send" });
    this.uploads = new Uploads(this.pending, (words) => this.refuse(words));
    this.broadcast = element("input", { type: "checkbox" });
    this.also = element("label", { class: "also", hidden: true }, this.broadcast, element("span"));
    this.submit = iconButton("send", "Send", { type: "submit" });
    this.drawInto(form, label);
    takesDrops(pane, (files) => this.add(files));
    this.box.addEventListener("paste", (event) => {
      const files = [...event.clipboardData.files];
      if (files.length) event.preventDefault();
      this.add(files);
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.sendAll();
    });
  }

  drawInto(form, label) {
    const chooser = element("input", { type: "file", multiple: true, hidden: true, "aria-label": "Files", change: chosen });
    const attach = iconButton("attach", "Attach files", { click: () => chooser.click() });
    const emoji = iconButton("react", "Emoji", { id: `${this.box.id}-emoji` });
    opensPicker(emoji, (name) => this.insert(`:${name}: `));
    this.shortcuts = iconButton("bolt", "Shortcuts", { id: `${this.box.id}-shortcuts`, hidden: true });
    opensMenu(this.shortcuts, { label: "Shortcuts", items: () => this.globals });
    this.buttons = [attach, emoji, this.shortcuts, this.submit];
    const bar = element("div", { class: "bar" }, attach, chooser, emoji, this.shortcuts, this.also, this.submit);
    form.setAttribute("aria-label", label);
    form.prepend(this.completion.node, element("div", { class: "box" }, this.pending, this.box, bar), this.refusal);
    const self = this;

    function chosen() {
      self.add([...chooser.files]);
      chooser.value = "";
    }
  }

  /**
   * Show it for *where*, with what was being typed there. *closed* says why nothing can be written, if so; *channel* is
   * the name of the channel into which a reply can be sent too.
   */
  show({ where, invitation, closed = null, channel = null, offered, globals = [] }) {
    this.globals = globals;
    this.completion.offered = offered;
    if (where !== this.where) this.turnTo(where);
    this.shortcuts.hidden = globals.length === 0;
    this.box.disabled = Boolean(closed);
    this.box.placeholder = closed ?? invitation;
    for (const button of this.buttons) button.disabled = Boolean(closed);
    this.also.hidden = channel === null;
    this.also.lastChild.textContent = `Also send to ${channel}`;
  }

  /** Say why something was not done. */
  refuse(words) {
    this.refusal.textContent = words;
  }

  /** Put words in the box, for the reader to change and send. */
  begin(words) {
    this.box.value = words;
    this.box.focus();
  }

  /** Put the reader in the box, unless they are in something that they opened meanwhile. */
  focus() {
    this.isWanted = false;
    if (!this.box.disabled && !isInOpen()) this.box.focus({ preventScroll: true });
  }

  add(files) {
    if (!files.length || this.box.disabled) return;
    this.uploads.add(files);
    this.box.focus();
  }

  insert(words) {
    this.box.focus();
    this.box.setRangeText(words, this.box.selectionStart, this.box.selectionEnd, "end");
    this.completion.refresh();
  }

  turnTo(where) {
    const isFirst = this.where === ""; // and somebody may be typing already
    if (!isFirst) {
      this.drafts.set(this.where, { text: this.box.value, files: this.uploads.clear() });
      const { text = "", files = [] } = this.drafts.get(where) ?? {};
      this.box.value = text;
      this.uploads.put(files);
    }
    this.where = where;
    this.completion.refresh();
    if (isFirst) return this.resolveShown();
    this.broadcast.checked = false;
    this.refuse("");
  }

  async sendAll() {
    await this.shown;
    if (this.box.disabled) return;
    const text = this.box.value.trim();
    if (!text && !this.uploads.files.length) return;
    const { where } = this;
    const files = this.uploads.clear();
    const broadcast = this.broadcast.checked;
    this.box.value = "";
    this.completion.refresh();
    this.refuse("");
    const progress = (part) => this.uploads.showProgress(files, part);
    const taken = await this.send({ text, files, broadcast, progress }).catch((mistake) => this.refuse(mistake.message));
    if (taken) return void (this.broadcast.checked = false);
    if (where !== this.where) return;
    this.box.value ||= text;
    this.uploads.put(files);
  }

  key(event) {
    if (event.isComposing) return;
    if (this.completion.takesKey(event)) {
      event.preventDefault();
      event.stopPropagation(); // Escape closes what is offered and nothing else
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.form.requestSubmit();
    }
  }
}

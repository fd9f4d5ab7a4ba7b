// What can be done with the message under the pointer or with the focus: one row of buttons, which goes from message
// to message.

import { character } from "./emoji.js";
import { opensMenu } from "./menu.js";
import { element, iconButton } from "./nodes.js";
import { opensPicker } from "./picker.js";

const QUICK = ["white_check_mark", "eyes", "raised_hands"];

/** The row of one list of messages. `edit(ts)` begins to change a message; `does` does the rest. */
export class Tools {
  constructor(list, { label, leadsToThreads, does, edit }) {
    this.list = list;
    this.does = does;
    this.row = element("div", { class: "tools", role: "group", "aria-label": "Message actions" });
    this.at = null; // the message's element
    const id = label.toLowerCase();
    this.quick = QUICK.map((name) => this.quickButton(name));
    this.react = iconButton("react", "Find another reaction", { id: `tools-react-${id}` });
    this.reply = leadsToThreads && iconButton("thread", "Reply in thread", { click: () => does.openThread(this.message()) });
    this.more = iconButton("more", "More actions", { id: `tools-more-${id}` });
    opensPicker(this.react, (name) => does.react(this.message(), name));
    opensMenu(this.more, { label: "More actions", items: () => does.actions(this.message(), { edit }) });
    for (const event of ["mouseover", "focusin"]) list.addEventListener(event, ({ target }) => this.goTo(target));
    list.addEventListener("mouseleave", () => this.hasFocus() || this.goTo(document.activeElement));
  }

  /** Let the list be drawn anew by `draw()` without losing one's place in the row. */
  keep(draw) {
    const key = this.at?.dataset.key;
    const focused = this.row.contains(document.activeElement) ? document.activeElement : null;
    draw();
    if (!key || this.at.isConnected) return;
    this.at = null;
    this.goTo(this.list.querySelector(`[data-key="${key}"]`));
    if (this.at) focused?.focus({ preventScroll: true });
  }

  goTo(target) {
    if (this.hasFocus() || this.row.querySelector('[aria-expanded="true"]')) return;
    const node = target instanceof Element ? target.closest(".message:not(.editing)") : null;
    if (node === this.at && this.row.isConnected) return;
    this.at?.classList.remove("active");
    this.at = node && this.list.contains(node) ? node : null;
    if (!this.at) return this.row.remove();
    this.at.classList.add("active");
    const { ephemeral, subtype } = this.message() ?? {};
    const isPlain = !ephemeral && subtype !== "tombstone";
    this.row.replaceChildren(...(isPlain ? [...this.quick, this.react, this.reply] : [this.reply && !ephemeral && this.reply]).filter(Boolean), this.more);
    this.at.append(this.row);
  }

  hasFocus() {
    return this.row.isConnected && this.row.contains(document.activeElement);
  }

  message() {
    return this.does.messageAt(this.at.dataset.key);
  }

  quickButton(name) {
    const label = `React with :${name}:`;
    const react = () => this.does.react(this.message(), name);
    return element("button", { type: "button", class: "icon", title: label, "aria-label": label, click: react }, character(name));
  }
}

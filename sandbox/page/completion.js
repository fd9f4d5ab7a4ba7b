// What is offered while one types: commands and shortcuts after a slash, people after an @, emoji after a colon.

import { character, search } from "./emoji.js";
import { offer } from "./menu.js";
import { element } from "./nodes.js";
import { Options } from "./options.js";

const WORD = /(?:^|[\s(])([@:#])([\w+.-]*)$/; // what stands before the caret
const LEAST = { "@": 0, "#": 0, ":": 2 }; // characters after the sign
const MOST = 8;

/** Offers what fits to what is typed in *box*. `offered` is `{commands, shortcuts, people, channels}`, set from outside. */
export class Completion {
  constructor(box) {
    this.box = box;
    this.offered = { commands: [], shortcuts: [], mentions: [], channels: [] };
    this.dismissed = false; // by Escape, until what was typed is gone
    this.options = new Options(box, { label: "Suggestions", take: (item) => this.take(item), draw: (item) => item.drawn });
    this.usage = element("p", { class: "usage", hidden: true });
    this.node = element("div", { class: "menu suggestions", hidden: true }, this.options.list, this.usage);
    for (const event of ["input", "focus", "blur", "click"]) box.addEventListener(event, () => this.refresh());
  }

  /** Take a key that is meant for what is offered. Says whether it was. */
  takesKey(event) {
    if (this.node.hidden) return false;
    if (event.key === "Escape") {
      this.dismissed = true;
      this.refresh();
      return true;
    }
    const { items, active } = this.options;
    const isWhole = event.key === "Enter" && items[active]?.name === this.box.value.trim(); // Enter sends it
    return !isWhole && this.options.takesKey(event);
  }

  refresh() {
    const found = document.activeElement === this.box ? this.found() : { items: [] };
    if (!found) this.dismissed = false;
    const { items = [], command } = !found || this.dismissed ? {} : found;
    this.options.show(items);
    this.usage.replaceChildren(...(command ? offer(command) : []));
    this.usage.hidden = !command;
    this.node.hidden = !items.length && !command;
  }

  /** What fits; null where nothing is being offered, whatever there is. */
  found() {
    const text = this.box.value;
    if (text.startsWith("/")) return this.afterSlash(text.toLowerCase());
    const [, sign, typed] = text.slice(0, this.box.selectionStart).match(WORD) ?? [];
    if (!sign || typed.length < LEAST[sign]) return null;
    return { items: { "@": this.mentions, "#": this.channels, ":": emoji }[sign].call(this, typed.toLowerCase()).slice(0, MOST) };
  }

  afterSlash(text) {
    const { commands, shortcuts } = this.offered;
    if (!commands.length && !shortcuts.length) return null;
    const [word, ...rest] = text.split(" ");
    const command = rest.length > 0 && commands.find((one) => one.name === word);
    if (command) return { command: command.hint && rest.every((part) => part === "") ? command : null };
    const fitting = [...commands, ...shortcuts].filter((one) => fits(one, text));
    return { items: fitting.map((one) => ({ ...one, drawn: offer(one) })) };
  }

  mentions(typed) {
    const fitting = this.offered.mentions.filter(({ handle, name }) => ` ${handle} ${name}`.toLowerCase().includes(` ${typed}`));
    return fitting.map(({ handle, name, image }) => ({
      written: `@${handle} `,
      typed,
      drawn: offer({ image, name, hint: handle === name ? "" : handle }),
    }));
  }

  channels(typed) {
    const fitting = this.offered.channels.filter((name) => name.startsWith(typed));
    return fitting.map((name) => ({ written: `#${name} `, typed, drawn: offer({ name: `# ${name}` }) }));
  }

  take(item) {
    const { box } = this;
    if (item.name) {
      box.value = item.name.startsWith("/") ? `${item.name} ` : "";
      this.refresh();
      return void item.choose?.();
    }
    const caret = box.selectionStart;
    const begin = caret - item.typed.length - 1;
    box.setRangeText(item.written, begin, caret, "end");
    this.refresh();
  }
}

/** A command is typed from its beginning; a shortcut is found by any word of its name. */
function fits({ name }, text) {
  const known = name.toLowerCase();
  return known.startsWith(text) || (!known.startsWith("/") && ` ${known}`.includes(` ${text.slice(1)}`));
}

function emoji(typed) {
  return search(typed).map((name) => ({
    written: `${character(name)} `,
    typed,
    drawn: [element("span", { class: "emoji" }, character(name)), element("span", { class: "what" }, `:${name}:`)],
  }));
}

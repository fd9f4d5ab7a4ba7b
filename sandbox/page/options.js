// Options under a box to type in. The box keeps the focus: arrows move among them, Enter or Tab takes one, Escape
// puts them away. Source: the ARIA authoring practices' combobox.

import { element } from "./nodes.js";

let numbers = 0;

/** A list of options that belongs to a box. `list` is the node to put in the document. */
export class Options {
  constructor(box, { label, take, draw, isGrid = false }) {
    this.box = box;
    this.take = take;
    this.draw = draw;
    this.isGrid = isGrid;
    this.items = [];
    this.active = 0;
    this.id = `options-${(numbers += 1)}`;
    this.list = element("div", { id: this.id, class: "options", role: "listbox", "aria-label": label, hidden: true });
    box.setAttribute("role", "combobox");
    box.setAttribute("aria-expanded", false);
    box.setAttribute("aria-autocomplete", "list");
    box.setAttribute("aria-controls", this.id);
  }

  get isOpen() {
    return !this.list.hidden;
  }

  /** Show these items, of which each may begin a `group`; with none, nothing, or the words `otherwise`. */
  show(items, otherwise = "") {
    this.items = items;
    this.list.replaceChildren(...items.flatMap((item, index) => this.drawItem(item, index)));
    if (!items.length && otherwise) this.list.append(element("p", { role: "option", "aria-disabled": true }, otherwise));
    this.list.hidden = !items.length && !otherwise;
    this.box.setAttribute("aria-expanded", this.isOpen);
    this.mark(0);
  }

  hide() {
    this.show([]);
  }

  /** Take a key that is meant for the options. Says whether it was. */
  takesKey({ key, shiftKey }) {
    if (!this.isOpen || shiftKey) return false;
    if (key === "Escape") {
      this.hide();
      return true;
    }
    if (!this.items.length) return false;
    const step = this.stepOf(key);
    if (step) this.mark((this.active + step + this.items.length) % this.items.length);
    else if (key === "Enter" || key === "Tab") this.take(this.items[this.active]);
    return Boolean(step) || key === "Enter" || key === "Tab";
  }

  stepOf(key) {
    const column = this.isGrid ? this.columns() : 1;
    const steps = { ArrowDown: column, ArrowUp: -column };
    return this.isGrid ? { ...steps, ArrowRight: 1, ArrowLeft: -1 }[key] : steps[key];
  }

  columns() {
    const tops = this.nodes().map((node) => node.offsetTop);
    return Math.max(1, tops.filter((top) => top === tops[0]).length);
  }

  nodes() {
    return [...this.list.querySelectorAll('[role="option"]')];
  }

  drawItem(item, index) {
    const option = element(
      "div",
      {
        id: `${this.id}-${index}`,
        role: "option",
        "aria-selected": false,
        mousedown: (event) => event.preventDefault(), // the focus stays where one types
        mousemove: () => this.active !== index && this.mark(index),
        click: () => this.take(item),
      },
      this.draw(item),
    );
    if (item.title) option.title = item.title;
    return item.group ? [element("strong", { role: "presentation" }, item.group), option] : [option];
  }

  mark(index) {
    this.active = index;
    const nodes = this.items.length ? this.nodes() : [];
    nodes.forEach((node, at) => node.setAttribute("aria-selected", at === index));
    nodes[index]?.scrollIntoView({ block: "nearest" });
    if (nodes[index]) this.box.setAttribute("aria-activedescendant", nodes[index].id);
    else this.box.removeAttribute("aria-activedescendant");
  }
}

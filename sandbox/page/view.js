// The blocks of a view, a modal or a Home, with what is entered in them.

import { drawBlocks, words } from "./blocks.js";
import { confirmed } from "./confirm.js";
import { drawOverflow } from "./controls.js";
import { drawField, isTyped, plainText } from "./fields.js";
import { element, icon, show } from "./nodes.js";
import * as sandbox from "./sandbox.js";

/** Draws a view in *list*. With *home* it is the Home of the reader. `tell(words)` says what went wrong. */
export class ViewBlocks {
  constructor(list, { home, tell }) {
    this.list = list;
    this.home = home;
    this.tell = tell;
    this.viewer = null; // the id of the person whose view it is
    this.doing = Promise.resolve(); // what was entered is told in its order
  }

  /** Show the view of the person *as*. *directory* is `mrkdwn`'s. */
  show(view, { as, directory }) {
    this.viewer = as;
    const items = view.view.blocks.map((block) => {
      return { key: `${view.id} ${block.block_id}`, block, held: held(view, block) };
    });
    show(this.list, items, ({ block }) => this.drawBlock(block, view, directory));
    for (const field of view.fields) {
      const node = document.getElementById(this.idOf(field));
      const wrong = document.getElementById(`${this.idOf(field)}-wrong`);
      node?.setAttribute("aria-invalid", Boolean(field.error));
      if (wrong && wrong.textContent !== field.error) wrong.replaceChildren(...(field.error ? [icon("wrong"), field.error] : []));
      if (node?.matches("[data-typed]") && node !== document.activeElement) node.value = plainText(stateOf(view, field));
    }
  }

  /** Do something after all that the reader did before, and say what went wrong. */
  act(work) {
    this.doing = this.doing.then(work).then(
      (answer) => answer?.error && this.tell(`The bot did not answer: ${answer.error}`),
      (mistake) => this.tell(mistake.message),
    );
    return this.doing;
  }

  drawBlock(block, view, directory) {
    const text = (object) => words(object, directory);
    if (block.type !== "input") {
      const press = (_, one) => this.click(block, one, directory);
      const control = (_, one) => this.drawControl(block, one, view, { directory, text });
      return element("div", {}, drawBlocks([block], { directory, press, control }));
    }
    const id = this.idOf({ block_id: block.block_id, action_id: block.element.action_id });
    return element(
      "div",
      { class: "input" },
      element("label", { for: id, id: `${id}-label` }, text(block.label), block.optional && element("span", {}, " (optional)")),
      this.drawControl(block, block.element, view, { directory, text }) ?? `[${block.element.type}]`,
      block.hint && element("p", { class: "below", id: `${id}-hint` }, text(block.hint)),
      element("p", { class: "wrong", id: `${id}-wrong`, role: "alert" }),
    );
  }

  /** Draw an element that keeps a value, or a menu of things to do; null for what the page does not draw. */
  drawControl(block, one, view, { directory, text }) {
    if (one.type === "overflow") return drawOverflow(block, one, (value) => this.click(block, one, directory, value));
    const field = view.fields.find((other) => other.block_id === block.block_id && other.action_id === one.action_id);
    if (!field) return null;
    const id = this.idOf(field);
    const where = () => this.where(block, one.action_id);
    const tells = block.type !== "input";
    return drawField(one, {
      field,
      id,
      text,
      state: stateOf(view, field),
      tz: directory.tz,
      label: tells ? field.label : null, // an input has its label beside it
      describedBy: tells ? null : [block.hint && `${id}-hint`, `${id}-wrong`].filter(Boolean).join(" "),
      enter: (value) => (tells ? this.click(block, one, directory, value) : this.act(() => sandbox.fill({ ...where(), value }))),
      press: block.dispatch_action && (() => this.act(() => sandbox.clickInView(where()))),
      upload: (file, progress) => this.keepFile(file, progress),
      suggest: async (typed) => (await sandbox.suggest({ ...where(), typed })).raw,
    });
  }

  /** Press a button, or choose in an element that tells the app, once the reader has confirmed it. */
  async click(block, one, directory, value) {
    if (!(await confirmed(one.confirm, directory))) return;
    await this.act(() => sandbox.clickInView({ ...this.where(block, one.action_id), value }));
  }

  async keepFile(file, progress) {
    try {
      return (await sandbox.keepFile({ as: this.viewer, ...file }, progress)).file.id;
    } catch (mistake) {
      this.tell(mistake.message);
      return null;
    }
  }

  where(block, actionId) {
    return { as: this.viewer, home: this.home, block_id: block.block_id, what: actionId };
  }

  /** The id of the node in which a field is entered. */
  idOf({ block_id, action_id }) {
    return `${this.list.id} ${block_id} ${action_id}`.replaceAll(" ", "-");
  }
}

/** What a block's fields hold, but for those one types in: a change of any other draws its block anew. */
function held(view, block) {
  const fields = view.fields.filter((one) => one.block_id === block.block_id && !isTyped(one));
  return fields.map((one) => stateOf(view, one));
}

function stateOf(view, { block_id, action_id }) {
  return view.view.state.values[block_id][action_id];
}

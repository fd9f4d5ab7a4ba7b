// The elements of a message in which one chooses something, and the menus of further things to do.

import { words } from "./blocks.js";
import { drawField } from "./fields.js";
import { menuButton } from "./menu.js";
import { icon } from "./nodes.js";

/** Tell how to draw an element of *message* that keeps a value; `does` is that of `MessageList`. */
export function controlsOf(message, directory, does) {
  return (block, one) => {
    if (one.type === "overflow") return drawOverflow(block, one, (value) => does.use(message, block, one, value));
    const label = (one.placeholder ?? block.text ?? { text: "Choose" }).text;
    return drawField(one, {
      field: { label, choices: message.choices[one.action_id] ?? [] },
      id: `field-${message.ts}-${block.block_id}-${one.action_id}`.replaceAll(/[^\w-]/g, "-"),
      state: untouched(one),
      label,
      tz: directory.tz,
      text: (object) => words(object, directory),
      enter: (value) => does.use(message, block, one, value),
      suggest: (typed) => does.suggest(message, block, one, typed),
    });
  };
}

/** Draw an overflow menu; `choose(value)` is told. */
export function drawOverflow(block, one, choose) {
  const items = () =>
    one.options.map(({ text, description, value, url }) => ({
      name: text.text,
      description: description?.text,
      choose: () => {
        if (url) window.open(url, "_blank", "noopener");
        choose(value ?? text.text);
      },
    }));
  const id = `more-${block.block_id}-${one.action_id}`.replaceAll(/[^\w-]/g, "-");
  return menuButton({ id, label: "More", items }, icon("more"));
}

/** The state of an element that nobody has touched. */
function untouched(one) {
  const given = Object.entries(one).filter(([name]) => name.startsWith("initial_") && name !== "initial_value");
  const kept = given.map(([name, value]) => [name.replace("initial", "selected"), value]);
  return { value: one.initial_value, selected_option: null, ...Object.fromEntries(kept) };
}

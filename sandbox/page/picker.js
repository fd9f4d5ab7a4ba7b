// The picker of emoji: those for every day, and all others by their names.

import { character, search } from "./emoji.js";
import { element } from "./nodes.js";
import { Options } from "./options.js";
import { closePopover, isOpen, openBeside } from "./popover.js";

/** Let *button* open the picker; `choose(name)` is told of the emoji. */
export function opensPicker(button, choose) {
  button.setAttribute("aria-haspopup", "dialog");
  button.setAttribute("aria-expanded", false);
  button.addEventListener("click", () => (isOpen(button) ? closePopover() : open(button, choose)));
}

function open(button, choose) {
  const box = element("input", {
    type: "text",
    placeholder: "Search all emoji",
    "aria-label": "Search all emoji",
    autocomplete: "off",
    input: look,
    keydown: (event) => {
      if (event.key === "Escape" || !options.takesKey(event)) return;
      event.preventDefault();
    },
  });
  const options = new Options(box, { label: "Emoji", take, draw: ({ name }) => character(name), isGrid: true });
  const name = element("p", { class: "named", "aria-hidden": true });
  const panel = element(
    "div",
    { class: "picker popover", role: "dialog", "aria-label": "Choose an emoji", mousemove: tell, keyup: tell },
    box,
    options.list,
    name,
  );
  openBeside(button, panel);
  look();
  box.focus();

  function look() {
    options.show(search(box.value).map((one) => ({ name: one, title: `:${one}:` })), "No emoji is called that");
    tell();
  }

  function tell() {
    const active = options.items[options.active];
    name.textContent = active ? `${character(active.name)} :${active.name}:` : "";
  }

  function take(item) {
    closePopover();
    choose(item.name);
  }
}

// What is offered while one types a slash: commands and global shortcuts; then, how the command is used.

import { offer } from "./menu.js";
import { element } from "./nodes.js";

const typed = document.getElementById("typed");
const box = document.getElementById("slash");
const list = document.getElementById("slash-list");
const usage = document.getElementById("usage");

let offered = []; // everything there is: each a `name` and `choose()`
let shown = []; // of that, what fits what is typed
let active = 0; // which of those Enter takes
let dismissed = false; // by Esc, until the slash is gone

/** Offer these commands and shortcuts from now on; a command's `name` is what is typed, and begins with a slash. */
export function offerOnSlash(items) {
  offered = items;
}

/** Take a key that is meant for the list. Says whether it was. */
export function takesKey({ key, shiftKey }) {
  if (box.hidden || shiftKey) return false;
  if (key === "Escape") {
    dismissed = true;
    refresh();
    return true;
  }
  if (shown.length === 0) return false;
  const step = { ArrowDown: 1, ArrowUp: -1 }[key];
  if (step) {
    mark((active + step + shown.length) % shown.length);
    return true;
  }
  const isWhole = shown[active].name === typed.value.trim(); // Enter sends a command that is typed out
  if (key !== "Tab" && (key !== "Enter" || isWhole)) return false;
  take(shown[active]);
  return true;
}

/** Offer what fits what is typed now. */
export function refresh() {
  const text = typed.value.toLowerCase();
  if (!text.startsWith("/")) dismissed = false;
  const [word, ...rest] = text.split(" ");
  const command = rest.length > 0 ? offered.find((one) => one.name === word) : null;
  const isBare = rest.every((part) => part === "");
  const isOpen = text.startsWith("/") && !dismissed && document.activeElement === typed;
  shown = isOpen && !command ? offered.filter((one) => fits(one, text)) : [];
  list.replaceChildren(...shown.map(draw));
  usage.replaceChildren(...(command ? offer(command) : []));
  usage.hidden = !isOpen || !command?.hint || !isBare;
  list.hidden = shown.length === 0;
  box.hidden = usage.hidden && list.hidden;
  mark(0);
}

/** A command is typed from its beginning; a shortcut is found by any word of its name. */
function fits({ name }, text) {
  const known = name.toLowerCase();
  return known.startsWith(text) || (!known.startsWith("/") && ` ${known}`.includes(` ${text.slice(1)}`));
}

function draw(item, index) {
  return element(
    "li",
    {
      id: `slash-${index}`,
      role: "option",
      mousedown: (event) => event.preventDefault(), // the focus stays where one types
      mousemove: () => mark(index),
      click: () => take(item),
    },
    offer(item),
  );
}

function mark(index) {
  active = index;
  [...list.children].forEach((option, at) => option.setAttribute("aria-selected", at === active));
  list.children[active]?.scrollIntoView({ block: "nearest" });
  if (shown.length) typed.setAttribute("aria-activedescendant", `slash-${active}`);
  else typed.removeAttribute("aria-activedescendant");
}

function take(item) {
  typed.value = item.name.startsWith("/") ? `${item.name} ` : "";
  refresh();
  item.choose?.();
}

typed.addEventListener("input", refresh);
typed.addEventListener("focus", refresh);
typed.addEventListener("blur", refresh);

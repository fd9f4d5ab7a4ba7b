// Menus of things to do: each opens beside its button, has the focus, and gives it back when it is closed.

import { element } from "./nodes.js";
import { closePopover, isOpen, openBeside } from "./popover.js";

/** Make a button that opens a menu of `items()`; its name, by which the menu is called too, is *label*. */
export function menuButton({ id, label, items }, ...children) {
  const button = element("button", { type: "button", class: "icon", id, title: label }, ...children);
  opensMenu(button, { label, items });
  return button;
}

/**
 * Let *button* open a menu.
 *
 * `items()` tells what is in it: each a `name`, what is `about` it, and `choose()`; `isDanger` for what cannot be taken
 * back, `isApart` where a line is drawn above.
 */
export function opensMenu(button, { label, items }) {
  button.setAttribute("aria-label", label);
  button.setAttribute("aria-haspopup", "menu");
  button.setAttribute("aria-expanded", false);
  button.addEventListener("click", () => (isOpen(button) ? closePopover() : open(button, label, items())));
}

/** Draw what an app offers: its picture, a name with a *hint* behind it, what it does, and whose it is. */
export function offer({ image, name, hint, description, by }) {
  return [
    image && element("img", { src: image, alt: "", width: 28, height: 28 }),
    element(
      "span",
      { class: "what" },
      element("strong", {}, name),
      hint && element("span", {}, ` ${hint}`),
      description && element("small", {}, description),
    ),
    by && element("span", { class: "by" }, by),
  ].filter(Boolean);
}

function open(button, label, items) {
  const menu = element(
    "div",
    { class: "menu popover", role: "menu", "aria-label": label, keydown: (event) => move(event, menu) },
    items.map((item) =>
      element(
        "button",
        {
          type: "button",
          role: "menuitem",
          tabindex: -1,
          class: [item.isDanger && "danger", item.isApart && "apart"].filter(Boolean).join(" "),
          click: () => choose(item),
        },
        offer(item),
      ),
    ),
  );
  openBeside(button, menu);
  menu.firstElementChild?.focus();
}

function choose(item) {
  closePopover();
  item.choose();
}

function move(event, menu) {
  const items = [...menu.children];
  const at = items.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
  if (event.key === "Tab") closePopover(); // and on from its button
  if (to === undefined) return;
  event.preventDefault();
  items.at(to % items.length).focus();
}

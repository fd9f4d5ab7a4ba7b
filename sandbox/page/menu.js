// Menus of things to do: each opens beside its button, has the focus, and gives it back when it is closed.

import { element } from "./nodes.js";

const GAP = 6; // pixels between a button and its menu, and between a menu and the window's edge

let open = null; // the menu that is open, with its button: one at a time

/** Make a button that opens a menu of `items()`; its name, by which the menu is called too, is *label*. */
export function menuButton({ id, label, items }, ...children) {
  const button = element("button", { type: "button", id, title: label }, ...children);
  opensMenu(button, { label, items });
  return button;
}

/** Let *button* open a menu. `items()` tells what is in it: each a `name`, what is `about` it, and `choose()`. */
export function opensMenu(button, { label, items }) {
  button.setAttribute("aria-label", label);
  button.setAttribute("aria-haspopup", "menu");
  button.setAttribute("aria-expanded", false);
  button.addEventListener("click", () => {
    const isOpen = open?.button === button;
    close();
    if (!isOpen) show(button, label, items());
  });
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
    element("span", { class: "by" }, by),
  ];
}

function show(button, label, items) {
  const menu = element(
    "div",
    { class: "menu", role: "menu", "aria-label": label, keydown: move },
    items.map((item) =>
      element("button", { type: "button", role: "menuitem", tabindex: -1, click: () => choose(item) }, offer(item)),
    ),
  );
  document.body.append(menu);
  open = { menu, button };
  button.setAttribute("aria-expanded", true);
  place(menu, button.getBoundingClientRect());
  menu.firstElementChild?.focus();
}

/** Put a menu below its button, or above where there is no room, and towards the middle of the window. */
function place(menu, button) {
  const below = button.bottom + GAP;
  const fits = below + menu.offsetHeight + GAP <= innerHeight;
  const isRight = button.left > innerWidth / 2;
  menu.style.top = `${Math.max(GAP, fits ? below : button.top - GAP - menu.offsetHeight)}px`;
  menu.style.left = `${Math.max(GAP, isRight ? button.right - menu.offsetWidth : button.left)}px`;
}

function choose(item) {
  close();
  item.choose();
}

/** Close the menu that is open, if any, and give the focus back unless the reader has put it elsewhere. */
function close() {
  if (!open) return;
  const { menu, button } = open;
  open = null;
  const isFree = menu.contains(document.activeElement) || document.activeElement === document.body;
  menu.remove();
  button.setAttribute("aria-expanded", false);
  if (isFree) (document.getElementById(button.id) ?? button).focus(); // it may have been drawn anew meanwhile
}

function move(event) {
  const items = [...open.menu.children];
  const at = items.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
  if (event.key === "Tab") close(); // and on from its button
  if (event.key === "Escape") close();
  if (event.key === "Escape" || to !== undefined) event.preventDefault();
  if (to !== undefined) items.at(to % items.length).focus();
}

document.addEventListener("click", ({ target }) => {
  if (open && !open.menu.contains(target) && !open.button.contains(target)) close();
});

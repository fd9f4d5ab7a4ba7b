// The trouble drawer: makes Blooio, Slack and the bot fail on purpose, so that one can watch it heal.

import { element, icon } from "./nodes.js";
import * as routes from "./routes.js";
import { tell } from "./tell.js";
import { GROUPS } from "./trouble-kinds.js";

const drawer = document.getElementById("trouble");
const button = document.getElementById("trouble-button");
const count = document.getElementById("trouble-count");
const now = element("p", { class: "now", role: "status" });
const back = element("button", { type: "button", class: "button", click: () => act(back, routes.takeAllBack) }, "Take everything back");

let trouble = null; // what the sandbox told last
const rows = GROUPS.flatMap(({ name, kinds }) => kinds.map((kind) => new Row(name, kind)));

drawer.append(
  element(
    "header",
    {},
    element("h2", { id: "trouble-title" }, "Trouble"),
    element("button", { type: "button", class: "icon", "aria-label": "Close trouble", title: "Close", click: close }, icon("close")),
  ),
  element(
    "div",
    { class: "inside" },
    element("p", { class: "lead" }, "Break something, send a text, and watch it heal."),
    element("div", { class: "sum" }, now, back),
    GROUPS.map(({ name }) => element("section", { "aria-label": name }, element("h3", {}, name), rows.filter((row) => row.group === name).map(({ node }) => node))),
  ),
);
button.addEventListener("click", () => (drawer.hidden ? open() : close()));
drawer.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented) return;
  event.preventDefault();
  close();
});

/** Show what is wrong now. */
export function showTrouble(told) {
  trouble = told;
  const on = rows.filter((row) => row.show(told)).map((row) => `${row.group}: ${row.kind.name}`);
  const once = [...told.faults, ...told.mischief].filter((one) => one.times !== null).length;
  if (once) on.push(once === 1 ? "1 more, once" : `${once} more, once each`);
  count.hidden = on.length === 0;
  set(count, String(on.length));
  set(now, on.length ? `Now: ${on.join("; ")}` : "Nothing is wrong now.");
  if (on.length === 0 && back === document.activeElement) drawer.querySelector("button").focus(); // which goes on
  back.disabled = on.length === 0;
}

/** Open the drawer. */
export function open() {
  drawer.hidden = false;
  button.setAttribute("aria-expanded", true);
  drawer.querySelector("button").focus();
}

function close() {
  const hadFocus = drawer.contains(document.activeElement);
  drawer.hidden = true;
  button.setAttribute("aria-expanded", false);
  if (hadFocus) button.focus();
}

/** One kind of trouble: its switch, or its button, and what there is to expect. */
function Row(group, kind) {
  const id = `trouble-${group}-${kind.name}`.replaceAll(/[^\w-]+/g, "-");
  const described = { "aria-describedby": `${id}-about` };
  const box = kind.turn && element("input", { type: "checkbox", role: "switch", id, ...described });
  const once =
    kind.once &&
    element("button", { type: "button", "aria-label": `${kind.onceIs ?? "Once"}: ${group}, ${kind.name}`, ...described }, kind.onceIs ?? "Once");
  const why = element("small", { class: "why" });
  box?.addEventListener("change", () => act(box, () => kind.turn(box.checked, trouble)));
  once?.addEventListener("click", () => act(once, kind.once));
  this.group = group;
  this.kind = kind;
  this.node = element(
    "div",
    { class: "switch" },
    box ?? element("span", {}),
    element(box ? "label" : "strong", box ? { for: id } : {}, element("span", { class: "unseen" }, `${group}: `), kind.name),
    once,
    element("small", { id: `${id}-about` }, kind.expect),
    why,
  );
  this.show = (told) => {
    const reason = kind.why?.(told) ?? "";
    const isOn = kind.isOn?.(told) ?? false;
    set(why, reason);
    for (const control of [box, once]) if (control) control.disabled = Boolean(reason);
    if (box && box.ariaBusy !== "true") box.checked = isOn;
    this.node.classList.toggle("on", isOn);
    return isOn;
  };
}

async function act(control, doing) {
  control.ariaBusy = "true";
  try {
    await doing();
    trouble = await routes.trouble();
  } catch (mistake) {
    tell(mistake.message);
  } finally {
    control.ariaBusy = null;
    if (trouble) showTrouble(trouble);
  }
}

function set(node, words) {
  if (node.textContent !== words) node.textContent = words;
}

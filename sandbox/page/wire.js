// The wire: each request and webhook between the bot, Slack and Blooio as it happens, with what it carried.

import { fillIn } from "./dates.js";
import { element, icon } from "./nodes.js";
import * as routes from "./routes.js";
import { tell } from "./tell.js";
import { curlOf, laidOut, masked } from "./wire-masks.js";

const MOST = 500; // exchanges that are kept here

const VENDORS = { slack: "Slack", blooio: "Blooio" };
const SIGNATURES = {
  valid: "Signature checked: valid",
  old: "Signature checked: valid, but old; the bot should refuse it",
  wrong: "Signature checked: wrong; the bot should refuse it",
};

const panel = document.getElementById("wire");
const button = document.getElementById("wire-button");
const vendor = element(
  "select",
  { "aria-label": "Whose", change: filter },
  element("option", { value: "" }, "Slack and Blooio"),
  element("option", { value: "slack" }, "Slack"),
  element("option", { value: "blooio" }, "Blooio"),
);
const box = element("input", { type: "search", placeholder: "Filter by name or body", "aria-label": "Filter by name or body", input: filter });
const pause = toggle("Pause", (isOn) => isOn || look());
const full = toggle("Full screen", (isOn) => panel.classList.toggle("full", isOn));
const list = element("ol", { class: "exchanges", "aria-label": "Exchanges" });
const nothing = element("p", { class: "nothing" }, "Nothing has travelled yet. Send a text and watch.");
const details = element("div", { class: "details", role: "region", "aria-label": "Details", tabindex: 0 }, hint());

let tz = "UTC";
let since = 0; // the id of the last exchange that is known
let cleared = 0; // the id up to which everything was cleared away
let isLooking = false;
let isWanted = false; // once there is news while it looks
const kept = new Map(); // id to { exchange, row, text }

panel.append(
  element(
    "header",
    {},
    element("h2", { id: "wire-title" }, "Wire"),
    vendor,
    box,
    pause,
    element("button", { type: "button", click: clear }, "Clear"),
    full,
    element("button", { type: "button", class: "icon", "aria-label": "Close the wire", title: "Close", click: close }, icon("close")),
  ),
  element("div", { class: "both" }, element("div", { class: "rows" }, nothing, list), details),
);
button.addEventListener("click", () => (panel.hidden ? open() : close()));
panel.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented) return;
  event.preventDefault();
  close();
});

/** Look whether something has travelled, if anybody looks. Times are written for the time zone. */
export function showWire(zone) {
  tz = zone;
  if (!panel.hidden && pause.getAttribute("aria-pressed") === "false") look();
}

function open() {
  panel.hidden = false;
  button.setAttribute("aria-expanded", true);
  box.focus();
  look();
}

function close() {
  panel.hidden = true;
  button.setAttribute("aria-expanded", false);
  button.focus();
}

async function look() {
  isWanted = true;
  if (isLooking) return;
  isLooking = true;
  try {
    while (isWanted) {
      isWanted = false;
      add(await routes.exchanges({ since, latest: MOST }));
    }
  } catch {
    // who follows the sandbox says that it does not answer
  } finally {
    isLooking = false;
  }
}

/** Add rows below those that are there; what was drawn is not drawn again. */
function add(found) {
  const isAtEnd = list.parentElement.scrollHeight - list.parentElement.scrollTop - list.parentElement.clientHeight < 40;
  for (const exchange of found) {
    since = Math.max(since, exchange.id);
    if (exchange.id <= cleared || kept.has(exchange.id)) continue;
    const row = drawRow(exchange);
    const text = `${wayOf(exchange)} ${nameOf(exchange)} ${exchange.raw_path} ${JSON.stringify(masked([exchange.body, exchange.response]))}`.toLowerCase();
    kept.set(exchange.id, { exchange, row, text });
    row.hidden = !fits(kept.get(exchange.id));
    list.append(row);
  }
  for (const [id, { row }] of kept) {
    if (kept.size <= MOST) break;
    row.remove();
    kept.delete(id);
  }
  nothing.hidden = kept.size > 0;
  if (isAtEnd && found.length) list.parentElement.scrollTop = list.parentElement.scrollHeight;
}

function drawRow(exchange) {
  const isBad = exchange.status === 0 || exchange.status >= 400 || exchange.response?.ok === false;
  return element(
    "li",
    {},
    element(
      "button",
      { type: "button", class: isBad ? "bad" : "", click: (event) => choose(exchange, event.currentTarget) },
      element("span", { class: "at" }, fillIn("{time_secs}", exchange.at, tz)),
      element("span", { class: `way ${exchange.vendor}` }, wayOf(exchange)),
      element("span", { class: "name" }, nameOf(exchange)),
      element("span", { class: "status" }, statusOf(exchange)),
      element("span", { class: "took" }, took(exchange.seconds)),
    ),
  );
}

function choose(exchange, row) {
  for (const one of list.querySelectorAll('[aria-current="true"]')) one.removeAttribute("aria-current");
  row.setAttribute("aria-current", "true");
  const curl = curlOf(exchange);
  const shown = [
    element("h3", {}, `${wayOf(exchange)}: ${nameOf(exchange)}`),
    element("p", { class: "line" }, [`${exchange.method} ${masked(exchange.raw_path)}`, statusOf(exchange), took(exchange.seconds)].join(" · ")),
    exchange.fault && element("p", { class: "struck" }, `Trouble that was ordered: ${exchange.fault.replaceAll("_", " ")}`),
    exchange.signature && element("p", { class: `signature ${exchange.signature}` }, SIGNATURES[exchange.signature]),
    curl
      ? element("button", { type: "button", class: "button", click: () => copy(curl) }, "Copy as curl")
      : element("p", { class: "line" }, "It went over the websocket that the bot keeps open, so it needs no signature."),
    part("Headers", laidOut(exchange.headers)),
    part("Body", laidOut(exchange.body)),
    part("Answer", laidOut(exchange.response)),
  ];
  details.replaceChildren(...shown.filter(Boolean));
  details.scrollTop = 0;
}

function part(title, text) {
  return element("details", { open: title !== "Headers" }, element("summary", {}, title), text ? element("pre", {}, text) : element("p", {}, "Empty"));
}

async function copy(text) {
  const copied = await navigator.clipboard.writeText(text).catch(() => "refused");
  tell(copied === "refused" ? "The browser did not let the page copy." : "Copied, with secrets masked");
}

function clear() {
  cleared = since;
  kept.clear();
  list.replaceChildren();
  details.replaceChildren(hint());
  nothing.hidden = false;
}

function filter() {
  for (const one of kept.values()) one.row.hidden = !fits(one);
}

function fits({ exchange, text }) {
  const words = box.value.toLowerCase().split(" ").filter(Boolean);
  return (!vendor.value || vendor.value === exchange.vendor) && words.every((word) => text.includes(word));
}

function wayOf({ vendor: whose, name }) {
  const other = VENDORS[whose];
  if (name.startsWith("deliver:")) return `${other} → bot`;
  if (name.startsWith("fetch:")) return `${other} → file`;
  return `bot → ${other}`;
}

function nameOf({ name, vendor: whose, body }) {
  const what = name.startsWith("deliver:") && whose === "slack" && (body?.event?.type ?? body?.command ?? body?.type);
  return [name.replace(/^(deliver|fetch|file):/, ""), what].filter(Boolean).join(" ");
}

function statusOf({ status, response }) {
  if (status === 0) return "no answer";
  return response?.ok === false && response.error ? `${status} ${response.error}` : String(status);
}

function took(seconds) {
  return seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`;
}

function hint() {
  return element("p", { class: "nothing" }, "Choose a line to see what it carried.");
}

function toggle(name, change) {
  const made = element("button", { type: "button", "aria-pressed": "false" }, name);
  made.addEventListener("click", () => {
    const isOn = made.getAttribute("aria-pressed") === "false";
    made.setAttribute("aria-pressed", String(isOn));
    change(isOn);
  });
  return made;
}

// The phones: a list of the people with what they got last, and one phone that is open.

import { timeOf } from "./dates.js";
import { element, show } from "./nodes.js";
import { addsPhones } from "./phones-new.js";
import { Screen } from "./phones-screen.js";

const CHANNELS = { imessage: "iMessage", rcs: "RCS", sms: "SMS" };

const list = document.getElementById("phones");
const line = document.getElementById("line");
const place = document.getElementById("phone-open");

const screens = new Map(); // address to the screen, which keeps what is being typed
let chosen = null; // the address of the phone that the reader has chosen; null: the one that was last active
let last = null; // what was shown last

/** Draw the phones, the one with the newest text first. `begin(phone)` is told whom the reader wants to text. */
export function showPhones(blooio, { team, tz, begin }) {
  last = { blooio, team, tz, begin };
  line.textContent = blooio.line ? `${team} texts from ${spaced(blooio.line)}` : "";
  const phones = blooio.phones.toSorted((one, other) => newest(other) - newest(one));
  const open = phones.find((one) => one.address === chosen) ?? phones[0];
  const items = phones.map((phone) => ({ key: phone.address, ...row(phone, tz), isOpen: phone === open }));
  show(list, items, drawRow);
  if (!open) return place.replaceChildren();
  if (!screens.has(open.address)) screens.set(open.address, new Screen(open.address));
  const screen = screens.get(open.address);
  if (place.firstElementChild !== screen.node) place.replaceChildren(screen.node);
  screen.show(open, { team, tz, begin });
}

/** Open the phone with this address, and keep it open. */
export function choosePhone(address) {
  chosen = address;
  if (last) showPhones(last.blooio, last);
}

/** Write an address as people write it: `+1 555 123 4567`. */
export function spaced(address) {
  return address.replace(/^\+1(\d{3})(\d{3})(\d{4})$/, "+1 $1 $2 $3");
}

/** Say whose phone it is. */
export function owner(phone) {
  return phone.name ?? spaced(phone.address);
}

/** Say what a text to the phone travels over. */
export function channelOf(phone) {
  return CHANNELS[phone.channel] ?? "nothing";
}

/** The first letters of somebody's names, for a picture of them. */
export function initials(phone) {
  const words = phone.name?.split(" ").filter(Boolean) ?? [];
  return words.length ? words.map((word) => [...word][0]).slice(0, 2).join("").toUpperCase() : "#";
}

function newest(phone) {
  return Math.max(0, ...phone.texts.map((one) => one.reached_at ?? one.at));
}

/** What the list says of a phone. */
function row(phone, tz) {
  const texts = phone.texts.filter((one) => one.direction === "inbound" || one.reached_at);
  const latest = texts.at(-1);
  return {
    address: phone.address,
    name: owner(phone),
    initials: initials(phone),
    channel: phone.channel,
    about: latest ? preview(latest) : `${channelOf(phone)}, no texts yet`,
    time: latest ? timeOf(latest.reached_at ?? latest.at, tz) : "",
    unread: texts.filter((one) => one.direction === "outbound" && !one.read_at).length,
  };
}

function preview(text) {
  const words = text.text ?? (text.voice_memo ? "Voice memo" : "Attachment");
  return text.direction === "inbound" ? `You: ${words}` : words;
}

function drawRow({ address, name, initials, channel, about, time, unread, isOpen }) {
  return element(
    "li",
    {},
    element(
      "button",
      { type: "button", class: "who", "aria-current": isOpen && "true", click: () => choosePhone(address) },
      element("span", { class: `face ${channel ?? ""}`, "aria-hidden": "true" }, initials),
      element("span", { class: "what" }, element("strong", {}, name), element("span", {}, about)),
      element(
        "span",
        { class: "when" },
        element("span", {}, time),
        unread > 0 && element("span", { class: "badge" }, String(unread), element("span", { class: "unseen" }, " unread")),
      ),
    ),
  );
}

addsPhones(document.getElementById("new-phone"), {
  known: () => last?.blooio.phones ?? [],
  open: choosePhone,
});

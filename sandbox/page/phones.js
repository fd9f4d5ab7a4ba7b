// The phones: what reached each person, coloured by channel, and what is still on its way.

import { timeOf } from "./dates.js";
import { element, show } from "./nodes.js";

const CHANNELS = { imessage: "iMessage", rcs: "RCS", sms: "SMS" };
const SLOW = 2; // seconds; a phone that takes longer says so

const list = document.getElementById("phones");
const line = document.getElementById("line");

/** Draw the phones, the one with the newest text first. `begin(phone)` is told whom the reader wants to text. */
export function showPhones(blooio, { team, tz, begin }) {
  line.textContent = blooio.line ? `${team} texts from ${spaced(blooio.line)}` : "";
  const phones = blooio.phones.toSorted((one, other) => newest(other) - newest(one));
  const items = phones.map(({ texts, ...phone }) => ({ key: phone.address, phone }));
  show(list, items, ({ phone }) => drawPhone(phone, begin));
  for (const [index, { texts }] of phones.entries()) {
    const shown = texts.map((text) => ({ key: text.id, text, tz }));
    show(list.children[index].querySelector(".texts"), shown, drawText);
  }
}

/** Write an address as people write it: `+1 555 123 4567`. */
export function spaced(address) {
  return address.replace(/^\+1(\d{3})(\d{3})(\d{4})$/, "+1 $1 $2 $3");
}

/** Say whose phone it is. */
export function owner(phone) {
  return phone.name ?? phone.address;
}

/** Say what a text to the phone travels over. */
export function channelOf(phone) {
  return CHANNELS[phone.channel] ?? "nothing";
}

function newest(phone) {
  return Math.max(0, ...phone.texts.map((one) => one.reached_at ?? one.at));
}

function drawPhone(phone, begin) {
  const name = owner(phone);
  return element(
    "li",
    { class: "phone" },
    element(
      "div",
      { class: "whose" },
      element("strong", {}, name),
      element("button", { type: "button", click: () => begin(phone), "aria-label": `Text ${name}` }, "Text"),
      phone.name && element("span", {}, spaced(phone.address)),
      element("span", {}, traits(phone).join(" · ")),
    ),
    element("ol", { class: "texts", role: "log", "aria-label": `Texts on the phone of ${name}` }),
  );
}

function traits(phone) {
  const found = [channelOf(phone), phone.delivered_after > SLOW && "slow", phone.fails_with && "nothing arrives"];
  return found.filter(Boolean);
}

function drawText({ text, tz }) {
  const words = text.text ?? "(an attachment)";
  if (text.direction === "inbound") return element("li", { class: "bubble answer" }, words);
  if (text.reached_at) {
    const facts = [CHANNELS[text.protocol], capitalised(text.status), timeOf(text.reached_at, tz)].filter(Boolean);
    return element("li", { class: `bubble ${text.protocol}` }, words, element("small", {}, facts.join(" · ")));
  }
  const fate = text.status === "failed" ? `A text did not arrive: ${text.error}` : "A text is on its way…";
  return element("li", { class: "fate" }, fate);
}

function capitalised(word) {
  return word[0].toUpperCase() + word.slice(1);
}

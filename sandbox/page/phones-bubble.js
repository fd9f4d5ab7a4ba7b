// One text on a phone's screen: a bubble with its files, the tapbacks on it, and what became of it.

import { timeOf } from "./dates.js";
import { drawFiles, picture } from "./files.js";
import { element, icon, iconButton } from "./nodes.js";
import { closePopover, isOpen, openBeside } from "./popover.js";

const CHANNELS = { imessage: "iMessage", rcs: "RCS", sms: "SMS" };
const PICTURES = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/** The classic six, by the words that travel. */
const TAPBACKS = { love: "❤️", like: "👍", dislike: "👎", laugh: "😂", emphasize: "‼️", question: "❓" };

/** Draw a text; `react(reaction)` is told what its owner puts on it, as `routes.react` takes it. */
export function drawBubble({ text, tz, channel, address, isLastOwn, startsDay }, react) {
  const isOwn = text.direction === "inbound";
  const isThere = isOwn || text.reached_at;
  const heading = startsDay && element("p", { class: "stretch" }, heads(text, tz));
  if (!isThere) return element("li", {}, heading, element("p", { class: "fate" }, fate(text)));
  const bubble = element(
    "div",
    { class: `bubble ${isOwn ? "own" : "got"} ${text.protocol ?? ""}` },
    element("span", { class: "unseen" }, isOwn ? "You: " : "You got: "),
    text.text && element("p", {}, text.text),
    text.attachments.flatMap((one) => drawAttachment(one, text)),
    drawTapbacks(text.reactions),
  );
  const side = element("div", { class: isOwn ? "side own" : "side" }, bubble, !isOwn && tapbackButton(text, { address, channel }, react));
  return element("li", { class: text.reactions.length ? "reacted" : "" }, heading, side, receipt(text, { tz, isOwn, isLastOwn }));
}

function heads(text, tz) {
  return [element("strong", {}, CHANNELS[text.protocol] ?? "Text"), ` ${timeOf(text.reached_at ?? text.at, tz)}`];
}

function fate(text) {
  return text.status === "failed" ? `A text did not arrive: ${text.error}` : "A text is on its way…";
}

/** What its writer knows: of a text that we sent, and under the last one of the owner's. */
function receipt(text, { tz, isOwn, isLastOwn }) {
  if (isOwn && !isLastOwn) return null;
  const read = text.read_at ? `Read ${timeOf(text.read_at, tz)}` : null;
  const delivered = isOwn ? "Delivered" : `Delivered ${timeOf(text.reached_at, tz)}`;
  return element("p", { class: isOwn ? "receipt own" : "receipt" }, read ?? delivered);
}

function drawTapbacks(reactions) {
  if (!reactions.length) return null;
  const all = reactions.map(({ reaction, sender }) => {
    const who = sender === null ? "them" : "you";
    const label = `${name(reaction)} by ${who}`;
    return element("span", { class: sender === null ? "theirs" : "", role: "img", "aria-label": label, title: label }, TAPBACKS[reaction] ?? reaction);
  });
  return element("div", { class: "tapbacks" }, all);
}

function tapbackButton(text, { address, channel }, react) {
  const button = iconButton("react", "React", { id: `tapback-${text.id}`, "aria-haspopup": "true", "aria-expanded": "false" });
  const mine = text.reactions.find(({ sender }) => sender === address)?.reaction;
  button.addEventListener("click", () => {
    if (isOpen(button)) return closePopover();
    const choices = Object.entries(TAPBACKS).map(([reaction, character]) => {
      const isOn = reaction === mine;
      const click = () => {
        closePopover();
        react({ reaction, message_id: text.id, action: isOn ? "remove" : "add", in_words: channel !== "imessage" });
      };
      return element(
        "button",
        { type: "button", class: "icon", title: name(reaction), "aria-label": name(reaction), "aria-pressed": String(isOn), click },
        character,
      );
    });
    openBeside(button, element("div", { class: "popover six", role: "group", "aria-label": "Tapbacks" }, choices));
    choices[0].focus();
  });
  return button;
}

function name(reaction) {
  return reaction[0].toUpperCase() + reaction.slice(1);
}

function drawAttachment(one, text) {
  if (one.problem) return element("p", { class: "broken" }, icon("wrong"), `${nameOf(one)}: ${one.problem}`);
  if (one.path && PICTURES.includes(one.media_type)) return picture(one.path, nameOf(one));
  const kind = { name: nameOf(one), title: text.voice_memo ? "Voice memo" : nameOf(one) };
  if (!one.path) return element("p", { class: "file" }, icon("file"), element("span", {}, kind.title));
  return drawFiles([{ ...kind, size: one.size ?? 0, path: one.path, mimetype: one.media_type ?? "application/octet-stream" }]);
}

function nameOf(one) {
  if (one.name) return one.name;
  const last = one.url.split(/[?#]/)[0].split("/").at(-1);
  try {
    return decodeURIComponent(last) || "a file";
  } catch {
    return last;
  }
}

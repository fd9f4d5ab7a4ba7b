// One message as one person sees it.

import { drawAttachment } from "./attachments.js";
import { drawBlocks } from "./blocks.js";
import { controlsOf } from "./controls.js";
import { fillIn, timeOf } from "./dates.js";
import { isOnlyEmoji } from "./emoji.js";
import { drawFiles } from "./files.js";
import { mrkdwn } from "./mrkdwn.js";
import { element, icon } from "./nodes.js";
import { address, permalink } from "./place.js";
import { drawReactions } from "./reactions.js";

const TOGETHER = 5 * 60; // seconds within which one author's messages stand under one name
const FACES = 5; // of those who replied in a thread

/** The lines that Slack writes in a conversation's own name. */
const LINES = /^(channel|group)_(join|leave|topic|purpose|name|archive|unarchive)$/;

/** Say whether *message* begins anew, with a picture and a name, after the one *before*. */
export function beginsAnew(message, before) {
  if (!before || [message, before].some(standsAlone)) return true;
  const isSame = ["user_id", "author", "image", "ephemeral"].every((name) => message[name] === before[name]);
  return !isSame || Number(message.ts) - Number(before.ts) > TOGETHER;
}

function standsAlone({ subtype }) {
  return LINES.test(subtype) || ["tombstone", "thread_broadcast"].includes(subtype);
}

/**
 * Draw a message: `isFirst` says whether with picture and name.
 *
 * *directory* is `mrkdwn`'s. `does` is that of `MessageList`; with `leadsToThread` its replies are counted and linked.
 */
export function drawMessage(message, { isFirst, directory, does, leadsToThread, hasNewReplies }) {
  const at = Number(message.ts);
  const kind = [
    "message",
    isFirst ? "first" : "next",
    message.ephemeral && "ephemeral",
    LINES.test(message.subtype) && "line",
    message.subtype === "tombstone" && "tombstone",
    message.subtype === "me_message" && "me",
  ];
  const when = { href: permalink(message.conversation_id, message.ts), title: fillIn("{date_long} at {time_secs}", at, directory.tz) };
  const time = element("a", { class: "time", ...when }, element("time", {}, timeOf(at, directory.tz)));
  return element(
    "li",
    { class: kind.filter(Boolean).join(" "), tabindex: -1 },
    element("div", { class: "gutter" }, isFirst ? face(message) : time),
    element(
      "div",
      { class: "said" },
      message.ephemeral && element("p", { class: "only-you" }, icon("eye"), "Only visible to you"),
      isFirst && message.subtype !== "tombstone" && drawAuthor(message, directory, time),
      message.subtype === "thread_broadcast" && drawReplyTo(message, leadsToThread),
      element("div", { class: "content" }, drawContent(message, directory, does)),
      drawFiles(message.files),
      drawReactions(message, directory, does.react),
      leadsToThread && message.reply_count > 0 && drawReplies(message, directory, hasNewReplies),
    ),
  );
}

function face(message) {
  if (message.subtype === "tombstone") return icon("bin");
  return element("img", { src: picture(message), alt: "", width: 36, height: 36 });
}

function drawAuthor(message, { people }, time) {
  const person = people[message.user_id];
  const team = person?.is_external && element("span", { class: "tag" }, person.team);
  return element(
    "div",
    { class: "author" },
    element("strong", {}, message.author),
    message.is_app && element("span", { class: "tag" }, "App"),
    team,
    time,
  );
}

function drawReplyTo({ conversation_id, ts, reply_to }, leadsToThread) {
  if (!leadsToThread) return element("p", { class: "reply-to" }, "Also sent to the channel");
  const words = reply_to?.split("\n")[0] || "a thread";
  return element("p", { class: "reply-to" }, "replied to a thread: ", element("a", { href: address(conversation_id, ts) }, words));
}

function drawContent(message, directory, does) {
  const press = (block, one) => does.use(message, block, one);
  const use = { directory, press, control: controlsOf(message, directory, does) };
  return [
    ...drawWords(message, directory, use),
    message.edited && element("span", { class: "edited" }, " (edited)"),
    ...message.attachments.map((one) => drawAttachment(one, use)),
  ];
}

function drawWords(message, directory, use) {
  if (message.is_app && message.blocks.length) return drawBlocks(message.blocks, use);
  // What a person typed is drawn from its text, in which Slack's clients find bold and the like.
  if (LINES.test(message.subtype)) return mrkdwn(message.text.replace(/^<@\w+> /, ""), directory);
  const drawn = mrkdwn(message.text, directory, { marks: message.formatted });
  return isOnlyEmoji(message.text) ? [element("span", { class: "large" }, drawn)] : drawn;
}

function drawReplies({ conversation_id, ts, reply_count, replies }, directory, hasNew) {
  const words = reply_count === 1 ? "1 reply" : `${reply_count} replies`;
  const last = replies.latest && fillIn("{date_short_pretty} at {time}", Number(replies.latest.ts), directory.tz);
  return element(
    "a",
    { class: "replies", href: address(conversation_id, ts) },
    replies.people.slice(0, FACES).map((id) => element("img", { src: avatar(id), alt: "", width: 22, height: 22 })),
    element("strong", {}, words),
    hasNew && element("span", { class: "badge" }, "New"),
    last && element("span", { class: "last" }, `Last reply ${last.replace(/^(To|Yester)/, (word) => word.toLowerCase())}`),
  );
}

/** The path of a message's picture. The page loads none but the sandbox's own. */
function picture({ image, user_id }) {
  const path = image && URL.canParse(image) ? new URL(image).pathname : "";
  return path.startsWith("/_sandbox/avatar/") ? path : avatar(user_id);
}

export function avatar(id) {
  return `/_sandbox/avatar/${id}.svg`;
}

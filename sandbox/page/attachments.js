// What hangs below a message's words: old attachments, and what Slack found behind a link.
// Source: docs.slack.dev/legacy/legacy-messaging/legacy-secondary-message-attachments.

import { drawBlocks } from "./blocks.js";
import { link, mrkdwn } from "./mrkdwn.js";
import { element } from "./nodes.js";

const NAMED = { good: "#2eb67d", warning: "#ecb22e", danger: "#e01e5a" };

/** Draw one attachment. `use` is that of `drawBlocks`. */
export function drawAttachment(attachment, use) {
  const { color = "", pretext, author_name, title, title_link, text, fields = [], blocks = [], footer } = attachment;
  const words = (said) => mrkdwn(said, use.directory);
  const isEmpty = !text && !title && !blocks.length && !fields.length && !author_name;
  const bar = element(
    "div",
    { class: "attachment" },
    author_name && element("div", { class: "by" }, author_name),
    title && element("strong", {}, title_link ? link(title_link, title) : title),
    text && element("div", {}, words(text)),
    fields.length > 0 && element("div", { class: "fields" }, fields.map((one) => drawField(one, words))),
    drawBlocks(blocks, use),
    isEmpty && attachment.fallback && element("div", {}, words(attachment.fallback)),
    footer && element("small", {}, footer),
  );
  const wanted = NAMED[color] ?? color;
  if (/^#?[0-9a-f]{6}$/i.test(wanted)) bar.style.borderLeftColor = `#${wanted.replace("#", "")}`;
  return element("div", {}, pretext && element("div", {}, words(pretext)), bar);
}

function drawField({ title, value }, words) {
  return element("div", {}, title && element("strong", {}, title), element("div", {}, words(value ?? "")));
}

// Slack's mrkdwn drawn as nodes: bold, italics, strikes, code, links, mentions and dates.
// Source: docs.slack.dev/messaging/formatting-message-text.

import { fillIn } from "./dates.js";
import { element } from "./nodes.js";
import { addressOfPermalink } from "./place.js";

const LINKED = new Set(["http:", "https:", "mailto:", "tel:"]);

const ENTITIES = { "&lt;": "<", "&gt;": ">", "&amp;": "&" };

/** What a marked stretch looks like; a mark counts only around whole words, so `2*3*4` and `snake_case` keep theirs. */
const marked = (mark, name) =>
  String.raw`(?<![\p{L}\p{N}_${mark}])${mark}(?<${name}>\S|\S[^\n]*?\S)${mark}(?![\p{L}\p{N}_${mark}])`;

const PIECE = new RegExp(
  [
    "```\\n?(?<pre>[^]*?)\\n?```",
    "`(?<code>[^`\\n]+)`",
    "<(?<token>[^<>]*)>",
    marked("\\*", "strong"),
    marked("_", "em"),
    marked("~", "s"),
  ].join("|"),
  "gu",
);

/** Draw *text* for a reader, whose *directory* knows people and conversations by id, and the reader's time zone. */
export function mrkdwn(text, directory) {
  const nodes = [];
  let end = 0;
  for (const piece of text.matchAll(PIECE)) {
    nodes.push(unescaped(text.slice(end, piece.index)));
    const [kind, inside] = Object.entries(piece.groups).find(([, value]) => value !== undefined);
    nodes.push(drawnPiece(kind, inside, directory));
    end = piece.index + piece[0].length;
  }
  nodes.push(unescaped(text.slice(end)));
  return nodes;
}

/** Make a link that is safe to follow: ours stay on this page, others open apart, and no scheme may run anything. */
export function link(target, label = target) {
  const url = URL.canParse(target) ? new URL(target) : null;
  if (!url || !LINKED.has(url.protocol)) return label;
  const here = addressOfPermalink(url);
  const attributes = here ? { href: here } : { href: url.href, target: "_blank", rel: "noopener noreferrer" };
  return element("a", attributes, label);
}

export function mention(name) {
  return element("span", { class: "mention" }, name);
}

/** Take the three entities off. */
export function unescaped(text) {
  return text.replace(/&(?:lt|gt|amp);/g, (entity) => ENTITIES[entity]);
}

function drawnPiece(kind, inside, directory) {
  if (kind === "token") return token(inside, directory);
  const verbatim = kind === "pre" || kind === "code";
  return element(kind, {}, verbatim ? unescaped(inside) : mrkdwn(inside, directory));
}

function token(inside, directory) {
  const [target, ...rest] = inside.split("|");
  const label = unescaped(rest.join("|"));
  const id = target.slice(1);
  switch (target[0]) {
    case "@":
      return mention(`@${directory.people[id]?.name ?? (label || id)}`);
    case "#":
      return mention(`#${directory.conversations[id]?.name ?? (label || id)}`);
    case "!":
      return id.startsWith("date^") ? date(id, label, directory.tz) : mention(label || `@${id}`);
  }
  const url = unescaped(target);
  return link(url, label || url.replace(/^(mailto|tel):/, ""));
}

function date(inside, fallback, tz) {
  const [, seconds, form] = inside.split("^");
  return /^-?\d+$/.test(seconds) && form ? fillIn(form, Number(seconds), tz) : fallback;
}

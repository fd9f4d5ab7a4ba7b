// Slack's mrkdwn drawn as nodes: bold, italics, strikes, code, quotes, links, mentions, emoji and dates.
// Source: docs.slack.dev/messaging/formatting-message-text.

import { fillIn } from "./dates.js";
import { withEmoji } from "./emoji.js";
import { element } from "./nodes.js";
import { addressOfPermalink } from "./place.js";

const LINKED = new Set(["http:", "https:", "mailto:", "tel:"]);

const ENTITIES = { "&lt;": "<", "&gt;": ">", "&amp;": "&" };

/** What a marked stretch looks like; a mark counts only around whole words, so `2*3*4` and `snake_case` keep theirs. */
const marked = (mark, name) =>
  String.raw`(?<![\p{L}\p{N}_${mark}])${mark}(?<${name}>\S|\S[^\n]*?\S)${mark}(?![\p{L}\p{N}_${mark}])`;

const TOKEN = "<(?<token>[^<>]*)>";
const BARE = String.raw`(?<bare>https?:\/\/[^\s<>|]*[^\s<>|.,;:!?'")\]*_~])`;
const QUOTE = String.raw`(?<=^|\n)(?<quote>(?:&gt;|>)[^\n]*(?:\n(?:&gt;|>)[^\n]*)*)\n?`;

const PIECE = new RegExp(
  [
    "```\\n?(?<pre>[^]*?)\\n?```",
    QUOTE,
    "`(?<code>[^`\\n]+)`",
    TOKEN,
    BARE,
    marked("\\*", "strong"),
    marked("_", "em"),
    marked("~", "s"),
  ].join("|"),
  "gu",
);
const LITERAL = new RegExp(`${TOKEN}|${BARE}`, "gu"); // of a text whose marks are words like others

/**
 * Draw *text* for a reader, whose *directory* knows people, conversations and user groups by id, and the reader's own
 * id (`viewer`) and time zone (`tz`). Without *marks* those of bold and the like are left as they are.
 */
export function mrkdwn(text, directory, { marks = true } = {}) {
  const nodes = [];
  let end = 0;
  for (const piece of text.matchAll(marks ? PIECE : LITERAL)) {
    nodes.push(plain(text.slice(end, piece.index)));
    const [kind, inside] = Object.entries(piece.groups).find(([, value]) => value !== undefined);
    nodes.push(drawnPiece(kind, inside, directory));
    end = piece.index + piece[0].length;
  }
  nodes.push(plain(text.slice(end)));
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

/** Draw the mention of a person; the reader's own stands out. */
export function mentionPerson(id, directory, label) {
  const name = directory.people[id]?.name ?? (label || id);
  return mention(`@${name}`, id === directory.viewer);
}

export function mentionChannel(id, directory, label) {
  const name = directory.conversations[id]?.name ?? (label || id);
  return mention(`#${name}`);
}

export function mentionGroup(id, directory, label) {
  const group = directory.groups[id];
  return mention(group ? `@${group.handle}` : label || `@${id}`, group?.members.includes(directory.viewer));
}

/** Draw a mention of everybody: *range* is `here`, `channel` or `everyone`. */
export function mentionEverybody(range) {
  return mention(`@${range}`, true);
}

function mention(name, isLoud = false) {
  return element("span", { class: isLoud ? "mention loud" : "mention" }, name);
}

/** Take the three entities off. */
export function unescaped(text) {
  return text.replace(/&(?:lt|gt|amp);/g, (entity) => ENTITIES[entity]);
}

/** Write a date macro's moment for a reader; *fallback* if it is none. */
export function date(seconds, form, fallback, { tz }) {
  return /^-?\d+$/.test(seconds) && form ? fillIn(form, Number(seconds), tz) : fallback;
}

function plain(text) {
  return unescaped(withEmoji(text));
}

function drawnPiece(kind, inside, directory) {
  if (kind === "token") return token(inside, directory);
  if (kind === "bare") return link(unescaped(inside));
  if (kind === "quote") return element("blockquote", {}, mrkdwn(inside.replace(/^(?:&gt;|>) ?/gm, ""), directory));
  const verbatim = kind === "pre" || kind === "code";
  return element(kind, {}, verbatim ? unescaped(inside) : mrkdwn(inside, directory));
}

function token(inside, directory) {
  const [target, ...rest] = inside.split("|");
  const label = unescaped(rest.join("|"));
  const id = target.slice(1);
  switch (target[0]) {
    case "@":
      return mentionPerson(id, directory, label);
    case "#":
      return mentionChannel(id, directory, label);
    case "!":
      return special(id, label, directory);
  }
  const url = unescaped(target);
  return link(url, withEmoji(label) || url.replace(/^(mailto|tel):/, ""));
}

function special(inside, label, directory) {
  const [what, id, form] = inside.split("^");
  if (what === "date") return date(id, form, label, directory);
  if (what === "subteam") return mentionGroup(id, directory, label);
  return label ? mention(label) : mentionEverybody(inside);
}

/** Write a message's text as its author typed it, to be edited. */
export function asTyped(text, directory) {
  const names = text.replace(/<([^<>]*)>/g, (_, inside) => {
    const [target, label] = inside.split("|");
    const id = target.slice(1);
    if (target[0] === "@") return `@${directory.people[id]?.handle ?? label ?? id}`;
    if (target[0] === "#") return `#${directory.conversations[id]?.name ?? label ?? id}`;
    if (target.startsWith("!subteam^")) return `@${directory.groups[target.slice(9)]?.handle ?? label}`;
    return target[0] === "!" ? `@${id}` : (label ?? target);
  });
  return unescaped(withEmoji(names));
}

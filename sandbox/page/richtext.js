// Rich text drawn as nodes. Source: docs.slack.dev/reference/block-kit/blocks/rich-text-block.

import { character } from "./emoji.js";
import { date, link, mentionChannel, mentionEverybody, mentionGroup, mentionPerson } from "./mrkdwn.js";
import { element } from "./nodes.js";

const STYLES = { bold: "strong", italic: "em", strike: "s", underline: "u", code: "code" };
const MARKERS = ["1", "a", "i"]; // of ordered lists, by how far they are indented

/** Draw a block of rich text. *directory* is `mrkdwn`'s. */
export function drawRichText(block, directory) {
  return element("div", { class: "rich" }, block.elements.map((one) => drawPart(one, directory)));
}

function drawPart(part, directory) {
  if (part.type === "rich_text_list") return drawList(part, directory);
  const name = { rich_text_quote: "blockquote", rich_text_preformatted: "pre" }[part.type] ?? "div";
  return element(name, {}, leaves(part, directory));
}

function drawList({ style, indent = 0, offset = 0, elements }, directory) {
  const items = elements.map((item) => element("li", {}, leaves(item, directory)));
  if (style !== "ordered") return element("ul", { class: `bullets indent-${indent}` }, items);
  const type = MARKERS[indent % MARKERS.length];
  return element("ol", { class: `numbers indent-${indent}`, type, start: offset + 1 }, items);
}

function leaves({ elements = [] }, directory) {
  return elements.map((leaf) => styled(drawLeaf(leaf, directory), leaf.style));
}

function drawLeaf(leaf, directory) {
  switch (leaf.type) {
    case "link":
      return link(leaf.url, leaf.text || leaf.url);
    case "user":
      return mentionPerson(leaf.user_id, directory);
    case "usergroup":
      return mentionGroup(leaf.usergroup_id, directory);
    case "channel":
      return mentionChannel(leaf.channel_id, directory);
    case "broadcast":
      return mentionEverybody(leaf.range);
    case "emoji":
      return character(leaf.name);
    case "date":
      return date(String(leaf.timestamp), leaf.format, leaf.fallback ?? "", directory);
  }
  return leaf.text ?? leaf.value ?? `[${leaf.type}]`;
}

function styled(inside, style = {}) {
  const names = Object.keys(STYLES).filter((name) => style[name]);
  return names.reduce((within, name) => element(STYLES[name], {}, within), inside);
}

// Block Kit drawn as nodes: what the bot uses, and a plain word in the place of everything else.
// Source: docs.slack.dev/reference/block-kit/blocks.

import { link, mention, mrkdwn, unescaped } from "./mrkdwn.js";
import { element } from "./nodes.js";

/**
 * Draw the blocks of a message.
 *
 * *directory* is `mrkdwn`'s. *press* is called with a button's `action_id`.
 */
export function drawBlocks(blocks, directory, press) {
  return blocks.map((block) => (DRAW[block.type] ?? unknown)(block, directory, press));
}

const DRAW = {
  section: (block, directory, press) =>
    element(
      "div",
      { class: "section" },
      block.text && element("div", {}, words(block.text, directory)),
      block.fields?.map((field) => element("div", { class: "field" }, words(field, directory))),
      block.accessory && part(block.accessory, directory, press),
    ),
  context: (block, directory, press) => row("context", block, directory, press),
  actions: (block, directory, press) => row("actions", block, directory, press),
  header: (block, directory) => element("div", { class: "header" }, words(block.text, directory)),
  divider: () => element("hr"),
  rich_text: (block, directory) =>
    element("div", {}, block.elements.map((one) => (RICH[one.type] ?? unknown)(one, directory))),
};

const RICH = {
  rich_text_section: (one, directory) => element("div", {}, leaves(one, directory)),
  rich_text_quote: (one, directory) => element("blockquote", {}, leaves(one, directory)),
  rich_text_preformatted: (one, directory) => element("pre", {}, leaves(one, directory)),
};

const LEAF = {
  text: (leaf) => styled(leaf.text, leaf.style),
  link: (leaf) => link(leaf.url, leaf.text),
  user: (leaf, directory) => mention(`@${directory.people[leaf.user_id]?.name ?? leaf.user_id}`),
  channel: (leaf, directory) => mention(`#${directory.conversations[leaf.channel_id]?.name ?? leaf.channel_id}`),
  broadcast: (leaf) => mention(`@${leaf.range}`),
};

const STYLES = { bold: "strong", italic: "em", strike: "s", code: "code" };

function row(name, block, directory, press) {
  return element("div", { class: name }, block.elements.map((one) => part(one, directory, press)));
}

function part(one, directory, press) {
  if (one.type === "mrkdwn" || one.type === "plain_text") return element("span", {}, words(one, directory));
  if (one.type !== "button") return unknown(one);
  const attributes = { type: "button", class: one.style ?? "", click: () => press(one.action_id) };
  return element("button", attributes, words(one.text, directory));
}

function words(text, directory) {
  return text.type === "mrkdwn" ? mrkdwn(text.text, directory) : [unescaped(text.text)];
}

function leaves(one, directory) {
  return one.elements.map((leaf) => (LEAF[leaf.type] ?? unknown)(leaf, directory));
}

function styled(text, style = {}) {
  const names = Object.keys(STYLES).filter((name) => style[name]);
  return names.reduce((inside, name) => element(STYLES[name], {}, inside), text);
}

function unknown(one) {
  return element("span", { class: "unknown" }, `[${one.type}]`);
}

// Block Kit drawn as nodes: what the bot uses, and a plain word in the place of everything else.
// Source: docs.slack.dev/reference/block-kit/blocks.

import { pathOf, picture } from "./files.js";
import { link, mention, mrkdwn, unescaped } from "./mrkdwn.js";
import { element } from "./nodes.js";

/**
 * Draw the blocks of a message or a view.
 *
 * *directory* is `mrkdwn`'s. *press* is called with a button's `action_id`. *control* draws the elements that keep a
 * value, where they can be used.
 */
export function drawBlocks(blocks, directory, press, control = () => null) {
  return blocks.map((block) => (DRAW[block.type] ?? unknown)(block, directory, press, control));
}

const DRAW = {
  section: (block, directory, press, control) =>
    element(
      "div",
      { class: "section" },
      block.text && element("div", {}, words(block.text, directory)),
      block.fields?.map((field) => element("div", { class: "field" }, words(field, directory))),
      block.accessory && part(block.accessory, directory, press, control),
    ),
  context: (block, directory, press, control) => row("context", block, directory, press, control),
  actions: (block, directory, press, control) => row("actions", block, directory, press, control),
  header: (block, directory) => element("div", { class: "header" }, words(block.text, directory)),
  divider: () => element("hr"),
  image: (block, directory) =>
    element("div", {}, block.title && element("div", {}, words(block.title, directory)), image(block)),
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

function row(name, block, directory, press, control) {
  return element("div", { class: name }, block.elements.map((one) => part(one, directory, press, control)));
}

function part(one, directory, press, control) {
  if (one.type === "mrkdwn" || one.type === "plain_text") return element("span", {}, words(one, directory));
  if (one.type === "image") return image(one);
  if (one.type !== "button") return control(one) ?? unknown(one);
  const attributes = { type: "button", class: one.style ?? "", click: () => press(one.action_id) };
  return element("button", attributes, words(one.text, directory));
}

/** Draw an image of the workspace's own; one from elsewhere, which the page does not load, is a link. */
function image({ slack_file, image_url, alt_text }) {
  return slack_file ? picture(pathOf(slack_file), alt_text) : link(image_url, alt_text);
}

/** Draw a text object. */
export function words(text, directory) {
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

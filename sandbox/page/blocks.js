// Block Kit drawn as nodes: every block, and a plain word in the place of an element that the page does not know.
// Source: docs.slack.dev/reference/block-kit/blocks.

import { withEmoji } from "./emoji.js";
import { pathOf, picture } from "./files.js";
import { link, mrkdwn, unescaped } from "./mrkdwn.js";
import { element, icon } from "./nodes.js";
import { drawRichText } from "./richtext.js";

/**
 * Draw the blocks of a message or a view.
 *
 * `use.directory` is `mrkdwn`'s. `use.press(block, one)` is called with a button, and may return a promise of its
 * answer. `use.control(block, one)` draws the elements that keep a value, where they can be used.
 */
export function drawBlocks(blocks, use) {
  return blocks.map((block) => (DRAW[block.type] ?? unknown)(block, use));
}

const DRAW = {
  section: (block, use) =>
    element(
      "div",
      { class: "section" },
      element(
        "div",
        { class: "body" },
        block.text && element("div", {}, words(block.text, use.directory)),
        block.fields &&
          element("div", { class: "fields" }, block.fields.map((field) => element("div", {}, words(field, use.directory)))),
      ),
      block.accessory && element("div", { class: "accessory" }, part(block, block.accessory, use)),
    ),
  context: (block, use) => row("context", block, use),
  actions: (block, use) => row("actions", block, use),
  context_actions: (block, use) => row("actions", block, use),
  header: (block, use) => element("div", { class: "header" }, words(block.text, use.directory)),
  divider: () => element("hr"),
  image: (block, use) =>
    element("div", { class: "image" }, block.title && element("div", {}, words(block.title, use.directory)), image(block)),
  rich_text: (block, use) => drawRichText(block, use.directory),
  markdown: (block, use) => element("div", {}, mrkdwn(block.text, use.directory)),
  video: (block) => element("div", {}, link(block.title_url ?? block.video_url, block.title.text)),
  table: (block, use) => element("div", { class: "table" }, table(block, use)),
};

function row(name, block, use) {
  return element("div", { class: name }, block.elements.map((one) => part(block, one, use)));
}

function part(block, one, use) {
  if (one.type === "mrkdwn" || one.type === "plain_text") return element("span", {}, words(one, use.directory));
  if (one.type === "image") return image(one);
  if (one.type === "button") return button(block, one, use);
  return use.control(block, one) ?? unknown(one);
}

function button(block, one, use) {
  const press = async () => {
    drawn.setAttribute("aria-busy", true);
    await use.press(block, one);
    drawn.removeAttribute("aria-busy");
  };
  const attributes = { class: `button ${one.style ?? ""}`, "aria-label": one.accessibility_label, click: press };
  const label = words(one.text, use.directory);
  const outside = one.url && link(one.url, "").href;
  const drawn = outside
    ? element("a", { ...attributes, href: outside, target: "_blank", rel: "noopener noreferrer" }, label, icon("out"))
    : element("button", { ...attributes, type: "button" }, label);
  return drawn;
}

/** Draw an image of the workspace's own; one from elsewhere, which the page does not load, is a link. */
function image({ slack_file, image_url, alt_text }) {
  const own = image_url && URL.canParse(image_url) && new URL(image_url).origin === location.origin;
  if (slack_file) return picture(pathOf(slack_file), alt_text);
  return own ? picture(new URL(image_url).pathname, alt_text) : link(image_url, alt_text);
}

function table({ rows }, use) {
  const [head, ...others] = rows.map((cells) => cells.map((cell) => drawCell(cell, use)));
  return element(
    "table",
    {},
    element("thead", {}, element("tr", {}, head.map((cell) => element("th", { scope: "col" }, cell)))),
    element("tbody", {}, others.map((cells) => element("tr", {}, cells.map((cell) => element("td", {}, cell))))),
  );
}

function drawCell(cell, use) {
  return cell.type === "rich_text" ? drawRichText(cell, use.directory) : (cell.text ?? String(cell.value));
}

/** Draw a text object. */
export function words(text, directory) {
  if (text.type === "mrkdwn") return mrkdwn(text.text, directory);
  return [unescaped(text.emoji === false ? text.text : withEmoji(text.text))];
}

function unknown(one) {
  return element("span", { class: "unknown" }, `[${one.type}]`);
}

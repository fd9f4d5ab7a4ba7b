// The files of messages: images are shown, everything else is a card that saves it.

import { element } from "./nodes.js";

const FILES = "/_sandbox/slack/files/";
const UNITS = ["bytes", "KB", "MB"];

/** Draw one file of a message. */
export function drawFile({ name, title, size, alt_text, path, is_image, is_deleted }) {
  if (is_deleted) return element("div", { class: "file gone" }, title);
  if (is_image) return element("div", {}, title, picture(path, alt_text || title));
  const card = element("a", { class: "file", href: path, download: name }, title, element("small", {}, sized(size)));
  return element("div", {}, card);
}

/** Draw the image at *path*, small, and linked to its full size. */
export function picture(path, description) {
  return element(
    "a",
    { class: "picture", href: path, target: "_blank", rel: "noopener noreferrer" },
    element("img", { src: path, alt: description, loading: "lazy" }),
  );
}

/** The path of the file that a `slack_file` names, by its id or within a URL of Slack's. */
export function pathOf({ id, url }) {
  return `${FILES}${id ?? url?.match(/[-/](F[A-Z0-9]+)\//)?.[1]}`;
}

/** Write a number of bytes as people write it: `12 KB`. */
function sized(bytes) {
  const unit = Math.min(Math.floor(Math.log2(bytes || 1) / 10), UNITS.length - 1);
  return `${Math.round(bytes / 1024 ** unit)} ${UNITS[unit]}`;
}

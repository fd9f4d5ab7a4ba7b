// The files of messages: images are shown, everything else is a card that saves it.

import { element, icon } from "./nodes.js";

const FILES = "/_sandbox/slack/files/";
const UNITS = ["bytes", "KB", "MB", "GB"];

/** Draw the files of a message: the images in a row, then the others. */
export function drawFiles(files) {
  const pictures = files.filter(isShown);
  const others = files.filter((file) => !isShown(file));
  return [
    pictures.length > 0 && element("div", { class: "pictures" }, pictures.map(drawPicture)),
    others.length > 0 && element("div", { class: "files" }, others.map(drawCard)),
  ];
}

function isShown(file) {
  return file.is_image && !file.is_deleted && !file.is_hidden;
}

function drawPicture({ name, title, alt_text, path }) {
  return element(
    "figure",
    {},
    element(
      "figcaption",
      {},
      element("span", {}, title),
      element("a", { href: path, download: name, title: "Download", "aria-label": `Download ${name}` }, icon("download")),
    ),
    picture(path, alt_text || title),
  );
}

function drawCard({ name, title, size, path, mimetype, external_url, is_deleted, is_hidden }) {
  if (is_deleted || is_hidden) return element("div", { class: "file gone" }, title);
  if (external_url) {
    const attributes = { class: "file", href: external_url, target: "_blank", rel: "noopener noreferrer" };
    return element("a", attributes, icon("file"), element("span", {}, title, element("small", {}, "Kept elsewhere")));
  }
  const about = [kindOf(name, mimetype), sized(size)].join(" · ");
  return element(
    "a",
    { class: "file", href: path, download: name },
    icon("file"),
    element("span", {}, title, element("small", {}, about)),
    icon("download"),
  );
}

function kindOf(name, mimetype) {
  const ending = name.includes(".") ? name.split(".").at(-1) : mimetype.split("/").at(-1);
  return ending.toUpperCase();
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
export function sized(bytes) {
  const unit = Math.min(Math.floor(Math.log2(bytes || 1) / 10), UNITS.length - 1);
  return `${Math.round(bytes / 1024 ** unit)} ${UNITS[unit]}`;
}

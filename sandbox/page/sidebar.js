// The workspace's side: who you are, and the conversations that you see.

import { element, show } from "./nodes.js";
import { address } from "./place.js";

const team = document.getElementById("team");
const people = document.getElementById("people");
const channels = document.getElementById("channels");
const directs = document.getElementById("directs");

/** Draw it; `become(id)` is told when the reader chooses to be somebody else. */
export function showSidebar(slack, { viewer, conversation, become }) {
  team.textContent = slack.team.name;
  showPeople(slack.people.filter((one) => !one.is_bot), viewer, become);
  const items = slack.conversations.map((one) => ({
    key: one.id,
    name: one.name,
    kind: one.kind,
    isArchived: one.is_archived,
    isHere: one.id === conversation,
  }));
  show(channels, items.filter(isChannel), place);
  show(directs, items.filter((one) => !isChannel(one)), place);
}

/** Say what stands before a conversation's name. */
export function sign(kind) {
  return { public_channel: "# ", private_channel: "🔒 " }[kind] ?? "";
}

function isChannel({ kind }) {
  return sign(kind) !== "";
}

function place({ key, name, kind, isArchived, isHere }) {
  return element(
    "li",
    {},
    element(
      "a",
      { href: address(key), "aria-current": isHere && "page", class: isArchived && "archived" },
      `${sign(kind)}${name}`,
    ),
  );
}

function showPeople(humans, viewer, become) {
  const labels = people.querySelector(".choices") ?? people.appendChild(element("div", { class: "choices" }));
  const items = humans.map((one) => ({ key: one.id, name: one.name, about: about(one), isYou: one.id === viewer }));
  show(labels, items, ({ key, name, about, isYou }) =>
    element(
      "label",
      {},
      element("input", { type: "radio", name: "viewer", checked: isYou, change: () => become(key) }),
      element("img", { src: `/_sandbox/avatar/${key}.svg`, alt: "", width: 28, height: 28 }),
      element("span", {}, name, element("small", {}, about)),
    ),
  );
}

/** Her role and her city, whose time she reads. */
function about({ title, tz, is_guest }) {
  const city = tz.split("/").at(-1).replace("_", " ");
  return [is_guest ? "Guest" : title, city].filter(Boolean).join(" · ");
}

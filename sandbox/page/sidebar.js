// The workspace's side: who you are, and the conversations that you see.

import { element, icon, show } from "./nodes.js";
import { address } from "./place.js";
import { unread } from "./unread.js";

const team = document.getElementById("team");
const people = document.getElementById("people");
const channels = document.getElementById("channels");
const directs = document.getElementById("directs");

/** Draw it; `become(id)` is told when the reader chooses to be somebody else. */
export function showSidebar(slack, { viewer, conversation, become }) {
  team.textContent = slack.team.name;
  showPeople(slack.people.filter((one) => !one.is_bot), viewer, become);
  const byId = Object.fromEntries(slack.people.map((one) => [one.id, one]));
  const items = slack.conversations.map((one) => ({
    key: one.id,
    name: one.name,
    kind: one.kind,
    other: one.members.find((id) => id !== viewer),
    isApp: one.kind === "im" && one.members.some((id) => byId[id]?.is_bot),
    isShared: one.is_shared,
    isArchived: one.is_archived,
    isHere: one.id === conversation,
    ...unread(viewer, one),
  }));
  show(channels, items.filter(isChannel), drawPlace);
  show(directs, items.filter((one) => !isChannel(one)), drawPlace);
  const calls = items.reduce((sum, one) => sum + one.count, 0);
  const here = items.find((one) => one.isHere);
  document.title = `${calls ? `(${calls}) ` : ""}${here ? `${sign(here.kind)}${here.name} · ` : ""}Sandbox`;
}

/** Say what stands before a conversation's name. */
export function sign(kind) {
  return { public_channel: "#", private_channel: "🔒 " }[kind] ?? "";
}

function isChannel({ kind }) {
  return sign(kind) !== "";
}

function drawPlace({ key, name, kind, other, isApp, isShared, isArchived, isHere, isUnread, count }) {
  const before = {
    public_channel: () => icon("channel"),
    private_channel: () => icon("lock"),
  }[kind] ?? (() => element("img", { src: `/_sandbox/avatar/${other}.svg`, alt: "", width: 20, height: 20 }));
  const said = kind === "private_channel" ? `${name}, private channel` : null;
  return element(
    "li",
    {},
    element(
      "a",
      {
        href: address(key),
        "aria-current": isHere && "page",
        class: [isUnread && "unread", isArchived && "archived"].filter(Boolean).join(" "),
      },
      before(),
      element("span", { class: "name" }, name, said && element("span", { class: "unseen" }, ", private channel")),
      isShared && element("span", { class: "tag", title: "Shared with another workspace" }, "Shared"),
      isApp && element("span", { class: "tag" }, "App"),
      count > 0 && element("span", { class: "badge" }, String(count), element("span", { class: "unseen" }, " unread")),
      isUnread && !count && element("span", { class: "unseen" }, ", unread"),
    ),
  );
}

function showPeople(humans, viewer, become) {
  const labels = people.querySelector(".choices") ?? people.appendChild(element("div", { class: "choices" }));
  const items = humans.map((one) => ({ key: one.id, name: one.name, about: about(one), isYou: one.id === viewer }));
  show(labels, items, ({ key, name, about, isYou }) =>
    element(
      "label",
      { title: `${name} · ${about}` },
      element("input", { type: "radio", name: "viewer", checked: isYou, change: () => become(key) }),
      element("img", { src: `/_sandbox/avatar/${key}.svg`, alt: "", width: 28, height: 28 }),
      element("span", {}, name, element("small", {}, about)),
    ),
  );
}

/** Her role and her city, whose time she reads. */
function about({ title, tz, team, is_guest, is_external }) {
  const city = tz.split("/").at(-1).replace("_", " ");
  return [is_external ? `From ${team}` : is_guest ? "Guest" : title, city].filter(Boolean).join(" · ");
}

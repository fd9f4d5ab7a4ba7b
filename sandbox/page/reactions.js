// The reactions under a message: who left which, and leaving one or taking it back.

import { character } from "./emoji.js";
import { element, iconButton } from "./nodes.js";
import { opensPicker } from "./picker.js";

/** Draw the reactions of *message*; `react(message, name, isMine)` toggles one. */
export function drawReactions(message, directory, react) {
  const names = Object.keys(message.reactions);
  if (!names.length) return null;
  const more = iconButton("react", "Add reaction", { id: `react-${message.ts}` });
  opensPicker(more, (name) => react(message, name));
  return element("div", { class: "reactions" }, names.map((name) => drawReaction(message, name, directory, react)), more);
}

function drawReaction(message, name, directory, react) {
  const people = message.reactions[name];
  const isMine = people.includes(directory.viewer);
  const who = people.map((id) => (id === directory.viewer ? "You" : (directory.people[id]?.name ?? id)));
  const said = `${listed(isMine ? ["You", ...who.filter((one) => one !== "You")] : who)} reacted with :${name}:`;
  return element(
    "button",
    {
      type: "button",
      class: "reaction",
      title: said,
      "aria-label": `${character(name)} ${people.length}, ${said}`,
      "aria-pressed": String(isMine),
      click: () => react(message, name),
    },
    element("span", {}, character(name)),
    String(people.length),
  );
}

function listed(names) {
  return names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names.at(-1)}` : names[0];
}

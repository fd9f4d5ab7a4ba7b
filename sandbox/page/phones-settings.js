// What a phone is like: a few switches beside its owner's name.

import { element } from "./nodes.js";
import { closePopover, isOpen, openBeside } from "./popover.js";
import * as routes from "./routes.js";
import { tell } from "./tell.js";

const USUAL = 1; // seconds until a text is delivered
const SLOW = 8;

const SWITCHES = [
  {
    name: "iMessage",
    about: "Off: texts come as RCS or SMS, in green.",
    isOn: (phone) => phone.imessage,
    change: (isOn) => ({ imessage: isOn }),
  },
  {
    name: "Unreachable",
    about: "Switched off or out of range: texts arrive once it is back.",
    isOn: (phone) => phone.unreachable,
    change: (isOn) => ({ unreachable: isOn }),
  },
  {
    name: "Slow",
    about: `Each text takes ${SLOW} seconds to arrive.`,
    isOn: (phone) => phone.delivered_after >= SLOW,
    change: (isOn) => ({ delivered_after: isOn ? SLOW : USUAL }),
  },
  {
    name: "Read receipts",
    about: "Off: nobody is told when a text is read.",
    isOn: (phone) => phone.receipts,
    change: (isOn) => ({ receipts: isOn }),
  },
  {
    name: "Texts fail",
    about: "Blooio says that nothing can be delivered here.",
    isOn: (phone) => Boolean(phone.fails_with),
    change: (isOn) => ({ fails_with: isOn ? "recipient_unreachable" : null }),
  },
];

/** Let *button* open the switches of the phone behind *address*, which `phone()` tells as it is now. */
export function opensSettings(button, { address, phone }) {
  button.setAttribute("aria-haspopup", "dialog");
  button.setAttribute("aria-expanded", false);
  button.addEventListener("click", () => {
    if (isOpen(button)) return closePopover();
    const switches = SWITCHES.map((one) => drawSwitch(one, address, phone()));
    openBeside(button, element("div", { class: "popover switches", role: "dialog", "aria-label": "Settings of this phone" }, switches));
    switches[0].querySelector("input").focus();
  });
}

function drawSwitch({ name, about, isOn, change }, address, phone) {
  const id = `switch-${name.replaceAll(" ", "-")}`;
  const box = element("input", {
    type: "checkbox",
    role: "switch",
    id,
    checked: isOn(phone),
    "aria-describedby": `${id}-about`,
    change: async () => {
      try {
        await routes.change(address, change(box.checked));
      } catch (mistake) {
        box.checked = !box.checked;
        tell(mistake.message);
      }
    },
  });
  return element("div", { class: "switch" }, box, element("label", { for: id }, name), element("small", { id: `${id}-about` }, about));
}

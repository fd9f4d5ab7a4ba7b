// A new phone, by its number and its owner's name.

import { element } from "./nodes.js";
import { closePopover, isOpen, openBeside } from "./popover.js";
import * as routes from "./routes.js";

/** Let *button* ask for a phone. `known()` lists those that are there; `open(address)` is told which to show. */
export function addsPhones(button, { known, open }) {
  button.setAttribute("aria-haspopup", "dialog");
  button.setAttribute("aria-expanded", false);
  button.addEventListener("click", () => (isOpen(button) ? closePopover() : ask(button, { known, open })));
}

function ask(button, { known, open }) {
  const number = element("input", {
    id: "new-number",
    type: "text",
    autocomplete: "off",
    placeholder: "+1 555 010 0123",
    "aria-describedby": "new-wrong",
  });
  const name = element("input", { id: "new-name", type: "text", autocomplete: "off", placeholder: "Kim Park" });
  const wrong = element("p", { class: "refusal", id: "new-wrong", role: "alert" });
  const form = element(
    "form",
    { submit },
    element("label", { for: "new-number" }, "Number or email"),
    number,
    element("label", { for: "new-name" }, "Name (optional)"),
    name,
    wrong,
    element("button", { class: "button primary" }, "Add phone"),
  );
  openBeside(button, element("div", { class: "popover new-phone", role: "dialog", "aria-label": "New phone" }, form));
  number.focus();

  async function submit(event) {
    event.preventDefault();
    const address = cleaned(number.value);
    const there = known().find((one) => one.address === address);
    try {
      const phone = there ?? (await routes.addPhone({ address, name: name.value.trim() || null }));
      closePopover();
      open(phone.address);
    } catch {
      wrong.textContent = "That is no number and no email. Write it like +1 555 010 0123 or kim@example.com.";
      number.setAttribute("aria-invalid", true);
      number.focus();
    }
  }
}

/** Leave out what people write between digits. */
function cleaned(typed) {
  return typed.includes("@") ? typed.trim().toLowerCase() : typed.replace(/[\s().-]/g, "");
}

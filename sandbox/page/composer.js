// The box in which one types a message or a slash command, and the examples beside it.

import { element, show } from "./nodes.js";
import { channelOf, owner, spaced } from "./phones.js";

const form = document.getElementById("composer");
const typed = document.getElementById("typed");
const button = form.querySelector("button");
const refusal = document.getElementById("refusal");
const examples = document.getElementById("examples");

const INVITATION = typed.placeholder;

/** Call `send(text)` for what is typed. Words it does not take, by resolving to false or throwing, are given back. */
export function listen(send) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = typed.value.trim();
    if (!text) return;
    typed.value = "";
    refuse("");
    const taken = await send(text).catch((error) => refuse(error.message));
    if (!taken) typed.value ||= text;
  });
  typed.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
}

/** Say why something was not done. */
export function refuse(words) {
  refusal.textContent = words;
}

/** Put the beginning of a text to *phone* in the box, for the reader to change and send. */
export function begin(phone) {
  const name = phone.name?.split(" ")[0] ?? "there";
  typed.value = `/text ${spaced(phone.address)} Hi ${name}, your order is ready`;
  typed.focus();
}

/** Offer to text a phone with iMessage and one with SMS only. *closed* says why nothing can be written here, if so. */
export function showComposer({ phones, closed }) {
  typed.disabled = button.disabled = Boolean(closed);
  typed.placeholder = closed ?? INVITATION;
  const offered = ["imessage", "sms"].map((channel) => phones.find((one) => one.channel === channel)).filter(Boolean);
  const items = offered.map(({ texts, ...phone }) => ({ key: phone.address, phone, closed }));
  show(examples, items, ({ phone }) =>
    element(
      "button",
      { type: "button", click: () => begin(phone), disabled: Boolean(closed) },
      `Text ${owner(phone)} (${channelOf(phone)})`,
    ),
  );
}

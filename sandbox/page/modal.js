// The modal in front of the reader: the topmost view, drawn as a dialog that keeps the focus until it is closed.
// Source: docs.slack.dev/surfaces/modals.

import * as sandbox from "./sandbox.js";
import { ViewBlocks } from "./view.js";

const dialog = document.getElementById("modal");
const form = dialog.querySelector("form");
const face = document.getElementById("modal-app");
const title = document.getElementById("modal-title");
const trouble = document.getElementById("modal-trouble");
const cross = document.getElementById("modal-cross");
const back = document.getElementById("modal-back");
const closes = document.getElementById("modal-close");
const submits = document.getElementById("modal-submit");
const blocks = new ViewBlocks(document.getElementById("modal-blocks"), { home: false, tell });

let viewer = null; // the id of the person whose modal it is
let shown = null; // the modal as the sandbox tells it
let opener = null; // what had the focus before it was opened

cross.addEventListener("click", () => blocks.act(() => sandbox.closeModal({ as: viewer, everything: true })));
for (const button of [closes, back]) {
  button.addEventListener("click", () => blocks.act(() => sandbox.closeModal({ as: viewer })));
}
dialog.addEventListener("cancel", (event) => {
  event.preventDefault(); // it is closed when the sandbox says so
  blocks.act(() => sandbox.closeModal({ as: viewer }));
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!submits.hidden && !submits.disabled) blocks.act(submit);
});

/** Show the modal in front of the person *as*; null for none. *directory* is `mrkdwn`'s. */
export function showModal(modal, { as, directory, app }) {
  const isNew = modal !== null && modal.id !== shown?.id;
  viewer = as;
  shown = modal;
  if (modal === null) return close();
  if (!dialog.open) open();
  title.textContent = modal.title;
  const image = `/_sandbox/avatar/${app.user_id}.svg`;
  if (face.getAttribute("src") !== image) face.src = image;
  submits.textContent = modal.submit;
  submits.hidden = !modal.submit;
  submits.disabled = modal.submitting;
  submits.setAttribute("aria-busy", modal.submitting);
  back.hidden = modal.depth < 2;
  closes.textContent = modal.close;
  tell(modal.trouble);
  blocks.show(modal, { as, directory });
  if (isNew) focusFirst(modal);
}

function open() {
  opener = document.activeElement;
  dialog.showModal();
}

/** Close it, and give the focus back to where the reader was. */
function close() {
  if (!dialog.open) return;
  dialog.close();
  const again = (opener?.id && document.getElementById(opener.id)) || opener;
  if (again?.isConnected && again !== document.body) again.focus({ preventScroll: true });
  else document.getElementById("typed")?.focus({ preventScroll: true });
}

async function submit() {
  const { outcome, modal } = await sandbox.submitModal({ as: viewer });
  const wrong = outcome === "invalid" || outcome === "errors" ? modal.fields.find((one) => one.error) : null;
  if (wrong) document.getElementById(blocks.idOf(wrong))?.focus();
}

function tell(words) {
  trouble.textContent = words;
}

/** Focus the input that asks for it, or else the first. */
function focusFirst(modal) {
  const wanted = modal.view.blocks.find((block) => block.element?.focus_on_load) ?? {};
  const inputs = modal.fields.filter((one) => one.is_input);
  const field = inputs.find((one) => one.block_id === wanted.block_id) ?? inputs[0];
  const node = field && document.getElementById(blocks.idOf(field));
  (node ?? (submits.hidden ? closes : submits)).focus();
}

// The modal in front of the reader: the topmost view, drawn as a dialog that keeps the focus until it is closed.
// Source: docs.slack.dev/surfaces/modals.

import * as sandbox from "./sandbox.js";
import { ViewBlocks } from "./view.js";

const dialog = document.getElementById("modal");
const form = dialog.querySelector("form");
const title = document.getElementById("modal-title");
const trouble = document.getElementById("modal-trouble");
const cross = document.getElementById("modal-cross");
const closes = document.getElementById("modal-close");
const submits = document.getElementById("modal-submit");
const blocks = new ViewBlocks(document.getElementById("modal-blocks"), { home: false, tell });

let viewer = null; // the id of the person whose modal it is
let shown = null; // the modal as the sandbox tells it

cross.addEventListener("click", () => blocks.act(() => sandbox.closeModal({ as: viewer, everything: true })));
closes.addEventListener("click", () => blocks.act(() => sandbox.closeModal({ as: viewer })));
dialog.addEventListener("cancel", (event) => {
  event.preventDefault(); // it is closed when the sandbox says so
  blocks.act(() => sandbox.closeModal({ as: viewer }));
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!submits.hidden && !submits.disabled) blocks.act(submit);
});

/** Show the modal in front of the person *as*; null for none. *directory* is `mrkdwn`'s. */
export function showModal(modal, { as, directory }) {
  const isNew = modal !== null && modal.id !== shown?.id;
  viewer = as;
  shown = modal;
  if (modal === null) return dialog.close();
  if (!dialog.open) dialog.showModal();
  title.textContent = modal.title;
  submits.textContent = modal.submit;
  submits.hidden = !modal.submit;
  submits.disabled = modal.submitting;
  closes.textContent = modal.close;
  tell(modal.trouble);
  blocks.show(modal, { as, directory });
  if (isNew) focusFirst(modal);
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

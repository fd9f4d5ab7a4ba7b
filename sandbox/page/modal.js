// The modal in front of the reader: the topmost view, drawn as a dialog that keeps the focus until it is closed.
// Source: docs.slack.dev/surfaces/modals.

import { drawBlocks, words } from "./blocks.js";
import { drawField, isTyped, plainText } from "./fields.js";
import { element, show } from "./nodes.js";
import * as sandbox from "./sandbox.js";

const dialog = document.getElementById("modal");
const form = dialog.querySelector("form");
const title = document.getElementById("modal-title");
const blocks = document.getElementById("modal-blocks");
const trouble = document.getElementById("modal-trouble");
const cross = document.getElementById("modal-cross");
const closes = document.getElementById("modal-close");
const submits = document.getElementById("modal-submit");

let viewer = null; // the id of the person whose modal it is
let shown = null; // the modal as the sandbox tells it
let doing = Promise.resolve(); // what was entered is told in its order

cross.addEventListener("click", () => act(() => sandbox.closeModal({ as: viewer, everything: true })));
closes.addEventListener("click", () => act(() => sandbox.closeModal({ as: viewer })));
dialog.addEventListener("cancel", (event) => {
  event.preventDefault(); // it is closed when the sandbox says so
  act(() => sandbox.closeModal({ as: viewer }));
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!submits.hidden && !submits.disabled) doing = doing.then(submit);
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
  drawAll(modal, directory);
  if (isNew) focusFirst(modal);
}

function drawAll(modal, directory) {
  const items = modal.view.blocks.map((block) => {
    return { key: `${modal.id} ${block.block_id}`, block, held: held(modal, block) };
  });
  show(blocks, items, ({ block }) => drawBlock(block, modal, directory));
  for (const field of modal.fields) {
    const node = document.getElementById(idOf(field));
    const wrong = document.getElementById(`${idOf(field)}-wrong`);
    node?.setAttribute("aria-invalid", Boolean(field.error));
    if (wrong) wrong.textContent = field.error;
    if (node?.matches("[data-typed]") && node !== document.activeElement) node.value = plainText(stateOf(modal, field));
  }
}

/** What a block's fields hold, but for those one types in: a change of any other draws its block anew. */
function held(modal, block) {
  const fields = modal.fields.filter((one) => one.block_id === block.block_id && !isTyped(one));
  return fields.map((one) => stateOf(modal, one));
}

function drawBlock(block, modal, directory) {
  const text = (object) => words(object, directory);
  if (block.type !== "input") {
    const press = (actionId) => click(block, actionId);
    const control = (one) => drawControl(block, one, modal, { directory, text });
    return element("div", {}, drawBlocks([block], directory, press, control));
  }
  const id = idOf({ block_id: block.block_id, action_id: block.element.action_id });
  return element(
    "div",
    { class: "input" },
    element("label", { for: id }, text(block.label), block.optional && element("span", {}, " (optional)")),
    drawControl(block, block.element, modal, { directory, text }) ?? `[${block.element.type}]`,
    block.hint && element("p", { class: "below", id: `${id}-hint` }, text(block.hint)),
    element("p", { class: "wrong", id: `${id}-wrong`, role: "alert" }),
  );
}

/** Draw an element that keeps a value, or a menu of things to do; null for what the page does not draw. */
function drawControl(block, one, modal, { directory, text }) {
  if (one.type === "overflow") return drawOverflow(block, one);
  const field = modal.fields.find((other) => other.block_id === block.block_id && other.action_id === one.action_id);
  if (!field) return null;
  const id = idOf(field);
  const where = { what: one.action_id, block_id: block.block_id };
  const tells = block.type !== "input";
  return drawField(one, {
    field,
    id,
    text,
    state: stateOf(modal, field),
    tz: directory.tz,
    describedBy: `${id}-hint ${id}-wrong`,
    enter: (value) => act(() => (tells ? sandbox.clickInModal : sandbox.fill)({ as: viewer, ...where, value })),
    press: block.dispatch_action && (() => act(() => sandbox.clickInModal({ as: viewer, ...where }))),
    suggest: async (typed) => (await sandbox.suggest({ as: viewer, ...where, typed })).raw,
  });
}

function drawOverflow(block, one) {
  const select = element(
    "select",
    { "aria-label": "More", change: () => click(block, one.action_id, select.value) },
    element("option", { value: "" }, "⋯"),
    one.options.map((option) => element("option", { value: option.value }, option.text.text)),
  );
  return select;
}

function click(block, actionId, value) {
  act(() => sandbox.clickInModal({ as: viewer, what: actionId, block_id: block.block_id, value }));
}

/** Do something after all that the reader did before, and say what went wrong. */
function act(work) {
  doing = doing.then(work).then(
    (answer) => answer.error && tell(`The bot did not answer: ${answer.error}`),
    (mistake) => tell(mistake.message),
  );
}

async function submit() {
  try {
    const { outcome, modal } = await sandbox.submitModal({ as: viewer });
    const wrong = outcome === "invalid" || outcome === "errors" ? modal.fields.find((one) => one.error) : null;
    if (wrong) document.getElementById(idOf(wrong))?.focus();
  } catch (mistake) {
    tell(mistake.message);
  }
}

function tell(words) {
  trouble.textContent = words;
}

/** Focus the input that asks for it, or else the first. */
function focusFirst(modal) {
  const wanted = modal.view.blocks.find((block) => block.element?.focus_on_load) ?? {};
  const inputs = modal.fields.filter((one) => one.is_input);
  const field = inputs.find((one) => one.block_id === wanted.block_id) ?? inputs[0];
  const node = field && document.getElementById(idOf(field));
  (node ?? (submits.hidden ? closes : submits)).focus();
}

function stateOf(modal, { block_id, action_id }) {
  return modal.view.state.values[block_id][action_id];
}

function idOf({ block_id, action_id }) {
  return `field ${block_id} ${action_id}`.replaceAll(" ", "-");
}

// The fields of a view, one for each element that keeps a value. What is entered is told at once, as values that the
// sandbox understands; what they hold is given as `state.values` has it.
// Source: docs.slack.dev/reference/block-kit/block-elements.

import { external, offered } from "./external.js";
import { files } from "./giving.js";
import { element } from "./nodes.js";

/**
 * Draw the field of *one*, an element.
 *
 * `field` is what the sandbox tells of it, `state` its value. `enter(value)` and `press()`, for Enter in a text that
 * tells the app, say what the reader did. `suggest(typed)` resolves to the options of an external menu, and
 * `upload(file, progress)` to the id of a file that was kept.
 * `text(object)` draws a text object. `id` is for the label, `multiple` for several choices.
 */
export function drawField(one, place) {
  const kind = one.type.replace(/^multi_/, "");
  const draw = DRAW[kind];
  return draw ? draw(one, { ...place, multiple: kind !== one.type }) : null;
}

/** Say whether the field of an element is one to type in, which is never drawn anew under the reader's fingers. */
export function isTyped({ type }) {
  return TYPED.has(type);
}

const TYPED = new Set(["plain_text_input", "email_text_input", "url_text_input", "number_input", "rich_text_input"]);
const MODE = { email_text_input: "email", url_text_input: "url", number_input: "decimal" };

const DRAW = {
  ...Object.fromEntries([...TYPED].map((type) => [type, typed])),
  static_select: (one, place) => menu(offered(one), one, place),
  users_select: (one, place) => menu([{ options: place.field.choices }], one, place),
  conversations_select: (one, place) => menu([{ options: place.field.choices }], one, place),
  channels_select: (one, place) => menu([{ options: place.field.choices }], one, place),
  external_select: external,
  file_input: files,
  checkboxes: (one, place) => boxes("checkbox", one.options, place),
  radio_buttons: (one, place) => boxes("radio", one.options, place),
  datepicker: (_, place) => picker("date", place.state.selected_date, place),
  timepicker: (_, place) => picker("time", place.state.selected_time, place),
  datetimepicker: (_, place) => picker("datetime-local", localTime(place.state.selected_date_time, place.tz), place),
};

function typed(one, { id, state, enter, press, describedBy }) {
  const long = one.multiline || one.type === "rich_text_input";
  const box = element(long ? "textarea" : "input", {
    id,
    type: !long && "text",
    rows: long && 4,
    inputmode: MODE[one.type],
    placeholder: one.placeholder?.text,
    "aria-describedby": describedBy,
    "data-typed": true,
    input: () => enter(box.value),
    keydown: (event) => {
      if (event.key !== "Enter" || event.isComposing) return;
      const breaksTheLine = long && !event.ctrlKey && !event.metaKey;
      if (breaksTheLine) return;
      if (!press && !long) return; // the form submits
      event.preventDefault();
      if (press) press();
      else box.form.requestSubmit();
    },
  });
  box.value = plainText(state);
  return box;
}

/** The words in a text field, from its state. */
export function plainText(state) {
  return state.value ?? words(state.rich_text_value ?? {});
}

function words({ text, elements = [] }) {
  return text ?? elements.map(words).join("");
}

function menu(groups, one, { id, field, state, enter, multiple, describedBy, label }) {
  const chosen = chosenIn(state);
  if (multiple) return several(groups, chosen, { enter, id, field, describedBy });
  const select = element(
    "select",
    { id, "aria-label": label, "aria-describedby": describedBy, change: () => enter(select.value || null) },
    element("option", { value: "" }, one.placeholder?.text ?? "Choose…"),
    groups.map(({ label, options }) => {
      const drawn = options.map((option) => drawOption(option, chosen));
      return label ? element("optgroup", { label }, drawn) : drawn;
    }).flat(),
  );
  return select;
}

function drawOption({ value, text }, chosen) {
  return element("option", { value, selected: chosen.includes(value) }, text);
}

function several(groups, chosen, { enter, id, field, describedBy }) {
  const list = element(
    "div",
    { class: "several", id, ...group("group", field, describedBy) },
    groups.map(({ label, options }) => [
      label && element("strong", {}, label),
      options.map(({ value, text }) =>
        element(
          "label",
          {},
          element("input", { type: "checkbox", value, checked: chosen.includes(value), change: tell }),
          element("span", {}, text),
        ),
      ),
    ]).flat(2),
  );
  return list;

  function tell() {
    enter([...list.querySelectorAll(":checked")].map((box) => box.value));
  }
}

function boxes(type, options, { id, field, state, enter, text, describedBy }) {
  const chosen = chosenIn(state);
  const list = element(
    "div",
    { class: "boxes", id, ...group(type === "radio" ? "radiogroup" : "group", field, describedBy) },
    options.map((option) =>
      element(
        "label",
        {},
        element("input", { type, name: `${id}-choice`, value: option.value, checked: chosen.includes(option.value), change: tell }),
        element("span", {}, text(option.text), option.description && element("small", {}, text(option.description))),
      ),
    ),
  );
  return list;

  function tell() {
    const values = [...list.querySelectorAll(":checked")].map((box) => box.value);
    enter(type === "radio" ? (values[0] ?? null) : values);
  }
}

function picker(type, value, { id, enter, describedBy, label }) {
  const box = element("input", {
    id,
    type,
    value: value ?? "",
    "aria-label": label,
    "aria-describedby": describedBy,
    change: () => enter(box.value || null),
  });
  return box;
}

/** What names several boxes as one field, and lets it be focused when something is wrong in it. */
function group(role, field, describedBy) {
  return { role, tabindex: -1, "aria-label": field.label, "aria-describedby": describedBy };
}

/** The values of what is chosen: options' own, or ids. */
function chosenIn(state) {
  const key = Object.keys(state).find((name) => name.startsWith("selected_"));
  return [state[key] ?? []].flat().map((one) => one.value ?? one);
}

/** Write a moment as the picker has it, in the reader's time: `2026-01-31T10:00`. */
function localTime(seconds, tz) {
  if (seconds == null) return null;
  const form = { timeZone: tz, dateStyle: "short", timeStyle: "short" };
  return new Intl.DateTimeFormat("sv-SE", form).format(seconds * 1000).replace(" ", "T");
}

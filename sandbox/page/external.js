// The menu whose options the app tells while one types, and what the options of any menu are.
// Source: docs.slack.dev/reference/block-kit/block-elements/select-menu-element.

import { withEmoji } from "./emoji.js";
import { element, icon } from "./nodes.js";
import { Options } from "./options.js";

const SUGGEST_AFTER = 3; // characters, where `min_query_length` says nothing

/** The options that the app wrote, in groups; without groups, in one that has no label. */
export function offered({ options, option_groups }) {
  const groups = option_groups ?? [{ options }];
  return groups.map((group) => ({
    label: group.label?.text,
    options: group.options.map((option) => ({ value: option.value, text: withEmoji(option.text.text) })),
  }));
}

/** A box to type in, with what the app suggests below it and what was chosen above. */
export function external(one, { id, field, state, enter, suggest, multiple, describedBy, label }) {
  let chosen = [state.selected_options ?? state.selected_option ?? []].flat();
  const box = element("input", {
    id,
    type: "text",
    autocomplete: "off",
    placeholder: one.placeholder?.text ?? "Type to search",
    "aria-label": label,
    "aria-describedby": describedBy,
    input: look,
    focus: () => one.min_query_length === 0 && look(),
    blur: () => options.hide(),
    keydown: (event) => {
      const isOptions = options.takesKey(event);
      if (isOptions || event.key === "Enter") event.preventDefault();
      if (isOptions) event.stopPropagation();
    },
  });
  const options = new Options(box, { label: `Suggestions for ${field.label}`, take: choose, draw: ({ text }) => text });
  const drawn = element("div", { class: "external" });
  draw();
  return drawn;

  function draw() {
    const pills = chosen.map(({ value, text }) => {
      const attributes = { type: "button", class: "chosen", "aria-label": `Remove ${text.text}`, click: () => remove(value) };
      return element("button", attributes, withEmoji(text.text), icon("close"));
    });
    const field = multiple || !chosen.length ? [box, options.list] : [];
    drawn.replaceChildren(...pills, ...field);
  }

  async function look() {
    const asked = box.value;
    if (asked.length < (one.min_query_length ?? SUGGEST_AFTER)) return options.hide();
    drawn.setAttribute("aria-busy", true);
    const { options: found, option_groups } = await suggest(asked).catch(() => ({ options: [], option_groups: [] }));
    if (box.value !== asked) return; // the answers may come in any order
    drawn.removeAttribute("aria-busy");
    if (document.activeElement !== box) return;
    const groups = offered(option_groups.length ? { option_groups } : { options: found });
    options.show(groups.flatMap(itemsOf), "No results");
  }

  function choose({ value, text }) {
    options.hide();
    box.value = "";
    keep([...(multiple ? chosen : []), { value, text: { text } }]);
    (drawn.querySelector("input") ?? drawn.querySelector("button")).focus();
  }

  function remove(value) {
    keep(chosen.filter((option) => option.value !== value));
    box.focus();
  }

  function keep(options) {
    chosen = options;
    draw();
    const values = chosen.map(({ value }) => value);
    enter(multiple ? values : (values[0] ?? null));
  }
}

/** What a group offers, as items of `Options`. */
function itemsOf({ label, options }) {
  return options.map((option, index) => ({ ...option, group: index === 0 ? label : null }));
}

// Small tools over the DOM: elements without markup, lists that change only where they must, scrolling that follows.
// Text becomes text nodes and nothing else, so nothing that a message contains can run.

const NEAR_THE_END = 40; // pixels

/** Make an element. An attribute that is a function listens to the event of its name; false and null are left out. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(attribute, value);
    else if (value === true) made.setAttribute(attribute, "");
    else if (value !== false && value != null) made.setAttribute(attribute, value);
  }
  made.append(...children.flat().filter((child) => child != null && child !== false));
  return made;
}

/** Make a picture of those that the document has under `icons`. It says nothing: its button has a name. */
export function icon(name) {
  return document.getElementById("icons").content.querySelector(`[data-icon="${name}"]`).cloneNode(true);
}

/** Make a button that shows an icon and is called *label*. */
export function iconButton(name, label, attributes = {}) {
  return element("button", { type: "button", class: "icon", title: label, "aria-label": label, ...attributes }, icon(name));
}

/**
 * Make *list* show *items*, each drawn by `draw(item)` and known by its `key`.
 *
 * Items are plain data. One that is the same as before keeps its element, and with it focus and selection.
 */
export function show(list, items, draw, same = sameJson) {
  const keys = new Set(items.map((item) => String(item.key)));
  const known = new Map();
  for (const child of [...list.children]) {
    if (keys.has(child.dataset.key)) known.set(child.dataset.key, child);
    else child.remove();
  }
  let place = list.firstElementChild;
  for (const item of items) {
    const before = known.get(String(item.key));
    const child = upToDate(before, item, draw, same);
    if (place === before) place = child;
    if (place === child) place = child.nextElementSibling;
    else list.insertBefore(child, place);
  }
}

/** Say whether two items are the same, for those whose values keep their identity while they are the same. */
export function sameValues(one, other) {
  return Object.keys(one).every((key) => one[key] === other[key]);
}

function sameJson(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}

const drawnFrom = new WeakMap(); // element to its item

function upToDate(before, item, draw, same) {
  if (before && same(item, drawnFrom.get(before))) return before;
  const child = draw(item);
  child.dataset.key = item.key;
  drawnFrom.set(child, item);
  if (before) {
    const focused = usable(before).indexOf(document.activeElement);
    const hadFocus = before === document.activeElement;
    before.replaceWith(child);
    if (hadFocus) child.focus({ preventScroll: true });
    else usable(child)[focused]?.focus({ preventScroll: true });
  }
  return child;
}

function usable(node) {
  const all = [...node.querySelectorAll("a, button, input, select, textarea")];
  return all.filter((one) => !one.closest(".tools")); // which only visit, and are brought back by their own
}

/**
 * Keep *scroller* at its end while *content* grows or the window changes, unless the reader has scrolled up.
 *
 * Returns what to call to stop following before going elsewhere in it.
 */
export function stayAtEnd(scroller, content) {
  let following = true;
  let top = 0;
  scroller.addEventListener(
    "scroll",
    () => {
      // News may have come between a scroll and its event, so being far from the end does not mean having left it.
      if (scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_THE_END) following = true;
      else if (scroller.scrollTop < top) following = false;
      top = scroller.scrollTop;
    },
    { passive: true },
  );
  const sizes = new ResizeObserver(() => {
    if (following) scroller.scrollTop = scroller.scrollHeight;
  });
  sizes.observe(scroller);
  sizes.observe(content);
  return () => (following = false);
}

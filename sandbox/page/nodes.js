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

/**
 * Make *list* show *items*, each drawn by `draw(item)` and known by its `key`.
 *
 * Items are plain data. One that is the same as before keeps its element, and with it focus and selection.
 */
export function show(list, items, draw) {
  const keys = new Set(items.map((item) => item.key));
  const known = new Map();
  for (const child of [...list.children]) {
    if (keys.has(child.dataset.key)) known.set(child.dataset.key, child);
    else child.remove();
  }
  let place = list.firstElementChild;
  for (const item of items) {
    const before = known.get(item.key);
    const child = upToDate(before, item, draw);
    if (place === before) place = child;
    if (place === child) place = child.nextElementSibling;
    else list.insertBefore(child, place);
  }
}

const drawnFrom = new WeakMap(); // element to its item, as JSON

function upToDate(before, item, draw) {
  const json = JSON.stringify(item);
  if (before && drawnFrom.get(before) === json) return before;
  const child = draw(item);
  child.dataset.key = item.key;
  drawnFrom.set(child, json);
  if (before) {
    const focused = usable(before).indexOf(document.activeElement);
    before.replaceWith(child);
    usable(child)[focused]?.focus();
  }
  return child;
}

function usable(node) {
  return [...node.querySelectorAll("a, button, input, select, textarea")];
}

/** Keep *scroller* at its end while *content* grows or the window changes, unless the reader has scrolled up. */
export function stayAtEnd(scroller, content) {
  let following = true;
  let top = 0;
  scroller.addEventListener("scroll", () => {
    // News may have come between a scroll and its event, so being far from the end does not mean having left it.
    if (scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_THE_END) following = true;
    else if (scroller.scrollTop < top) following = false;
    top = scroller.scrollTop;
  });
  const sizes = new ResizeObserver(() => {
    if (following) scroller.scrollTop = scroller.scrollHeight;
  });
  sizes.observe(scroller);
  sizes.observe(content);
}

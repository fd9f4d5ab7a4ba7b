// A short tour for who is here for the first time. It points at things, keeps nobody from anything, and comes once.

import { element } from "./nodes.js";
import { showPane } from "./panes.js";

const SEEN = "tour-seen"; // where the browser remembers it
const GAP = 12; // pixels between the box and what it points at

const STEPS = [
  {
    at: "#composer",
    pane: "channel",
    title: "Type this and press Enter",
    words: "/text +1 555 123 4567 Hi Jane, your order is ready",
    isTyped: true,
  },
  { at: "#phone-open", pane: "phones-pane", title: "Look at the phone", words: "The text is there a second later. In Slack, the line under it says Delivered." },
  { at: "#phone-open .back", pane: "phones-pane", title: "Answer from the phone", words: "Now you are the customer: write back, or press one of the quick answers." },
  { at: "#thread", or: "#messages", pane: "thread", title: "Reply in the thread", words: "The answer is there. What you reply in the thread goes out as a text." },
  { at: "#trouble-button", title: "Break something", words: "Switch on “Down (503)”, send a text, switch it off, and watch the text go out by itself." },
];

const box = element("div", { class: "tour", role: "dialog", "aria-labelledby": "tour-title", "aria-describedby": "tour-words" });
let step = -1; // which is shown; -1: none
let following = 0; // the frame in which the box is put in its place again; 0: none
let type = () => {};

/** Show the tour to who has not seen it. `begin(words)` puts words into the box for messages. */
export function offerTour(begin) {
  type = begin;
  document.getElementById("tour-button").addEventListener("click", () => go(0, true));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || step < 0) return;
    event.preventDefault();
    end();
  });
  const isAsked = new URLSearchParams(location.search).has("tour");
  if (isAsked || (!remembers() && !navigator.webdriver)) go(0, false);
}

function go(to, takesFocus) {
  step = to;
  unmark();
  const { title, words, isTyped, pane } = STEPS[step];
  const isLast = step === STEPS.length - 1;
  const next = element("button", { type: "button", class: "button primary", click: () => (isLast ? end() : go(step + 1, true)) }, isLast ? "Done" : "Next");
  box.replaceChildren(
    element("h2", { id: "tour-title" }, title),
    element("p", { id: "tour-words", role: "status" }, isTyped ? element("code", {}, words) : words),
    element(
      "footer",
      {},
      element("span", {}, `${step + 1} of ${STEPS.length}`),
      isTyped && element("button", { type: "button", click: () => type(words) }, "Type it for me"),
      !isLast && element("button", { type: "button", click: end }, "Skip"),
      next,
    ),
  );
  if (pane) showPane(pane);
  if (!box.isConnected) document.body.append(box);
  if (!following) follow();
  if (takesFocus) next.focus({ preventScroll: true });
}

function end() {
  const hadFocus = box.contains(document.activeElement);
  step = -1;
  cancelAnimationFrame(following);
  following = 0;
  unmark();
  box.remove();
  try {
    localStorage.setItem(SEEN, "yes");
  } catch {
    // a browser that remembers nothing shows it again
  }
  if (hadFocus) document.getElementById("tour-button").focus();
}

function remembers() {
  try {
    return localStorage.getItem(SEEN) !== null;
  } catch {
    return true;
  }
}

function target() {
  const { at, or } = STEPS[step];
  const found = document.querySelector(at);
  return found?.checkVisibility() ? found : or && document.querySelector(or)?.firstElementChild;
}

/** Stay with what is pointed at, which moves when the page changes, or is there only by and by. */
function follow() {
  const found = target();
  if (found && !found.classList.contains("pointed-at")) {
    unmark();
    found.classList.add("pointed-at");
  }
  if (found) place(found.getBoundingClientRect());
  following = requestAnimationFrame(follow);
}

/** Put the box beside its goal: left of it, or above, or below, where there is room. */
function place(goal) {
  const { offsetWidth: width, offsetHeight: height } = box;
  const isLeft = goal.left > width + 2 * GAP && goal.width < innerWidth / 2 && goal.height > height;
  const above = goal.top - height - GAP;
  const top = isLeft ? goal.top + 2 * GAP : above > GAP ? above : goal.bottom + GAP;
  const left = isLeft ? goal.left - width - GAP : goal.left + GAP;
  box.style.top = `${Math.max(GAP, Math.min(top, innerHeight - height - GAP))}px`;
  box.style.left = `${Math.max(GAP, Math.min(left, innerWidth - width - GAP))}px`;
}

function unmark() {
  for (const one of document.querySelectorAll(".pointed-at")) one.classList.remove("pointed-at");
}

// Telling the reader something in passing: in a line over the page, and to a screen reader what has come in.

const toast = document.getElementById("toast");
const announcer = document.getElementById("announcer");

const SHOWN = 5000; // milliseconds
const TOGETHER = 400; // milliseconds within which news is told at once

let hiding = 0;
let pending = [];

/** Show a line for a few seconds. */
export function tell(words) {
  clearTimeout(hiding);
  toast.textContent = words;
  toast.hidden = false;
  hiding = setTimeout(() => (toast.hidden = true), SHOWN);
}

/** Have *words* read out when the reader is idle; of several at once, only how many they are. */
export function announce(words) {
  if (pending.push(words) > 1) return;
  setTimeout(() => {
    announcer.textContent = pending.length === 1 ? pending[0] : `${pending.length} new messages`;
    pending = [];
  }, TOGETHER);
}

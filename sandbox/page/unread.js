// What each reader has read: kept in this browser, for each person and conversation the `ts` of the newest message.

const KEPT = "read";

let marks = JSON.parse(localStorage.getItem(KEPT) ?? "{}"); // by person and conversation or thread

/** How far *viewer* has read a conversation, or the thread of *ts*; "" for nothing. */
export function readUntil(viewer, conversation, ts = "") {
  return marks[key(viewer, conversation, ts)] ?? "";
}

/** Note that *viewer* has read a conversation, or a thread of it, as far as *until*. */
export function markRead(viewer, conversation, until, ts = "") {
  if (until <= readUntil(viewer, conversation, ts)) return;
  marks = { ...JSON.parse(localStorage.getItem(KEPT) ?? "{}"), [key(viewer, conversation, ts)]: until }; // of other tabs too
  localStorage.setItem(KEPT, JSON.stringify(marks));
}

/** How a conversation stands out: whether it `isUnread`, and how many messages call for *viewer*. */
export function unread(viewer, { id, newest, calls }) {
  const until = readUntil(viewer, id);
  const count = calls.filter((ts) => ts > until).length;
  return { isUnread: newest > until || count > 0, count };
}

function key(viewer, conversation, ts) {
  return `${viewer} ${conversation}${ts && ` ${ts}`}`;
}

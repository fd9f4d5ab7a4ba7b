// Where the reader is, kept in the page's address: `#C0SUPPORT01`, or `#C0SUPPORT01/1700000000.000100` with a thread.
// A message's permalink leads to `#C0SUPPORT01/p1700000000000100`, which is the same place.

/** Read the address. `thread` is the `ts` of any message in the thread. */
export function readPlace() {
  const [conversation, message] = location.hash.slice(1).split("/");
  const thread = message?.replace(/^p(\d+)(\d{6})$/, "$1.$2");
  return { conversation: conversation || null, thread: thread || null };
}

/** Write the address of a place. */
export function address(conversation, thread) {
  return thread ? `#${conversation}/${thread}` : `#${conversation}`;
}

/** Turn a permalink of this sandbox into an address of this page; null for any other link. */
export function addressOfPermalink(url) {
  const place = url.port === location.port && url.pathname.match(/^\/archives\/(\w+)\/(p\d+)$/);
  return place ? address(place[1], place[2]) : null;
}

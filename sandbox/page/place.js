// Where the reader is, kept in the page's address: `#C0SUPPORT01`, or `#C0SUPPORT01/1700000000.000100` with a thread.
// The app's Home is at `#D0ANABOT001/home`. A message's permalink leads to `#C0SUPPORT01/p1700000000000100`, which is the same place.

/** Read the address. `thread` is the `ts` of any message in the thread. */
export function readPlace() {
  const [conversation, inside] = location.hash.slice(1).split("/");
  const isHome = inside === "home";
  const thread = isHome ? null : inside?.replace(/^p(\d+)(\d{6})$/, "$1.$2");
  return { conversation: conversation || null, thread: thread || null, isHome };
}

/** Write the address of a place; *inside* is a message in a thread, or `home`. */
export function address(conversation, inside) {
  return inside ? `#${conversation}/${inside}` : `#${conversation}`;
}

/** Turn a permalink of this sandbox into an address of this page; null for any other link. */
export function addressOfPermalink(url) {
  const place = url.port === location.port && url.pathname.match(/^\/archives\/(\w+)\/(p\d+)$/);
  return place ? address(place[1], place[2]) : null;
}

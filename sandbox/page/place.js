// Where the reader is, kept in the page's address: `#C0SUPPORT01`, and inside it `#C0SUPPORT01/1700000000.000100` with
// the thread of a message open, `#C0SUPPORT01/p1700000000000100` at a message, as its permalink leads, or
// `#D0ANABOT001/home` at the app's Home.

/** Read the address. `at` is the `ts` of a message, of which `isThread` tells whether its thread is to be open. */
export function readPlace() {
  const [conversation, inside = ""] = location.hash.slice(1).split("/");
  const isHome = inside === "home";
  const isThread = /^\d/.test(inside);
  const at = isHome ? "" : inside.replace(/^p(\d+)(\d{6})$/, "$1.$2");
  return { conversation: conversation || "", at, isThread, isHome };
}

/** Write the address of a place; *inside* is a message whose thread is open, or `home`. */
export function address(conversation, inside) {
  return inside ? `#${conversation}/${inside}` : `#${conversation}`;
}

/** Write the permalink of a message, which looks like Slack's. */
export function permalink(conversation, ts) {
  return `${location.origin}/archives/${conversation}/p${ts.replace(".", "")}`;
}

/** Turn a permalink of this sandbox into an address of this page; null for any other link. */
export function addressOfPermalink(url) {
  const place = url.port === location.port && url.pathname.match(/^\/archives\/(\w+)\/(p\d+)$/);
  return place ? address(place[1], place[2]) : null;
}

// The app's Home: the tab beside its direct messages, with the view that the app has published there for the reader.
// Source: docs.slack.dev/surfaces/app-home.

import { address } from "./place.js";
import * as sandbox from "./sandbox.js";
import { ViewBlocks } from "./view.js";

const tabs = document.getElementById("tabs");
const home = document.getElementById("home");
const nothing = document.getElementById("home-nothing");
const list = document.getElementById("home-blocks");
const trouble = document.getElementById("home-trouble");
const blocks = new ViewBlocks(list, { home: true, tell });

let visited = ""; // who looks at which tab, as the app was told

/** Show the tabs of the app's direct message *here*, and on the Home tab what is published to the person *as*. */
export function showHome(slack, { here, isHome, as, directory }) {
  const isOfApp = here.kind === "im" && here.has_app;
  tabs.hidden = !isOfApp || !slack.app.has_home;
  home.hidden = !isHome;
  const [toHome, toMessages] = tabs.children;
  toHome.href = address(here.id, "home");
  toMessages.href = address(here.id);
  toHome.setAttribute("aria-current", isHome ? "page" : "false");
  toMessages.setAttribute("aria-current", isHome ? "false" : "page");
  visit(isOfApp ? { as, tab: isHome ? "home" : "messages" } : null);
  nothing.hidden = slack.home !== null;
  list.hidden = slack.home === null;
  if (isHome && slack.home) blocks.show(slack.home, { as, directory });
}

/** Tell the app that the reader has come to one of its tabs; null for somewhere else. */
function visit(tab) {
  const now = tab ? `${tab.as} ${tab.tab}` : "";
  if (now === visited) return;
  visited = now;
  tell("");
  if (tab) blocks.act(() => sandbox.visit(tab));
}

function tell(words) {
  trouble.textContent = words;
}

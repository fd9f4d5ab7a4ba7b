// The page: shows the sandbox as one person sees it, follows it by long poll, and does what that person does.

import * as composer from "./composer.js";
import { showHome } from "./home.js";
import { MessageList, ofConversation, ofThread } from "./messages.js";
import { showModal } from "./modal.js";
import { showPhones } from "./phones.js";
import { address, readPlace } from "./place.js";
import * as sandbox from "./sandbox.js";
import { showSidebar, sign } from "./sidebar.js";

const FIRST = "support"; // the channel a newcomer sees
const RETRY = 1000; // milliseconds
const VIEWER = "viewer"; // where this tab remembers who the reader is

const trouble = document.getElementById("trouble");
const title = document.getElementById("title");
const start = document.getElementById("start");
const channelPlace = document.getElementById("messages");
const writing = document.getElementById("composer");
const thread = document.getElementById("thread");
const threadPlace = document.getElementById("replies");
const closeThread = document.getElementById("close");

let viewer = null; // the id of the person the reader is
let place = readPlace();
let moved = new AbortController(); // aborted when the reader becomes somebody else or goes somewhere else
let channelList, threadList;
let app = null; // the app, with what it offers
let newest = ""; // the `ts` of the newest message that is shown
let awaitedAfter = null; // once a command was typed: the `ts` of the newest message before it

composer.listen(send);
window.addEventListener("hashchange", () => {
  place = readPlace();
  awaitedAfter = null;
  lookAnew();
});
keepUp();

async function keepUp() {
  let since = 0;
  for (;;) {
    const state = await newerState(since);
    if (state) draw(state);
    since = state?.revision ?? 0;
  }
}

/** Wait for a state newer than *since*; null if another one is wanted by now, or if the sandbox does not answer. */
async function newerState(since) {
  const { signal } = moved;
  try {
    const state = await sandbox.state({ as: viewer, in: place.conversation, since, signal });
    return !signal.aborted && settled(state.slack) ? state : null;
  } catch {
    if (signal.aborted) return null;
    tellTrouble("The sandbox does not answer. Trying again…");
    await new Promise((resolve) => setTimeout(resolve, RETRY));
    return null;
  }
}

function lookAnew() {
  moved.abort();
  moved = new AbortController();
}

/** Choose who and where, unless that is chosen and there. Says whether the state was the one wanted. */
function settled({ people, conversations }) {
  if (!viewer) {
    const humans = people.filter((one) => !one.is_bot);
    viewer = (humans.find((one) => one.id === sessionStorage.getItem(VIEWER)) ?? humans[0]).id;
    return false;
  }
  if (conversations.some((one) => one.id === place.conversation)) return true;
  const first = conversations.find((one) => one.name === FIRST) ?? conversations[0];
  history.replaceState(null, "", address(first.id));
  place = readPlace();
  return false;
}

function draw({ slack, blooio }) {
  const you = slack.people.find((one) => one.id === viewer);
  const here = slack.conversations.find((one) => one.id === place.conversation);
  const directory = { people: byId(slack.people), conversations: byId(slack.conversations), tz: you.tz };
  app = slack.app;
  tellTrouble(troubleWith(slack.transport));
  title.textContent = `${sign(here.kind)}${here.name}`;
  showSidebar(slack, { viewer, conversation: here.id, become });
  const closed = whyClosed(here, you);
  composer.showComposer({ app, use: useShortcut, phones: blooio.phones, closed });
  showPhones(blooio, { team: slack.team.name, tz: you.tz, begin: composer.begin });
  drawChannel(slack.messages, directory);
  const isHome = place.isHome && app.has_home && here.kind === "im" && here.has_app;
  channelPlace.hidden = writing.hidden = isHome;
  start.hidden = isHome || Boolean(closed) || slack.messages.length > 0;
  showHome(slack, { here, isHome, as: viewer, directory });
  drawThread(slack.messages, directory);
  openAwaited(slack.messages);
  showModal(slack.modal, { as: viewer, directory });
}

function drawChannel(messages, directory) {
  const of = `${viewer} ${place.conversation}`;
  if (channelList?.of !== of) {
    channelList = new MessageList(channelPlace, { of, label: "Messages", leadsToThreads: true, press, actions });
  }
  channelList.show(ofConversation(messages), directory);
}

function drawThread(messages, directory) {
  const shown = place.thread ? ofThread(messages, place.thread) : [];
  thread.hidden = shown.length === 0;
  if (thread.hidden) return;
  const of = `${viewer} ${place.conversation} ${shown[0].ts}`;
  if (threadList?.of !== of) threadList = new MessageList(threadPlace, { of, label: "Thread", press, actions });
  threadList.show(shown, directory);
  closeThread.href = address(place.conversation);
}

/** After a command of the reader's, open the thread in which the app's next message appears. */
function openAwaited(messages) {
  newest = messages.at(-1)?.ts ?? "";
  const reply = awaitedAfter !== null && messages.find((one) => isReplyOfApp(one) && one.ts > awaitedAfter);
  if (!reply) return;
  awaitedAfter = null;
  location.hash = address(place.conversation, reply.thread_ts);
}

function isReplyOfApp(message) {
  return message.by_app && message.thread_ts !== null;
}

function whyClosed(conversation, you) {
  if (conversation.is_archived) return "This channel is archived";
  return conversation.is_member ? null : `${you.name} is not in this channel`;
}

function troubleWith(transport) {
  if (transport.mode === "socket") return transport.connections ? "" : "The bot is not connected, so commands fail.";
  return transport.verified ? "" : `The bot does not answer at ${transport.url}, so commands fail. ${transport.problem}`;
}

function tellTrouble(words) {
  trouble.textContent = words;
  trouble.hidden = !words;
}

function become(id) {
  viewer = id;
  sessionStorage.setItem(VIEWER, id);
  lookAnew();
}

/** Send what was typed. Says whether it was taken; Slackbot tells in the conversation why a command was not. */
async function send(text) {
  const typed = { as: viewer, in: place.conversation, text };
  channelList.toEnd();
  if (!text.startsWith("/")) return Boolean(await sandbox.say(typed));
  awaitedAfter = newest;
  return !(await sandbox.type(typed)).error;
}

function press({ conversation_id, ts }, what) {
  return acknowledged(sandbox.click({ as: viewer, in: conversation_id, ts, what }));
}

function useShortcut(what) {
  return acknowledged(sandbox.useShortcut({ as: viewer, in: place.conversation, what }));
}

/** What there is to do with a message: the app's shortcuts, where Slack offers them. */
function actions({ conversation_id, ts, takes_shortcuts }) {
  const shortcuts = takes_shortcuts ? app.shortcuts.filter(({ kind }) => kind === "message") : [];
  return shortcuts.map(({ name, callback_id }) => {
    const use = { as: viewer, in: conversation_id, ts, what: callback_id };
    return { name, by: app.name, choose: () => acknowledged(sandbox.useMessageShortcut(use)) };
  });
}

/** Wait until the app has acknowledged what the reader did, and say so if it did not. */
async function acknowledged(doing) {
  try {
    const { error } = await doing;
    composer.refuse(error ? `The bot did not answer: ${error}` : "");
  } catch (mistake) {
    composer.refuse(mistake.message);
  }
}

function byId(things) {
  return Object.fromEntries(things.map((one) => [one.id, one]));
}

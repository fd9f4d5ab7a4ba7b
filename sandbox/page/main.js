// The page: shows the sandbox as one person sees it, follows it by long poll, and does what that person does.

import { Composer } from "./composer.js";
import { directoryOf } from "./directory.js";
import { Doing } from "./doing.js";
import { loadEmoji } from "./emoji.js";
import { Following } from "./following.js";
import { showHome } from "./home.js";
import { MessageList } from "./messages.js";
import { showModal } from "./modal.js";
import { element, show } from "./nodes.js";
import { namesOf, offersOf } from "./offering.js";
import { isNarrow, showPane } from "./panes.js";
import { channelOf, owner, showPhones, spaced } from "./phones.js";
import { address, readPlace } from "./place.js";
import * as sandbox from "./sandbox.js";
import { showSidebar, sign } from "./sidebar.js";
import { announce } from "./tell.js";
import { Thread } from "./thread.js";
import { offerTour } from "./tour.js";
import { showTrouble } from "./trouble.js";
import { markRead, readUntil } from "./unread.js";
import { read } from "./uploads.js";
import { showWire } from "./wire.js";

const FIRST = "support"; // the channel a newcomer sees
const VIEWER = "viewer"; // where this tab remembers who the reader is
const INVITATION = "/text +1 555 123 4567 Hi Jane";

const problem = document.getElementById("problem");
const title = document.getElementById("title");
const topic = document.getElementById("topic");
const start = document.getElementById("start");
const examples = document.getElementById("examples");
const channelPane = document.getElementById("channel");
const channelPlace = document.getElementById("messages");

let viewer = null; // the person the reader is
let place = readPlace();
let directory = {}; // see `mrkdwn`
let app = null; // the app, with what it offers
let channelList;
let goal = place.at; // the `ts` of the message that a link leads to, until it is shown
let newest = ""; // the `ts` of the newest message that is known
let awaitedAfter = null; // once a command was typed: the `ts` of the newest message before it

const following = new Following({
  news: draw,
  lost: () => tellProblem("The sandbox does not answer. Trying again…"),
});
const does = new Doing(() => ({ viewer: viewer.id, isAdmin: viewer.is_admin, app, directory, held: following.held }));
const composer = new Composer(document.getElementById("composer"), {
  id: "typed",
  label: "Message or slash command",
  pane: channelPane,
  send: sendHere,
});
const thread = new Thread({ does, reply, close: closeThread });

window.addEventListener("hashchange", () => {
  const before = place;
  place = readPlace();
  goal = place.at;
  awaitedAfter = null;
  if (place.conversation !== before.conversation) showPane("channel");
  look();
});
document.addEventListener("visibilitychange", () => following.tellAgain());
document.addEventListener("reply-wanted", () => thread.wantReply(threadKey()));
offerTour((words) => composer.begin(words));
await loadEmoji();
look();
await following.keepUp();

function look() {
  following.goTo({ as: viewer?.id, in: place.conversation, at: place.at });
}

/** Choose who and where, unless that is chosen and there. Says whether the state was the one wanted. */
function settled({ people, conversations }) {
  if (!viewer) {
    const humans = people.filter((one) => !one.is_bot);
    const wanted = new URLSearchParams(location.search).get("as") ?? sessionStorage.getItem(VIEWER);
    viewer = humans.find((one) => wanted === one.id || wanted === one.handle) ?? humans[0];
    return false;
  }
  viewer = people.find((one) => one.id === viewer.id);
  if (conversations.some((one) => one.id === place.conversation)) return true;
  const first = conversations.find((one) => one.name === FIRST) ?? conversations[0];
  history.replaceState(null, "", address(first.id));
  place = readPlace();
  return false;
}

function draw({ slack, blooio, trouble }, held) {
  if (!settled(slack)) return look();
  const here = slack.conversations.find((one) => one.id === place.conversation);
  directory = directoryOf(slack, viewer, directory);
  app = slack.app;
  tellProblem(troubleWith(slack.transport));
  title.textContent = `${sign(here.kind)}${here.name}`;
  topic.textContent = [here.topic, about(here)].filter(Boolean).join(" · ");
  const isHome = place.isHome && app.has_home && here.kind === "im" && here.has_app;
  const closed = whyClosed(here);
  channelPlace.hidden = isHome;
  composer.form.hidden = isHome;
  start.hidden = isHome || Boolean(closed) || held.messages.length > 0;
  drawChannel(here, held);
  drawThread(held, here, closed);
  newest = held.messages.at(-1)?.ts ?? "";
  noteRead(here, held);
  showSidebar(slack, { viewer: viewer.id, conversation: here.id, become });
  drawComposer(slack, blooio, here, closed);
  showPhones(blooio, { team: slack.team.name, tz: viewer.tz, begin });
  showTrouble(trouble);
  showWire(viewer.tz);
  showHome(slack, { here, isHome, as: viewer.id, directory });
  if (composer.isWanted) composer.focus();
  openAwaited(held);
  showModal(slack.modal, { as: viewer.id, directory, app });
}

function drawChannel(here, held) {
  const of = `${viewer.id} ${here.id}`;
  const isNew = channelList?.of !== of;
  if (isNew) {
    channelList = new MessageList(channelPlace, {
      of,
      label: "Messages",
      leadsToThreads: true,
      does,
      older: () => following.loadOlder(),
      newAfter: readUntil(viewer.id, here.id),
    });
  }
  const messages = held.ofConversation();
  if (!isNew) announceNews(messages);
  channelList.show(messages, directory);
  if (isNew || goal) goToGoal(held, channelList, isNew);
  if (isNew && !place.at && !isNarrow()) composer.isWanted = true;
}

/** Scroll to the message that a link leads to, and let it shine unless it is its thread that is wanted. */
function goToGoal(held, list, isNew) {
  const target = goal && held.find(goal);
  if (!target) return void (isNew && list.toEnd());
  const isReply = Boolean(target.thread_ts);
  const ts = isReply && target.subtype !== "thread_broadcast" ? target.thread_ts : target.ts;
  if (isNew || !place.isThread) list.goTo(ts, { shines: !place.isThread && !isReply });
  if (!isReply) goal = "";
}

/** Draw the thread that is wanted, if any: that of `place.at`, or the one that a reply there is in. */
function drawThread(held, here, closed) {
  const target = held.find(place.at);
  const isReply = Boolean(target?.thread_ts) && target.subtype !== "thread_broadcast";
  const messages = target && (place.isThread || isReply) ? held.ofThread(place.at) : [];
  if (thread.key === threadKey()) announceNews(messages);
  const offered = { commands: [], shortcuts: [], ...namesOf(directory) };
  const wanted = target?.thread_ts ? goal : "";
  thread.show(messages, { key: threadKey(), here, directory, offered, closed, goal: wanted });
  if (messages.length) goal = "";
}

/** What names the thread that the reader wants to see. */
function threadKey() {
  const parent = following.held.find(place.at)?.thread_ts ?? place.at;
  return `${viewer.id} ${place.conversation} ${parent}`;
}

function announceNews(messages) {
  for (const one of messages) {
    if (one.ts > newest && one.user_id !== viewer.id) announce(`${one.author}: ${one.read.slice(0, 200)}`);
  }
}

/** What is on the screen has been read. */
function noteRead(here, held) {
  if (document.hidden) return;
  const read = [here.newest, ...here.calls, held.messages.at(-1)?.ts ?? ""].sort().at(-1);
  if (read) markRead(viewer.id, here.id, read);
}

function drawComposer(slack, blooio, here, closed) {
  const use = (what) => does.acknowledged(sandbox.useShortcut({ as: viewer.id, in: place.conversation, what }));
  const offered = { ...offersOf(app, use), ...namesOf(directory) };
  const invitation = start.hidden ? `Message ${sign(here.kind)}${here.name}` : INVITATION;
  const globals = closed ? [] : offered.shortcuts;
  composer.show({ where: `${viewer.id} ${here.id}`, invitation, closed, offered, globals });
  const phones = ["imessage", "sms"].map((channel) => blooio.phones.find((one) => one.channel === channel));
  const items = phones.filter(Boolean).map(({ texts, ...phone }) => ({ key: phone.address, phone }));
  show(examples, items, ({ phone }) => {
    const attributes = { type: "button", class: "button", click: () => begin(phone) };
    return element("button", attributes, `Text ${owner(phone)} (${channelOf(phone)})`);
  });
}

/** Put the beginning of a text to *phone* in the box, for the reader to change and send. */
function begin(phone) {
  const name = phone.name?.split(" ")[0] ?? "there";
  showPane("channel");
  composer.begin(`/text ${spaced(phone.address)} Hi ${name}, your order is ready`);
}

/** After a command of the reader's, open the thread in which the app's next message appears. */
function openAwaited(held) {
  if (awaitedAfter === null) return;
  const parent = held.messages.find(({ replies: { latest } }) => latest?.by_app && latest.ts > awaitedAfter);
  if (!parent) return;
  awaitedAfter = null;
  location.hash = address(place.conversation, parent.ts);
}

/** Send what was typed. Says whether it was taken; Slackbot tells in the conversation why a command was not. */
async function sendHere({ text, files, progress }) {
  const typed = { as: viewer.id, in: place.conversation, text };
  channelList.toEnd();
  if (files.length) return post(typed, files, progress);
  if (text.startsWith("/me ")) return Boolean(await sandbox.say({ ...typed, text: text.slice(4), me: true }));
  if (!text.startsWith("/")) return Boolean(await sandbox.say(typed));
  awaitedAfter = newest;
  return !(await sandbox.type(typed)).error;
}

function reply({ text, files, broadcast, progress }) {
  const thread_ts = following.held.find(place.at)?.thread_ts ?? place.at;
  const typed = { as: viewer.id, in: place.conversation, text, thread_ts, broadcast };
  thread.toEnd();
  return files.length ? post(typed, files, progress) : sandbox.say(typed);
}

async function post(typed, files, progress) {
  return Boolean(await sandbox.upload({ ...typed, files: await read(files) }, progress));
}

function closeThread() {
  const parent = following.held.find(place.at)?.thread_ts ?? place.at;
  const back = channelList.nodeOf(parent);
  location.hash = address(place.conversation);
  showPane("channel");
  (back?.querySelector(".replies") ?? back ?? composer.box).focus({ preventScroll: true });
}

function whyClosed(conversation) {
  if (conversation.is_archived) return "This channel is archived";
  return conversation.is_member ? null : `${viewer.name} is not in this channel`;
}

function about({ kind, members, is_shared }) {
  if (!sign(kind)) return "";
  return `${members.length} members${is_shared ? ", some of another workspace" : ""}`;
}

function troubleWith(transport) {
  if (transport.mode === "socket") return transport.connections ? "" : "The bot is not connected, so commands fail.";
  return transport.verified ? "" : `The bot does not answer at ${transport.url}, so commands fail. ${transport.problem}`;
}

function tellProblem(words) {
  if (problem.textContent !== words) problem.textContent = words;
  problem.hidden = !words;
}

function become(id) {
  viewer = { ...viewer, id };
  sessionStorage.setItem(VIEWER, id);
  if (location.search) history.replaceState(null, "", location.pathname + location.hash);
  look();
}

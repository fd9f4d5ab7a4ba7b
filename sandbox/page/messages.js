// A list of messages, as one person sees them: a conversation's own, or those of one thread.

import { dayOf, fillIn } from "./dates.js";
import { drawEditing } from "./editing.js";
import { beginsAnew, drawMessage } from "./message.js";
import { element, sameValues, show, stayAtEnd } from "./nodes.js";
import { readUntil } from "./unread.js";
import { Tools } from "./tools.js";

const HIGHLIGHTED = 2500; // milliseconds
const AHEAD = 800; // pixels before the oldest message at which older ones are asked for

/**
 * Shows the messages of one conversation or thread, which `of` names; another one needs a new list.
 *
 * With `leadsToThreads` replies are counted and linked. `does` does what the reader does to messages: see `Doing`.
 * `older()` loads older messages, for the list of a conversation.
 */
export class MessageList {
  constructor(place, { of, label, leadsToThreads = false, does, older = null, newAfter = "" }) {
    this.of = of;
    this.leadsToThreads = leadsToThreads;
    this.does = does;
    this.newAfter = newAfter; // a `ts`: a line stands before the first message after it that somebody else wrote
    this.days = new Map(); // `ts` to the reader's day
    this.editing = null; // the `ts` of the message that the reader is changing
    this.list = element("ol", { "aria-label": label, keydown: (event) => this.move(event) });
    this.scroller = element("div", { class: "messages" }, this.list);
    this.tools = new Tools(this.list, { label, leadsToThreads, does, edit: (ts) => this.edit(ts) });
    place.replaceChildren(this.scroller);
    this.leaveEnd = stayAtEnd(this.scroller, this.list);
    if (older) this.ask(older);
  }

  /** Scroll to the newest message, and stay there. */
  toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  /** Scroll to the message *ts* and let it shine for a moment. Says whether it is there. */
  goTo(ts, { shines = true } = {}) {
    const node = this.nodeOf(ts);
    if (!node) return false;
    this.leaveEnd();
    node.scrollIntoView({ block: "center" });
    if (shines) {
      node.classList.add("shining");
      setTimeout(() => this.nodeOf(ts)?.classList.remove("shining"), HIGHLIGHTED);
    }
    return true;
  }

  show(messages, directory) {
    const oldest = this.messages?.[0];
    const isOlder = oldest && messages[0]?.ts < oldest.ts;
    this.messages = messages;
    this.directory = directory;
    const items = this.items(messages, directory);
    const draw = () => show(this.list, items, (item) => this.draw(item), sameValues);
    this.tools.keep(() => (isOlder ? this.keepPlace(this.nodeOf(oldest.ts), draw) : draw()));
    this.setTabStop();
  }

  /** Draw what comes above *node* without moving what is on the screen. Browsers do so by themselves, but not at the top. */
  keepPlace(node, draw) {
    const before = node.getBoundingClientRect().top;
    this.scroller.style.overflowAnchor = "none";
    draw();
    const after = (this.nodeOf(node.dataset.key) ?? node).getBoundingClientRect().top;
    this.scroller.scrollTop += after - before;
    requestAnimationFrame(() => (this.scroller.style.overflowAnchor = ""));
  }

  items(messages, directory) {
    const items = [];
    let before = null;
    let isNewMarked = !this.newAfter;
    for (const message of messages) {
      const isNewDay = this.leadsToThreads && this.dayOf(message) !== (before && this.dayOf(before));
      if (isNewDay) items.push({ key: `day ${this.dayOf(message)}`, words: fillIn("{date_long_pretty}", Number(message.ts), directory.tz) });
      const isNew = !isNewMarked && message.ts > this.newAfter && message.user_id !== directory.viewer;
      if (isNew) items.push({ key: "new", words: "New", isNew });
      isNewMarked ||= isNew;
      items.push(this.item(message, before, directory, isNewDay || isNew));
      if (!this.leadsToThreads && !before && messages.length > 1) items.push({ key: "count", words: counted(messages.length - 1) });
      before = message;
    }
    return items;
  }

  dayOf({ ts }) {
    if (!this.days.has(ts)) this.days.set(ts, dayOf(Number(ts), this.directory.tz));
    return this.days.get(ts);
  }

  item(message, before, directory, isApart) {
    if (message.ts === this.editing) return { key: message.ts, isEditing: true };
    const latest = message.replies.latest;
    const seen = this.leadsToThreads && latest ? readUntil(directory.viewer, message.conversation_id, message.ts) : "";
    return {
      key: message.ts,
      message,
      directory,
      isFirst: isApart || beginsAnew(message, before) || (!this.leadsToThreads && this.messages[1] === message),
      hasNewReplies: Boolean(seen) && latest.ts > seen && latest.user_id !== directory.viewer,
    };
  }

  draw({ key, message, words, isNew, isEditing, isFirst, directory, hasNewReplies }) {
    if (words) return element("li", { class: isNew ? "divider new" : "divider" }, element("span", {}, words));
    if (isEditing) return this.drawEditing(this.messages.find((one) => one.ts === key));
    const { does, leadsToThreads } = this;
    return drawMessage(message, { isFirst, directory, does, leadsToThread: leadsToThreads, hasNewReplies });
  }

  drawEditing(message) {
    const close = () => this.edit(null, message.ts);
    return drawEditing(message, this.directory, { save: (text) => this.does.edit(message, text), close });
  }

  /** Begin to change the message *ts*; null ends that, and gives the focus back to the message *back*. */
  edit(ts, back = null) {
    this.editing = ts;
    this.show(this.messages, this.directory);
    if (ts) this.nodeOf(ts).querySelector("textarea").focus();
    else this.nodeOf(back)?.focus({ preventScroll: true });
  }

  nodeOf(ts) {
    return this.list.querySelector(`[data-key="${ts}"]`);
  }

  ask(older) {
    const look = async () => {
      // After a page of short messages the top may still be near.
      while (this.scroller.isConnected && this.scroller.scrollTop < AHEAD && (await older()));
    };
    this.scroller.addEventListener("scroll", look, { passive: true });
  }

  /** Of all messages one is reached with Tab, the last or where the reader was; arrows lead to the others. */
  setTabStop() {
    const nodes = this.list.querySelectorAll(".message");
    const now = this.list.querySelector('.message[tabindex="0"]');
    if (nodes.length && !now) nodes[nodes.length - 1].tabIndex = 0;
  }

  move(event) {
    if (!event.target.matches(".message")) return;
    const nodes = [...this.list.querySelectorAll(".message")];
    const at = nodes.indexOf(event.target);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: nodes.length - 1 }[event.key];
    if (to === undefined || !nodes[to]) return;
    event.preventDefault();
    nodes[at].tabIndex = -1;
    nodes[to].tabIndex = 0;
    nodes[to].focus();
  }
}

function counted(replies) {
  return replies === 1 ? "1 reply" : `${replies} replies`;
}

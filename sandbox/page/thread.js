// The pane with one thread: its messages, and a composer of its own.

import { Composer } from "./composer.js";
import { MessageList } from "./messages.js";
import { showPane } from "./panes.js";
import { sign } from "./sidebar.js";
import { markRead } from "./unread.js";

const pane = document.getElementById("thread");
const list = document.getElementById("replies");
const of = document.getElementById("thread-of");
const cross = document.getElementById("close");

/** The thread that is open, if any. `reply(message)` sends what was typed; `close()` is told when the reader is done. */
export class Thread {
  constructor({ does, reply, close }) {
    this.does = does;
    this.list = null;
    this.key = ""; // what names the thread that is wanted
    this.isReplyWanted = false; // once the reader wants to reply in a thread that is not open yet
    const form = document.getElementById("thread-composer");
    this.composer = new Composer(form, { id: "reply", label: "Reply", pane, send: reply });
    cross.addEventListener("click", close);
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.defaultPrevented && pane.contains(event.target)) close();
    });
  }

  /** Let the reader write in the thread, now or as soon as it is open. */
  wantReply(key) {
    this.isReplyWanted = pane.hidden || this.key !== key;
    if (!this.isReplyWanted) this.composer.focus();
  }

  /**
   * Show the thread of *messages*, of which the first is its parent; without any, nothing.
   *
   * `key` names it, `here` is the conversation. *goal* is the `ts` of a reply that a link leads to.
   */
  show(messages, { key, here, directory, offered, closed, goal }) {
    const wasOpen = !pane.hidden;
    const isNew = this.key !== key || !wasOpen;
    pane.hidden = messages.length === 0;
    document.body.classList.toggle("with-thread", !pane.hidden);
    if (pane.hidden) return void (wasOpen && showPane("channel"));
    if (isNew) this.list = new MessageList(list, { of: key, label: "Thread", does: this.does });
    this.key = key;
    this.list.show(messages, directory);
    const name = `${sign(here.kind)}${here.name}`;
    of.textContent = name;
    this.composer.show({ where: key, invitation: "Reply…", closed, channel: name, offered });
    markRead(directory.viewer, here.id, messages.at(-1).ts, messages[0].ts);
    if (isNew) showPane("thread");
    if (goal) this.list.goTo(goal);
    else if (isNew) this.list.toEnd();
    if (this.isReplyWanted) this.composer.focus();
    this.isReplyWanted = false;
  }

  toEnd() {
    this.list.toEnd();
  }
}

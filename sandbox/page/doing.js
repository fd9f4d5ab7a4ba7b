// What the reader does to messages. What goes wrong is told in a line over the page.

import { confirmed, question } from "./confirm.js";
import { address, permalink } from "./place.js";
import * as sandbox from "./sandbox.js";
import { tell } from "./tell.js";

/** Acts as the reader. `now()` tells the `viewer`, whether that `isAdmin`, the `app`, the `directory`, and what is `held`. */
export class Doing {
  constructor(now) {
    this.now = now;
  }

  messageAt = (ts) => this.now().held.find(ts);

  /** Press a button, or choose *value* in an element of a message; resolves once the app has acknowledged it. */
  use = async (message, block, one, value) => {
    if (!(await confirmed(one.confirm, this.now().directory))) return;
    const { block_id } = block;
    await this.acknowledged(sandbox.click({ ...this.where(message), block_id, what: one.action_id, value }));
  };

  /** Ask what an external menu of a message offers for what was *typed*. */
  suggest = async (message, block, one, typed) => {
    const { block_id } = block;
    return (await sandbox.suggestInMessage({ ...this.where(message), block_id, what: one.action_id, typed })).raw;
  };

  /** Leave a reaction, or take one's own back. */
  react = (message, name) => {
    const remove = message.reactions[name]?.includes(this.now().viewer) ?? false;
    return this.done(sandbox.react({ ...this.where(message), name, remove }));
  };

  openThread = ({ conversation_id, ts, thread_ts }) => {
    location.hash = address(conversation_id, thread_ts ?? ts);
    document.dispatchEvent(new CustomEvent("reply-wanted"));
  };

  /** Change a message of one's own. Says whether that was done. */
  edit = (message, text) => this.done(sandbox.edit({ ...this.where(message), text }));

  /** What there is to do with a message, as items of a menu: Slack's own, then the app's shortcuts. */
  actions = (message, { edit }) => {
    const { viewer, isAdmin, app } = this.now();
    if (message.ephemeral) return [{ name: "Dismiss message", choose: () => this.done(sandbox.remove(this.where(message))) }];
    const isGone = message.subtype === "tombstone";
    const isOwn = message.user_id === viewer && !isGone;
    const isTyped = isOwn && [null, "file_share", "thread_broadcast", "me_message"].includes(message.subtype);
    const shortcuts = message.takes_shortcuts ? app.shortcuts.filter(({ kind }) => kind === "message") : [];
    return [
      { name: "Reply in thread", choose: () => this.openThread(message) },
      { name: "Copy link", choose: () => this.copyLink(message) },
      isTyped && { name: "Edit message", choose: () => edit(message.ts) },
      (isOwn || (message.by_app && isAdmin)) && { name: "Delete message…", isDanger: true, choose: () => this.remove(message) },
      ...shortcuts.map(({ name, description, callback_id }, index) => ({
        name,
        description,
        by: app.name,
        isApart: index === 0,
        choose: () => this.acknowledged(sandbox.useMessageShortcut({ ...this.where(message), what: callback_id })),
      })),
    ].filter(Boolean);
  };

  async copyLink({ conversation_id, ts }) {
    const copied = await navigator.clipboard.writeText(permalink(conversation_id, ts)).catch(() => "refused");
    tell(copied === "refused" ? "The browser did not let the page copy the link." : "Link copied");
  }

  async remove(message) {
    const text = "It is deleted for everybody. This cannot be undone.";
    const asked = question("Delete this message?", text, "Delete", { style: "danger" });
    if (await confirmed(asked, this.now().directory)) await this.done(sandbox.remove(this.where(message)));
  }

  /** Wait until the app has acknowledged what the reader did, and say so if it did not. */
  async acknowledged(doing) {
    try {
      const { error } = await doing;
      if (error) tell(`The bot did not answer: ${error}`);
    } catch (mistake) {
      tell(mistake.message);
    }
  }

  /** Wait until something is done; say whether it was, and why if not. */
  async done(doing) {
    try {
      await doing;
      return true;
    } catch (mistake) {
      tell(mistake.message);
      return false;
    }
  }

  where({ conversation_id, ts }) {
    return { as: this.now().viewer, in: conversation_id, ts };
  }
}

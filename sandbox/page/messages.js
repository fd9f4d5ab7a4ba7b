// A list of messages, as one person sees them: a conversation's own, or those of one thread.

import { drawBlocks } from "./blocks.js";
import { timeOf } from "./dates.js";
import { drawFile } from "./files.js";
import { menuButton } from "./menu.js";
import { mrkdwn } from "./mrkdwn.js";
import { element, show, stayAtEnd } from "./nodes.js";
import { address } from "./place.js";

/** The messages that stand in the conversation itself. */
export function ofConversation(messages) {
  return messages.filter((one) => !one.thread_ts || one.subtype === "thread_broadcast");
}

/** The messages of the thread that `ts` is in: its parent, then the replies. */
export function ofThread(messages, ts) {
  const parent = messages.find((one) => one.ts === ts)?.thread_ts ?? ts;
  return messages.filter((one) => one.ts === parent || one.thread_ts === parent);
}

/**
 * Shows the messages of one conversation or thread, which `of` names; another one needs a new list.
 *
 * With `leadsToThreads` replies are counted and linked. `press(message, actionId)` is told of buttons, and
 * `actions(message)` tells what there is to do with a message, as items of a menu.
 */
export class MessageList {
  constructor(place, { of, label, leadsToThreads = false, press, actions }) {
    this.of = of;
    this.label = label;
    this.leadsToThreads = leadsToThreads;
    this.press = press;
    this.actions = actions;
    this.list = element("ol");
    this.scroller = element("div", { class: "messages", role: "log", "aria-label": label, tabindex: 0 }, this.list);
    place.replaceChildren(this.scroller);
    stayAtEnd(this.scroller, this.list);
  }

  /** Scroll to the newest message, and stay there. */
  toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  show(messages, directory) {
    const items = messages.map((message) => ({ key: message.ts, message }));
    show(this.list, items, ({ message }) => this.draw(message, directory));
  }

  draw(message, directory) {
    const press = (actionId) => this.press(message, actionId);
    return element(
      "li",
      { class: message.ephemeral ? "message ephemeral" : "message" },
      element("img", { src: picture(message), alt: "", width: 36, height: 36 }),
      element(
        "div",
        { class: "said" },
        element("strong", {}, message.author),
        message.by_app && element("span", { class: "tag" }, "App"),
        element("time", {}, timeOf(Number(message.ts), directory.tz)),
        message.ephemeral && element("p", { class: "only-you" }, "Only visible to you"),
        element("div", { class: "content" }, content(message, directory, press)),
        message.files.map(drawFile),
        message.edited && element("span", { class: "edited" }, "(edited)"),
        this.leadsToThreads && message.reply_count > 0 && replies(message),
      ),
      this.actions(message).length > 0 && this.drawTools(message),
    );
  }

  drawTools(message) {
    const id = `more-${this.label}-${message.ts}`;
    const items = () => this.actions(message);
    return element("div", { class: "tools" }, menuButton({ id, label: "More actions", items }, "⋯"));
  }
}

function content(message, directory, press) {
  if (!message.by_app) return message.read; // as typed, with the emoji that only the sandbox can look up
  return message.blocks.length ? drawBlocks(message.blocks, directory, press) : mrkdwn(message.text, directory);
}

function replies({ conversation_id, ts, reply_count }) {
  const words = reply_count === 1 ? "1 reply" : `${reply_count} replies`;
  return element("a", { class: "replies", href: address(conversation_id, ts) }, words);
}

/** The path of a message's picture. The page loads none but the sandbox's own. */
function picture({ image, user_id }) {
  const path = image && URL.canParse(image) ? new URL(image).pathname : "";
  return path.startsWith("/_sandbox/avatar/") ? path : `/_sandbox/avatar/${user_id}.svg`;
}

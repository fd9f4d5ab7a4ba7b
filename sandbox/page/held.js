// What the page holds of the conversation that the reader looks at: the messages it was told of, kept up to date.

/** The messages of one conversation. One that has not changed stays the same object. */
export class Held {
  constructor() {
    this.byTs = new Map();
    this.messages = []; // in the order they were posted
    this.hasOlder = false;
  }

  /** The `ts` of the oldest message of the conversation itself; "" without one. */
  get oldest() {
    return this.messages.find((one) => isOfConversation(one) && !one.ephemeral)?.ts ?? "";
  }

  /** Take what the sandbox told: everything, if it `isWhole`, or what has changed. */
  take({ messages, gone, has_older }, { isWhole }) {
    const told = new Map(messages.map((one) => [one.ts, this.kept(one)]));
    this.byTs = isWhole ? told : new Map([...this.byTs, ...told]);
    for (const ts of gone) this.byTs.delete(ts);
    this.hasOlder = has_older;
    this.messages = [...this.byTs.values()].sort((one, other) => (one.ts < other.ts ? -1 : 1));
  }

  /** Take messages that are older than those that are there. */
  takeOlder({ messages, has_older }) {
    this.take({ messages: messages.filter((one) => !this.byTs.has(one.ts)), gone: [], has_older }, { isWhole: false });
  }

  find(ts) {
    return this.byTs.get(ts);
  }

  /** The messages that stand in the conversation itself. */
  ofConversation() {
    return this.messages.filter(isOfConversation);
  }

  /** The messages of the thread that `ts` is in: its parent, then the replies. */
  ofThread(ts) {
    const parent = this.find(ts)?.thread_ts ?? ts;
    return this.messages.filter((one) => one.ts === parent || one.thread_ts === parent);
  }

  kept(message) {
    const before = this.byTs.get(message.ts);
    return before && JSON.stringify(before) === JSON.stringify(message) ? before : message;
  }
}

function isOfConversation({ thread_ts, subtype }) {
  return !thread_ts || subtype === "thread_broadcast";
}

// Following the sandbox by long poll: one person's view of one conversation, each time there is news of it.

import { Held } from "./held.js";
import * as sandbox from "./sandbox.js";

const RETRY = 1000; // milliseconds

/** Tells `news(state, held)` what there is to see, and `lost()` each time the sandbox does not answer. */
export class Following {
  constructor({ news, lost }) {
    this.news = news;
    this.lost = lost;
    this.where = {}; // `as`, `in` and `at`, as `sandbox.page` takes them
    this.held = new Held();
    this.heldOf = ""; // whose, and of which conversation
    this.since = 0; // the revision of what was told last; 0: nothing was
    this.waiting = new AbortController(); // aborted when something else is wanted than what is waited for
  }

  /** Follow another place from now on, or the same with another thread. */
  goTo(where) {
    this.where = where;
    this.since = 0;
    this.waitAnew();
  }

  /** Load the messages before the oldest there is. Says whether there were any. */
  async loadOlder() {
    const { held, heldOf } = this;
    if (!held.hasOlder || this.isLoading) return false;
    this.isLoading = true;
    try {
      const older = await sandbox.older({ as: this.where.as, in: this.where.in, before: held.oldest });
      if (heldOf !== this.place()) return false;
      held.takeOlder(older);
      this.news(this.last, held);
      this.waitAnew(); // for news of these too
      return true;
    } catch {
      return false; // it is told of by who follows the news
    } finally {
      this.isLoading = false;
    }
  }

  /** Tell once more what was told last, if it is of the place that is wanted. */
  tellAgain() {
    if (this.last && this.heldOf === this.place()) this.news(this.last, this.held);
  }

  async keepUp() {
    for (;;) {
      const { signal } = this.waiting;
      const state = await this.next(signal);
      try {
        if (state && !signal.aborted) this.take(state);
      } catch (mistake) {
        reportError(mistake); // the page's own; what comes next may be drawn nevertheless
      }
    }
  }

  /** Wait for news; null if something else is wanted by now, or if the sandbox does not answer. */
  async next(signal) {
    try {
      return await sandbox.page({ ...this.where, oldest: this.oldest(), since: this.since, signal });
    } catch {
      if (signal.aborted) return null;
      this.since = 0;
      this.lost();
      await new Promise((resolve) => setTimeout(resolve, RETRY));
      return null;
    }
  }

  waitAnew() {
    this.waiting.abort();
    this.waiting = new AbortController();
  }

  oldest() {
    return this.heldOf === this.place() ? this.held.oldest : "";
  }

  take(state) {
    const isWhole = this.since === 0 || state.revision < this.since;
    if (this.heldOf !== this.place()) this.held = new Held();
    this.heldOf = this.place();
    if (state.revision < this.since) return void (this.since = 0); // another sandbox answers: ask it for everything
    this.held.take(state.slack, { isWhole });
    this.since = state.revision;
    this.last = state;
    this.news(state, this.held);
  }

  place() {
    return `${this.where.as} ${this.where.in}`;
  }
}

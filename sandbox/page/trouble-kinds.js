// What can go wrong on purpose: how each is ordered, how it is known to be on, and what there is to expect.
//
// Each has a `name`, what to `expect`, `turn(isOn, trouble)`, and `isOn(trouble)`; or `once()`, for what happens one time.
// `trouble` is what the sandbox tells of itself: see `trouble_control.trouble_state`.

import * as routes from "./routes.js";

const SECONDS = 4; // by which a slow vendor takes longer
const LATE = 20; // seconds by which webhooks are late
const SENDING = "POST /chats/*/messages";

/** A way in which an API goes wrong, until it is taken back, and with `where` once for one call. */
function fault(name, expect, { vendor, where = "*", once, ...how }) {
  const wanted = { vendor, where, ...how };
  const mine = (trouble) => trouble.faults.filter((one) => one.times === null && Object.keys(wanted).every((key) => one[key] === wanted[key]));
  return {
    name,
    expect,
    isOn: (trouble) => mine(trouble).length > 0,
    turn: (isOn, trouble) => (isOn ? routes.order({ ...wanted, times: null }) : Promise.all(mine(trouble).map(({ id }) => routes.cancel(id)))),
    once: once && (() => routes.order({ ...wanted, where: once, times: 1 })),
  };
}

function webhooks(name, expect, kind, seconds = 0) {
  const mine = (trouble) => trouble.mischief.filter((one) => one.kind === kind && one.times === null);
  return {
    name,
    expect,
    isOn: (trouble) => mine(trouble).length > 0,
    turn: (isOn, trouble) =>
      isOn ? routes.misbehave({ kind, seconds, times: null }) : Promise.all(mine(trouble).map(({ id }) => routes.behave(id))),
    once: () => routes.misbehave({ kind, seconds, times: 1 }),
    why: (trouble) => (trouble.webhooks ? "" : "No webhook is subscribed, so there is nothing to act on."),
  };
}

export const GROUPS = [
  {
    name: "Blooio",
    kinds: [
      fault("Slow", `Each call takes ${SECONDS} seconds longer. Texts go out later, in order, and each once.`, {
        vendor: "blooio",
        kind: "latency",
        seconds: SECONDS,
        once: SENDING,
      }),
      fault("Too many requests (429)", "Blooio asks for 5 seconds of patience. The text waits and goes out by itself.", {
        vendor: "blooio",
        kind: "status",
        status: 429,
        retry_after: 5,
        once: SENDING,
      }),
      fault("Down (503)", "Blooio refuses everything. The text waits and goes out by itself, soon after it is back.", {
        vendor: "blooio",
        kind: "status",
        status: 503,
        once: SENDING,
      }),
      fault("A web page instead (502)", "A proxy answers with HTML. The text waits and goes out by itself.", {
        vendor: "blooio",
        kind: "html",
        once: SENDING,
      }),
    ],
  },
  {
    name: "Webhooks",
    kinds: [
      webhooks("Late", `News comes ${LATE} seconds late. The line under the text catches up.`, "late", LATE),
      webhooks("Doubled", "Each webhook comes twice. Nothing is shown twice.", "duplicate"),
      webhooks("Out of order", "One waits until the next has gone. A status never steps back.", "reorder"),
      webhooks("Lost", "They do not arrive. The bot asks Blooio instead, so news takes longer.", "drop"),
    ],
  },
  {
    name: "Slack",
    kinds: [
      fault("Slow", `Posting takes ${SECONDS} seconds longer. The text goes out; its thread shows it later.`, {
        vendor: "slack",
        where: "chat.*",
        kind: "latency",
        seconds: SECONDS,
      }),
      {
        name: "Rate-limited",
        expect: "One message in 5 seconds in each channel. The others wait their turn.",
        isOn: ({ limits }) => limits.posting_rate !== null,
        turn: (isOn) => routes.limit(isOn ? { posting_rate: 0.2, posting_burst: 1 } : {}),
      },
      {
        name: "Disconnected",
        expect: "The connection breaks. The bot connects again by itself, within seconds.",
        once: () => routes.disconnect(),
        onceIs: "Break it",
      },
    ],
  },
  {
    name: "The bot",
    kinds: [
      {
        name: "Stopped",
        expect: "Commands fail while it is away. What it had taken on goes out once it is back.",
        isOn: ({ bot }) => bot !== null && bot.state !== "running",
        turn: (isOn) => (isOn ? routes.stopBot() : routes.startBot()),
        why: ({ bot }) => (bot ? "" : "The sandbox did not start this bot, so it cannot stop it. With make sandbox it can."),
      },
    ],
  },
];

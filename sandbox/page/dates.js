// Times as Slack writes them for a reader in one time zone, the date macro's among them.
// Source: docs.slack.dev/messaging/formatting-message-text, "Date formatting".

const DAY = 24 * 60 * 60; // seconds
const NEAR = new Map([[-1, "Yesterday"], [0, "Today"], [1, "Tomorrow"]]);

const FULL = { year: "numeric", month: "long", day: "numeric" };
const CLOCK = { hour: "numeric", minute: "2-digit" };
const FORMS = {
  date: FULL,
  date_short: { ...FULL, month: "short" },
  date_long: { ...FULL, weekday: "long" },
  time: CLOCK,
  time_secs: { ...CLOCK, second: "2-digit" },
};

/** Write the time of day of *seconds* since the epoch: `2:02 PM`. */
export function timeOf(seconds, tz) {
  return written(seconds, tz, CLOCK);
}

/** Fill in a date macro's *form*, which holds tokens such as `{date_short_pretty}` and `{time}`. */
export function fillIn(form, seconds, tz) {
  return form.replace(/\{(\w+)\}/g, (token, name) => {
    if (name === "date_num") return dayOf(seconds, tz);
    const near = name.endsWith("_pretty") && NEAR.get(daysFromNow(seconds, tz));
    const wanted = FORMS[name.replace("_pretty", "")];
    return near || (wanted ? written(seconds, tz, wanted) : token);
  });
}

function written(seconds, tz, options) {
  return writer("en-US", options, tz).format(seconds * 1000);
}

/** Write the day as `2026-01-31`. */
export function dayOf(seconds, tz) {
  return writer("sv-SE", {}, tz).format(seconds * 1000);
}

const writers = new Map(); // making one takes a hundred times as long as using it

function writer(locale, options, tz) {
  const key = JSON.stringify([locale, options, tz]);
  if (!writers.has(key)) writers.set(key, new Intl.DateTimeFormat(locale, { ...options, timeZone: tz }));
  return writers.get(key);
}

function daysFromNow(seconds, tz) {
  const [day, today] = [seconds, Date.now() / 1000].map((moment) => Date.parse(dayOf(moment, tz)) / 1000);
  return (day - today) / DAY;
}

// Emoji and their shortcodes, from the sandbox's own table, which is loaded once.

import * as sandbox from "./sandbox.js";

/** Those that people use every day, for a picker that has not been asked for anything yet. */
const EVERYDAY = (
  "white_check_mark eyes raised_hands +1 heart joy tada pray wave fire 100 thinking_face rocket sob clap " +
  "question exclamation x warning memo hourglass_flowing_sand telephone_receiver speech_balloon pushpin"
).split(" ");

const SHORTCODE = /:([a-z0-9_+'-]+)(?:::skin-tone-([2-6]))?:/g;
const FIRST_TONE = 0x1f3fb - 2;
const MOST = 48; // of one search

const characters = new Map(); // name to character
const names = []; // the first name of each, in the usual order, with all of its names

/** Load the table. Until then, shortcodes are shown as they are written. */
export async function loadEmoji() {
  const { emoji } = await sandbox.emoji();
  for (const [character, ...all] of emoji) {
    names.push(all);
    for (const name of all) characters.set(name, character);
  }
}

/** The character of the emoji called *name*; for one that there is not, its shortcode. */
export function character(name) {
  return withEmoji(`:${name}:`);
}

/** Put characters in the place of the shortcodes in a text. */
export function withEmoji(text) {
  if (!text.includes(":")) return text;
  return text.replace(SHORTCODE, (code, name, tone) => {
    const found = characters.get(name);
    return found ? found + (tone ? String.fromCodePoint(FIRST_TONE + Number(tone)) : "") : code;
  });
}

/** Say whether a text is a few emoji and nothing else, which Slack shows large. */
export function isOnlyEmoji(text) {
  const rest = text.replace(SHORTCODE, (code, name) => (characters.has(name) ? "" : code));
  return text.includes(":") && rest.trim() === "" && text.length < 400;
}

/** The names of the emoji that fit what is *typed*, best first; of those for every day, if that is nothing. */
export function search(typed) {
  const wanted = typed.toLowerCase().replaceAll(":", "").replaceAll(" ", "_");
  if (!wanted) return EVERYDAY.filter((name) => characters.has(name));
  const found = names.flatMap((all) => {
    const ranks = all.map((name) => rank(name, wanted));
    const best = Math.min(...ranks);
    return best < Infinity ? [{ name: all[ranks.indexOf(best)], best }] : [];
  });
  return found.sort((one, other) => one.best - other.best).slice(0, MOST).map(({ name }) => name);
}

function rank(name, wanted) {
  if (name === wanted) return 0;
  if (name.startsWith(wanted)) return EVERYDAY.includes(name) ? 1 : 2;
  return name.includes(`_${wanted}`) ? 3 : name.includes(wanted) ? 4 : Infinity;
}

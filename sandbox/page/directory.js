// Who and what there is, by id, for those who draw names.

/**
 * Make the directory of one reader: `people`, `conversations` and `groups` by id, her id (`viewer`) and time zone (`tz`).
 *
 * It is the one *before* while nothing has changed, and with it what was drawn from it.
 */
export function directoryOf({ people, conversations, groups }, viewer, before) {
  const made = {
    people: byId(people),
    conversations: byId(conversations.map(({ id, name, kind }) => ({ id, name, kind }))),
    groups: byId(groups),
    tz: viewer.tz,
    viewer: viewer.id,
  };
  return JSON.stringify(made) === JSON.stringify(before) ? before : made;
}

function byId(things) {
  return Object.fromEntries(things.map((one) => [one.id, one]));
}

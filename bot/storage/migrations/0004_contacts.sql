-- A copy of the address book, which lives in Blooio: names and suggestions come from here at once.

CREATE TABLE contacts (
    address         text PRIMARY KEY,               -- E.164 or e-mail in lower case
    name            text,
    tags            text[] NOT NULL DEFAULT '{}',
    last_message_at timestamptz,
    folded          text NOT NULL,                  -- the name as it is compared: without case and accents
    search          text NOT NULL,                  -- name, number and tags as they are looked for
    changed_at      timestamptz NOT NULL DEFAULT now(), -- here, by us
    missed          integer NOT NULL DEFAULT 0      -- whole lists of Blooio's, in a row, that did not have it
);
CREATE INDEX contacts_recent ON contacts (last_message_at DESC NULLS LAST, address);
CREATE INDEX contacts_folded ON contacts (folded);

-- People are called what the address book calls them, and their cards show it.
CREATE FUNCTION name_the_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH renamed AS (                               -- people first, as everywhere: nobody waits in a circle
        UPDATE people p SET name = NEW.name WHERE p.address = NEW.address AND p.name IS DISTINCT FROM NEW.name
        RETURNING p.id)
    UPDATE threads t SET revision = t.revision + 1 FROM renamed WHERE t.person_id = renamed.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER contacts_named AFTER INSERT ON contacts
    FOR EACH ROW WHEN (NEW.name IS NOT NULL) EXECUTE FUNCTION name_the_person();
CREATE TRIGGER contacts_renamed AFTER UPDATE OF name ON contacts
    FOR EACH ROW WHEN (NEW.name IS DISTINCT FROM OLD.name) EXECUTE FUNCTION name_the_person();
CREATE INDEX people_by_address ON people (address);

-- Whoever is texted is at the top of the list at once, and not only when Blooio's list says so.
CREATE FUNCTION contact_was_texted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE contacts c SET last_message_at = greatest(c.last_message_at, NEW.accepted_at)
      FROM threads t JOIN people p ON p.id = t.person_id
     WHERE t.id = NEW.thread_id AND c.address = p.address;
    RETURN NULL;
END
$$;
CREATE TRIGGER deliveries_accepted AFTER UPDATE OF accepted_at ON deliveries
    FOR EACH ROW WHEN (OLD.accepted_at IS NULL AND NEW.accepted_at IS NOT NULL) EXECUTE FUNCTION contact_was_texted();
CREATE INDEX deliveries_of_thread ON deliveries (thread_id, requested_at DESC);

-- What somebody typed, while they are asked whom they mean.
CREATE TABLE drafts (
    id              uuid PRIMARY KEY,
    user_id         text NOT NULL,                  -- whoever typed it: nobody else can go on with it
    conversation_id text NOT NULL,                  -- where they did
    kind            text NOT NULL,
    payload         jsonb NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX drafts_by_time ON drafts (created_at);

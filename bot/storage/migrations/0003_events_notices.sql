-- What Blooio tells us, whom we have to tell, and what a text may go through after it was refused.

CREATE TABLE events (
    key         text PRIMARY KEY,                   -- the same for every delivery of the same news
    name        text NOT NULL,                      -- Blooio's: message.delivered
    message_id  text,                               -- the text it is about; null: about none
    body        bytea NOT NULL,                     -- as it came: JSON can hold what text columns cannot
    received_at timestamptz NOT NULL DEFAULT now(),
    applied_at  timestamptz                         -- null: the rows do not show it yet
);
CREATE INDEX events_by_message ON events (message_id);
CREATE INDEX events_to_apply ON events (received_at) WHERE applied_at IS NULL;
CREATE INDEX events_by_time ON events USING brin (received_at);

CREATE FUNCTION tell_of_the_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('texting_event', '');         -- which one is read from the table: many in a moment are one look
    RETURN NULL;
END
$$;
CREATE TRIGGER events_received AFTER INSERT ON events
    FOR EACH ROW WHEN (NEW.applied_at IS NULL) EXECUTE FUNCTION tell_of_the_event();

ALTER TABLE deliveries
    ADD COLUMN send_key   uuid,                     -- the Idempotency-Key, once the id was refused under it
    ADD COLUMN held_since timestamptz,              -- waits for the person's reply
    ADD COLUMN told_at    timestamptz,              -- when Blooio last told us of it unasked
    ADD COLUMN reactions  text[] NOT NULL DEFAULT '{}', -- the person's, oldest first
    ADD COLUMN again_by   text;                     -- who sent another instead of this failed one
CREATE INDEX deliveries_by_message ON deliveries (message_id);
CREATE INDEX deliveries_held ON deliveries (thread_id) WHERE held_since IS NOT NULL;
CREATE INDEX deliveries_by_time ON deliveries USING brin (requested_at);

-- Posts and edits are drawn apart: an edit may have to wait when a post need not.
ALTER TABLE threads
    ADD COLUMN edit_after    timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN edit_failures integer NOT NULL DEFAULT 0; -- in a row

CREATE OR REPLACE FUNCTION tell_the_painter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'threads' THEN
        PERFORM pg_notify(CASE WHEN NEW.card_ts IS NULL THEN 'texting_draw' ELSE 'texting_edit' END, NEW.id::text);
    ELSE
        PERFORM pg_notify(
            CASE WHEN NEW.posted_ts IS NULL THEN 'texting_draw' ELSE 'texting_edit' END, NEW.thread_id::text);
    END IF;
    RETURN NULL;
END
$$;

-- Messages that somebody has to get once: the author of a failed text, an admin.
CREATE TABLE notices (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key         text NOT NULL UNIQUE,               -- what it is about: said once, or once in a while
    delivery_id uuid REFERENCES deliveries,         -- the failed text; null: it is for an admin
    cause       text NOT NULL,                      -- a TextingError's code
    raised_at   timestamptz NOT NULL DEFAULT now(),
    post_after  timestamptz NOT NULL DEFAULT now(),
    posting_at  timestamptz,                        -- set before each attempt to post it
    posted_at   timestamptz,
    failures    integer NOT NULL DEFAULT 0          -- in a row
);
CREATE INDEX notices_to_post ON notices (post_after) WHERE posted_at IS NULL;

CREATE FUNCTION tell_of_the_notice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('texting_notice', '');
    RETURN NULL;
END
$$;
CREATE TRIGGER notices_raised AFTER INSERT OR UPDATE OF raised_at ON notices
    FOR EACH ROW EXECUTE FUNCTION tell_of_the_notice();

-- Whoever fails a text cannot forget its author.
CREATE FUNCTION notify_the_author() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO notices (key, delivery_id, cause)
    VALUES ('failed:' || NEW.id, NEW.id, coalesce(NEW.error_code, 'texting_failed'))
    ON CONFLICT (key) DO NOTHING;
    RETURN NULL;
END
$$;
CREATE TRIGGER deliveries_failed AFTER UPDATE OF status ON deliveries
    FOR EACH ROW WHEN (NEW.status = 'failed' AND OLD.status <> 'failed') EXECUTE FUNCTION notify_the_author();

-- The webhook that the bot registered for itself, if it was told to.
CREATE TABLE webhooks (
    url           text PRIMARY KEY,
    webhook_id    text NOT NULL,
    secret        text NOT NULL,                    -- Blooio shows it once; without it nothing from Blooio is believed
    registered_at timestamptz NOT NULL DEFAULT now()
);

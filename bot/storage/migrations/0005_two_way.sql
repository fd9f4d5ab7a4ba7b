-- What people answer, what is typed in their threads, and who looks after them.

ALTER TABLE people
    ADD COLUMN opted_out_since timestamptz;         -- they wrote STOP: nothing is texted to them

ALTER TABLE threads
    ALTER COLUMN owner_id DROP NOT NULL,            -- null: nobody looks after it yet
    ALTER COLUMN owner_name DROP NOT NULL,
    ADD COLUMN done_at timestamptz,                 -- null: it is open
    ADD COLUMN done_by text,                        -- the name of whoever said so
    ADD COLUMN waiting_since timestamptz,           -- they wrote then, and nobody has answered since
    ADD COLUMN check_mark_at timestamptz,           -- Slack's time of the last ✅ put on the card or taken off
    ADD COLUMN card_posted_at timestamptz,          -- null: long ago, or not yet
    ADD COLUMN read_until timestamptz,              -- what they wrote over iMessage until then is marked read
    ADD COLUMN mark_after timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN mark_failures integer NOT NULL DEFAULT 0; -- in a row

ALTER TABLE deliveries
    ADD COLUMN typed boolean NOT NULL DEFAULT false, -- in the thread: the author's own message shows it
    ADD COLUMN automatic boolean NOT NULL DEFAULT false, -- a confirmation that the bot sends by itself
    ADD COLUMN files jsonb NOT NULL DEFAULT '[]';   -- Slack's, that go with it

-- A text from a person.
CREATE TABLE inbound (
    id             uuid PRIMARY KEY,
    message_id     text NOT NULL UNIQUE,            -- Blooio's
    other_id       text UNIQUE,                     -- the same text's where we heard of it afterwards: its list may
                                                    -- have other ids than its webhooks
    thread_id      bigint NOT NULL REFERENCES threads,
    body           text NOT NULL,                   -- '' when only files came
    reply_to       text,                            -- Blooio's id of the text that they quoted
    channel        text CHECK (channel IN ('imessage', 'rcs', 'sms')),
    word           text CHECK (word IN ('stop', 'start', 'help')), -- what it means, if it is a standard word
    source         text NOT NULL CHECK (source IN ('told', 'read')), -- by a webhook, or in Blooio's list
    written_at     timestamptz NOT NULL,            -- as Blooio says
    received_at    timestamptz NOT NULL DEFAULT now(),
    reactions      text[] NOT NULL DEFAULT '{}',    -- the person's own on it
    tapback        text,                            -- ours that the phone shows,
    tapping        text[] NOT NULL DEFAULT '{}',    -- and those that nobody knows of whether it does
    posted_in      text,                            -- the conversation of the message that shows it, and
    posted_ts      text,                            -- its ts
    posting_at     timestamptz,                     -- set before each attempt to post it
    revision       integer NOT NULL DEFAULT 1,
    drawn_revision integer NOT NULL DEFAULT 0
);
CREATE INDEX inbound_to_draw ON inbound (thread_id) WHERE drawn_revision < revision;
CREATE INDEX inbound_of_thread ON inbound (thread_id, received_at DESC);
CREATE INDEX inbound_by_time ON inbound (thread_id, written_at);
CREATE INDEX inbound_by_post ON inbound (posted_in, posted_ts);
CREATE INDEX deliveries_by_post ON deliveries (posted_in, posted_ts);

-- A file that came with it. It is fetched from where Blooio says and shared in the thread.
CREATE TABLE inbound_files (
    id         uuid PRIMARY KEY,
    inbound_id uuid NOT NULL REFERENCES inbound,
    position   integer NOT NULL,
    url        text NOT NULL,
    name       text,
    media_type text,
    size       bigint,                              -- bytes, once it was fetched
    status     text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'shared', 'refused')),
    problem    text,                                -- why it was refused, in words
    again      boolean NOT NULL DEFAULT false,      -- of a refused one: trying again may help
    attempts   integer NOT NULL DEFAULT 0,          -- to fetch it, that failed
    file_id    text,                                -- Slack's, once Slack has it
    sharing_at timestamptz,                         -- set before each attempt to share it
    UNIQUE (inbound_id, position)
);

-- What somebody typed in a thread, and what became of it.
CREATE TABLE replies (
    conversation_id text NOT NULL,
    ts              text NOT NULL,
    thread_id       bigint NOT NULL REFERENCES threads,
    author_id       text NOT NULL,
    author_name     text NOT NULL,
    body            text NOT NULL,                  -- as a phone would show it
    files           jsonb NOT NULL DEFAULT '[]',
    fate            text NOT NULL CHECK (fate IN ('texted', 'note', 'asked', 'refused', 'gone')),
    reason          text,                           -- why it was asked about or refused
    changed_ts      text,                           -- Slack's of the last edit that we heard of, or of its deletion
    now_body        text,                           -- what a texted one says since it was edited
    delivery_id     uuid REFERENCES deliveries,     -- of a texted one
    marks           text[] NOT NULL DEFAULT '{}',   -- reactions of ours that Slack shows on it,
    marking         text[] NOT NULL DEFAULT '{}',   -- and those that it may show: nobody knows how putting them ended
    typed_at        timestamptz NOT NULL DEFAULT now(),
    revision        integer NOT NULL DEFAULT 1,
    drawn_revision  integer NOT NULL DEFAULT 0,
    PRIMARY KEY (conversation_id, ts)
);
CREATE INDEX replies_to_draw ON replies (thread_id) WHERE drawn_revision < revision;
CREATE INDEX replies_by_delivery ON replies (delivery_id);
CREATE INDEX replies_of_thread ON replies (thread_id, typed_at DESC);

-- A line of our own in a thread, posted once: they opted out, a reply was edited after it had gone.
CREATE TABLE remarks (
    id         uuid PRIMARY KEY,
    key        text NOT NULL UNIQUE,                -- what it is about: it is said once
    thread_id  bigint NOT NULL REFERENCES threads,
    kind       text NOT NULL,
    payload    jsonb NOT NULL DEFAULT '{}',
    made_at    timestamptz NOT NULL DEFAULT now(),
    posted_in  text,
    posted_ts  text,
    posting_at timestamptz
);
CREATE INDEX remarks_to_post ON remarks (thread_id) WHERE posted_ts IS NULL;

-- How a channel wants it.
CREATE TABLE channels (
    conversation_id text PRIMARY KEY,
    number          bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    replies         text NOT NULL DEFAULT 'texted' CHECK (replies IN ('texted', 'asked_for', 'never')),
    quiet_minutes   integer NOT NULL DEFAULT 60,    -- between two announcements of new texts; 0: there are none
    announced_from  timestamptz,                    -- the texts received from then on are in the last announcement
    announced_at    timestamptz,                    -- when that was begun
    announced_ts    text,                           -- its message; null until posted
    announcing_at   timestamptz,                    -- set before each attempt to post it
    announce_after  timestamptz NOT NULL DEFAULT now(),
    failures        integer NOT NULL DEFAULT 0,     -- in a row
    revision        integer NOT NULL DEFAULT 0,     -- of what there is to announce
    drawn_revision  integer NOT NULL DEFAULT 0
);

-- Who did what, when. What was texted stands in its own row.
CREATE TABLE audit (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at              timestamptz NOT NULL DEFAULT now(),
    user_id         text NOT NULL,                  -- '' is the bot itself
    user_name       text NOT NULL,
    action          text NOT NULL,                  -- send, edit, delete, override, refusal, claim, done, …
    reason          text,                           -- of a refusal, its code; of an override, the note
    person_id       bigint,                         -- of a send only the text says whom it was for
    thread_id       bigint,                         -- no foreign keys: the record outlives what it is about, and every
    delivery_id     uuid,                           -- text pays for each
    conversation_id text
);
CREATE INDEX audit_by_time ON audit USING brin (at);
CREATE INDEX audit_by_person ON audit (person_id, at DESC) WHERE person_id IS NOT NULL;
-- Somebody who clicks very often is refused as often, and recorded once a minute.
CREATE UNIQUE INDEX audit_refusals ON audit
    (user_id, coalesce(reason, ''), coalesce(person_id, 0), date_trunc('minute', at AT TIME ZONE 'UTC'))
    WHERE action = 'refusal';

-- A reaction that somebody of the team put on a person's text.
CREATE TABLE tapbacks (
    inbound_id uuid NOT NULL REFERENCES inbound,
    user_id    text NOT NULL,
    name       text NOT NULL,                       -- Slack's, with the skin tone
    reaction   text NOT NULL,                       -- what that is on a phone: love, like, …, or an emoji
    stands     boolean NOT NULL,                    -- false: taken off, or refused
    said_at    numeric NOT NULL,                    -- Slack's time of the last that we heard of it
    untold     text CHECK (untold IN ('put', 'taken_off')), -- what Blooio refused, until they are told
    PRIMARY KEY (inbound_id, user_id, name)
);

-- Who is writing to whom just now.
CREATE TABLE writers (
    team_id   text NOT NULL,
    address   text NOT NULL,
    user_id   text NOT NULL,
    user_name text NOT NULL,
    since     timestamptz NOT NULL DEFAULT now(),
    asked_of  uuid REFERENCES deliveries,           -- the colleague's text of which they were told before they sent
    PRIMARY KEY (team_id, address, user_id)
);

-- How far Blooio's list of chats was read.
CREATE TABLE read_up_to (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    moment   timestamptz NOT NULL,                  -- by Blooio's clock: what was written until then is stored
    began_at timestamptz NOT NULL                   -- what was written before that is not read
);
-- As long as a process of the release before this one leads, it is told of answers and has no place for them.
INSERT INTO read_up_to (moment, began_at) SELECT now(), now() WHERE EXISTS (SELECT FROM threads);

-- What we made up and have to remember: the key that signs the addresses of files.
CREATE TABLE secrets (
    name  text PRIMARY KEY,
    value bytea NOT NULL
);

-- Every row that Slack does not show as it is says so itself: what has no message yet is posted, all else is edited.
CREATE OR REPLACE FUNCTION tell_the_painter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'threads' THEN
        PERFORM pg_notify(CASE WHEN NEW.card_ts IS NULL THEN 'texting_draw' ELSE 'texting_edit' END, NEW.id::text);
    ELSIF TG_TABLE_NAME = 'deliveries' THEN
        IF NEW.typed THEN                           -- its author's own message shows it, as long as all goes well
            UPDATE replies SET revision = revision + 1 WHERE delivery_id = NEW.id;
            IF NEW.posted_ts IS NULL AND NEW.status <> 'failed' AND NEW.held_since IS NULL THEN
                RETURN NULL;
            END IF;
        END IF;
        PERFORM pg_notify(
            CASE WHEN NEW.posted_ts IS NULL THEN 'texting_draw' ELSE 'texting_edit' END, NEW.thread_id::text);
    ELSIF TG_TABLE_NAME = 'replies' THEN
        PERFORM pg_notify('texting_mark', NEW.thread_id::text);
    ELSE
        PERFORM pg_notify(
            CASE WHEN NEW.posted_ts IS NULL THEN 'texting_draw' ELSE 'texting_edit' END, NEW.thread_id::text);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER inbound_received AFTER INSERT ON inbound
    FOR EACH ROW EXECUTE FUNCTION tell_the_painter();
CREATE TRIGGER inbound_changed AFTER UPDATE OF revision ON inbound
    FOR EACH ROW WHEN (NEW.revision > OLD.revision) EXECUTE FUNCTION tell_the_painter();
CREATE TRIGGER remarks_made AFTER INSERT ON remarks
    FOR EACH ROW EXECUTE FUNCTION tell_the_painter();
CREATE TRIGGER replies_typed AFTER INSERT ON replies
    FOR EACH ROW EXECUTE FUNCTION tell_the_painter();
CREATE TRIGGER replies_changed AFTER UPDATE OF revision ON replies
    FOR EACH ROW WHEN (NEW.revision > OLD.revision) EXECUTE FUNCTION tell_the_painter();

-- What is stored to be texted is on record: whoever stores it cannot forget to say who asked for it.
CREATE FUNCTION record_the_send() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit (at, user_id, user_name, action, thread_id, delivery_id)
    VALUES (NEW.requested_at, CASE WHEN NEW.automatic THEN '' ELSE NEW.author_id END, NEW.author_name, 'send',
            NEW.thread_id, NEW.id);
    RETURN NULL;
END
$$;
CREATE TRIGGER deliveries_recorded AFTER INSERT ON deliveries FOR EACH ROW EXECUTE FUNCTION record_the_send();

-- So is what was typed in a thread and may not be texted. Who may not text at all is on record already.
CREATE FUNCTION record_the_refusal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit (user_id, user_name, action, reason, person_id, thread_id, conversation_id)
    SELECT NEW.author_id, NEW.author_name, 'refusal', NEW.reason, t.person_id, t.id, NEW.conversation_id
      FROM threads t WHERE t.id = NEW.thread_id
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
CREATE TRIGGER replies_refused AFTER INSERT OR UPDATE OF fate ON replies
    FOR EACH ROW WHEN (NEW.fate = 'refused' AND NEW.reason IS DISTINCT FROM 'not_permitted')
    EXECUTE FUNCTION record_the_refusal();

-- Whoever writes is at the top of the address book at once.
CREATE FUNCTION contact_wrote() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE contacts c SET last_message_at = greatest(c.last_message_at, NEW.written_at)
      FROM threads t JOIN people p ON p.id = t.person_id
     WHERE t.id = NEW.thread_id AND c.address = p.address;
    RETURN NULL;
END
$$;
CREATE TRIGGER inbound_of_contact AFTER INSERT ON inbound FOR EACH ROW EXECUTE FUNCTION contact_wrote();

-- A new text in an old thread goes unseen: the channel is told, at most once in a while, and told again what became of
-- it. A card that is newer than that is announcement enough. Deferred, because the row of a channel is shared: whoever
-- has it is about to commit, and waits for nobody.
CREATE FUNCTION announce() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'inbound' THEN
        INSERT INTO channels AS c (conversation_id, announced_from, revision)
        SELECT t.conversation_id, NEW.received_at, 1
          FROM threads t
          LEFT JOIN channels wants ON wants.conversation_id = t.conversation_id
          CROSS JOIN LATERAL (SELECT coalesce(wants.quiet_minutes, 60)) quiet (minutes)
         WHERE t.id = NEW.thread_id AND t.conversation_id ~ '^[CG]' AND quiet.minutes > 0
           AND t.card_ts IS NOT NULL
           AND coalesce(t.card_posted_at, t.created_at) < NEW.received_at - make_interval(mins => quiet.minutes)
        ON CONFLICT (conversation_id) DO UPDATE
           SET revision = c.revision + 1,
               (announced_from, announced_at, announced_ts) = (
                   SELECT CASE WHEN over THEN NEW.received_at ELSE coalesce(c.announced_from, NEW.received_at) END,
                          CASE WHEN NOT over THEN c.announced_at END,
                          CASE WHEN NOT over THEN c.announced_ts END
                     FROM (SELECT c.announced_ts IS NOT NULL
                                  AND NEW.received_at >= c.announced_at + make_interval(mins => c.quiet_minutes)
                          ) it (over));
    ELSE
        UPDATE channels SET revision = revision + 1
         WHERE conversation_id = NEW.conversation_id AND announced_from IS NOT NULL
           AND coalesce(announced_at, now()) > now() - interval '2 days';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER inbound_to_announce AFTER INSERT ON inbound
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION announce();
CREATE CONSTRAINT TRIGGER threads_answered AFTER UPDATE OF waiting_since ON threads
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.waiting_since IS NOT NULL AND NEW.waiting_since IS NULL) EXECUTE FUNCTION announce();
CREATE INDEX inbound_by_arrival ON inbound (received_at);

CREATE FUNCTION tell_the_announcer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('texting_announce', NEW.number::text);
    RETURN NULL;
END
$$;
CREATE TRIGGER channels_to_announce AFTER INSERT OR UPDATE OF revision ON channels
    FOR EACH ROW WHEN (NEW.revision > NEW.drawn_revision) EXECUTE FUNCTION tell_the_announcer();

-- Whom a thread was handed to hears of it, as the author of a failed text does.
ALTER TABLE notices
    ADD COLUMN thread_id bigint REFERENCES threads,
    ADD COLUMN user_id   text,                      -- who hears of it
    ADD COLUMN by_name   text;                      -- who did it

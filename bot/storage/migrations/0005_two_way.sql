-- What people answer, what is typed in their threads, and who looks after them.

ALTER TABLE people
    ADD COLUMN opted_out_since timestamptz;         -- they wrote STOP: nothing is texted to them

ALTER TABLE threads
    ALTER COLUMN owner_id DROP NOT NULL,            -- null: nobody looks after it yet
    ALTER COLUMN owner_name DROP NOT NULL,
    ADD COLUMN done_at timestamptz,                 -- null: it is open
    ADD COLUMN done_by text,                        -- the name of whoever said so
    ADD COLUMN waiting_since timestamptz,           -- they wrote then, and nobody has answered since
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
    thread_id      bigint NOT NULL REFERENCES threads,
    body           text NOT NULL,                   -- '' when only files came
    channel        text CHECK (channel IN ('imessage', 'rcs', 'sms')),
    source         text NOT NULL CHECK (source IN ('told', 'read')), -- by a webhook, or in Blooio's list
    written_at     timestamptz NOT NULL,            -- as Blooio says
    received_at    timestamptz NOT NULL DEFAULT now(),
    posted_in      text,                            -- the conversation of the message that shows it, and
    posted_ts      text,                            -- its ts
    posting_at     timestamptz,                     -- set before each attempt to post it
    revision       integer NOT NULL DEFAULT 1,
    drawn_revision integer NOT NULL DEFAULT 0
);
CREATE INDEX inbound_to_draw ON inbound (thread_id) WHERE drawn_revision < revision;
CREATE INDEX inbound_of_thread ON inbound (thread_id, received_at DESC);
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
    delivery_id     uuid REFERENCES deliveries,     -- of a texted one
    marks           text[] NOT NULL DEFAULT '{}',   -- reactions of ours that Slack may show on it
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
    replies         text NOT NULL DEFAULT 'texted' CHECK (replies IN ('texted', 'asked_for', 'never')),
    quiet_minutes   integer NOT NULL DEFAULT 60,    -- between two announcements of new texts; 0: there are none
    announced_at    timestamptz,                    -- when the last announcement was begun
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
    person_id       bigint REFERENCES people,
    thread_id       bigint REFERENCES threads,
    delivery_id     uuid REFERENCES deliveries,
    conversation_id text
);
CREATE INDEX audit_by_time ON audit USING brin (at);
CREATE INDEX audit_by_person ON audit (person_id, at DESC);

-- A reaction of the team's on a text of a person's.
CREATE TABLE tapbacks (
    inbound_id uuid NOT NULL REFERENCES inbound,
    reaction   text NOT NULL,                       -- love, like, …, or an emoji
    user_ids   text[] NOT NULL DEFAULT '{}',        -- whose it is; the phone shows it as long as it is anybody's
    shown      boolean NOT NULL DEFAULT false,      -- on the phone
    PRIMARY KEY (inbound_id, reaction)
);

-- Who is writing to whom just now.
CREATE TABLE writers (
    team_id   text NOT NULL,
    address   text NOT NULL,
    user_id   text NOT NULL,
    user_name text NOT NULL,
    since     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (team_id, address, user_id)
);

-- How far Blooio's list of chats was read.
CREATE TABLE read_up_to (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    moment   timestamptz NOT NULL
);

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
    INSERT INTO audit (at, user_id, user_name, action, person_id, thread_id, delivery_id, conversation_id)
    SELECT NEW.requested_at, CASE WHEN NEW.automatic THEN '' ELSE NEW.author_id END, NEW.author_name, 'send',
           t.person_id, t.id, NEW.id, t.conversation_id
      FROM threads t WHERE t.id = NEW.thread_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER deliveries_recorded AFTER INSERT ON deliveries FOR EACH ROW EXECUTE FUNCTION record_the_send();

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

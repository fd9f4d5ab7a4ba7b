-- People we text, their threads in Slack, and every text with its fate.

CREATE TABLE people (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    team_id    text NOT NULL,
    address    text NOT NULL,                       -- E.164 or e-mail in lower case
    name       text,
    imessage   boolean,                             -- what they can receive; null is unknown, not no
    sms        boolean,
    checked_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (team_id, address)
);

CREATE TABLE threads (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person_id       bigint NOT NULL REFERENCES people,
    line            text NOT NULL,                  -- our number; '' while Blooio chooses
    conversation_id text NOT NULL,                  -- where it lives in Slack
    card_ts         text,                           -- Slack's ts of the card; null until posted
    card_posting_at timestamptz,                    -- set before each attempt to post it
    card_gone       boolean NOT NULL DEFAULT false, -- somebody deleted it
    channel         text CHECK (channel IN ('imessage', 'rcs', 'sms')), -- really used last, if not the expected one
    owner_id        text NOT NULL,
    owner_name      text NOT NULL,
    revision        integer NOT NULL DEFAULT 1,     -- of what the card shows
    drawn_revision  integer NOT NULL DEFAULT 0,     -- of what Slack shows
    draw_after      timestamptz NOT NULL DEFAULT now(),
    draw_failures   integer NOT NULL DEFAULT 0,     -- in a row
    created_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (person_id, line)
);
CREATE INDEX threads_to_draw ON threads (draw_after) WHERE drawn_revision < revision AND NOT card_gone;
CREATE INDEX threads_by_card ON threads (conversation_id, card_ts);

CREATE TABLE deliveries (
    id               uuid PRIMARY KEY,              -- also the Idempotency-Key of every attempt
    request_key      text NOT NULL UNIQUE,          -- a repeated request from Slack is the same text
    thread_id        bigint NOT NULL REFERENCES threads,
    body             text NOT NULL,
    author_id        text NOT NULL,
    author_name      text NOT NULL,
    status           text NOT NULL DEFAULT 'queued'
                     CHECK (status IN ('queued', 'sent', 'delivered', 'read', 'failed', 'cancelled')),
    expected_channel text CHECK (expected_channel IN ('imessage', 'rcs', 'sms')),
    actual_channel   text CHECK (actual_channel IN ('imessage', 'rcs', 'sms')),
    message_id       text,                          -- Blooio's
    error_code       text,
    error_words      text,
    attempts         integer NOT NULL DEFAULT 0,
    attempted_at     timestamptz,                   -- the first attempt
    retry_at         timestamptz,                   -- the next one, while waiting for it
    requested_at     timestamptz NOT NULL DEFAULT now(),
    accepted_at      timestamptz,                   -- Blooio has it
    sent_at          timestamptz,
    delivered_at     timestamptz,
    read_at          timestamptz,
    failed_at        timestamptz,
    check_at         timestamptz,                   -- when to ask Blooio for its status; null: nothing to ask
    posted_in        text,                          -- the conversation of the message that shows it, and
    posted_ts        text,                          -- its ts
    posting_at       timestamptz,                   -- set before each attempt to post it
    revision         integer NOT NULL DEFAULT 1,
    drawn_revision   integer NOT NULL DEFAULT 0
);
CREATE INDEX deliveries_to_draw ON deliveries (thread_id) WHERE drawn_revision < revision;
CREATE INDEX deliveries_to_check ON deliveries (check_at) WHERE check_at IS NOT NULL;

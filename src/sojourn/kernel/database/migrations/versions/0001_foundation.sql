-- The tables of the foundation. Physical order of columns: wide to narrow, `lane` last of the fixed ones (padding);
-- key order: lane first. Everything about one profile lives in one lane (lane = profile id & 63), so that one statement
-- of the engine touches one lane. Codes of smallint columns stand in the package that owns the table.

-- ------------------------------------------------------------------------------------------------ kernel
CREATE TABLE part_heartbeat (
  part text NOT NULL, host text NOT NULL, pid int NOT NULL, started_at timestamptz NOT NULL, beat_at timestamptz NOT NULL,
  ready boolean NOT NULL DEFAULT false, detail jsonb, PRIMARY KEY (part, host, pid));

CREATE TABLE background_task (                     -- long work with progress: imports, exports
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, created_at timestamptz NOT NULL, started_at timestamptz, finished_at timestamptz,
  done bigint NOT NULL DEFAULT 0, total bigint, kind text NOT NULL, title text NOT NULL, state text NOT NULL DEFAULT 'waiting'
    CHECK (state IN ('waiting', 'running', 'completed', 'failed', 'cancelled')),
  cancel_requested boolean NOT NULL DEFAULT false, arguments jsonb NOT NULL DEFAULT '{}', error text, result jsonb);

-- ------------------------------------------------------------------------------------------------ access
CREATE TABLE account (id int PRIMARY KEY, name text NOT NULL, time_zone text NOT NULL DEFAULT 'UTC', language text NOT NULL DEFAULT 'en');
INSERT INTO account (id, name) VALUES (1, 'Main');

CREATE TABLE access_user (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account_id int NOT NULL DEFAULT 1 REFERENCES account, created_at timestamptz NOT NULL,
  email text NOT NULL, name text NOT NULL DEFAULT '', password_hash text NOT NULL, role text NOT NULL CHECK (role IN ('master', 'editor', 'viewer')),
  language text NOT NULL DEFAULT 'en', group_ids int[] NOT NULL DEFAULT '{}', disabled boolean NOT NULL DEFAULT false);
CREATE UNIQUE INDEX access_user_email ON access_user (account_id, lower(email));

CREATE TABLE access_session (                      -- the cookie carries a random value; only its hash is stored
  token_hash bytea PRIMARY KEY, user_id int NOT NULL REFERENCES access_user ON DELETE CASCADE, created_at timestamptz NOT NULL,
  seen_at timestamptz NOT NULL, expires_at timestamptz NOT NULL, csrf text NOT NULL);
CREATE INDEX access_session_expiry ON access_session (expires_at);

CREATE TABLE access_token (                        -- tokens of the HTTP API; only a keyed hash is stored
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account_id int NOT NULL DEFAULT 1 REFERENCES account, created_at timestamptz NOT NULL,
  name text NOT NULL, token_hash bytea NOT NULL UNIQUE, role text NOT NULL DEFAULT 'editor', group_ids int[] NOT NULL DEFAULT '{}',
  last_used_at timestamptz, revoked_at timestamptz);

CREATE TABLE login_attempt (account text NOT NULL, address text NOT NULL, at timestamptz NOT NULL);
CREATE INDEX login_attempt_recent ON login_attempt (account, address, at);

CREATE TABLE audit_entry (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account_id int NOT NULL DEFAULT 1, at timestamptz NOT NULL, user_id int, token_id int,
  action text NOT NULL, object_kind text, object_id text, address text, detail jsonb);

CREATE TABLE request_repeat (                      -- deduplication of repeated calls of /api/v1.1 (Request-ID), one day
  key bytea PRIMARY KEY, at timestamptz NOT NULL, status int NOT NULL, answer bytea NOT NULL);
CREATE INDEX request_repeat_age ON request_repeat (at);

-- ------------------------------------------------------------------------------------------------ profiles
CREATE SEQUENCE profile_id_seq CACHE 100;          -- one for all databases, so that a profile id names a profile by itself

CREATE TABLE profile_database (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account_id int NOT NULL DEFAULT 1 REFERENCES account, created_at timestamptz NOT NULL,
  name text NOT NULL, description text NOT NULL DEFAULT '', manager_title text NOT NULL DEFAULT '', manager_language text NOT NULL DEFAULT 'en',
  unique_field text NOT NULL DEFAULT 'email', group_ids int[] NOT NULL DEFAULT '{}', tags text[] NOT NULL DEFAULT '{}', UNIQUE (account_id, name));

CREATE TABLE profile_field (                       -- custom fields; the column in profile_<database_id> is f<id>
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, database_id int NOT NULL REFERENCES profile_database ON DELETE CASCADE, name text NOT NULL,
  title text NOT NULL, type text NOT NULL CHECK (type IN ('integer', 'float', 'line', 'date', 'boolean', 'enum', 'ip', 'tags', 'object', 'objects')),
  required boolean NOT NULL DEFAULT false, options text[], hidden boolean NOT NULL DEFAULT false,
  matching boolean NOT NULL DEFAULT false, UNIQUE (database_id, name));   -- matching: its values stand in `identity`

CREATE TABLE resource (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account_id int NOT NULL DEFAULT 1 REFERENCES account, created_at timestamptz NOT NULL, name text NOT NULL,
  description text NOT NULL DEFAULT '', channels smallint[] NOT NULL DEFAULT '{1}', database_ids int[] NOT NULL DEFAULT '{}', url text,
  from_name text, from_email text, reply_to text, group_ids int[] NOT NULL DEFAULT '{}', UNIQUE (account_id, name));

-- profile_<database_id> is made per database (profiles/databases.py):
--   id bigint, created_at, updated_at timestamptz, bdate date, regdate timestamptz, lane smallint, status smallint (global, 0 = subscribed),
--   sex smallint, is_test boolean, email text, phones text[], fname, lname, city, country, region, postal_code, tz, vendor,
--   regip, regcity, regcountry, regurl, ip text, f<id> …, PRIMARY KEY (lane, id), fillfactor 85

CREATE TABLE identity (                            -- the one place of matching
  profile_id bigint NOT NULL, database_id int NOT NULL, lane smallint NOT NULL, kind smallint NOT NULL, value text NOT NULL);
-- kinds: 1 profile e-mail (unique), 2 profile phone, 3 e-mail subscription, 4 SMS subscription, 5 push, 6 custom field (value '<field id>:<value>'),
--        7 subscription of another channel (value '<channel>:<contact>')
CREATE UNIQUE INDEX identity_unique ON identity (database_id, value) WHERE kind = 1;
CREATE INDEX identity_shared ON identity (database_id, kind, value, profile_id) WHERE kind <> 1;
CREATE INDEX identity_of ON identity (profile_id) WHERE kind <> 1;

CREATE SEQUENCE subscription_id_seq CACHE 100;
CREATE TABLE subscription (
  id bigint NOT NULL DEFAULT nextval('subscription_id_seq'), profile_id bigint NOT NULL, created_at timestamptz NOT NULL,
  opted_in_at timestamptz, confirmed_at timestamptz, suspended_until timestamptz, resource_id int NOT NULL, lane smallint NOT NULL,
  channel smallint NOT NULL, status smallint NOT NULL, effective smallint NOT NULL, priority smallint NOT NULL DEFAULT 0,
  preferred boolean NOT NULL DEFAULT true, contact text NOT NULL, opt_in_ip text, opt_in_url text, confirm_ip text, cats text[], custom jsonb,
  PRIMARY KEY (lane, id)) WITH (fillfactor = 90);
-- status: 0 subscribed 1 unsubscribed 2 complained 3 hardbounced 4 unconfirmed 5 suspended 6 invalid.
-- effective: the status that a sender obeys: the profile's global status where that forbids, else the own one.
CREATE UNIQUE INDEX subscription_contact ON subscription (lane, profile_id, resource_id, channel, contact);
-- the contact to write to is chosen when a subscription is written, not at every node
CREATE UNIQUE INDEX subscription_pick ON subscription (lane, profile_id, resource_id, channel) INCLUDE (id, effective) WHERE preferred;
CREATE INDEX subscription_suspended ON subscription (suspended_until) WHERE status = 5;

CREATE TABLE change (                              -- what changed in a profile or subscription, written by every writer
  profile_id bigint NOT NULL, at timestamptz NOT NULL, subject_id bigint, database_id int NOT NULL, lane smallint NOT NULL, kind smallint NOT NULL,
  cause smallint NOT NULL, cause_id bigint, old jsonb, new jsonb) PARTITION BY RANGE (at);
-- kind: 1 profile created 2 profile updated 3 subscription added 4 subscription changed 5 profile deleted
-- cause: 1 by hand 2 file import 3 API 4 form 5 pop-up 6 scenario 7 recipient (link) 8 system
CREATE INDEX change_profile ON change (lane, profile_id);

CREATE TABLE import_rejection (task_id bigint NOT NULL REFERENCES background_task ON DELETE CASCADE, line bigint NOT NULL, field text, reason text NOT NULL, row_text text);
CREATE INDEX import_rejection_task ON import_rejection (task_id, line);

-- ------------------------------------------------------------------------------------------------ events
CREATE SEQUENCE event_id_seq CACHE 1000;
CREATE TABLE event (                               -- append-only facts; occurred_at for reports, recorded_at for the engine
  profile_id bigint NOT NULL, occurred_at timestamptz NOT NULL, recorded_at timestamptz NOT NULL, passage_id bigint, id bigint NOT NULL DEFAULT nextval('event_id_seq'),
  scenario_id int, node_id int, template_id int, resource_id int, hop int, lane smallint NOT NULL, kind smallint NOT NULL, channel smallint,
  data jsonb) PARTITION BY RANGE (recorded_at);
-- kinds: events/kinds.py. 1 sent 2 delivered 3 opened 4 clicked 5 confirmed 6 unsubscribed 7 undelivered 8 soft bounce 9 hard bounce
--        10 complained 11 web version 12 request answered 13 promo code assigned 14 goal
CREATE INDEX event_profile ON event (lane, profile_id, kind, recorded_at);

-- ------------------------------------------------------------------------------------------------ templates
CREATE TABLE template (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account_id int NOT NULL DEFAULT 1 REFERENCES account, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
  name text NOT NULL, channel smallint NOT NULL, current_version int NOT NULL DEFAULT 1, confirmation boolean NOT NULL DEFAULT false,
  group_ids int[] NOT NULL DEFAULT '{}', UNIQUE (account_id, name));
CREATE TABLE template_version (
  template_id int NOT NULL REFERENCES template ON DELETE CASCADE, version int NOT NULL, created_at timestamptz NOT NULL, subject text, html text, mjml text, text text,
  from_name text, from_email text, reply_to text, links jsonb NOT NULL DEFAULT '[]', PRIMARY KEY (template_id, version));

-- ------------------------------------------------------------------------------------------------ delivery: the ledger
CREATE TABLE message (
  passage_id bigint NOT NULL, profile_id bigint NOT NULL, subscription_id bigint, created_at timestamptz NOT NULL, handed_at timestamptz,
  delivered_at timestamptz, opened_at timestamptz, clicked_at timestamptz, scenario_id int, template_id int NOT NULL, template_version int,
  node_id int, hop int NOT NULL, worker_id int, resource_id int NOT NULL, lane smallint NOT NULL, channel smallint NOT NULL, state smallint NOT NULL,
  reason smallint, attempts smallint NOT NULL DEFAULT 0, flags smallint NOT NULL DEFAULT 0, answer text,
  PRIMARY KEY (lane, passage_id, hop)) PARTITION BY RANGE (passage_id);
-- state: 0 planned 1 handing over 2 accepted 3 rejected 4 in doubt 5 cancelled 9 not sent (refused before hand-over, see reason)
-- reason: 1 no subscription 2 status forbids 3 no template 4 render error 5 recipient refused 6 lifetime over 7 cancelled 8 profile gone
-- flags: bit 0 confirmation letter, bit 1 somebody waits for the outcome (a row in `answer` is due)
-- No index by profile: the messages of a profile are those of its passages (resting, passage_ended); an index here costs 1 µs a message.

CREATE TABLE request_definition (                  -- what an API request sends; written when a scenario is published, never changed
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, method text NOT NULL, url text NOT NULL, headers jsonb NOT NULL DEFAULT '{}', body text,
  content_type text NOT NULL DEFAULT 'application/json', timeout_seconds real NOT NULL DEFAULT 10, attempts smallint NOT NULL DEFAULT 5,
  repeat_in_doubt boolean NOT NULL DEFAULT false, save jsonb NOT NULL DEFAULT '{}');
-- headers and body are Liquid texts; save: name -> JSONPath into the answer, kept in request.saved

CREATE TABLE request (                             -- API requests of scenarios: the same ledger idea
  passage_id bigint NOT NULL, profile_id bigint NOT NULL, created_at timestamptz NOT NULL, handed_at timestamptz, answered_at timestamptz, next_attempt_at timestamptz,
  scenario_id int NOT NULL, definition_id int NOT NULL, node_id int NOT NULL, hop int NOT NULL, worker_id int, status int, lane smallint NOT NULL,
  state smallint NOT NULL, attempts smallint NOT NULL DEFAULT 0, answer text, saved jsonb, PRIMARY KEY (lane, passage_id, hop)) PARTITION BY RANGE (passage_id);
-- state: as message; 2 = answered with success, 3 = answered with failure (or gave up), 4 = in doubt and held

CREATE TABLE dispatch (                            -- what hand-over workers take: lists of at most 1,000 ledger rows
  id bigint GENERATED ALWAYS AS IDENTITY, at timestamptz NOT NULL, not_before timestamptz NOT NULL, scenario_id int, node_id int, template_id int, lane smallint NOT NULL, channel smallint NOT NULL,
  priority smallint NOT NULL DEFAULT 5, passage_ids bigint[] NOT NULL, hops int[] NOT NULL) WITH (fillfactor = 100);
ALTER TABLE dispatch ALTER passage_ids SET STORAGE EXTERNAL, ALTER hops SET STORAGE EXTERNAL;
CREATE INDEX dispatch_next ON dispatch (channel, priority, not_before);
-- channel 100 = API requests

CREATE TABLE hand_over_worker (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, started_at timestamptz NOT NULL, host text NOT NULL, pid int NOT NULL, journal text NOT NULL);
CREATE TABLE dispatch_claim (                      -- what a worker has in hand; emptied by its flush, read by recovery
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, worker_id int NOT NULL, at timestamptz NOT NULL, scenario_id int, node_id int, template_id int, lane smallint NOT NULL,
  channel smallint NOT NULL, priority smallint NOT NULL, passage_ids bigint[] NOT NULL, hops int[] NOT NULL);
CREATE INDEX dispatch_claim_worker ON dispatch_claim (worker_id);

CREATE TABLE answer_inbox (                        -- outcomes that resting passages wait for; emptied by the engine under the lane's lock
  passage_id bigint NOT NULL, profile_id bigint NOT NULL, at timestamptz NOT NULL, hop int NOT NULL, lane smallint NOT NULL);
CREATE INDEX answer_inbox_lane ON answer_inbox (lane);

CREATE TABLE message_counter (                     -- what became of messages, by the hour they were planned: appended by batch, folded later
  hour timestamptz NOT NULL, n bigint NOT NULL, scenario_id int NOT NULL, node_id int NOT NULL, kind smallint NOT NULL);
CREATE TABLE message_counter_hour (hour timestamptz NOT NULL, n bigint NOT NULL, scenario_id int NOT NULL, node_id int NOT NULL, kind smallint NOT NULL,
  PRIMARY KEY (scenario_id, node_id, kind, hour));
-- kind: 1 accepted 2 not sent or rejected 3 in doubt 4 opened (people) 5 clicked (people)

CREATE TABLE sandbox_message (                     -- the built-in mailbox: what would have left the house
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL, passage_id bigint NOT NULL, profile_id bigint NOT NULL, scenario_id int, node_id int, hop int NOT NULL,
  lane smallint NOT NULL, channel smallint NOT NULL, recipient text NOT NULL, sender text, subject text, body_text text, body_html bytea, headers jsonb, confirmation boolean NOT NULL DEFAULT false,
  UNIQUE (lane, passage_id, hop));
CREATE INDEX sandbox_message_recipient ON sandbox_message (recipient);

CREATE TABLE sender_rate (sender text NOT NULL, second timestamptz NOT NULL, taken int NOT NULL, PRIMARY KEY (sender, second));

-- ------------------------------------------------------------------------------------------------ loyalty: promo codes
CREATE TABLE promo_pool (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account_id int NOT NULL DEFAULT 1 REFERENCES account, created_at timestamptz NOT NULL, name text NOT NULL, short_name text NOT NULL,
  lifetime interval, next_no bigint NOT NULL DEFAULT 0, dealt_no bigint NOT NULL DEFAULT 0, block int NOT NULL DEFAULT 1000, UNIQUE (account_id, name), UNIQUE (account_id, short_name));
-- next_no: number of codes loaded; dealt_no: first number not yet dealt to a lane
CREATE TABLE promo_code (no bigint NOT NULL, pool_id int NOT NULL REFERENCES promo_pool, code text NOT NULL, PRIMARY KEY (pool_id, no), UNIQUE (pool_id, code));
CREATE TABLE promo_cursor (next_no bigint NOT NULL, end_no bigint NOT NULL, pool_id int NOT NULL, lane smallint NOT NULL, PRIMARY KEY (lane, pool_id)) WITH (fillfactor = 20);
CREATE TABLE promo_assignment (
  passage_id bigint NOT NULL, no bigint NOT NULL, profile_id bigint NOT NULL, at timestamptz NOT NULL, expires_at timestamptz, scenario_id int, pool_id int NOT NULL, node_id int,
  hop int NOT NULL, lane smallint NOT NULL, PRIMARY KEY (lane, pool_id, no));
CREATE UNIQUE INDEX promo_assignment_step ON promo_assignment (lane, passage_id, hop);             -- a step gives one code
CREATE INDEX promo_assignment_profile ON promo_assignment (lane, profile_id);

-- ------------------------------------------------------------------------------------------------ triggers
CREATE SEQUENCE capture_id_seq CACHE 1000;
CREATE TABLE capture (                             -- a profile at the door of a scenario; emptied by the engine under the lane's lock
  profile_id bigint NOT NULL, at timestamptz NOT NULL, scenario_id int NOT NULL, node_id int NOT NULL, lane smallint NOT NULL, priority smallint NOT NULL DEFAULT 5,
  key text NOT NULL DEFAULT '', context jsonb);
CREATE INDEX capture_next ON capture (lane, scenario_id, node_id);
CREATE TABLE trigger_subscription (                -- which start nodes of active scenarios listen to what; rewritten at publish, activate and stop
  scenario_id int NOT NULL, node_id int NOT NULL, database_id int NOT NULL, trigger text NOT NULL, PRIMARY KEY (scenario_id, node_id));
CREATE INDEX trigger_subscription_database ON trigger_subscription (database_id, trigger);

-- ------------------------------------------------------------------------------------------------ scenarios
CREATE TABLE scenario (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account_id int NOT NULL DEFAULT 1 REFERENCES account, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
  name text NOT NULL, description text NOT NULL DEFAULT '', database_id int NOT NULL REFERENCES profile_database, draft jsonb NOT NULL, revision int NOT NULL DEFAULT 1,
  active boolean NOT NULL DEFAULT false, published_version_id int, next_node_id int NOT NULL DEFAULT 1, tags text[] NOT NULL DEFAULT '{}', group_ids int[] NOT NULL DEFAULT '{}',
  UNIQUE (account_id, name));
CREATE TABLE scenario_version (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, scenario_id int NOT NULL REFERENCES scenario, number int NOT NULL, published_at timestamptz NOT NULL, published_by int,
  graph jsonb NOT NULL, draft jsonb NOT NULL, comment text NOT NULL DEFAULT '', drained boolean NOT NULL DEFAULT false, UNIQUE (scenario_id, number));
-- graph: with the ids of databases, templates, pools and request definitions resolved; drained: superseded and nobody inside

CREATE SEQUENCE passage_id_seq CACHE 1000;
CREATE TABLE resting (                             -- the live passages; each is exactly one row
  passage_id bigint NOT NULL, profile_id bigint NOT NULL, entered_at timestamptz NOT NULL, due_at timestamptz, scenario_id int NOT NULL, version_id int NOT NULL,
  node_id int NOT NULL, hop int NOT NULL, lane smallint NOT NULL, awaits smallint, key text NOT NULL DEFAULT '', context jsonb, turns smallint[]);
CREATE UNIQUE INDEX resting_live ON resting (lane, profile_id, scenario_id, key);                 -- re-entry; goals and exits by profile
CREATE INDEX resting_due ON resting (lane, version_id, node_id, due_at) WHERE due_at IS NOT NULL;
ALTER TABLE resting SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.1);

CREATE TABLE passage_ended (                       -- written once; everyone who entered = resting + passage_ended
  passage_id bigint NOT NULL, profile_id bigint NOT NULL, entered_at timestamptz NOT NULL, ended_at timestamptz NOT NULL, scenario_id int NOT NULL, version_id int NOT NULL,
  node_id int NOT NULL, hop int NOT NULL, lane smallint NOT NULL, reason smallint NOT NULL, key text NOT NULL DEFAULT '', context jsonb) PARTITION BY RANGE (ended_at);
-- reason: 1 completed 2 exited 3 failed 4 removed 5 restarted 6 stopped at the visit cap of a loop
CREATE INDEX passage_ended_profile ON passage_ended (lane, profile_id);

CREATE TABLE entered (profile_id bigint NOT NULL, scenario_id int NOT NULL, lane smallint NOT NULL, key text NOT NULL DEFAULT '', PRIMARY KEY (lane, scenario_id, profile_id, key));

CREATE TABLE entry_refused (profile_id bigint NOT NULL, at timestamptz NOT NULL, scenario_id int NOT NULL, node_id int NOT NULL, lane smallint NOT NULL, reason smallint NOT NULL,
  key text NOT NULL DEFAULT '') PARTITION BY RANGE (at);
-- reason: 1 entered before 2 inside now 3 minimum interval 4 profile gone
CREATE INDEX entry_refused_profile ON entry_refused (lane, profile_id);

CREATE SEQUENCE route_id_seq;
CREATE TABLE route (                               -- written by the compiler: the ways through a stage
  route_id int PRIMARY KEY DEFAULT nextval('route_id_seq'), version_id int NOT NULL REFERENCES scenario_version, nodes int[] NOT NULL, outputs smallint[] NOT NULL,
  entry smallint NOT NULL, exit smallint NOT NULL, exit_node int NOT NULL, UNIQUE (version_id, nodes, outputs, entry, exit, exit_node));
-- entry: 1 captured 2 woke from a rest 3 carried over from an earlier stage; exit: 1 rests at exit_node 2 carried over 3 completed 4 failed 6 visit cap
CREATE TABLE trail (                               -- one row per passage and pass; `step` unfolds it
  passage_id bigint NOT NULL, at timestamptz NOT NULL, hop int NOT NULL, route_id int NOT NULL, lane smallint NOT NULL, detail jsonb) PARTITION BY RANGE (at);
CREATE INDEX trail_passage ON trail USING brin (passage_id int8_minmax_multi_ops) WITH (pages_per_range = 32, autosummarize = on);
CREATE VIEW step AS SELECT t.lane, t.passage_id, t.hop + x.i::int - 1 AS hop, r.version_id, x.node_id, x.output, t.at, t.detail
  FROM trail t JOIN route r USING (route_id), unnest(r.nodes, r.outputs) WITH ORDINALITY x(node_id, output, i);

CREATE TABLE passage_failure (                     -- why a passage failed
  passage_id bigint NOT NULL, at timestamptz NOT NULL, profile_id bigint NOT NULL, scenario_id int NOT NULL, version_id int NOT NULL, node_id int NOT NULL, hop int NOT NULL, lane smallint NOT NULL,
  code text NOT NULL, message text NOT NULL, PRIMARY KEY (lane, passage_id));

CREATE TABLE counter (hour timestamptz NOT NULL, n bigint NOT NULL, route_id int NOT NULL, lane smallint NOT NULL);       -- appended by batch, folded later
CREATE TABLE counter_hour (hour timestamptz NOT NULL, n bigint NOT NULL, route_id int NOT NULL, PRIMARY KEY (route_id, hour));
CREATE TABLE node_held (version_id int NOT NULL, node_id int NOT NULL, at timestamptz NOT NULL, reason text NOT NULL, PRIMARY KEY (version_id, node_id));

-- Tables that fill and drain are vacuumed by number of dead rows, whatever their size.
ALTER TABLE capture SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);
ALTER TABLE dispatch SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
ALTER TABLE dispatch_claim SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
ALTER TABLE answer_inbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);
ALTER TABLE counter SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);
ALTER TABLE message_counter SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);

-- ------------------------------------------------------------------------------------------------ partitions
-- By month, made ahead by sojourn.kernel.partitions; a default partition keeps rows of unexpected moments, so nothing is lost.
CREATE TABLE change_default PARTITION OF change DEFAULT;
CREATE TABLE event_default PARTITION OF event DEFAULT;
CREATE TABLE passage_ended_default PARTITION OF passage_ended DEFAULT;
CREATE TABLE entry_refused_default PARTITION OF entry_refused DEFAULT;
CREATE TABLE trail_default PARTITION OF trail DEFAULT;
CREATE TABLE message_default PARTITION OF message DEFAULT;
CREATE TABLE request_default PARTITION OF request DEFAULT;

-- ------------------------------------------------------------------------------------------------ statistics
-- A lane is one in 64, whatever a sample says. A lane that the sample missed would seem to be empty, and a join that trusts this uses an
-- index by its lane alone: quadratic (tests/scenarios/test_plans.py). The engine plans without looking at values, for the same reason.
DO $$
DECLARE name regclass;
BEGIN
  FOR name IN SELECT c.oid FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
               WHERE a.attname = 'lane' AND c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace LOOP
    EXECUTE format('ALTER TABLE %s ALTER lane SET (n_distinct = 64, n_distinct_inherited = 64)', name);
  END LOOP;
END $$;

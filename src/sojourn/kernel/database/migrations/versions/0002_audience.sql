-- The audience: what profiles, subscriptions, imports and segments need beyond the foundation. Sections name the package that owns the tables.

-- ------------------------------------------------------------------------------------------------ kernel
CREATE TABLE retention_period (                    -- how long a kind of data is kept; no row: for ever. `kind` as in kernel/retention.py
  kind text PRIMARY KEY, days int NOT NULL CHECK (days BETWEEN 1 AND 36500), changed_at timestamptz NOT NULL, changed_by int,
  done_at timestamptz, forgotten bigint);
CREATE TABLE task_part (                           -- a finished part of a task that is carried out in parts, such as a chunk of a file
  task_id bigint NOT NULL REFERENCES background_task ON DELETE CASCADE, part int NOT NULL, outcome jsonb NOT NULL, PRIMARY KEY (task_id, part));

-- ------------------------------------------------------------------------------------------------ connections
CREATE TABLE connection (                          -- an outside database or file server that imports and rules read from
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account_id int NOT NULL DEFAULT 1 REFERENCES account, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
  name text NOT NULL, kind text NOT NULL CHECK (kind IN ('sql', 'http', 's3', 'ftp', 'sftp')), settings jsonb NOT NULL DEFAULT '{}', secret bytea,
  group_ids int[] NOT NULL DEFAULT '{}', UNIQUE (account_id, name));
-- settings: what may be shown; secret: encrypted, never shown again

-- ------------------------------------------------------------------------------------------------ events
CREATE TABLE touched (                             -- the work list: profiles that something happened to, emptied by updatable segments
  profile_id bigint NOT NULL, lane smallint NOT NULL);
CREATE INDEX touched_lane ON touched (lane);
ALTER TABLE touched SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);
CREATE TABLE touch_listener (kind text PRIMARY KEY);
-- which happenings go into the work list at the moment: profile · subscription · event · passage · member · relation. Without a listener nothing is written.
CREATE INDEX event_kind ON event (kind, template_id, recorded_at) INCLUDE (profile_id, lane);

-- ------------------------------------------------------------------------------------------------ profiles
ALTER TABLE profile_database ADD suppression_list_id int, ADD manager_fields text[] NOT NULL DEFAULT '{_fname,_lname,email,phones}', ADD statistics jsonb;
ALTER TABLE profile_field ADD column_name text, ADD description text NOT NULL DEFAULT '';
-- column_name: the column behind the field where it is not f<id>, after a conversion. manager_fields: what recipients see of themselves.

CREATE TABLE profile_alias (                       -- a profile that was merged into another one; its history is read through this row
  profile_id bigint NOT NULL, survivor_id bigint NOT NULL, at timestamptz NOT NULL, database_id int NOT NULL, lane smallint NOT NULL, snapshot jsonb,
  PRIMARY KEY (lane, profile_id));
CREATE INDEX profile_alias_survivor ON profile_alias (survivor_id);
CREATE INDEX profile_alias_joined ON profile_alias USING gin ((snapshot -> 'joined'));   -- links of old letters: subscriptions that became another's
-- lane is that of profile_id, the merged one; snapshot: what is needed to split it off again

CREATE TABLE relation_type (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account_id int NOT NULL DEFAULT 1 REFERENCES account, created_at timestamptz NOT NULL, name text NOT NULL,
  database_a int NOT NULL REFERENCES profile_database, database_b int NOT NULL REFERENCES profile_database, properties jsonb NOT NULL DEFAULT '[]',
  group_ids int[] NOT NULL DEFAULT '{}', UNIQUE (account_id, name));
-- properties: [{name, title, type: number | boolean}]
CREATE TABLE relation (                            -- profile of A (object, recipient) – profile of B (subject, initiator); stands in the lane of A
  profile_a bigint NOT NULL, profile_b bigint NOT NULL, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL, type_id int NOT NULL REFERENCES relation_type,
  lane smallint NOT NULL, weights jsonb NOT NULL DEFAULT '{}', PRIMARY KEY (lane, profile_a, type_id, profile_b));
CREATE INDEX relation_of_b ON relation (profile_b, type_id);

CREATE TABLE consent_text (                        -- what was shown to whoever subscribed, kept as proof; equal texts are one row
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, created_at timestamptz NOT NULL, digest bytea NOT NULL UNIQUE, text text NOT NULL);
ALTER TABLE subscription ADD consent_id int, ADD confirm_url text, ADD deleted_at timestamptz;
-- deleted_at: a deleted subscription can be restored; until then its status is `invalid` and nobody writes to it
CREATE TABLE resource_category (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, resource_id int NOT NULL REFERENCES resource ON DELETE CASCADE, number smallint NOT NULL CHECK (number BETWEEN 1 AND 8191),
  position int NOT NULL DEFAULT 0, hidden boolean NOT NULL DEFAULT false, name text NOT NULL, title text NOT NULL, description text NOT NULL DEFAULT '',
  UNIQUE (resource_id, name), UNIQUE (resource_id, number));
-- a subscription whose cats are null gets all categories; a list: only those named. number: what stands in message.flags from bit 2 on
CREATE TABLE resource_field (                      -- own fields of the subscriptions of a resource, in subscription.custom
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, resource_id int NOT NULL REFERENCES resource ON DELETE CASCADE, channel smallint NOT NULL, name text NOT NULL, title text NOT NULL,
  type text NOT NULL CHECK (type IN ('integer', 'float', 'line', 'date', 'boolean', 'enum')), options text[], required boolean NOT NULL DEFAULT false, UNIQUE (resource_id, channel, name));
ALTER TABLE resource ADD consent text NOT NULL DEFAULT '', ADD archived_at timestamptz, ADD updated_at timestamptz;

CREATE TABLE suppression_list (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account_id int NOT NULL DEFAULT 1 REFERENCES account, created_at timestamptz NOT NULL, name text NOT NULL,
  description text NOT NULL DEFAULT '', is_global boolean NOT NULL DEFAULT false, group_ids int[] NOT NULL DEFAULT '{}', UNIQUE (account_id, name));
CREATE UNIQUE INDEX suppression_list_global ON suppression_list (account_id) WHERE is_global;
INSERT INTO suppression_list (created_at, name, is_global) VALUES ('2026-01-01Z', 'Global', true);
CREATE TABLE suppression_entry (
  list_id int NOT NULL REFERENCES suppression_list ON DELETE CASCADE, kind smallint NOT NULL, added_at timestamptz NOT NULL, reason smallint NOT NULL DEFAULT 1, digest bytea NOT NULL,
  value text, PRIMARY KEY (list_id, kind, digest));
-- kind: 1 e-mail 2 phone 3 domain 4 pattern (`*` stands for anything) 5 keyed: an erased person, digest = HMAC by the installation's key.
-- digest: MD5 of the normalised value, what other systems exchange; value: null where only the digest is known. reason: 1 by hand 2 file 3 API 4 hard bounce 5 complaint 6 erased
CREATE INDEX suppression_entry_page ON suppression_entry (list_id, added_at, digest);

CREATE TABLE import_plan (                         -- a scheduled import
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account_id int NOT NULL DEFAULT 1 REFERENCES account, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
  name text NOT NULL, database_id int NOT NULL REFERENCES profile_database, connection_id int NOT NULL REFERENCES connection, source jsonb NOT NULL, options jsonb NOT NULL,
  schedule jsonb NOT NULL, time_zone text NOT NULL DEFAULT 'UTC', cursor_column text, cursor_value jsonb, active boolean NOT NULL DEFAULT true, next_at timestamptz,
  revision int NOT NULL DEFAULT 1, tags text[] NOT NULL DEFAULT '{}', group_ids int[] NOT NULL DEFAULT '{}', UNIQUE (account_id, name));
CREATE INDEX import_plan_due ON import_plan (next_at) WHERE active;
CREATE TABLE import_run (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, plan_id int NOT NULL REFERENCES import_plan ON DELETE CASCADE, started_at timestamptz NOT NULL, finished_at timestamptz,
  task_id bigint, state text NOT NULL, counts jsonb, error text, cursor_before jsonb, cursor_after jsonb);
CREATE INDEX import_run_plan ON import_run (plan_id, id);
ALTER TABLE import_rejection ADD column_name text, ADD file smallint NOT NULL DEFAULT 0;
DROP INDEX import_rejection_task;
CREATE INDEX import_rejection_task ON import_rejection (task_id, file, line);

CREATE TABLE erasure (                             -- people who asked to be forgotten; also kept in a file outside the database, and replayed after a restore
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL, profile_id bigint NOT NULL, database_id int NOT NULL, by_user int, digests bytea[] NOT NULL DEFAULT '{}');
CREATE INDEX erasure_profile ON erasure (profile_id);

-- ------------------------------------------------------------------------------------------------ segments
CREATE TABLE segment (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account_id int NOT NULL DEFAULT 1 REFERENCES account, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
  name text NOT NULL, description text NOT NULL DEFAULT '', database_id int NOT NULL REFERENCES profile_database, kind text NOT NULL CHECK (kind IN ('static', 'dynamic', 'updatable')),
  rules jsonb, resolved jsonb, sample jsonb, most bigint, revision int NOT NULL DEFAULT 1, schedule jsonb, next_at timestamptz, calculated_at timestamptz,
  calculation_ms int, size bigint, size_exact boolean, error text, failed_at timestamptz, tags text[] NOT NULL DEFAULT '{}', group_ids int[] NOT NULL DEFAULT '{}', archived_at timestamptz, UNIQUE (account_id, name));
-- rules: as written, names allowed; resolved: with ids; sample: {start, end, group}; most: limit, null = none; size as of calculated_at (updatable: kept up to date);
-- error, failed_at: why and when the last calculation failed
CREATE INDEX segment_due ON segment (next_at) WHERE kind = 'updatable';
CREATE TABLE segment_member (                      -- static and updatable segments: who is in now
  profile_id bigint NOT NULL, entered_at timestamptz NOT NULL, segment_id int NOT NULL, lane smallint NOT NULL, PRIMARY KEY (lane, segment_id, profile_id));
CREATE INDEX segment_member_profile ON segment_member (lane, profile_id);
CREATE TABLE segment_history (                     -- every entry and exit
  profile_id bigint NOT NULL, at timestamptz NOT NULL, segment_id int NOT NULL, lane smallint NOT NULL, entered boolean NOT NULL, cause smallint NOT NULL, cause_id bigint
  ) PARTITION BY RANGE (at);
CREATE INDEX segment_history_profile ON segment_history (lane, profile_id, segment_id, at);
CREATE INDEX segment_history_segment ON segment_history (segment_id, entered, at) INCLUDE (profile_id, lane);
CREATE TABLE segment_history_default PARTITION OF segment_history DEFAULT;

CREATE TABLE external_table (                      -- values from outside that rules compare with, fetched by a job
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account_id int NOT NULL DEFAULT 1 REFERENCES account, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
  name text NOT NULL, short_name text NOT NULL, kind text NOT NULL CHECK (kind IN ('sql', 'http', 'file', 'list')), connection_id int REFERENCES connection, settings jsonb NOT NULL DEFAULT '{}',
  columns text[] NOT NULL DEFAULT '{}', keep_seconds int NOT NULL DEFAULT 3600, generation int NOT NULL DEFAULT 0, next_generation int NOT NULL DEFAULT 1, row_count bigint,
  fetched_at timestamptz, usable_until timestamptz, next_at timestamptz, error text, failed_at timestamptz, group_ids int[] NOT NULL DEFAULT '{}', UNIQUE (account_id, name), UNIQUE (account_id, short_name));
-- generation 0: never fetched, and a rule over it is an error; usable_until null: for ever (files and lists)
CREATE TABLE external_value (table_id int NOT NULL, generation int NOT NULL, column_no smallint NOT NULL, value text NOT NULL,
  PRIMARY KEY (table_id, generation, column_no, value));

-- ------------------------------------------------------------------------------------------------ bulk
CREATE TABLE bulk_run (                            -- a bulk update: what of it is done, in the same transactions as the work
  task_id bigint PRIMARY KEY REFERENCES background_task ON DELETE CASCADE, total bigint NOT NULL, counts jsonb NOT NULL DEFAULT '{}');
CREATE TABLE bulk_target (                         -- whom a bulk update has yet to change; chosen once, emptied batch by batch
  profile_id bigint NOT NULL, task_id bigint NOT NULL REFERENCES background_task ON DELETE CASCADE, lane smallint NOT NULL, PRIMARY KEY (task_id, lane, profile_id));

-- A parameter of a link, decoded; null where it is missing or has no value. What is not valid UTF-8 stays as it stands in the link.
CREATE FUNCTION sojourn_url_parameter(link text, wanted text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL RESTRICTED AS
$$DECLARE raw text; plain text;
BEGIN
  SELECT replace(substr(part, length(wanted) + 2), '+', ' ') INTO raw
    FROM string_to_table(split_part(split_part(link, '#', 1), '?', 2), '&') WITH ORDINALITY parts(part, n) WHERE starts_with(part, wanted || '=') ORDER BY n LIMIT 1;
  IF raw IS NULL OR raw = '' THEN RETURN NULL; END IF;
  IF strpos(raw, '%') = 0 THEN RETURN raw; END IF;
  SELECT convert_from(decode(string_agg(CASE WHEN length(piece[1]) = 3 THEN substr(piece[1], 2) ELSE encode(convert_to(piece[1], 'UTF8'), 'hex') END, '' ORDER BY n), 'hex'), 'UTF8')
    INTO plain FROM regexp_matches(raw, '%[0-9a-fA-F]{2}|.', 'gs') WITH ORDINALITY pieces(piece, n);
  RETURN plain;
EXCEPTION WHEN character_not_in_repertoire OR untranslatable_character THEN RETURN raw;
END$$;
CREATE FUNCTION sojourn_refuse(reason text) RETURNS boolean LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION USING ERRCODE = 'SJ001', MESSAGE = reason; END $$;
-- A rule that cannot be answered, such as one over an outside table that could not be fetched, stops its statement: it must never widen an audience.

DO $$
DECLARE name regclass;
BEGIN
  FOR name IN SELECT c.oid FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
               WHERE a.attname = 'lane' AND c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace
                 AND c.relname IN ('touched', 'profile_alias', 'relation', 'segment_member', 'segment_history', 'segment_history_default') LOOP
    EXECUTE format('ALTER TABLE %s ALTER lane SET (n_distinct = 64%s)', name, CASE WHEN name = 'segment_history'::regclass THEN ', n_distinct_inherited = 64' ELSE '' END);
  END LOOP;
  -- Each database has its own table of profiles.
  FOR name IN SELECT format('profile_%s', d.id)::regclass FROM profile_database d LOOP
    EXECUTE format('ALTER TABLE %s ADD no_tracking boolean', name);
  END LOOP;
END $$;

-- Scenarios: what triggers, nodes and edits need beyond the foundation.

-- ------------------------------------------------------------------------------------------------ kernel
CREATE TABLE time_zone (name text PRIMARY KEY);    -- zones that the server knows: what a profile holds may be anything
INSERT INTO time_zone SELECT name FROM pg_timezone_names ON CONFLICT DO NOTHING;

CREATE FUNCTION sojourn_zone(wanted text, otherwise text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS
$$SELECT coalesce((SELECT z.name FROM time_zone z WHERE z.name = wanted), otherwise)$$;

-- The moment at which the clock on the wall of a zone says `local`: of an hour that comes twice the first one; a time that is skipped is an hour later.
CREATE FUNCTION sojourn_moment(local timestamp, zone text) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS
$$SELECT CASE WHEN ((local AT TIME ZONE zone) - interval '1 hour') AT TIME ZONE zone = local THEN (local AT TIME ZONE zone) - interval '1 hour' ELSE local AT TIME ZONE zone END$$;

-- The first moment not before `moment` at which the clock says `clock` on one of the days (Monday is 1).
CREATE FUNCTION sojourn_next_time(moment timestamptz, zone text, clock time, days smallint[]) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS
$$SELECT min(t.at) FROM generate_series(0, 8) n, LATERAL (SELECT (moment AT TIME ZONE zone)::date + n AS day) d,
    LATERAL (SELECT sojourn_moment(d.day + clock, zone) AS at) t
   WHERE extract(isodow FROM d.day) = ANY(days) AND t.at >= moment$$;

-- The moment itself while a window is open, else its next opening. A window that ends at or before its beginning goes on past midnight.
CREATE FUNCTION sojourn_opens(moment timestamptz, zone text, opening time, closing time, days smallint[]) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS
$$SELECT min(greatest(w.opens, moment)) FROM generate_series(-1, 8) n, LATERAL (SELECT (moment AT TIME ZONE zone)::date + n AS day) d,
    LATERAL (SELECT sojourn_moment(d.day + opening, zone) AS opens, sojourn_moment(d.day + CASE WHEN closing <= opening THEN 1 ELSE 0 END + closing, zone) AS closes) w
   WHERE extract(isodow FROM d.day) = ANY(days) AND w.closes > moment$$;

-- ------------------------------------------------------------------------------------------------ triggers
ALTER TABLE trigger_subscription ADD settings jsonb NOT NULL DEFAULT '{}';
-- settings: what a start node narrows its trigger to, by ids

-- Whoever records a change, an event or a membership puts those at the door whom a start node waits for, in the same statement: nothing is polled,
-- and nothing is lost. The triggers are off while nobody listens (sojourn.triggers.listeners), and silent where `sojourn.no_triggers` is on.
CREATE FUNCTION sojourn_asks(settings jsonb, name text, value jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$SELECT coalesce(settings -> name, '[]') = '[]' OR settings -> name @> coalesce(value, 'null')$$;

CREATE FUNCTION sojourn_start_by_change() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN
  IF current_setting('sojourn.no_triggers', true) = 'on' THEN RETURN NULL; END IF;
  INSERT INTO capture (profile_id, at, scenario_id, node_id, lane, priority, context)
  SELECT n.profile_id, n.at, t.scenario_id, t.node_id, n.lane, 5, jsonb_build_object('old', coalesce(n.old, '{}'), 'new', coalesce(n.new, '{}'))
    FROM fresh n JOIN trigger_subscription t ON t.database_id = n.database_id
   WHERE NOT (n.cause = 6 AND coalesce(n.cause_id = t.scenario_id, false)) AND sojourn_asks(t.settings, 'causes', to_jsonb(n.cause))
     AND CASE t.trigger
         WHEN 'profile_updated' THEN n.kind = 2
          AND (coalesce(t.settings -> 'fields', '[]') = '[]' OR EXISTS (SELECT FROM jsonb_array_elements_text(t.settings -> 'fields') f WHERE n.new ? f
               AND coalesce(n.old ->> f = t.settings ->> 'from', t.settings ->> 'from' IS NULL) AND coalesce(n.new ->> f = t.settings ->> 'to', t.settings ->> 'to' IS NULL)))
         WHEN 'subscription_changed' THEN n.kind IN (3, 4) AND n.new ? 'status' AND sojourn_asks(t.settings, 'kinds', to_jsonb(n.kind))
          AND sojourn_asks(t.settings, 'resources', n.new -> 'resource_id') AND sojourn_asks(t.settings, 'channels', n.new -> 'channel')
          AND sojourn_asks(t.settings, 'statuses', n.new -> 'status')
         ELSE false END;
  RETURN NULL;
END$$;
CREATE TRIGGER starts AFTER INSERT ON change REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION sojourn_start_by_change();
ALTER TABLE change DISABLE TRIGGER starts;

CREATE TABLE wait_inbox (                          -- profiles with an event of a kind that somebody waits for; the engine looks who of them waits
  profile_id bigint NOT NULL, at timestamptz NOT NULL, lane smallint NOT NULL);
CREATE INDEX wait_inbox_lane ON wait_inbox (lane);
ALTER TABLE wait_inbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);

CREATE FUNCTION sojourn_start_by_event() RETURNS trigger LANGUAGE plpgsql AS
$$DECLARE base int;
BEGIN
  INSERT INTO wait_inbox (profile_id, at, lane) SELECT n.profile_id, min(n.recorded_at), n.lane FROM fresh n
   WHERE EXISTS (SELECT FROM trigger_subscription t WHERE t.trigger = 'wait' AND t.settings -> 'kinds' @> to_jsonb(n.kind)) GROUP BY n.profile_id, n.lane;
  IF current_setting('sojourn.no_triggers', true) = 'on' THEN RETURN NULL; END IF;
  -- An event does not say of which database its profile is.
  FOR base IN SELECT DISTINCT t.database_id FROM trigger_subscription t WHERE t.trigger = 'event' AND EXISTS (SELECT FROM fresh n WHERE t.settings -> 'kinds' @> to_jsonb(n.kind)) LOOP
    EXECUTE format($q$INSERT INTO capture (profile_id, at, scenario_id, node_id, lane, priority, context)
      SELECT n.profile_id, n.recorded_at, t.scenario_id, t.node_id, n.lane, 5, jsonb_build_object('event', coalesce(n.data, '{}') || jsonb_strip_nulls(jsonb_build_object(
             'template_id', n.template_id, 'scenario_id', n.scenario_id, 'resource_id', n.resource_id, 'channel', n.channel)))
        FROM fresh n JOIN trigger_subscription t ON t.trigger = 'event' AND t.database_id = $1 AND t.settings -> 'kinds' @> to_jsonb(n.kind)
        JOIN %I p ON p.lane = n.lane AND p.id = n.profile_id
       WHERE n.scenario_id IS DISTINCT FROM t.scenario_id AND sojourn_asks(t.settings, 'templates', to_jsonb(n.template_id)) AND sojourn_asks(t.settings, 'scenarios', to_jsonb(n.scenario_id))
         AND coalesce(n.data ->> 'url' = t.settings ->> 'link', t.settings ->> 'link' IS NULL) AND coalesce(n.data ->> 'goal' = t.settings ->> 'goal', t.settings ->> 'goal' IS NULL)
         AND (t.settings ->> 'least' IS NULL OR CASE WHEN jsonb_typeof(n.data -> 'value') = 'number' THEN (n.data ->> 'value')::numeric >= (t.settings ->> 'least')::numeric ELSE false END)$q$,
      'profile_' || base) USING base;
  END LOOP;
  RETURN NULL;
END$$;
CREATE TRIGGER starts AFTER INSERT ON event REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION sojourn_start_by_event();
ALTER TABLE event DISABLE TRIGGER starts;

CREATE FUNCTION sojourn_start_by_membership() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN
  IF current_setting('sojourn.no_triggers', true) = 'on' THEN RETURN NULL; END IF;
  INSERT INTO capture (profile_id, at, scenario_id, node_id, lane, priority, context)
  SELECT n.profile_id, n.at, t.scenario_id, t.node_id, n.lane, 5, jsonb_build_object('segment_id', n.segment_id)
    FROM fresh n JOIN trigger_subscription t ON t.trigger = 'segment' AND t.settings -> 'segments' @> to_jsonb(n.segment_id) AND (t.settings ->> 'entered')::boolean = n.entered
   WHERE NOT (n.cause = 6 AND coalesce(n.cause_id = t.scenario_id, false));
  RETURN NULL;
END$$;
CREATE TRIGGER starts AFTER INSERT ON segment_history REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION sojourn_start_by_membership();
ALTER TABLE segment_history DISABLE TRIGGER starts;
CREATE TABLE trigger_timer (                       -- when a start node of an active scenario begins by the clock the next time
  scenario_id int NOT NULL, node_id int NOT NULL, next_at timestamptz NOT NULL, PRIMARY KEY (scenario_id, node_id));
CREATE INDEX trigger_timer_due ON trigger_timer (next_at);

-- ------------------------------------------------------------------------------------------------ scenarios
ALTER TABLE scenario_version ADD doors int[] NOT NULL DEFAULT '{}';
-- doors: nodes before which people stand who were moved there by an edit, besides those to which loops come back

CREATE TABLE scenario_migration (                  -- people who were taken along to a new version, in one batch
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, scenario_id int NOT NULL REFERENCES scenario ON DELETE CASCADE, version_id int NOT NULL REFERENCES scenario_version ON DELETE CASCADE,
  at timestamptz NOT NULL, by_user int, moves jsonb NOT NULL, moved bigint NOT NULL DEFAULT 0, taken_out bigint NOT NULL DEFAULT 0, undone_at timestamptz);
CREATE INDEX scenario_migration_scenario ON scenario_migration (scenario_id, id);
CREATE TABLE scenario_migration_row (              -- where each of them stood before
  migration_id bigint NOT NULL REFERENCES scenario_migration ON DELETE CASCADE, passage_id bigint NOT NULL, profile_id bigint NOT NULL, due_at timestamptz, version_id int NOT NULL,
  node_id int NOT NULL, target_id int NOT NULL, hop int NOT NULL, lane smallint NOT NULL, awaits smallint, to_door boolean NOT NULL, turns smallint[], PRIMARY KEY (migration_id, lane, passage_id));
CREATE INDEX scenario_migration_row_profile ON scenario_migration_row (lane, profile_id);
ALTER TABLE scenario_migration_row ALTER lane SET (n_distinct = 64);

ALTER TABLE resting ADD waits_since timestamptz;   -- who awaits an event (awaits = 3): since when it counts; due_at is then the end of the wait, or an event to look at

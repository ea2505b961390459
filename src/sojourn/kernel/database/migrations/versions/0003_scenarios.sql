-- Scenarios: what triggers, nodes and edits need beyond the foundation.

-- ------------------------------------------------------------------------------------------------ kernel
CREATE TABLE time_zone (name text PRIMARY KEY);    -- zones that the server knows: what a profile holds may be anything
INSERT INTO time_zone SELECT name FROM pg_timezone_names ON CONFLICT DO NOTHING;

CREATE FUNCTION sojourn_zone(wanted text, otherwise text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS
$$SELECT coalesce((SELECT z.name FROM time_zone z WHERE z.name = wanted), otherwise)$$;

-- The first moment not before `moment` at which the clock on the wall of a zone says `clock` on one of the days (Monday is 1). A time that a day
-- skips is an hour later; of one that comes twice the second counts.
CREATE FUNCTION sojourn_next_time(moment timestamptz, zone text, clock time, days smallint[]) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS
$$SELECT min(t.at) FROM generate_series(0, 8) n, LATERAL (SELECT (moment AT TIME ZONE zone)::date + n AS day) d,
    LATERAL (SELECT (d.day + clock) AT TIME ZONE zone AS at) t
   WHERE extract(isodow FROM d.day) = ANY(days) AND t.at >= moment$$;

-- The moment itself while a window is open, else its next opening. A window that ends at or before its beginning goes on past midnight.
CREATE FUNCTION sojourn_opens(moment timestamptz, zone text, opening time, closing time, days smallint[]) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS
$$SELECT min(greatest(w.opens, moment)) FROM generate_series(-1, 8) n, LATERAL (SELECT (moment AT TIME ZONE zone)::date + n AS day) d,
    LATERAL (SELECT (d.day + opening) AT TIME ZONE zone AS opens, (d.day + CASE WHEN closing <= opening THEN 1 ELSE 0 END + closing) AT TIME ZONE zone AS closes) w
   WHERE extract(isodow FROM d.day) = ANY(days) AND w.closes > moment$$;

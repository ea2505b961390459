-- ======================================== captured at node 0

-- first stage; values:
--   p1 = 700
--   p2 = 0
--   p3 = datetime.timedelta(seconds=600)
--   p4 = 800
-- ways out:
--   rests at node 0: no step
WITH taken AS MATERIALIZED (
    DELETE FROM capture t USING (
      SELECT DISTINCT ON (profile_id) ctid FROM (
        SELECT c.ctid, c.profile_id, c.at FROM capture c
         WHERE c.lane = %(lane)s::smallint AND c.scenario_id = %(p1)s::int AND c.node_id = %(p2)s::int AND true
         LIMIT %(batch)s) c ORDER BY profile_id, at) x
     WHERE t.ctid = x.ctid AND t.lane = %(lane)s::smallint RETURNING t.profile_id, t.at, t.key AS key, t.context),
judged AS MATERIALIZED (
    SELECT t.*, CASE WHEN NOT EXISTS (SELECT FROM "profile_100" p WHERE p.lane = %(lane)s::smallint AND p.id = t.profile_id) THEN 4 END AS refused FROM taken t),
refused AS (
    INSERT INTO entry_refused (profile_id, at, scenario_id, node_id, lane, reason, key)
    SELECT q.profile_id, q.at, %(p1)s::int, %(p2)s::int, %(lane)s::smallint, q.reason::smallint, q.key FROM (SELECT j.profile_id, j.at, j.refused AS reason, j.key FROM judged j WHERE j.refused IS NOT NULL) q),
entering AS MATERIALIZED (
    SELECT j.passage_id AS passage_id, j.profile_id, 1 AS first_hop, 1 AS hop, j.at, j.at AS entered_at, j.passage_id::text AS key, j.context,
      NULL::smallint[] AS turns, 0 AS path FROM (SELECT j.*, nextval('passage_id_seq') AS passage_id FROM (SELECT * FROM judged WHERE refused IS NULL) j) j),
rests AS (
    INSERT INTO resting (passage_id, profile_id, entered_at, due_at, scenario_id, version_id, node_id, hop, lane, awaits, key, context, turns, waits_since)
    SELECT f.passage_id, f.profile_id, f.entered_at, f.at + %(p3)s::interval, %(p1)s::int, %(p4)s::int, %(p2)s::int,
      f.hop, %(lane)s::smallint, NULL::smallint, f.key, f.context, f.turns, NULL::timestamptz FROM entering f),
counted AS (
    INSERT INTO counter (hour, n, route_id, lane)
    SELECT date_trunc('hour', f.at), count(*), (%(routes_0)s::int[])[f.path + 1], %(lane)s::smallint FROM entering f GROUP BY 1, 3),
touched AS (
    INSERT INTO touched (profile_id, lane) SELECT DISTINCT x.profile_id, %(lane)s::smallint FROM taken x WHERE EXISTS (SELECT FROM touch_listener t WHERE t.kind = 'passage'))
SELECT (SELECT count(*) FROM taken), 0, 0;

-- ======================================== captured at node 1

-- first stage; values:
--   p1 = 700
--   p2 = 1
--   p3 = datetime.timedelta(seconds=1800)
--   p4 = 3
--   p5 = 600
--   p6 = 800
-- ways out:
--   rests at node 3: 1.0
WITH taken AS MATERIALIZED (
    DELETE FROM capture t USING (
      SELECT DISTINCT ON (profile_id) ctid FROM (
        SELECT c.ctid, c.profile_id, c.at FROM capture c
         WHERE c.lane = %(lane)s::smallint AND c.scenario_id = %(p1)s::int AND c.node_id = %(p2)s::int AND true
         LIMIT %(batch)s) c ORDER BY profile_id, at) x
     WHERE t.ctid = x.ctid AND t.lane = %(lane)s::smallint RETURNING t.profile_id, t.at, t.key AS key, t.context),
judged AS MATERIALIZED (
    SELECT t.*, CASE WHEN NOT EXISTS (SELECT FROM "profile_100" p WHERE p.lane = %(lane)s::smallint AND p.id = t.profile_id) THEN 4 END AS refused FROM taken t),
refused AS (
    INSERT INTO entry_refused (profile_id, at, scenario_id, node_id, lane, reason, key)
    SELECT q.profile_id, q.at, %(p1)s::int, %(p2)s::int, %(lane)s::smallint, q.reason::smallint, q.key FROM (SELECT j.profile_id, j.at, j.refused AS reason, j.key FROM judged j WHERE j.refused IS NOT NULL) q),
entering AS MATERIALIZED (
    SELECT j.passage_id AS passage_id, j.profile_id, 1 AS first_hop, 1 AS hop, j.at, j.at AS entered_at, j.passage_id::text AS key, j.context,
      NULL::smallint[] AS turns, 0 AS path FROM (SELECT j.*, nextval('passage_id_seq') AS passage_id FROM (SELECT * FROM judged WHERE refused IS NULL) j) j),
n3 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, (f.hop + 1) AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, 1 AS asks
    FROM entering f ),
requested AS (
    INSERT INTO request (passage_id, hop, profile_id, created_at, scenario_id, node_id, definition_id, lane, state)
    SELECT f.passage_id, f.hop, f.profile_id, f.at, %(p1)s::int, %(p4)s::int,
      %(p5)s::int, %(lane)s::smallint, 0::smallint FROM n3 f),
requests_listed AS (
    INSERT INTO dispatch (at, not_before, scenario_id, node_id, template_id, lane, channel, priority, passage_ids, hops)
    SELECT %(now)s::timestamptz, %(now)s::timestamptz, %(p1)s::int, %(p4)s::int, NULL::int, %(lane)s::smallint, 100::smallint, 5::smallint,
      array_agg(q.passage_id), array_agg(q.hop) FROM (SELECT f.passage_id, f.hop AS hop, row_number() OVER () / 1000 AS part FROM n3 f) q GROUP BY q.part
    RETURNING 1),
rests AS (
    INSERT INTO resting (passage_id, profile_id, entered_at, due_at, scenario_id, version_id, node_id, hop, lane, awaits, key, context, turns, waits_since)
    SELECT f.passage_id, f.profile_id, f.entered_at, f.at + %(p3)s::interval, %(p1)s::int, %(p6)s::int, %(p4)s::int,
      f.hop, %(lane)s::smallint, 1::smallint, f.key, f.context, f.turns, NULL::timestamptz FROM n3 f),
trailed AS (
    INSERT INTO trail (passage_id, at, hop, route_id, lane)
    SELECT f.passage_id, f.at, f.first_hop, (%(routes_0)s::int[])[f.path + 1], %(lane)s::smallint FROM n3 f),
counted AS (
    INSERT INTO counter (hour, n, route_id, lane)
    SELECT date_trunc('hour', f.at), count(*), (%(routes_0)s::int[])[f.path + 1], %(lane)s::smallint FROM n3 f GROUP BY 1, 3),
touched AS (
    INSERT INTO touched (profile_id, lane) SELECT DISTINCT x.profile_id, %(lane)s::smallint FROM taken x WHERE EXISTS (SELECT FROM touch_listener t WHERE t.kind = 'passage'))
SELECT (SELECT count(*) FROM taken), (SELECT count(*) FROM requests_listed), 0;

-- ======================================== woken at node 0

-- first stage; values:
--   p1 = 800
--   p2 = 0
--   p3 = datetime.timedelta(seconds=1800)
--   p4 = 700
--   p5 = 3
--   p6 = 600
-- ways out:
--   rests at node 3: 0.0
WITH taken AS MATERIALIZED (
    DELETE FROM resting r USING (
      SELECT DISTINCT ON (profile_id) ctid FROM (
        SELECT d.ctid, d.profile_id, d.passage_id FROM resting d
         WHERE d.lane = %(lane)s::smallint AND d.version_id = %(p1)s::int AND d.node_id = %(p2)s::int AND d.due_at <= %(now)s::timestamptz
         ORDER BY d.due_at LIMIT %(batch)s) d ORDER BY profile_id, passage_id) x
     WHERE r.ctid = x.ctid AND r.lane = %(lane)s::smallint
    RETURNING r.passage_id, r.profile_id, r.hop AS first_hop, r.hop, r.due_at AS at, r.entered_at, r.key, r.context, r.turns, r.awaits, r.waits_since, 0 AS path),
n3 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, (f.hop + 1) AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, 1 AS asks
    FROM taken f ),
requested AS (
    INSERT INTO request (passage_id, hop, profile_id, created_at, scenario_id, node_id, definition_id, lane, state)
    SELECT f.passage_id, f.hop, f.profile_id, f.at, %(p4)s::int, %(p5)s::int,
      %(p6)s::int, %(lane)s::smallint, 0::smallint FROM n3 f),
requests_listed AS (
    INSERT INTO dispatch (at, not_before, scenario_id, node_id, template_id, lane, channel, priority, passage_ids, hops)
    SELECT %(now)s::timestamptz, %(now)s::timestamptz, %(p4)s::int, %(p5)s::int, NULL::int, %(lane)s::smallint, 100::smallint, 5::smallint,
      array_agg(q.passage_id), array_agg(q.hop) FROM (SELECT f.passage_id, f.hop AS hop, row_number() OVER () / 1000 AS part FROM n3 f) q GROUP BY q.part
    RETURNING 1),
rests AS (
    INSERT INTO resting (passage_id, profile_id, entered_at, due_at, scenario_id, version_id, node_id, hop, lane, awaits, key, context, turns, waits_since)
    SELECT f.passage_id, f.profile_id, f.entered_at, f.at + %(p3)s::interval, %(p4)s::int, %(p1)s::int, %(p5)s::int,
      f.hop, %(lane)s::smallint, 1::smallint, f.key, f.context, f.turns, NULL::timestamptz FROM n3 f),
trailed AS (
    INSERT INTO trail (passage_id, at, hop, route_id, lane)
    SELECT f.passage_id, f.at, f.first_hop, (%(routes_0)s::int[])[f.path + 1], %(lane)s::smallint FROM n3 f),
counted AS (
    INSERT INTO counter (hour, n, route_id, lane)
    SELECT date_trunc('hour', f.at), count(*), (%(routes_0)s::int[])[f.path + 1], %(lane)s::smallint FROM n3 f GROUP BY 1, 3),
touched AS (
    INSERT INTO touched (profile_id, lane) SELECT DISTINCT x.profile_id, %(lane)s::smallint FROM taken x WHERE EXISTS (SELECT FROM touch_listener t WHERE t.kind = 'passage'))
SELECT (SELECT count(*) FROM taken), (SELECT count(*) FROM requests_listed), 0;

-- ======================================== woken at node 3

-- first stage; values:
--   p1 = 800
--   p2 = 3
--   p3 = 300
--   p4 = 'gold'
--   p5 = 'level'
--   p6 = 100
--   p7 = 700
--   p8 = 5
--   p9 = 400
--   p10 = 4
-- ways out:
--   completed at node 5: 3.1 5.0; 3.1 5.1
--   completed at node 4: 3.0 4.0
WITH taken AS MATERIALIZED (
    DELETE FROM resting r USING (
      SELECT DISTINCT ON (profile_id) ctid FROM (
        SELECT d.ctid, d.profile_id, d.passage_id FROM resting d
         WHERE d.lane = %(lane)s::smallint AND d.version_id = %(p1)s::int AND d.node_id = %(p2)s::int AND d.due_at <= %(now)s::timestamptz
         ORDER BY d.due_at LIMIT %(batch)s) d ORDER BY profile_id, passage_id) x
     WHERE r.ctid = x.ctid AND r.lane = %(lane)s::smallint
    RETURNING r.passage_id, r.profile_id, r.hop AS first_hop, r.hop, r.due_at AS at, r.entered_at, r.key, r.context, r.turns, r.awaits, r.waits_since, 0 AS path),
n3_out AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, f.hop AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, (q.state = 2) IS TRUE AS answered
    FROM taken f LEFT JOIN LATERAL (SELECT q.state FROM request q WHERE q.lane = %(lane)s::smallint AND q.passage_id = f.passage_id AND q.hop = f.hop LIMIT 1) q ON true),
n3_given_up AS (
    UPDATE request q SET state = 5 FROM (SELECT * FROM n3_out WHERE NOT answered) f WHERE q.lane = %(lane)s::smallint AND q.passage_id = f.passage_id AND q.hop = f.hop AND q.state = 0),
n5 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, (f.hop + 1) AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, s.id AS subscription_id, (s.effective = 0) IS TRUE AS sendable
    FROM (SELECT * FROM n3_out WHERE NOT answered) f LEFT JOIN LATERAL (SELECT s.id, s.effective FROM subscription s WHERE s.lane = %(lane)s::smallint AND s.profile_id = f.profile_id
      AND s.resource_id = %(p3)s::int AND s.channel = 1::smallint AND s.preferred LIMIT 1) s ON true),
n4 AS (
    UPDATE "profile_100" p SET "f202" = %(p4)s::text, updated_at = f.at FROM (SELECT s.* FROM (SELECT * FROM n3_out WHERE answered) s ORDER BY s.profile_id) f
    WHERE p.lane = %(lane)s::smallint AND p.id = f.profile_id RETURNING p.id, f.at, old."f202" AS o0, new."f202" AS n0),
n4_change AS (
    INSERT INTO change (profile_id, at, database_id, lane, kind, cause, cause_id, old, new)
    SELECT u.id, u.at, %(p6)s::int, %(lane)s::smallint, 2::smallint, 6::smallint, %(p7)s::bigint,
      jsonb_build_object(%(p5)s::text, u.o0), jsonb_build_object(%(p5)s::text, u.n0) FROM n4 u WHERE u.o0 IS DISTINCT FROM u.n0),
n4_touched AS (
    INSERT INTO touched (profile_id, lane) SELECT DISTINCT u.id, %(lane)s::smallint FROM n4 u WHERE EXISTS (SELECT FROM touch_listener t WHERE t.kind = 'profile')),
planned AS (
    INSERT INTO message (passage_id, hop, profile_id, subscription_id, created_at, scenario_id, node_id, template_id, resource_id, lane, channel, flags, state, reason)
    SELECT f.passage_id, f.hop, f.profile_id, f.subscription_id, f.at, %(p7)s::int, %(p8)s::int,
      %(p9)s::int, %(p3)s::int, %(lane)s::smallint, 1::smallint, 0::smallint,
      CASE WHEN f.sendable THEN 0 ELSE 9 END::smallint,
      CASE WHEN f.sendable THEN NULL WHEN f.subscription_id IS NULL THEN 1 ELSE 2 END::smallint
    FROM n5 f),
listed AS (
    INSERT INTO dispatch (at, not_before, scenario_id, node_id, template_id, lane, channel, priority, passage_ids, hops)
    SELECT %(now)s::timestamptz, %(now)s::timestamptz, %(p7)s::int, %(p8)s::int, %(p9)s::int, %(lane)s::smallint, 1::smallint, 5::smallint,
      array_agg(q.passage_id), array_agg(q.hop) FROM (SELECT f.passage_id, f.hop AS hop, row_number() OVER () / 1000 AS part FROM (SELECT * FROM n5 WHERE sendable) f) q GROUP BY q.part
    RETURNING 1),
refusals AS (
    INSERT INTO message_counter (hour, n, scenario_id, node_id, kind) SELECT date_trunc('hour', f.at), count(*), %(p7)s::int, %(p8)s::int, 2::smallint
    FROM n5 f WHERE NOT f.sendable GROUP BY 1),
ends AS (
    INSERT INTO passage_ended (passage_id, profile_id, entered_at, ended_at, scenario_id, version_id, node_id, hop, lane, reason, key, context)
    SELECT f.passage_id, f.profile_id, f.entered_at, f.at, %(p7)s::int, %(p1)s::int, %(p8)s::int,
      (f.hop + 1), %(lane)s::smallint, 1::smallint, f.key, f.context FROM n5 f
    UNION ALL SELECT f.passage_id, f.profile_id, f.entered_at, f.at, %(p7)s::int, %(p1)s::int, %(p10)s::int,
      (f.hop + 2), %(lane)s::smallint, 1::smallint, f.key, f.context FROM (SELECT * FROM n3_out WHERE answered) f),
trailed AS (
    INSERT INTO trail (passage_id, at, hop, route_id, lane)
    SELECT f.passage_id, f.at, f.first_hop, (%(routes_0)s::int[])[(f.path) * 2 + (CASE WHEN f.sendable THEN 0 ELSE 1 END) + 1], %(lane)s::smallint FROM n5 f
    UNION ALL SELECT f.passage_id, f.at, f.first_hop, (%(routes_1)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n3_out WHERE answered) f),
counted AS (
    INSERT INTO counter (hour, n, route_id, lane)
    SELECT date_trunc('hour', f.at), count(*), (%(routes_0)s::int[])[(f.path) * 2 + (CASE WHEN f.sendable THEN 0 ELSE 1 END) + 1], %(lane)s::smallint FROM n5 f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_1)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n3_out WHERE answered) f GROUP BY 1, 3),
touched AS (
    INSERT INTO touched (profile_id, lane) SELECT DISTINCT x.profile_id, %(lane)s::smallint FROM taken x WHERE EXISTS (SELECT FROM touch_listener t WHERE t.kind = 'passage'))
SELECT (SELECT count(*) FROM taken), (SELECT count(*) FROM listed), 0;

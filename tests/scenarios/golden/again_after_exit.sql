-- ======================================== captured at node 0

-- first stage; values:
--   p1 = 700
--   p2 = 0
--   p3 = datetime.timedelta(days=7)
--   p4 = 'burg'
--   p5 = 'tired'
--   p6 = 'http://shop.test/'
--   p7 = 401
--   p8 = 2
--   p9 = 300
--   p10 = datetime.timedelta(seconds=7200)
--   p11 = 800
--   p12 = 1
-- ways out:
--   completed at node 1: 0.0 1.1
--   rests at node 2: 0.0 1.0
WITH taken AS MATERIALIZED (
    DELETE FROM capture t USING (
      SELECT DISTINCT ON (profile_id) ctid FROM (
        SELECT c.ctid, c.profile_id, c.at FROM capture c
         WHERE c.lane = %(lane)s::smallint AND c.scenario_id = %(p1)s::int AND c.node_id = %(p2)s::int AND true
         LIMIT %(batch)s) c ORDER BY profile_id, at) x
     WHERE t.ctid = x.ctid AND t.lane = %(lane)s::smallint RETURNING t.profile_id, t.at, t.key AS key, t.context),
judged AS MATERIALIZED (
    SELECT t.*, CASE WHEN NOT EXISTS (SELECT FROM "profile_100" p WHERE p.lane = %(lane)s::smallint AND p.id = t.profile_id) THEN 4 WHEN EXISTS (SELECT FROM resting r WHERE r.lane = %(lane)s::smallint AND r.profile_id = t.profile_id AND r.scenario_id = %(p1)s::int AND r.key = t.key OFFSET 0) THEN 2 WHEN EXISTS (SELECT FROM passage_ended h WHERE h.lane = %(lane)s::smallint AND h.profile_id = t.profile_id AND h.scenario_id = %(p1)s::int
      AND h.key = t.key AND h.entered_at > t.at - %(p3)s::interval) THEN 3 END AS refused FROM taken t),
refused AS (
    INSERT INTO entry_refused (profile_id, at, scenario_id, node_id, lane, reason, key)
    SELECT q.profile_id, q.at, %(p1)s::int, %(p2)s::int, %(lane)s::smallint, q.reason::smallint, q.key FROM (SELECT j.profile_id, j.at, j.refused AS reason, j.key FROM judged j WHERE j.refused IS NOT NULL) q),
entering AS MATERIALIZED (
    SELECT nextval('passage_id_seq') AS passage_id, j.profile_id, 1 AS first_hop, 1 AS hop, j.at, j.at AS entered_at, j.key AS key, j.context,
      NULL::smallint[] AS turns, 0 AS path FROM (SELECT * FROM judged WHERE refused IS NULL) j),
n1 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, (f.hop + 1) AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, (((strpos(lower(p."city"), lower(%(p4)s::text)) > 0) IS TRUE) AND ((NOT coalesce(p."f203" @> ARRAY[%(p5)s::text], false)) IS TRUE) AND (((EXISTS (SELECT FROM event m WHERE m.lane = %(lane)s::smallint AND m.profile_id = f.profile_id AND m.kind = 4 AND m.data ->> 'url' = %(p6)s::text)) IS TRUE) OR (((SELECT count(*) FROM message m WHERE m.lane = %(lane)s::smallint AND m.passage_id IN (SELECT f.passage_id UNION ALL SELECT x.passage_id FROM resting x WHERE x.lane = %(lane)s::smallint AND x.profile_id = f.profile_id UNION ALL SELECT x.passage_id FROM passage_ended x WHERE x.lane = %(lane)s::smallint AND x.profile_id = f.profile_id) AND m.template_id = %(p7)s::int AND m.opened_at IS NOT NULL) >= %(p8)s::int) IS TRUE)) AND (NOT ((EXISTS (SELECT FROM subscription s WHERE s.lane = %(lane)s::smallint AND s.profile_id = f.profile_id AND s.resource_id = %(p9)s::int AND s.status = %(p8)s::smallint)) IS TRUE))) AS yes
    FROM entering f LEFT JOIN LATERAL (SELECT * FROM "profile_100" p WHERE p.lane = %(lane)s::smallint AND p.id = f.profile_id LIMIT 1) p ON true),
rests AS (
    INSERT INTO resting (passage_id, profile_id, entered_at, due_at, scenario_id, version_id, node_id, hop, lane, awaits, key, context, turns, waits_since)
    SELECT f.passage_id, f.profile_id, f.entered_at, f.at + %(p10)s::interval, %(p1)s::int, %(p11)s::int, %(p8)s::int,
      (f.hop + 1), %(lane)s::smallint, NULL::smallint, f.key, f.context, f.turns, NULL::timestamptz FROM (SELECT * FROM n1 WHERE yes) f),
ends AS (
    INSERT INTO passage_ended (passage_id, profile_id, entered_at, ended_at, scenario_id, version_id, node_id, hop, lane, reason, key, context)
    SELECT f.passage_id, f.profile_id, f.entered_at, f.at, %(p1)s::int, %(p11)s::int, %(p12)s::int,
      (f.hop + 1), %(lane)s::smallint, 1::smallint, f.key, f.context FROM (SELECT * FROM n1 WHERE NOT yes) f),
trailed AS (
    INSERT INTO trail (passage_id, at, hop, route_id, lane)
    SELECT f.passage_id, f.at, f.first_hop, (%(routes_0)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n1 WHERE NOT yes) f
    UNION ALL SELECT f.passage_id, f.at, f.first_hop, (%(routes_1)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n1 WHERE yes) f),
counted AS (
    INSERT INTO counter (hour, n, route_id, lane)
    SELECT date_trunc('hour', f.at), count(*), (%(routes_0)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n1 WHERE NOT yes) f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_1)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n1 WHERE yes) f GROUP BY 1, 3),
touched AS (
    INSERT INTO touched (profile_id, lane) SELECT DISTINCT x.profile_id, %(lane)s::smallint FROM taken x WHERE EXISTS (SELECT FROM touch_listener t WHERE t.kind = 'passage'))
SELECT (SELECT count(*) FROM taken), 0, 0;

-- ======================================== woken at node 2

-- first stage; values:
--   p1 = 800
--   p2 = 2
--   p3 = 300
--   p4 = 700
--   p5 = 3
--   p6 = 402
-- ways out:
--   completed at node 3: 2.0 3.0; 2.0 3.1
WITH taken AS MATERIALIZED (
    DELETE FROM resting r USING (
      SELECT DISTINCT ON (profile_id) ctid FROM (
        SELECT d.ctid, d.profile_id, d.passage_id FROM resting d
         WHERE d.lane = %(lane)s::smallint AND d.version_id = %(p1)s::int AND d.node_id = %(p2)s::int AND d.due_at <= %(now)s::timestamptz
         ORDER BY d.due_at LIMIT %(batch)s) d ORDER BY profile_id, passage_id) x
     WHERE r.ctid = x.ctid AND r.lane = %(lane)s::smallint
    RETURNING r.passage_id, r.profile_id, r.hop AS first_hop, r.hop, r.due_at AS at, r.entered_at, r.key, r.context, r.turns, r.awaits, r.waits_since, 0 AS path),
n3 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, (f.hop + 1) AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, s.id AS subscription_id, (s.effective = 0) IS TRUE AS sendable
    FROM taken f LEFT JOIN LATERAL (SELECT s.id, s.effective FROM subscription s WHERE s.lane = %(lane)s::smallint AND s.profile_id = f.profile_id
      AND s.resource_id = %(p3)s::int AND s.channel = 2::smallint AND s.preferred LIMIT 1) s ON true),
planned AS (
    INSERT INTO message (passage_id, hop, profile_id, subscription_id, created_at, scenario_id, node_id, template_id, resource_id, lane, channel, flags, state, reason)
    SELECT f.passage_id, f.hop, f.profile_id, f.subscription_id, f.at, %(p4)s::int, %(p5)s::int,
      %(p6)s::int, %(p3)s::int, %(lane)s::smallint, 2::smallint, 0::smallint,
      CASE WHEN f.sendable THEN 0 ELSE 9 END::smallint,
      CASE WHEN f.sendable THEN NULL WHEN f.subscription_id IS NULL THEN 1 ELSE 2 END::smallint
    FROM n3 f),
listed AS (
    INSERT INTO dispatch (at, not_before, scenario_id, node_id, template_id, lane, channel, priority, passage_ids, hops)
    SELECT %(now)s::timestamptz, %(now)s::timestamptz, %(p4)s::int, %(p5)s::int, %(p6)s::int, %(lane)s::smallint, 2::smallint, 5::smallint,
      array_agg(q.passage_id), array_agg(q.hop) FROM (SELECT f.passage_id, f.hop AS hop, row_number() OVER () / 1000 AS part FROM (SELECT * FROM n3 WHERE sendable) f) q GROUP BY q.part
    RETURNING 1),
refusals AS (
    INSERT INTO message_counter (hour, n, scenario_id, node_id, kind) SELECT date_trunc('hour', f.at), count(*), %(p4)s::int, %(p5)s::int, 2::smallint
    FROM n3 f WHERE NOT f.sendable GROUP BY 1),
ends AS (
    INSERT INTO passage_ended (passage_id, profile_id, entered_at, ended_at, scenario_id, version_id, node_id, hop, lane, reason, key, context)
    SELECT f.passage_id, f.profile_id, f.entered_at, f.at, %(p4)s::int, %(p1)s::int, %(p5)s::int,
      (f.hop + 1), %(lane)s::smallint, 1::smallint, f.key, f.context FROM n3 f),
trailed AS (
    INSERT INTO trail (passage_id, at, hop, route_id, lane)
    SELECT f.passage_id, f.at, f.first_hop, (%(routes_0)s::int[])[(f.path) * 2 + (CASE WHEN f.sendable THEN 0 ELSE 1 END) + 1], %(lane)s::smallint FROM n3 f),
counted AS (
    INSERT INTO counter (hour, n, route_id, lane)
    SELECT date_trunc('hour', f.at), count(*), (%(routes_0)s::int[])[(f.path) * 2 + (CASE WHEN f.sendable THEN 0 ELSE 1 END) + 1], %(lane)s::smallint FROM n3 f GROUP BY 1, 3),
touched AS (
    INSERT INTO touched (profile_id, lane) SELECT DISTINCT x.profile_id, %(lane)s::smallint FROM taken x WHERE EXISTS (SELECT FROM touch_listener t WHERE t.kind = 'passage'))
SELECT (SELECT count(*) FROM taken), (SELECT count(*) FROM listed), 0;

-- ======================================== captured at node 0

-- first stage; values:
--   p1 = 700
--   p2 = 0
--   p3 = 300
--   p4 = datetime.timedelta(seconds=90)
--   p5 = 2
--   p6 = 400
--   p7 = 800
--   p8 = 3
-- ways out:
--   rests at node 3: 0.0 2.0; 0.0 2.1
WITH taken AS MATERIALIZED (
    DELETE FROM capture t USING (
      SELECT DISTINCT ON (profile_id) ctid FROM (
        SELECT c.ctid, c.profile_id, c.at FROM capture c
         WHERE c.lane = %(lane)s::smallint AND c.scenario_id = %(p1)s::int AND c.node_id = %(p2)s::int AND true
         LIMIT %(batch)s) c ORDER BY profile_id, at) x
     WHERE t.ctid = x.ctid AND t.lane = %(lane)s::smallint RETURNING t.profile_id, t.at, t.key AS key, t.context),
judged AS MATERIALIZED (
    SELECT t.*, CASE WHEN NOT EXISTS (SELECT FROM "profile_100" p WHERE p.lane = %(lane)s::smallint AND p.id = t.profile_id) THEN 4 END AS refused FROM taken t),
first_time AS MATERIALIZED (
    INSERT INTO entered (profile_id, scenario_id, lane, key) SELECT j.profile_id, %(p1)s::int, %(lane)s::smallint, j.key FROM (SELECT * FROM judged WHERE refused IS NULL) j
    ON CONFLICT DO NOTHING RETURNING profile_id),
refused AS (
    INSERT INTO entry_refused (profile_id, at, scenario_id, node_id, lane, reason, key)
    SELECT q.profile_id, q.at, %(p1)s::int, %(p2)s::int, %(lane)s::smallint, q.reason::smallint, q.key FROM (SELECT j.profile_id, j.at, coalesce(j.refused, 1) AS reason, j.key FROM judged j
      WHERE NOT EXISTS (SELECT FROM first_time e WHERE e.profile_id = j.profile_id)) q),
entering AS MATERIALIZED (
    SELECT nextval('passage_id_seq') AS passage_id, j.profile_id, 1 AS first_hop, 1 AS hop, j.at, j.at AS entered_at, j.key AS key, j.context,
      NULL::smallint[] AS turns, 0 AS path FROM (SELECT * FROM judged WHERE refused IS NULL) j JOIN first_time e USING (profile_id)),
n2 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, (f.hop + 1) AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, s.id AS subscription_id, (s.effective = 0 OR s.effective = 4) IS TRUE AS sendable
    FROM entering f LEFT JOIN LATERAL (SELECT s.id, s.effective FROM subscription s WHERE s.lane = %(lane)s::smallint AND s.profile_id = f.profile_id
      AND s.resource_id = %(p3)s::int AND s.channel = 1::smallint AND s.preferred LIMIT 1) s ON true),
planned AS (
    INSERT INTO message (passage_id, hop, profile_id, subscription_id, created_at, scenario_id, node_id, template_id, resource_id, lane, channel, flags, state, reason)
    SELECT f.passage_id, f.hop, f.profile_id, f.subscription_id, f.at, %(p1)s::int, %(p5)s::int,
      %(p6)s::int, %(p3)s::int, %(lane)s::smallint, 1::smallint, 1::smallint,
      CASE WHEN f.sendable THEN 0 ELSE 9 END::smallint,
      CASE WHEN f.sendable THEN NULL WHEN f.subscription_id IS NULL THEN 1 ELSE 2 END::smallint
    FROM n2 f),
listed AS (
    INSERT INTO dispatch (at, not_before, scenario_id, node_id, template_id, lane, channel, priority, passage_ids, hops)
    SELECT %(now)s::timestamptz, %(now)s::timestamptz, %(p1)s::int, %(p5)s::int, %(p6)s::int, %(lane)s::smallint, 1::smallint, 1::smallint,
      array_agg(q.passage_id), array_agg(q.hop) FROM (SELECT f.passage_id, f.hop AS hop, row_number() OVER () / 1000 AS part FROM (SELECT * FROM n2 WHERE sendable) f) q GROUP BY q.part
    RETURNING 1),
refusals AS (
    INSERT INTO message_counter (hour, n, scenario_id, node_id, kind) SELECT date_trunc('hour', f.at), count(*), %(p1)s::int, %(p5)s::int, 2::smallint
    FROM n2 f WHERE NOT f.sendable GROUP BY 1),
rests AS (
    INSERT INTO resting (passage_id, profile_id, entered_at, due_at, scenario_id, version_id, node_id, hop, lane, awaits, key, context, turns, waits_since)
    SELECT f.passage_id, f.profile_id, f.entered_at, f.at + %(p4)s::interval, %(p1)s::int, %(p7)s::int, %(p8)s::int,
      (f.hop + 1), %(lane)s::smallint, NULL::smallint, f.key, f.context, f.turns, NULL::timestamptz FROM n2 f),
trailed AS (
    INSERT INTO trail (passage_id, at, hop, route_id, lane)
    SELECT f.passage_id, f.at, f.first_hop, (%(routes_0)s::int[])[(f.path) * 2 + (CASE WHEN f.sendable THEN 0 ELSE 1 END) + 1], %(lane)s::smallint FROM n2 f),
counted AS (
    INSERT INTO counter (hour, n, route_id, lane)
    SELECT date_trunc('hour', f.at), count(*), (%(routes_0)s::int[])[(f.path) * 2 + (CASE WHEN f.sendable THEN 0 ELSE 1 END) + 1], %(lane)s::smallint FROM n2 f GROUP BY 1, 3),
touched AS (
    INSERT INTO touched (profile_id, lane) SELECT DISTINCT x.profile_id, %(lane)s::smallint FROM taken x WHERE EXISTS (SELECT FROM touch_listener t WHERE t.kind = 'passage'))
SELECT (SELECT count(*) FROM taken), (SELECT count(*) FROM listed), 0;

-- ======================================== captured at node 1

-- first stage; values:
--   p1 = 700
--   p2 = 1
--   p3 = 300
--   p4 = datetime.timedelta(seconds=90)
--   p5 = 2
--   p6 = 400
--   p7 = 800
--   p8 = 3
-- ways out:
--   rests at node 3: 1.0 2.0; 1.0 2.1
WITH taken AS MATERIALIZED (
    DELETE FROM capture t USING (
      SELECT DISTINCT ON (profile_id) ctid FROM (
        SELECT c.ctid, c.profile_id, c.at FROM capture c
         WHERE c.lane = %(lane)s::smallint AND c.scenario_id = %(p1)s::int AND c.node_id = %(p2)s::int AND true
         LIMIT %(batch)s) c ORDER BY profile_id, at) x
     WHERE t.ctid = x.ctid AND t.lane = %(lane)s::smallint RETURNING t.profile_id, t.at, t.key AS key, t.context),
judged AS MATERIALIZED (
    SELECT t.*, CASE WHEN NOT EXISTS (SELECT FROM "profile_100" p WHERE p.lane = %(lane)s::smallint AND p.id = t.profile_id) THEN 4 END AS refused FROM taken t),
first_time AS MATERIALIZED (
    INSERT INTO entered (profile_id, scenario_id, lane, key) SELECT j.profile_id, %(p1)s::int, %(lane)s::smallint, j.key FROM (SELECT * FROM judged WHERE refused IS NULL) j
    ON CONFLICT DO NOTHING RETURNING profile_id),
refused AS (
    INSERT INTO entry_refused (profile_id, at, scenario_id, node_id, lane, reason, key)
    SELECT q.profile_id, q.at, %(p1)s::int, %(p2)s::int, %(lane)s::smallint, q.reason::smallint, q.key FROM (SELECT j.profile_id, j.at, coalesce(j.refused, 1) AS reason, j.key FROM judged j
      WHERE NOT EXISTS (SELECT FROM first_time e WHERE e.profile_id = j.profile_id)) q),
entering AS MATERIALIZED (
    SELECT nextval('passage_id_seq') AS passage_id, j.profile_id, 1 AS first_hop, 1 AS hop, j.at, j.at AS entered_at, j.key AS key, j.context,
      NULL::smallint[] AS turns, 0 AS path FROM (SELECT * FROM judged WHERE refused IS NULL) j JOIN first_time e USING (profile_id)),
n2 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, (f.hop + 1) AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, s.id AS subscription_id, (s.effective = 0 OR s.effective = 4) IS TRUE AS sendable
    FROM entering f LEFT JOIN LATERAL (SELECT s.id, s.effective FROM subscription s WHERE s.lane = %(lane)s::smallint AND s.profile_id = f.profile_id
      AND s.resource_id = %(p3)s::int AND s.channel = 1::smallint AND s.preferred LIMIT 1) s ON true),
planned AS (
    INSERT INTO message (passage_id, hop, profile_id, subscription_id, created_at, scenario_id, node_id, template_id, resource_id, lane, channel, flags, state, reason)
    SELECT f.passage_id, f.hop, f.profile_id, f.subscription_id, f.at, %(p1)s::int, %(p5)s::int,
      %(p6)s::int, %(p3)s::int, %(lane)s::smallint, 1::smallint, 1::smallint,
      CASE WHEN f.sendable THEN 0 ELSE 9 END::smallint,
      CASE WHEN f.sendable THEN NULL WHEN f.subscription_id IS NULL THEN 1 ELSE 2 END::smallint
    FROM n2 f),
listed AS (
    INSERT INTO dispatch (at, not_before, scenario_id, node_id, template_id, lane, channel, priority, passage_ids, hops)
    SELECT %(now)s::timestamptz, %(now)s::timestamptz, %(p1)s::int, %(p5)s::int, %(p6)s::int, %(lane)s::smallint, 1::smallint, 5::smallint,
      array_agg(q.passage_id), array_agg(q.hop) FROM (SELECT f.passage_id, f.hop AS hop, row_number() OVER () / 1000 AS part FROM (SELECT * FROM n2 WHERE sendable) f) q GROUP BY q.part
    RETURNING 1),
refusals AS (
    INSERT INTO message_counter (hour, n, scenario_id, node_id, kind) SELECT date_trunc('hour', f.at), count(*), %(p1)s::int, %(p5)s::int, 2::smallint
    FROM n2 f WHERE NOT f.sendable GROUP BY 1),
rests AS (
    INSERT INTO resting (passage_id, profile_id, entered_at, due_at, scenario_id, version_id, node_id, hop, lane, awaits, key, context, turns, waits_since)
    SELECT f.passage_id, f.profile_id, f.entered_at, f.at + %(p4)s::interval, %(p1)s::int, %(p7)s::int, %(p8)s::int,
      (f.hop + 1), %(lane)s::smallint, NULL::smallint, f.key, f.context, f.turns, NULL::timestamptz FROM n2 f),
trailed AS (
    INSERT INTO trail (passage_id, at, hop, route_id, lane)
    SELECT f.passage_id, f.at, f.first_hop, (%(routes_0)s::int[])[(f.path) * 2 + (CASE WHEN f.sendable THEN 0 ELSE 1 END) + 1], %(lane)s::smallint FROM n2 f),
counted AS (
    INSERT INTO counter (hour, n, route_id, lane)
    SELECT date_trunc('hour', f.at), count(*), (%(routes_0)s::int[])[(f.path) * 2 + (CASE WHEN f.sendable THEN 0 ELSE 1 END) + 1], %(lane)s::smallint FROM n2 f GROUP BY 1, 3),
touched AS (
    INSERT INTO touched (profile_id, lane) SELECT DISTINCT x.profile_id, %(lane)s::smallint FROM taken x WHERE EXISTS (SELECT FROM touch_listener t WHERE t.kind = 'passage'))
SELECT (SELECT count(*) FROM taken), (SELECT count(*) FROM listed), 0;

-- ======================================== woken at node 3

-- first stage; values:
--   p1 = 800
--   p2 = 3
--   p3 = 300
--   p4 = 1
--   p5 = 0
--   p6 = 2
--   p7 = datetime.timedelta(seconds=60)
--   p8 = datetime.timedelta(seconds=1800)
--   p9 = 100
--   p10 = 'bonus_points'
--   p11 = 700
--   p12 = 500
--   p13 = 6
--   p14 = 10
--   p15 = 403
--   p16 = 7
--   p17 = 401
--   p18 = 9
--   p19 = 600
--   p20 = 11
-- ways out:
--   rests at node 11: 3.0 4.1 8.1 10.0; 3.0 4.1 8.1 10.1
--   rests at node 9: 3.0 4.1 8.0
--   carried at node 6: 3.0 4.0 5.0
--   completed at node 6: 3.0 4.0 5.0 6.1
--   completed at node 7: 3.0 4.0 5.0 6.0 7.0; 3.0 4.0 5.0 6.0 7.1
WITH taken AS MATERIALIZED (
    DELETE FROM resting r USING (
      SELECT DISTINCT ON (profile_id) ctid FROM (
        SELECT d.ctid, d.profile_id, d.passage_id FROM resting d
         WHERE d.lane = %(lane)s::smallint AND d.version_id = %(p1)s::int AND d.node_id = %(p2)s::int AND d.due_at <= %(now)s::timestamptz
         ORDER BY d.due_at LIMIT %(batch)s) d ORDER BY profile_id, passage_id) x
     WHERE r.ctid = x.ctid AND r.lane = %(lane)s::smallint
    RETURNING r.passage_id, r.profile_id, r.hop AS first_hop, r.hop, r.due_at AS at, r.entered_at, r.key, r.context, r.turns, r.awaits, r.waits_since, 0 AS path),
n4 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, (f.hop + 1) AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, (((EXISTS (SELECT FROM subscription s WHERE s.lane = %(lane)s::smallint AND s.profile_id = f.profile_id AND s.resource_id = %(p3)s::int AND s.channel = %(p4)s::smallint AND s.status = %(p5)s::smallint)) IS TRUE)) AS yes
    FROM taken f ),
n8 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, (f.hop + 1) AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, (((EXISTS (SELECT FROM message m WHERE m.lane = %(lane)s::smallint AND m.passage_id = f.passage_id AND m.channel = %(p6)s::smallint AND m.state IN (0, 1, 2, 4))) IS TRUE)) AS yes
    FROM (SELECT * FROM n4 WHERE NOT yes) f ),
n10 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, (f.hop + 1) AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, s.id AS subscription_id, (s.effective = 0) IS TRUE AS sendable
    FROM (SELECT * FROM n8 WHERE NOT yes) f LEFT JOIN LATERAL (SELECT s.id, s.effective FROM subscription s WHERE s.lane = %(lane)s::smallint AND s.profile_id = f.profile_id
      AND s.resource_id = %(p3)s::int AND s.channel = 2::smallint AND s.preferred LIMIT 1) s ON true),
n9 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, (f.hop + 1) AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, 1 AS asks
    FROM (SELECT * FROM n8 WHERE yes) f ),
n5 AS (
    UPDATE "profile_100" p SET "f200" = coalesce(p."f200", 0) + %(p9)s::bigint, updated_at = f.at FROM (SELECT s.* FROM (SELECT * FROM n4 WHERE yes) s ORDER BY s.profile_id) f
    WHERE p.lane = %(lane)s::smallint AND p.id = f.profile_id RETURNING p.id, f.at, old."f200" AS o0, new."f200" AS n0),
n5_change AS (
    INSERT INTO change (profile_id, at, database_id, lane, kind, cause, cause_id, old, new)
    SELECT u.id, u.at, %(p9)s::int, %(lane)s::smallint, 2::smallint, 6::smallint, %(p11)s::bigint,
      jsonb_build_object(%(p10)s::text, u.o0), jsonb_build_object(%(p10)s::text, u.n0) FROM n5 u WHERE u.o0 IS DISTINCT FROM u.n0),
n5_touched AS (
    INSERT INTO touched (profile_id, lane) SELECT DISTINCT u.id, %(lane)s::smallint FROM n5 u WHERE EXISTS (SELECT FROM touch_listener t WHERE t.kind = 'profile')),
n6 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, (f.hop + 2) AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, 1 AS asks
    FROM (SELECT * FROM n4 WHERE yes) f ),
n6_code_asked AS MATERIALIZED (
    SELECT f.*, row_number() OVER () - 1 AS turn FROM n6 f),
n6_code_cursor AS (
    UPDATE promo_cursor c SET next_no = least(c.next_no + (SELECT count(*) FROM n6_code_asked), c.end_no)
    WHERE c.lane = %(lane)s::smallint AND c.pool_id = %(p12)s::int RETURNING old.next_no AS first_no, new.next_no AS end_no),
n6_code AS MATERIALIZED (
    SELECT a.*, c.first_no + a.turn AS no, coalesce(c.first_no + a.turn < c.end_no, false) AS got
    FROM n6_code_asked a LEFT JOIN n6_code_cursor c ON true),
n6_code_given AS (
    INSERT INTO promo_assignment (passage_id, no, profile_id, at, expires_at, scenario_id, pool_id, node_id, hop, lane)
    SELECT f.passage_id, f.no, f.profile_id, f.at, f.at + (SELECT lifetime FROM promo_pool WHERE id = %(p12)s::int), %(p11)s::int, %(p12)s::int,
      %(p13)s::int, f.hop, %(lane)s::smallint FROM n6_code f WHERE f.got),
n7 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, (f.hop + 1) AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, s.id AS subscription_id, (s.effective = 0) IS TRUE AS sendable
    FROM (SELECT * FROM n6_code WHERE got) f LEFT JOIN LATERAL (SELECT s.id, s.effective FROM subscription s WHERE s.lane = %(lane)s::smallint AND s.profile_id = f.profile_id
      AND s.resource_id = %(p3)s::int AND s.channel = 1::smallint AND s.preferred LIMIT 1) s ON true),
planned AS (
    INSERT INTO message (passage_id, hop, profile_id, subscription_id, created_at, scenario_id, node_id, template_id, resource_id, lane, channel, flags, state, reason)
    SELECT f.passage_id, f.hop, f.profile_id, f.subscription_id, f.at, %(p11)s::int, %(p14)s::int,
      %(p15)s::int, %(p3)s::int, %(lane)s::smallint, 2::smallint, 0::smallint,
      CASE WHEN f.sendable THEN 0 ELSE 9 END::smallint,
      CASE WHEN f.sendable THEN NULL WHEN f.subscription_id IS NULL THEN 1 ELSE 2 END::smallint
    FROM n10 f
    UNION ALL SELECT f.passage_id, f.hop, f.profile_id, f.subscription_id, f.at, %(p11)s::int, %(p16)s::int,
      %(p17)s::int, %(p3)s::int, %(lane)s::smallint, 1::smallint, 0::smallint,
      CASE WHEN f.sendable THEN 0 ELSE 9 END::smallint,
      CASE WHEN f.sendable THEN NULL WHEN f.subscription_id IS NULL THEN 1 ELSE 2 END::smallint
    FROM n7 f),
listed AS (
    INSERT INTO dispatch (at, not_before, scenario_id, node_id, template_id, lane, channel, priority, passage_ids, hops)
    SELECT %(now)s::timestamptz, %(now)s::timestamptz, %(p11)s::int, %(p14)s::int, %(p15)s::int, %(lane)s::smallint, 2::smallint, 5::smallint,
      array_agg(q.passage_id), array_agg(q.hop) FROM (SELECT f.passage_id, f.hop AS hop, row_number() OVER () / 1000 AS part FROM (SELECT * FROM n10 WHERE sendable) f) q GROUP BY q.part
    UNION ALL SELECT %(now)s::timestamptz, %(now)s::timestamptz, %(p11)s::int, %(p16)s::int, %(p17)s::int, %(lane)s::smallint, 1::smallint, 5::smallint,
      array_agg(q.passage_id), array_agg(q.hop) FROM (SELECT f.passage_id, f.hop AS hop, row_number() OVER () / 1000 AS part FROM (SELECT * FROM n7 WHERE sendable) f) q GROUP BY q.part
    RETURNING 1),
refusals AS (
    INSERT INTO message_counter (hour, n, scenario_id, node_id, kind) SELECT date_trunc('hour', f.at), count(*), %(p11)s::int, %(p14)s::int, 2::smallint
    FROM n10 f WHERE NOT f.sendable GROUP BY 1
    UNION ALL SELECT date_trunc('hour', f.at), count(*), %(p11)s::int, %(p16)s::int, 2::smallint
    FROM n7 f WHERE NOT f.sendable GROUP BY 1),
requested AS (
    INSERT INTO request (passage_id, hop, profile_id, created_at, scenario_id, node_id, definition_id, lane, state)
    SELECT f.passage_id, f.hop, f.profile_id, f.at, %(p11)s::int, %(p18)s::int,
      %(p19)s::int, %(lane)s::smallint, 0::smallint FROM n9 f),
requests_listed AS (
    INSERT INTO dispatch (at, not_before, scenario_id, node_id, template_id, lane, channel, priority, passage_ids, hops)
    SELECT %(now)s::timestamptz, %(now)s::timestamptz, %(p11)s::int, %(p18)s::int, NULL::int, %(lane)s::smallint, 100::smallint, 5::smallint,
      array_agg(q.passage_id), array_agg(q.hop) FROM (SELECT f.passage_id, f.hop AS hop, row_number() OVER () / 1000 AS part FROM n9 f) q GROUP BY q.part
    RETURNING 1),
rests AS (
    INSERT INTO resting (passage_id, profile_id, entered_at, due_at, scenario_id, version_id, node_id, hop, lane, awaits, key, context, turns, waits_since)
    SELECT f.passage_id, f.profile_id, f.entered_at, f.at + %(p7)s::interval, %(p11)s::int, %(p1)s::int, %(p20)s::int,
      (f.hop + 1), %(lane)s::smallint, NULL::smallint, f.key, f.context, f.turns, NULL::timestamptz FROM n10 f
    UNION ALL SELECT f.passage_id, f.profile_id, f.entered_at, f.at + %(p8)s::interval, %(p11)s::int, %(p1)s::int, %(p18)s::int,
      f.hop, %(lane)s::smallint, 1::smallint, f.key, f.context, f.turns, NULL::timestamptz FROM n9 f),
carried_on AS (
    INSERT INTO carried (passage_id, profile_id, hop, at, entered_at, key, context, turns, node_id, entry)
    SELECT f.passage_id, f.profile_id, f.hop, f.at, f.entered_at, f.key, f.context, f.turns, %(p13)s::int, 1::smallint FROM (SELECT * FROM n6_code WHERE NOT got AND NOT %(last)s) f
    RETURNING 1),
ends AS (
    INSERT INTO passage_ended (passage_id, profile_id, entered_at, ended_at, scenario_id, version_id, node_id, hop, lane, reason, key, context)
    SELECT f.passage_id, f.profile_id, f.entered_at, f.at, %(p11)s::int, %(p1)s::int, %(p13)s::int,
      (f.hop + 1), %(lane)s::smallint, 1::smallint, f.key, f.context FROM (SELECT * FROM n6_code WHERE NOT got AND %(last)s) f
    UNION ALL SELECT f.passage_id, f.profile_id, f.entered_at, f.at, %(p11)s::int, %(p1)s::int, %(p16)s::int,
      (f.hop + 1), %(lane)s::smallint, 1::smallint, f.key, f.context FROM n7 f),
trailed AS (
    INSERT INTO trail (passage_id, at, hop, route_id, lane)
    SELECT f.passage_id, f.at, f.first_hop, (%(routes_0)s::int[])[(f.path) * 2 + (CASE WHEN f.sendable THEN 0 ELSE 1 END) + 1], %(lane)s::smallint FROM n10 f
    UNION ALL SELECT f.passage_id, f.at, f.first_hop, (%(routes_1)s::int[])[f.path + 1], %(lane)s::smallint FROM n9 f
    UNION ALL SELECT f.passage_id, f.at, f.first_hop, (%(routes_2)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n6_code WHERE NOT got AND NOT %(last)s) f
    UNION ALL SELECT f.passage_id, f.at, f.first_hop, (%(routes_3)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n6_code WHERE NOT got AND %(last)s) f
    UNION ALL SELECT f.passage_id, f.at, f.first_hop, (%(routes_4)s::int[])[(f.path) * 2 + (CASE WHEN f.sendable THEN 0 ELSE 1 END) + 1], %(lane)s::smallint FROM n7 f),
counted AS (
    INSERT INTO counter (hour, n, route_id, lane)
    SELECT date_trunc('hour', f.at), count(*), (%(routes_0)s::int[])[(f.path) * 2 + (CASE WHEN f.sendable THEN 0 ELSE 1 END) + 1], %(lane)s::smallint FROM n10 f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_1)s::int[])[f.path + 1], %(lane)s::smallint FROM n9 f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_2)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n6_code WHERE NOT got AND NOT %(last)s) f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_3)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n6_code WHERE NOT got AND %(last)s) f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_4)s::int[])[(f.path) * 2 + (CASE WHEN f.sendable THEN 0 ELSE 1 END) + 1], %(lane)s::smallint FROM n7 f GROUP BY 1, 3),
touched AS (
    INSERT INTO touched (profile_id, lane) SELECT DISTINCT x.profile_id, %(lane)s::smallint FROM taken x WHERE EXISTS (SELECT FROM touch_listener t WHERE t.kind = 'passage'))
SELECT (SELECT count(*) FROM taken), (SELECT count(*) FROM listed) + (SELECT count(*) FROM requests_listed), (SELECT count(*) FROM carried_on);

-- then from node 6, after pool 500 dealt; values:
--   p1 = 6
--   p2 = 500
--   p3 = 700
--   p4 = 300
--   p5 = 7
--   p6 = 401
--   p7 = 800
-- ways out:
--   carried at node 6: no step
--   completed at node 6: 6.1
--   completed at node 7: 6.0 7.0; 6.0 7.1
WITH taken AS MATERIALIZED (
    DELETE FROM carried c WHERE c.node_id = %(p1)s::int AND c.entry = 1
    RETURNING c.passage_id, c.profile_id, c.hop AS first_hop, c.hop, c.at, c.entered_at, c.key, c.context, c.turns, 0 AS path),
n6 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, f.hop AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, 1 AS asks
    FROM taken f ),
n6_code_asked AS MATERIALIZED (
    SELECT f.*, row_number() OVER () - 1 AS turn FROM n6 f),
n6_code_cursor AS (
    UPDATE promo_cursor c SET next_no = least(c.next_no + (SELECT count(*) FROM n6_code_asked), c.end_no)
    WHERE c.lane = %(lane)s::smallint AND c.pool_id = %(p2)s::int RETURNING old.next_no AS first_no, new.next_no AS end_no),
n6_code AS MATERIALIZED (
    SELECT a.*, c.first_no + a.turn AS no, coalesce(c.first_no + a.turn < c.end_no, false) AS got
    FROM n6_code_asked a LEFT JOIN n6_code_cursor c ON true),
n6_code_given AS (
    INSERT INTO promo_assignment (passage_id, no, profile_id, at, expires_at, scenario_id, pool_id, node_id, hop, lane)
    SELECT f.passage_id, f.no, f.profile_id, f.at, f.at + (SELECT lifetime FROM promo_pool WHERE id = %(p2)s::int), %(p3)s::int, %(p2)s::int,
      %(p1)s::int, f.hop, %(lane)s::smallint FROM n6_code f WHERE f.got),
n7 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, (f.hop + 1) AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, s.id AS subscription_id, (s.effective = 0) IS TRUE AS sendable
    FROM (SELECT * FROM n6_code WHERE got) f LEFT JOIN LATERAL (SELECT s.id, s.effective FROM subscription s WHERE s.lane = %(lane)s::smallint AND s.profile_id = f.profile_id
      AND s.resource_id = %(p4)s::int AND s.channel = 1::smallint AND s.preferred LIMIT 1) s ON true),
planned AS (
    INSERT INTO message (passage_id, hop, profile_id, subscription_id, created_at, scenario_id, node_id, template_id, resource_id, lane, channel, flags, state, reason)
    SELECT f.passage_id, f.hop, f.profile_id, f.subscription_id, f.at, %(p3)s::int, %(p5)s::int,
      %(p6)s::int, %(p4)s::int, %(lane)s::smallint, 1::smallint, 0::smallint,
      CASE WHEN f.sendable THEN 0 ELSE 9 END::smallint,
      CASE WHEN f.sendable THEN NULL WHEN f.subscription_id IS NULL THEN 1 ELSE 2 END::smallint
    FROM n7 f),
listed AS (
    INSERT INTO dispatch (at, not_before, scenario_id, node_id, template_id, lane, channel, priority, passage_ids, hops)
    SELECT %(now)s::timestamptz, %(now)s::timestamptz, %(p3)s::int, %(p5)s::int, %(p6)s::int, %(lane)s::smallint, 1::smallint, 5::smallint,
      array_agg(q.passage_id), array_agg(q.hop) FROM (SELECT f.passage_id, f.hop AS hop, row_number() OVER () / 1000 AS part FROM (SELECT * FROM n7 WHERE sendable) f) q GROUP BY q.part
    RETURNING 1),
refusals AS (
    INSERT INTO message_counter (hour, n, scenario_id, node_id, kind) SELECT date_trunc('hour', f.at), count(*), %(p3)s::int, %(p5)s::int, 2::smallint
    FROM n7 f WHERE NOT f.sendable GROUP BY 1),
carried_on AS (
    INSERT INTO carried (passage_id, profile_id, hop, at, entered_at, key, context, turns, node_id, entry)
    SELECT f.passage_id, f.profile_id, f.hop, f.at, f.entered_at, f.key, f.context, f.turns, %(p1)s::int, 1::smallint FROM (SELECT * FROM n6_code WHERE NOT got AND NOT %(last)s) f
    RETURNING 1),
ends AS (
    INSERT INTO passage_ended (passage_id, profile_id, entered_at, ended_at, scenario_id, version_id, node_id, hop, lane, reason, key, context)
    SELECT f.passage_id, f.profile_id, f.entered_at, f.at, %(p3)s::int, %(p7)s::int, %(p1)s::int,
      (f.hop + 1), %(lane)s::smallint, 1::smallint, f.key, f.context FROM (SELECT * FROM n6_code WHERE NOT got AND %(last)s) f
    UNION ALL SELECT f.passage_id, f.profile_id, f.entered_at, f.at, %(p3)s::int, %(p7)s::int, %(p5)s::int,
      (f.hop + 1), %(lane)s::smallint, 1::smallint, f.key, f.context FROM n7 f),
trailed AS (
    INSERT INTO trail (passage_id, at, hop, route_id, lane)
    SELECT f.passage_id, f.at, f.first_hop, (%(routes_1)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n6_code WHERE NOT got AND %(last)s) f
    UNION ALL SELECT f.passage_id, f.at, f.first_hop, (%(routes_2)s::int[])[(f.path) * 2 + (CASE WHEN f.sendable THEN 0 ELSE 1 END) + 1], %(lane)s::smallint FROM n7 f),
counted AS (
    INSERT INTO counter (hour, n, route_id, lane)
    SELECT date_trunc('hour', f.at), count(*), (%(routes_0)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n6_code WHERE NOT got AND NOT %(last)s) f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_1)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n6_code WHERE NOT got AND %(last)s) f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_2)s::int[])[(f.path) * 2 + (CASE WHEN f.sendable THEN 0 ELSE 1 END) + 1], %(lane)s::smallint FROM n7 f GROUP BY 1, 3),
touched AS (
    INSERT INTO touched (profile_id, lane) SELECT DISTINCT x.profile_id, %(lane)s::smallint FROM taken x WHERE EXISTS (SELECT FROM touch_listener t WHERE t.kind = 'passage'))
SELECT (SELECT count(*) FROM taken), (SELECT count(*) FROM listed), (SELECT count(*) FROM carried_on);

-- ======================================== woken at node 4

-- first stage; values:
--   p1 = 800
--   p2 = 4
--   p3 = 300
--   p4 = 1
--   p5 = 0
--   p6 = 2
--   p7 = datetime.timedelta(seconds=60)
--   p8 = datetime.timedelta(seconds=1800)
--   p9 = 100
--   p10 = 'bonus_points'
--   p11 = 700
--   p12 = 500
--   p13 = 6
--   p14 = 10
--   p15 = 403
--   p16 = 7
--   p17 = 401
--   p18 = 9
--   p19 = 600
--   p20 = 11
-- ways out:
--   rests at node 11: 4.1 8.1 10.0; 4.1 8.1 10.1
--   rests at node 9: 4.1 8.0
--   carried at node 6: 4.0 5.0
--   completed at node 6: 4.0 5.0 6.1
--   completed at node 7: 4.0 5.0 6.0 7.0; 4.0 5.0 6.0 7.1
WITH taken AS MATERIALIZED (
    DELETE FROM resting r USING (
      SELECT DISTINCT ON (profile_id) ctid FROM (
        SELECT d.ctid, d.profile_id, d.passage_id FROM resting d
         WHERE d.lane = %(lane)s::smallint AND d.version_id = %(p1)s::int AND d.node_id = %(p2)s::int AND d.due_at <= %(now)s::timestamptz
         ORDER BY d.due_at LIMIT %(batch)s) d ORDER BY profile_id, passage_id) x
     WHERE r.ctid = x.ctid AND r.lane = %(lane)s::smallint
    RETURNING r.passage_id, r.profile_id, r.hop AS first_hop, r.hop, r.due_at AS at, r.entered_at, r.key, r.context, r.turns, r.awaits, r.waits_since, 0 AS path),
n4 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, f.hop AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, (((EXISTS (SELECT FROM subscription s WHERE s.lane = %(lane)s::smallint AND s.profile_id = f.profile_id AND s.resource_id = %(p3)s::int AND s.channel = %(p4)s::smallint AND s.status = %(p5)s::smallint)) IS TRUE)) AS yes
    FROM taken f ),
n8 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, (f.hop + 1) AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, (((EXISTS (SELECT FROM message m WHERE m.lane = %(lane)s::smallint AND m.passage_id = f.passage_id AND m.channel = %(p6)s::smallint AND m.state IN (0, 1, 2, 4))) IS TRUE)) AS yes
    FROM (SELECT * FROM n4 WHERE NOT yes) f ),
n10 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, (f.hop + 1) AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, s.id AS subscription_id, (s.effective = 0) IS TRUE AS sendable
    FROM (SELECT * FROM n8 WHERE NOT yes) f LEFT JOIN LATERAL (SELECT s.id, s.effective FROM subscription s WHERE s.lane = %(lane)s::smallint AND s.profile_id = f.profile_id
      AND s.resource_id = %(p3)s::int AND s.channel = 2::smallint AND s.preferred LIMIT 1) s ON true),
n9 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, (f.hop + 1) AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, 1 AS asks
    FROM (SELECT * FROM n8 WHERE yes) f ),
n5 AS (
    UPDATE "profile_100" p SET "f200" = coalesce(p."f200", 0) + %(p9)s::bigint, updated_at = f.at FROM (SELECT s.* FROM (SELECT * FROM n4 WHERE yes) s ORDER BY s.profile_id) f
    WHERE p.lane = %(lane)s::smallint AND p.id = f.profile_id RETURNING p.id, f.at, old."f200" AS o0, new."f200" AS n0),
n5_change AS (
    INSERT INTO change (profile_id, at, database_id, lane, kind, cause, cause_id, old, new)
    SELECT u.id, u.at, %(p9)s::int, %(lane)s::smallint, 2::smallint, 6::smallint, %(p11)s::bigint,
      jsonb_build_object(%(p10)s::text, u.o0), jsonb_build_object(%(p10)s::text, u.n0) FROM n5 u WHERE u.o0 IS DISTINCT FROM u.n0),
n5_touched AS (
    INSERT INTO touched (profile_id, lane) SELECT DISTINCT u.id, %(lane)s::smallint FROM n5 u WHERE EXISTS (SELECT FROM touch_listener t WHERE t.kind = 'profile')),
n6 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, (f.hop + 2) AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, 1 AS asks
    FROM (SELECT * FROM n4 WHERE yes) f ),
n6_code_asked AS MATERIALIZED (
    SELECT f.*, row_number() OVER () - 1 AS turn FROM n6 f),
n6_code_cursor AS (
    UPDATE promo_cursor c SET next_no = least(c.next_no + (SELECT count(*) FROM n6_code_asked), c.end_no)
    WHERE c.lane = %(lane)s::smallint AND c.pool_id = %(p12)s::int RETURNING old.next_no AS first_no, new.next_no AS end_no),
n6_code AS MATERIALIZED (
    SELECT a.*, c.first_no + a.turn AS no, coalesce(c.first_no + a.turn < c.end_no, false) AS got
    FROM n6_code_asked a LEFT JOIN n6_code_cursor c ON true),
n6_code_given AS (
    INSERT INTO promo_assignment (passage_id, no, profile_id, at, expires_at, scenario_id, pool_id, node_id, hop, lane)
    SELECT f.passage_id, f.no, f.profile_id, f.at, f.at + (SELECT lifetime FROM promo_pool WHERE id = %(p12)s::int), %(p11)s::int, %(p12)s::int,
      %(p13)s::int, f.hop, %(lane)s::smallint FROM n6_code f WHERE f.got),
n7 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, (f.hop + 1) AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, s.id AS subscription_id, (s.effective = 0) IS TRUE AS sendable
    FROM (SELECT * FROM n6_code WHERE got) f LEFT JOIN LATERAL (SELECT s.id, s.effective FROM subscription s WHERE s.lane = %(lane)s::smallint AND s.profile_id = f.profile_id
      AND s.resource_id = %(p3)s::int AND s.channel = 1::smallint AND s.preferred LIMIT 1) s ON true),
planned AS (
    INSERT INTO message (passage_id, hop, profile_id, subscription_id, created_at, scenario_id, node_id, template_id, resource_id, lane, channel, flags, state, reason)
    SELECT f.passage_id, f.hop, f.profile_id, f.subscription_id, f.at, %(p11)s::int, %(p14)s::int,
      %(p15)s::int, %(p3)s::int, %(lane)s::smallint, 2::smallint, 0::smallint,
      CASE WHEN f.sendable THEN 0 ELSE 9 END::smallint,
      CASE WHEN f.sendable THEN NULL WHEN f.subscription_id IS NULL THEN 1 ELSE 2 END::smallint
    FROM n10 f
    UNION ALL SELECT f.passage_id, f.hop, f.profile_id, f.subscription_id, f.at, %(p11)s::int, %(p16)s::int,
      %(p17)s::int, %(p3)s::int, %(lane)s::smallint, 1::smallint, 0::smallint,
      CASE WHEN f.sendable THEN 0 ELSE 9 END::smallint,
      CASE WHEN f.sendable THEN NULL WHEN f.subscription_id IS NULL THEN 1 ELSE 2 END::smallint
    FROM n7 f),
listed AS (
    INSERT INTO dispatch (at, not_before, scenario_id, node_id, template_id, lane, channel, priority, passage_ids, hops)
    SELECT %(now)s::timestamptz, %(now)s::timestamptz, %(p11)s::int, %(p14)s::int, %(p15)s::int, %(lane)s::smallint, 2::smallint, 5::smallint,
      array_agg(q.passage_id), array_agg(q.hop) FROM (SELECT f.passage_id, f.hop AS hop, row_number() OVER () / 1000 AS part FROM (SELECT * FROM n10 WHERE sendable) f) q GROUP BY q.part
    UNION ALL SELECT %(now)s::timestamptz, %(now)s::timestamptz, %(p11)s::int, %(p16)s::int, %(p17)s::int, %(lane)s::smallint, 1::smallint, 5::smallint,
      array_agg(q.passage_id), array_agg(q.hop) FROM (SELECT f.passage_id, f.hop AS hop, row_number() OVER () / 1000 AS part FROM (SELECT * FROM n7 WHERE sendable) f) q GROUP BY q.part
    RETURNING 1),
refusals AS (
    INSERT INTO message_counter (hour, n, scenario_id, node_id, kind) SELECT date_trunc('hour', f.at), count(*), %(p11)s::int, %(p14)s::int, 2::smallint
    FROM n10 f WHERE NOT f.sendable GROUP BY 1
    UNION ALL SELECT date_trunc('hour', f.at), count(*), %(p11)s::int, %(p16)s::int, 2::smallint
    FROM n7 f WHERE NOT f.sendable GROUP BY 1),
requested AS (
    INSERT INTO request (passage_id, hop, profile_id, created_at, scenario_id, node_id, definition_id, lane, state)
    SELECT f.passage_id, f.hop, f.profile_id, f.at, %(p11)s::int, %(p18)s::int,
      %(p19)s::int, %(lane)s::smallint, 0::smallint FROM n9 f),
requests_listed AS (
    INSERT INTO dispatch (at, not_before, scenario_id, node_id, template_id, lane, channel, priority, passage_ids, hops)
    SELECT %(now)s::timestamptz, %(now)s::timestamptz, %(p11)s::int, %(p18)s::int, NULL::int, %(lane)s::smallint, 100::smallint, 5::smallint,
      array_agg(q.passage_id), array_agg(q.hop) FROM (SELECT f.passage_id, f.hop AS hop, row_number() OVER () / 1000 AS part FROM n9 f) q GROUP BY q.part
    RETURNING 1),
rests AS (
    INSERT INTO resting (passage_id, profile_id, entered_at, due_at, scenario_id, version_id, node_id, hop, lane, awaits, key, context, turns, waits_since)
    SELECT f.passage_id, f.profile_id, f.entered_at, f.at + %(p7)s::interval, %(p11)s::int, %(p1)s::int, %(p20)s::int,
      (f.hop + 1), %(lane)s::smallint, NULL::smallint, f.key, f.context, f.turns, NULL::timestamptz FROM n10 f
    UNION ALL SELECT f.passage_id, f.profile_id, f.entered_at, f.at + %(p8)s::interval, %(p11)s::int, %(p1)s::int, %(p18)s::int,
      f.hop, %(lane)s::smallint, 1::smallint, f.key, f.context, f.turns, NULL::timestamptz FROM n9 f),
carried_on AS (
    INSERT INTO carried (passage_id, profile_id, hop, at, entered_at, key, context, turns, node_id, entry)
    SELECT f.passage_id, f.profile_id, f.hop, f.at, f.entered_at, f.key, f.context, f.turns, %(p13)s::int, 1::smallint FROM (SELECT * FROM n6_code WHERE NOT got AND NOT %(last)s) f
    RETURNING 1),
ends AS (
    INSERT INTO passage_ended (passage_id, profile_id, entered_at, ended_at, scenario_id, version_id, node_id, hop, lane, reason, key, context)
    SELECT f.passage_id, f.profile_id, f.entered_at, f.at, %(p11)s::int, %(p1)s::int, %(p13)s::int,
      (f.hop + 1), %(lane)s::smallint, 1::smallint, f.key, f.context FROM (SELECT * FROM n6_code WHERE NOT got AND %(last)s) f
    UNION ALL SELECT f.passage_id, f.profile_id, f.entered_at, f.at, %(p11)s::int, %(p1)s::int, %(p16)s::int,
      (f.hop + 1), %(lane)s::smallint, 1::smallint, f.key, f.context FROM n7 f),
trailed AS (
    INSERT INTO trail (passage_id, at, hop, route_id, lane)
    SELECT f.passage_id, f.at, f.first_hop, (%(routes_0)s::int[])[(f.path) * 2 + (CASE WHEN f.sendable THEN 0 ELSE 1 END) + 1], %(lane)s::smallint FROM n10 f
    UNION ALL SELECT f.passage_id, f.at, f.first_hop, (%(routes_1)s::int[])[f.path + 1], %(lane)s::smallint FROM n9 f
    UNION ALL SELECT f.passage_id, f.at, f.first_hop, (%(routes_2)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n6_code WHERE NOT got AND NOT %(last)s) f
    UNION ALL SELECT f.passage_id, f.at, f.first_hop, (%(routes_3)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n6_code WHERE NOT got AND %(last)s) f
    UNION ALL SELECT f.passage_id, f.at, f.first_hop, (%(routes_4)s::int[])[(f.path) * 2 + (CASE WHEN f.sendable THEN 0 ELSE 1 END) + 1], %(lane)s::smallint FROM n7 f),
counted AS (
    INSERT INTO counter (hour, n, route_id, lane)
    SELECT date_trunc('hour', f.at), count(*), (%(routes_0)s::int[])[(f.path) * 2 + (CASE WHEN f.sendable THEN 0 ELSE 1 END) + 1], %(lane)s::smallint FROM n10 f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_1)s::int[])[f.path + 1], %(lane)s::smallint FROM n9 f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_2)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n6_code WHERE NOT got AND NOT %(last)s) f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_3)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n6_code WHERE NOT got AND %(last)s) f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_4)s::int[])[(f.path) * 2 + (CASE WHEN f.sendable THEN 0 ELSE 1 END) + 1], %(lane)s::smallint FROM n7 f GROUP BY 1, 3),
touched AS (
    INSERT INTO touched (profile_id, lane) SELECT DISTINCT x.profile_id, %(lane)s::smallint FROM taken x WHERE EXISTS (SELECT FROM touch_listener t WHERE t.kind = 'passage'))
SELECT (SELECT count(*) FROM taken), (SELECT count(*) FROM listed) + (SELECT count(*) FROM requests_listed), (SELECT count(*) FROM carried_on);

-- then from node 6, after pool 500 dealt; values:
--   p1 = 6
--   p2 = 500
--   p3 = 700
--   p4 = 300
--   p5 = 7
--   p6 = 401
--   p7 = 800
-- ways out:
--   carried at node 6: no step
--   completed at node 6: 6.1
--   completed at node 7: 6.0 7.0; 6.0 7.1
WITH taken AS MATERIALIZED (
    DELETE FROM carried c WHERE c.node_id = %(p1)s::int AND c.entry = 1
    RETURNING c.passage_id, c.profile_id, c.hop AS first_hop, c.hop, c.at, c.entered_at, c.key, c.context, c.turns, 0 AS path),
n6 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, f.hop AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, 1 AS asks
    FROM taken f ),
n6_code_asked AS MATERIALIZED (
    SELECT f.*, row_number() OVER () - 1 AS turn FROM n6 f),
n6_code_cursor AS (
    UPDATE promo_cursor c SET next_no = least(c.next_no + (SELECT count(*) FROM n6_code_asked), c.end_no)
    WHERE c.lane = %(lane)s::smallint AND c.pool_id = %(p2)s::int RETURNING old.next_no AS first_no, new.next_no AS end_no),
n6_code AS MATERIALIZED (
    SELECT a.*, c.first_no + a.turn AS no, coalesce(c.first_no + a.turn < c.end_no, false) AS got
    FROM n6_code_asked a LEFT JOIN n6_code_cursor c ON true),
n6_code_given AS (
    INSERT INTO promo_assignment (passage_id, no, profile_id, at, expires_at, scenario_id, pool_id, node_id, hop, lane)
    SELECT f.passage_id, f.no, f.profile_id, f.at, f.at + (SELECT lifetime FROM promo_pool WHERE id = %(p2)s::int), %(p3)s::int, %(p2)s::int,
      %(p1)s::int, f.hop, %(lane)s::smallint FROM n6_code f WHERE f.got),
n7 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, (f.hop + 1) AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, s.id AS subscription_id, (s.effective = 0) IS TRUE AS sendable
    FROM (SELECT * FROM n6_code WHERE got) f LEFT JOIN LATERAL (SELECT s.id, s.effective FROM subscription s WHERE s.lane = %(lane)s::smallint AND s.profile_id = f.profile_id
      AND s.resource_id = %(p4)s::int AND s.channel = 1::smallint AND s.preferred LIMIT 1) s ON true),
planned AS (
    INSERT INTO message (passage_id, hop, profile_id, subscription_id, created_at, scenario_id, node_id, template_id, resource_id, lane, channel, flags, state, reason)
    SELECT f.passage_id, f.hop, f.profile_id, f.subscription_id, f.at, %(p3)s::int, %(p5)s::int,
      %(p6)s::int, %(p4)s::int, %(lane)s::smallint, 1::smallint, 0::smallint,
      CASE WHEN f.sendable THEN 0 ELSE 9 END::smallint,
      CASE WHEN f.sendable THEN NULL WHEN f.subscription_id IS NULL THEN 1 ELSE 2 END::smallint
    FROM n7 f),
listed AS (
    INSERT INTO dispatch (at, not_before, scenario_id, node_id, template_id, lane, channel, priority, passage_ids, hops)
    SELECT %(now)s::timestamptz, %(now)s::timestamptz, %(p3)s::int, %(p5)s::int, %(p6)s::int, %(lane)s::smallint, 1::smallint, 5::smallint,
      array_agg(q.passage_id), array_agg(q.hop) FROM (SELECT f.passage_id, f.hop AS hop, row_number() OVER () / 1000 AS part FROM (SELECT * FROM n7 WHERE sendable) f) q GROUP BY q.part
    RETURNING 1),
refusals AS (
    INSERT INTO message_counter (hour, n, scenario_id, node_id, kind) SELECT date_trunc('hour', f.at), count(*), %(p3)s::int, %(p5)s::int, 2::smallint
    FROM n7 f WHERE NOT f.sendable GROUP BY 1),
carried_on AS (
    INSERT INTO carried (passage_id, profile_id, hop, at, entered_at, key, context, turns, node_id, entry)
    SELECT f.passage_id, f.profile_id, f.hop, f.at, f.entered_at, f.key, f.context, f.turns, %(p1)s::int, 1::smallint FROM (SELECT * FROM n6_code WHERE NOT got AND NOT %(last)s) f
    RETURNING 1),
ends AS (
    INSERT INTO passage_ended (passage_id, profile_id, entered_at, ended_at, scenario_id, version_id, node_id, hop, lane, reason, key, context)
    SELECT f.passage_id, f.profile_id, f.entered_at, f.at, %(p3)s::int, %(p7)s::int, %(p1)s::int,
      (f.hop + 1), %(lane)s::smallint, 1::smallint, f.key, f.context FROM (SELECT * FROM n6_code WHERE NOT got AND %(last)s) f
    UNION ALL SELECT f.passage_id, f.profile_id, f.entered_at, f.at, %(p3)s::int, %(p7)s::int, %(p5)s::int,
      (f.hop + 1), %(lane)s::smallint, 1::smallint, f.key, f.context FROM n7 f),
trailed AS (
    INSERT INTO trail (passage_id, at, hop, route_id, lane)
    SELECT f.passage_id, f.at, f.first_hop, (%(routes_1)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n6_code WHERE NOT got AND %(last)s) f
    UNION ALL SELECT f.passage_id, f.at, f.first_hop, (%(routes_2)s::int[])[(f.path) * 2 + (CASE WHEN f.sendable THEN 0 ELSE 1 END) + 1], %(lane)s::smallint FROM n7 f),
counted AS (
    INSERT INTO counter (hour, n, route_id, lane)
    SELECT date_trunc('hour', f.at), count(*), (%(routes_0)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n6_code WHERE NOT got AND NOT %(last)s) f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_1)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n6_code WHERE NOT got AND %(last)s) f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_2)s::int[])[(f.path) * 2 + (CASE WHEN f.sendable THEN 0 ELSE 1 END) + 1], %(lane)s::smallint FROM n7 f GROUP BY 1, 3),
touched AS (
    INSERT INTO touched (profile_id, lane) SELECT DISTINCT x.profile_id, %(lane)s::smallint FROM taken x WHERE EXISTS (SELECT FROM touch_listener t WHERE t.kind = 'passage'))
SELECT (SELECT count(*) FROM taken), (SELECT count(*) FROM listed), (SELECT count(*) FROM carried_on);

-- ======================================== woken at node 9

-- first stage; values:
--   p1 = 800
--   p2 = 9
--   p3 = 700
-- ways out:
--   completed at node 9: 9.0
--   completed at node 9: 9.1
WITH taken AS MATERIALIZED (
    DELETE FROM resting r USING (
      SELECT DISTINCT ON (profile_id) ctid FROM (
        SELECT d.ctid, d.profile_id, d.passage_id FROM resting d
         WHERE d.lane = %(lane)s::smallint AND d.version_id = %(p1)s::int AND d.node_id = %(p2)s::int AND d.due_at <= %(now)s::timestamptz
         ORDER BY d.due_at LIMIT %(batch)s) d ORDER BY profile_id, passage_id) x
     WHERE r.ctid = x.ctid AND r.lane = %(lane)s::smallint
    RETURNING r.passage_id, r.profile_id, r.hop AS first_hop, r.hop, r.due_at AS at, r.entered_at, r.key, r.context, r.turns, r.awaits, r.waits_since, 0 AS path),
n9_out AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, f.hop AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, (q.state = 2) IS TRUE AS answered
    FROM taken f LEFT JOIN LATERAL (SELECT q.state FROM request q WHERE q.lane = %(lane)s::smallint AND q.passage_id = f.passage_id AND q.hop = f.hop LIMIT 1) q ON true),
n9_given_up AS (
    UPDATE request q SET state = 5 FROM (SELECT * FROM n9_out WHERE NOT answered) f WHERE q.lane = %(lane)s::smallint AND q.passage_id = f.passage_id AND q.hop = f.hop AND q.state = 0),
ends AS (
    INSERT INTO passage_ended (passage_id, profile_id, entered_at, ended_at, scenario_id, version_id, node_id, hop, lane, reason, key, context)
    SELECT f.passage_id, f.profile_id, f.entered_at, f.at, %(p3)s::int, %(p1)s::int, %(p2)s::int,
      (f.hop + 1), %(lane)s::smallint, 1::smallint, f.key, f.context FROM (SELECT * FROM n9_out WHERE answered) f
    UNION ALL SELECT f.passage_id, f.profile_id, f.entered_at, f.at, %(p3)s::int, %(p1)s::int, %(p2)s::int,
      (f.hop + 1), %(lane)s::smallint, 1::smallint, f.key, f.context FROM (SELECT * FROM n9_out WHERE NOT answered) f),
trailed AS (
    INSERT INTO trail (passage_id, at, hop, route_id, lane)
    SELECT f.passage_id, f.at, f.first_hop, (%(routes_0)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n9_out WHERE answered) f
    UNION ALL SELECT f.passage_id, f.at, f.first_hop, (%(routes_1)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n9_out WHERE NOT answered) f),
counted AS (
    INSERT INTO counter (hour, n, route_id, lane)
    SELECT date_trunc('hour', f.at), count(*), (%(routes_0)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n9_out WHERE answered) f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_1)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n9_out WHERE NOT answered) f GROUP BY 1, 3),
touched AS (
    INSERT INTO touched (profile_id, lane) SELECT DISTINCT x.profile_id, %(lane)s::smallint FROM taken x WHERE EXISTS (SELECT FROM touch_listener t WHERE t.kind = 'passage'))
SELECT (SELECT count(*) FROM taken), 0, 0;

-- ======================================== woken at node 11

-- first stage; values:
--   p1 = 800
--   p2 = 11
--   p3 = 700
--   p4 = 4
-- ways out:
--   rests at node 4: 11.0
--   visit_cap at node 4: 11.0
WITH taken AS MATERIALIZED (
    DELETE FROM resting r USING (
      SELECT DISTINCT ON (profile_id) ctid FROM (
        SELECT d.ctid, d.profile_id, d.passage_id FROM resting d
         WHERE d.lane = %(lane)s::smallint AND d.version_id = %(p1)s::int AND d.node_id = %(p2)s::int AND d.due_at <= %(now)s::timestamptz
         ORDER BY d.due_at LIMIT %(batch)s) d ORDER BY profile_id, passage_id) x
     WHERE r.ctid = x.ctid AND r.lane = %(lane)s::smallint
    RETURNING r.passage_id, r.profile_id, r.hop AS first_hop, r.hop, r.due_at AS at, r.entered_at, r.key, r.context, r.turns, r.awaits, r.waits_since, 0 AS path),
rests AS (
    INSERT INTO resting (passage_id, profile_id, entered_at, due_at, scenario_id, version_id, node_id, hop, lane, awaits, key, context, turns, waits_since)
    SELECT f.passage_id, f.profile_id, f.entered_at, f.at, %(p3)s::int, %(p1)s::int, %(p4)s::int,
      (f.hop + 1), %(lane)s::smallint, 2::smallint, f.key, f.context, ARRAY[coalesce(f.turns[1], 0) + 1]::smallint[], NULL::timestamptz FROM (SELECT * FROM taken WHERE coalesce(turns[1], 0) < 99) f),
ends AS (
    INSERT INTO passage_ended (passage_id, profile_id, entered_at, ended_at, scenario_id, version_id, node_id, hop, lane, reason, key, context)
    SELECT f.passage_id, f.profile_id, f.entered_at, f.at, %(p3)s::int, %(p1)s::int, %(p4)s::int,
      (f.hop + 1), %(lane)s::smallint, 6::smallint, f.key, f.context FROM (SELECT * FROM taken WHERE coalesce(turns[1], 0) >= 99) f),
trailed AS (
    INSERT INTO trail (passage_id, at, hop, route_id, lane)
    SELECT f.passage_id, f.at, f.first_hop, (%(routes_0)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM taken WHERE coalesce(turns[1], 0) < 99) f
    UNION ALL SELECT f.passage_id, f.at, f.first_hop, (%(routes_1)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM taken WHERE coalesce(turns[1], 0) >= 99) f),
counted AS (
    INSERT INTO counter (hour, n, route_id, lane)
    SELECT date_trunc('hour', f.at), count(*), (%(routes_0)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM taken WHERE coalesce(turns[1], 0) < 99) f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_1)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM taken WHERE coalesce(turns[1], 0) >= 99) f GROUP BY 1, 3),
touched AS (
    INSERT INTO touched (profile_id, lane) SELECT DISTINCT x.profile_id, %(lane)s::smallint FROM taken x WHERE EXISTS (SELECT FROM touch_listener t WHERE t.kind = 'passage'))
SELECT (SELECT count(*) FROM taken), 0, 0;

-- ======================================== captured at node 0

-- first of all; values:
--   p1 = 700
--   p2 = 0
-- ways out:

WITH old AS MATERIALIZED (
    DELETE FROM resting r USING (SELECT DISTINCT c.profile_id, c.key AS key FROM capture c WHERE c.lane = %(lane)s::smallint AND c.scenario_id = %(p1)s::int
      AND c.node_id = %(p2)s::int) c
    WHERE r.lane = %(lane)s::smallint AND r.profile_id = c.profile_id AND r.scenario_id = %(p1)s::int AND r.key = c.key
    RETURNING r.passage_id, r.profile_id, r.entered_at, r.node_id, r.version_id, r.hop, r.key, r.context),
ends AS (
    INSERT INTO passage_ended (passage_id, profile_id, entered_at, ended_at, scenario_id, version_id, node_id, hop, lane, reason, key, context) SELECT o.passage_id, o.profile_id, o.entered_at, %(now)s, %(p1)s::int, o.version_id, o.node_id, o.hop, %(lane)s::smallint,
      5::smallint, o.key, o.context FROM old o),
cancelled_message AS (
    UPDATE message m SET state = 5 FROM old f WHERE m.lane = %(lane)s::smallint AND m.passage_id = f.passage_id AND m.state = 0),
cancelled_request AS (
    UPDATE request m SET state = 5 FROM old f WHERE m.lane = %(lane)s::smallint AND m.passage_id = f.passage_id AND m.state = 0),
counted AS (
    INSERT INTO counter (hour, n, route_id, lane) SELECT date_trunc('hour', %(now)s::timestamptz), count(*), r.route_id, %(lane)s::smallint
    FROM old o JOIN route r ON r.version_id = o.version_id AND r.nodes = '{}' AND r.exit_node = o.node_id AND r.exit = 7
    GROUP BY r.route_id),
touched AS (
    INSERT INTO touched (profile_id, lane) SELECT DISTINCT x.profile_id, %(lane)s::smallint FROM old x WHERE EXISTS (SELECT FROM touch_listener t WHERE t.kind = 'passage'))
SELECT count(*), 0, 0 FROM old;

-- first stage; values:
--   p1 = 700
--   p2 = 0
--   p3 = 10
--   p4 = 'points'
--   p5 = 100
--   p6 = 2
-- ways out:
--   carried at node 2: 0.0 1.0
WITH taken AS MATERIALIZED (
    DELETE FROM capture t USING (
      SELECT DISTINCT ON (profile_id) ctid FROM (
        SELECT c.ctid, c.profile_id, c.at FROM capture c
         WHERE c.lane = %(lane)s::smallint AND c.scenario_id = %(p1)s::int AND c.node_id = %(p2)s::int AND NOT EXISTS (SELECT FROM resting r WHERE r.lane = %(lane)s::smallint AND r.profile_id = c.profile_id AND r.scenario_id = %(p1)s::int AND r.key = c.key OFFSET 0)
         LIMIT %(batch)s) c ORDER BY profile_id, at) x
     WHERE t.ctid = x.ctid AND t.lane = %(lane)s::smallint RETURNING t.profile_id, t.at, t.key AS key, t.context),
judged AS MATERIALIZED (
    SELECT t.*, CASE WHEN NOT EXISTS (SELECT FROM "profile_100" p WHERE p.lane = %(lane)s::smallint AND p.id = t.profile_id) THEN 4 END AS refused FROM taken t),
refused AS (
    INSERT INTO entry_refused (profile_id, at, scenario_id, node_id, lane, reason, key)
    SELECT q.profile_id, q.at, %(p1)s::int, %(p2)s::int, %(lane)s::smallint, q.reason::smallint, q.key FROM (SELECT j.profile_id, j.at, j.refused AS reason, j.key FROM judged j WHERE j.refused IS NOT NULL) q),
entering AS MATERIALIZED (
    SELECT nextval('passage_id_seq') AS passage_id, j.profile_id, 1 AS first_hop, 1 AS hop, j.at, j.at AS entered_at, j.key AS key, j.context,
      NULL::smallint[] AS turns, 0 AS path FROM (SELECT * FROM judged WHERE refused IS NULL) j),
n1 AS (
    UPDATE "profile_100" p SET "f201" = coalesce(p."f201", 0) + %(p3)s::bigint, updated_at = f.at FROM (SELECT s.* FROM entering s ORDER BY s.profile_id) f
    WHERE p.lane = %(lane)s::smallint AND p.id = f.profile_id RETURNING p.id, f.at, old."f201" AS o0, new."f201" AS n0),
n1_change AS (
    INSERT INTO change (profile_id, at, database_id, lane, kind, cause, cause_id, old, new)
    SELECT u.id, u.at, %(p5)s::int, %(lane)s::smallint, 2::smallint, 6::smallint, %(p1)s::bigint,
      jsonb_build_object(%(p4)s::text, u.o0), jsonb_build_object(%(p4)s::text, u.n0) FROM n1 u WHERE u.o0 IS DISTINCT FROM u.n0),
n1_touched AS (
    INSERT INTO touched (profile_id, lane) SELECT DISTINCT u.id, %(lane)s::smallint FROM n1 u WHERE EXISTS (SELECT FROM touch_listener t WHERE t.kind = 'profile')),
carried_on AS (
    INSERT INTO carried (passage_id, profile_id, hop, at, entered_at, key, context, turns, node_id, entry)
    SELECT f.passage_id, f.profile_id, (f.hop + 2), f.at, f.entered_at, f.key, f.context, f.turns, %(p6)s::int, 0::smallint FROM entering f
    RETURNING 1),
trailed AS (
    INSERT INTO trail (passage_id, at, hop, route_id, lane)
    SELECT f.passage_id, f.at, f.first_hop, (%(routes_0)s::int[])[f.path + 1], %(lane)s::smallint FROM entering f),
counted AS (
    INSERT INTO counter (hour, n, route_id, lane)
    SELECT date_trunc('hour', f.at), count(*), (%(routes_0)s::int[])[f.path + 1], %(lane)s::smallint FROM entering f GROUP BY 1, 3),
touched AS (
    INSERT INTO touched (profile_id, lane) SELECT DISTINCT x.profile_id, %(lane)s::smallint FROM taken x WHERE EXISTS (SELECT FROM touch_listener t WHERE t.kind = 'passage'))
SELECT (SELECT count(*) FROM taken), 0, (SELECT count(*) FROM carried_on);

-- then from node 2; values:
--   p1 = 2
--   p2 = 100
--   p3 = ['gold']
--   p4 = 'points'
--   p5 = 'labels'
--   p6 = 700
--   p7 = 500
--   p8 = 4
--   p9 = 300
--   p10 = 6
--   p11 = 401
--   p12 = 8
--   p13 = 402
--   p14 = 800
--   p15 = 5
--   p16 = 9
-- ways out:
--   carried at node 4: 2.1; 2.0 3.0
--   carried at node 5: 2.1 4.0; 2.0 3.0 4.0
--   rests at node 6: 2.1 4.1; 2.0 3.0 4.1
--   carried at node 9: 2.1 4.1 6.1 8.0; 2.1 4.1 6.1 8.1; 2.0 3.0 4.1 6.1 8.0; 2.0 3.0 4.1 6.1 8.1
WITH taken AS MATERIALIZED (
    DELETE FROM carried c WHERE c.node_id = %(p1)s::int AND c.entry = 0
    RETURNING c.passage_id, c.profile_id, c.hop AS first_hop, c.hop, c.at, c.entered_at, c.key, c.context, c.turns, 0 AS path),
n2 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, f.hop AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, (((p."f201" >= %(p2)s::bigint) IS TRUE)) AS yes
    FROM taken f LEFT JOIN LATERAL (SELECT * FROM "profile_100" p WHERE p.lane = %(lane)s::smallint AND p.id = f.profile_id LIMIT 1) p ON true),
n3 AS (
    UPDATE "profile_100" p SET "f201" = coalesce(p."f201", 0) - %(p2)s::bigint, "f203" = (SELECT array_agg(DISTINCT t) FROM unnest(coalesce(p."f203", '{}') || %(p3)s::text[]) t), updated_at = f.at FROM (SELECT s.* FROM (SELECT * FROM n2 WHERE yes) s ORDER BY s.profile_id) f
    WHERE p.lane = %(lane)s::smallint AND p.id = f.profile_id RETURNING p.id, f.at, old."f201" AS o0, new."f201" AS n0, old."f203" AS o1, new."f203" AS n1),
n3_change AS (
    INSERT INTO change (profile_id, at, database_id, lane, kind, cause, cause_id, old, new)
    SELECT u.id, u.at, %(p2)s::int, %(lane)s::smallint, 2::smallint, 6::smallint, %(p6)s::bigint,
      jsonb_build_object(%(p4)s::text, u.o0, %(p5)s::text, u.o1), jsonb_build_object(%(p4)s::text, u.n0, %(p5)s::text, u.n1) FROM n3 u WHERE u.o0 IS DISTINCT FROM u.n0 OR u.o1 IS DISTINCT FROM u.n1),
n3_touched AS (
    INSERT INTO touched (profile_id, lane) SELECT DISTINCT u.id, %(lane)s::smallint FROM n3 u WHERE EXISTS (SELECT FROM touch_listener t WHERE t.kind = 'profile')),
n4_in AS MATERIALIZED (
    SELECT passage_id, profile_id, first_hop, (f.hop + 1) AS hop, at, entered_at, key, context, turns, f.path + 0 AS path FROM (SELECT * FROM n2 WHERE NOT yes) f
    UNION ALL SELECT passage_id, profile_id, first_hop, (f.hop + 2) AS hop, at, entered_at, key, context, turns, f.path + 1 AS path FROM (SELECT * FROM n2 WHERE yes) f),
n4 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, f.hop AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, 1 AS asks
    FROM n4_in f ),
n4_code_asked AS MATERIALIZED (
    SELECT f.*, row_number() OVER () - 1 AS turn FROM n4 f),
n4_code_cursor AS (
    UPDATE promo_cursor c SET next_no = least(c.next_no + (SELECT count(*) FROM n4_code_asked), c.end_no)
    WHERE c.lane = %(lane)s::smallint AND c.pool_id = %(p7)s::int RETURNING old.next_no AS first_no, new.next_no AS end_no),
n4_code AS MATERIALIZED (
    SELECT a.*, c.first_no + a.turn AS no, coalesce(c.first_no + a.turn < c.end_no, false) AS got
    FROM n4_code_asked a LEFT JOIN n4_code_cursor c ON true),
n4_code_given AS (
    INSERT INTO promo_assignment (passage_id, no, profile_id, at, expires_at, scenario_id, pool_id, node_id, hop, lane)
    SELECT f.passage_id, f.no, f.profile_id, f.at, f.at + (SELECT lifetime FROM promo_pool WHERE id = %(p7)s::int), %(p6)s::int, %(p7)s::int,
      %(p8)s::int, f.hop, %(lane)s::smallint FROM n4_code f WHERE f.got),
n6 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, (f.hop + 1) AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, s.id AS subscription_id, (s.effective = 0) IS TRUE AS sendable
    FROM (SELECT * FROM n4_code WHERE NOT got AND %(last)s) f LEFT JOIN LATERAL (SELECT s.id, s.effective FROM subscription s WHERE s.lane = %(lane)s::smallint AND s.profile_id = f.profile_id
      AND s.resource_id = %(p9)s::int AND s.channel = 1::smallint AND s.preferred LIMIT 1) s ON true),
n8 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, (f.hop + 1) AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, s.id AS subscription_id, (s.effective = 0) IS TRUE AS sendable
    FROM (SELECT * FROM n6 WHERE NOT sendable) f LEFT JOIN LATERAL (SELECT s.id, s.effective FROM subscription s WHERE s.lane = %(lane)s::smallint AND s.profile_id = f.profile_id
      AND s.resource_id = %(p9)s::int AND s.channel = 2::smallint AND s.preferred LIMIT 1) s ON true),
planned AS (
    INSERT INTO message (passage_id, hop, profile_id, subscription_id, created_at, scenario_id, node_id, template_id, resource_id, lane, channel, flags, state, reason)
    SELECT f.passage_id, f.hop, f.profile_id, f.subscription_id, f.at, %(p6)s::int, %(p10)s::int,
      %(p11)s::int, %(p9)s::int, %(lane)s::smallint, 1::smallint, 2::smallint,
      CASE WHEN f.sendable THEN 0 ELSE 9 END::smallint,
      CASE WHEN f.sendable THEN NULL WHEN f.subscription_id IS NULL THEN 1 ELSE 2 END::smallint
    FROM n6 f
    UNION ALL SELECT f.passage_id, f.hop, f.profile_id, f.subscription_id, f.at, %(p6)s::int, %(p12)s::int,
      %(p13)s::int, %(p9)s::int, %(lane)s::smallint, 2::smallint, 0::smallint,
      CASE WHEN f.sendable THEN 0 ELSE 9 END::smallint,
      CASE WHEN f.sendable THEN NULL WHEN f.subscription_id IS NULL THEN 1 ELSE 2 END::smallint
    FROM n8 f),
listed AS (
    INSERT INTO dispatch (at, not_before, scenario_id, node_id, template_id, lane, channel, priority, passage_ids, hops)
    SELECT %(now)s::timestamptz, %(now)s::timestamptz, %(p6)s::int, %(p10)s::int, %(p11)s::int, %(lane)s::smallint, 1::smallint, 1::smallint,
      array_agg(q.passage_id), array_agg(q.hop) FROM (SELECT f.passage_id, f.hop AS hop, row_number() OVER () / 1000 AS part FROM (SELECT * FROM n6 WHERE sendable) f) q GROUP BY q.part
    UNION ALL SELECT %(now)s::timestamptz, %(now)s::timestamptz, %(p6)s::int, %(p12)s::int, %(p13)s::int, %(lane)s::smallint, 2::smallint, 1::smallint,
      array_agg(q.passage_id), array_agg(q.hop) FROM (SELECT f.passage_id, f.hop AS hop, row_number() OVER () / 1000 AS part FROM (SELECT * FROM n8 WHERE sendable) f) q GROUP BY q.part
    RETURNING 1),
refusals AS (
    INSERT INTO message_counter (hour, n, scenario_id, node_id, kind) SELECT date_trunc('hour', f.at), count(*), %(p6)s::int, %(p10)s::int, 2::smallint
    FROM n6 f WHERE NOT f.sendable GROUP BY 1
    UNION ALL SELECT date_trunc('hour', f.at), count(*), %(p6)s::int, %(p12)s::int, 2::smallint
    FROM n8 f WHERE NOT f.sendable GROUP BY 1),
rests AS (
    INSERT INTO resting (passage_id, profile_id, entered_at, due_at, scenario_id, version_id, node_id, hop, lane, awaits, key, context, turns, waits_since)
    SELECT f.passage_id, f.profile_id, f.entered_at, NULL::timestamptz, %(p6)s::int, %(p14)s::int, %(p10)s::int,
      f.hop, %(lane)s::smallint, 1::smallint, f.key, f.context, f.turns, NULL::timestamptz FROM (SELECT * FROM n6 WHERE sendable) f),
carried_on AS (
    INSERT INTO carried (passage_id, profile_id, hop, at, entered_at, key, context, turns, node_id, entry)
    SELECT f.passage_id, f.profile_id, f.hop, f.at, f.entered_at, f.key, f.context, f.turns, %(p8)s::int, 1::smallint FROM (SELECT * FROM n4_code WHERE NOT got AND NOT %(last)s) f
    UNION ALL SELECT f.passage_id, f.profile_id, (f.hop + 1), f.at, f.entered_at, f.key, f.context, f.turns, %(p15)s::int, 0::smallint FROM (SELECT * FROM n4_code WHERE got) f
    UNION ALL SELECT f.passage_id, f.profile_id, (f.hop + 1), f.at, f.entered_at, f.key, f.context, f.turns, %(p16)s::int, 0::smallint FROM n8 f
    RETURNING 1),
trailed AS (
    INSERT INTO trail (passage_id, at, hop, route_id, lane)
    SELECT f.passage_id, f.at, f.first_hop, (%(routes_0)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n4_code WHERE NOT got AND NOT %(last)s) f
    UNION ALL SELECT f.passage_id, f.at, f.first_hop, (%(routes_1)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n4_code WHERE got) f
    UNION ALL SELECT f.passage_id, f.at, f.first_hop, (%(routes_2)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n6 WHERE sendable) f
    UNION ALL SELECT f.passage_id, f.at, f.first_hop, (%(routes_3)s::int[])[(f.path) * 2 + (CASE WHEN f.sendable THEN 0 ELSE 1 END) + 1], %(lane)s::smallint FROM n8 f),
counted AS (
    INSERT INTO counter (hour, n, route_id, lane)
    SELECT date_trunc('hour', f.at), count(*), (%(routes_0)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n4_code WHERE NOT got AND NOT %(last)s) f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_1)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n4_code WHERE got) f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_2)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n6 WHERE sendable) f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_3)s::int[])[(f.path) * 2 + (CASE WHEN f.sendable THEN 0 ELSE 1 END) + 1], %(lane)s::smallint FROM n8 f GROUP BY 1, 3),
touched AS (
    INSERT INTO touched (profile_id, lane) SELECT DISTINCT x.profile_id, %(lane)s::smallint FROM taken x WHERE EXISTS (SELECT FROM touch_listener t WHERE t.kind = 'passage'))
SELECT (SELECT count(*) FROM taken), (SELECT count(*) FROM listed), (SELECT count(*) FROM carried_on);

-- then from node 4, after pool 500 dealt; values:
--   p1 = 4
--   p2 = 500
--   p3 = 700
--   p4 = 300
--   p5 = 6
--   p6 = 401
--   p7 = 8
--   p8 = 402
--   p9 = 800
--   p10 = 5
--   p11 = 9
-- ways out:
--   carried at node 4: no step
--   carried at node 5: 4.0
--   rests at node 6: 4.1
--   carried at node 9: 4.1 6.1 8.0; 4.1 6.1 8.1
WITH taken AS MATERIALIZED (
    DELETE FROM carried c WHERE c.node_id = %(p1)s::int AND c.entry = 1
    RETURNING c.passage_id, c.profile_id, c.hop AS first_hop, c.hop, c.at, c.entered_at, c.key, c.context, c.turns, 0 AS path),
n4 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, f.hop AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, 1 AS asks
    FROM taken f ),
n4_code_asked AS MATERIALIZED (
    SELECT f.*, row_number() OVER () - 1 AS turn FROM n4 f),
n4_code_cursor AS (
    UPDATE promo_cursor c SET next_no = least(c.next_no + (SELECT count(*) FROM n4_code_asked), c.end_no)
    WHERE c.lane = %(lane)s::smallint AND c.pool_id = %(p2)s::int RETURNING old.next_no AS first_no, new.next_no AS end_no),
n4_code AS MATERIALIZED (
    SELECT a.*, c.first_no + a.turn AS no, coalesce(c.first_no + a.turn < c.end_no, false) AS got
    FROM n4_code_asked a LEFT JOIN n4_code_cursor c ON true),
n4_code_given AS (
    INSERT INTO promo_assignment (passage_id, no, profile_id, at, expires_at, scenario_id, pool_id, node_id, hop, lane)
    SELECT f.passage_id, f.no, f.profile_id, f.at, f.at + (SELECT lifetime FROM promo_pool WHERE id = %(p2)s::int), %(p3)s::int, %(p2)s::int,
      %(p1)s::int, f.hop, %(lane)s::smallint FROM n4_code f WHERE f.got),
n6 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, (f.hop + 1) AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, s.id AS subscription_id, (s.effective = 0) IS TRUE AS sendable
    FROM (SELECT * FROM n4_code WHERE NOT got AND %(last)s) f LEFT JOIN LATERAL (SELECT s.id, s.effective FROM subscription s WHERE s.lane = %(lane)s::smallint AND s.profile_id = f.profile_id
      AND s.resource_id = %(p4)s::int AND s.channel = 1::smallint AND s.preferred LIMIT 1) s ON true),
n8 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, (f.hop + 1) AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, s.id AS subscription_id, (s.effective = 0) IS TRUE AS sendable
    FROM (SELECT * FROM n6 WHERE NOT sendable) f LEFT JOIN LATERAL (SELECT s.id, s.effective FROM subscription s WHERE s.lane = %(lane)s::smallint AND s.profile_id = f.profile_id
      AND s.resource_id = %(p4)s::int AND s.channel = 2::smallint AND s.preferred LIMIT 1) s ON true),
planned AS (
    INSERT INTO message (passage_id, hop, profile_id, subscription_id, created_at, scenario_id, node_id, template_id, resource_id, lane, channel, flags, state, reason)
    SELECT f.passage_id, f.hop, f.profile_id, f.subscription_id, f.at, %(p3)s::int, %(p5)s::int,
      %(p6)s::int, %(p4)s::int, %(lane)s::smallint, 1::smallint, 2::smallint,
      CASE WHEN f.sendable THEN 0 ELSE 9 END::smallint,
      CASE WHEN f.sendable THEN NULL WHEN f.subscription_id IS NULL THEN 1 ELSE 2 END::smallint
    FROM n6 f
    UNION ALL SELECT f.passage_id, f.hop, f.profile_id, f.subscription_id, f.at, %(p3)s::int, %(p7)s::int,
      %(p8)s::int, %(p4)s::int, %(lane)s::smallint, 2::smallint, 0::smallint,
      CASE WHEN f.sendable THEN 0 ELSE 9 END::smallint,
      CASE WHEN f.sendable THEN NULL WHEN f.subscription_id IS NULL THEN 1 ELSE 2 END::smallint
    FROM n8 f),
listed AS (
    INSERT INTO dispatch (at, not_before, scenario_id, node_id, template_id, lane, channel, priority, passage_ids, hops)
    SELECT %(now)s::timestamptz, %(now)s::timestamptz, %(p3)s::int, %(p5)s::int, %(p6)s::int, %(lane)s::smallint, 1::smallint, 1::smallint,
      array_agg(q.passage_id), array_agg(q.hop) FROM (SELECT f.passage_id, f.hop AS hop, row_number() OVER () / 1000 AS part FROM (SELECT * FROM n6 WHERE sendable) f) q GROUP BY q.part
    UNION ALL SELECT %(now)s::timestamptz, %(now)s::timestamptz, %(p3)s::int, %(p7)s::int, %(p8)s::int, %(lane)s::smallint, 2::smallint, 1::smallint,
      array_agg(q.passage_id), array_agg(q.hop) FROM (SELECT f.passage_id, f.hop AS hop, row_number() OVER () / 1000 AS part FROM (SELECT * FROM n8 WHERE sendable) f) q GROUP BY q.part
    RETURNING 1),
refusals AS (
    INSERT INTO message_counter (hour, n, scenario_id, node_id, kind) SELECT date_trunc('hour', f.at), count(*), %(p3)s::int, %(p5)s::int, 2::smallint
    FROM n6 f WHERE NOT f.sendable GROUP BY 1
    UNION ALL SELECT date_trunc('hour', f.at), count(*), %(p3)s::int, %(p7)s::int, 2::smallint
    FROM n8 f WHERE NOT f.sendable GROUP BY 1),
rests AS (
    INSERT INTO resting (passage_id, profile_id, entered_at, due_at, scenario_id, version_id, node_id, hop, lane, awaits, key, context, turns, waits_since)
    SELECT f.passage_id, f.profile_id, f.entered_at, NULL::timestamptz, %(p3)s::int, %(p9)s::int, %(p5)s::int,
      f.hop, %(lane)s::smallint, 1::smallint, f.key, f.context, f.turns, NULL::timestamptz FROM (SELECT * FROM n6 WHERE sendable) f),
carried_on AS (
    INSERT INTO carried (passage_id, profile_id, hop, at, entered_at, key, context, turns, node_id, entry)
    SELECT f.passage_id, f.profile_id, f.hop, f.at, f.entered_at, f.key, f.context, f.turns, %(p1)s::int, 1::smallint FROM (SELECT * FROM n4_code WHERE NOT got AND NOT %(last)s) f
    UNION ALL SELECT f.passage_id, f.profile_id, (f.hop + 1), f.at, f.entered_at, f.key, f.context, f.turns, %(p10)s::int, 0::smallint FROM (SELECT * FROM n4_code WHERE got) f
    UNION ALL SELECT f.passage_id, f.profile_id, (f.hop + 1), f.at, f.entered_at, f.key, f.context, f.turns, %(p11)s::int, 0::smallint FROM n8 f
    RETURNING 1),
trailed AS (
    INSERT INTO trail (passage_id, at, hop, route_id, lane)
    SELECT f.passage_id, f.at, f.first_hop, (%(routes_1)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n4_code WHERE got) f
    UNION ALL SELECT f.passage_id, f.at, f.first_hop, (%(routes_2)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n6 WHERE sendable) f
    UNION ALL SELECT f.passage_id, f.at, f.first_hop, (%(routes_3)s::int[])[(f.path) * 2 + (CASE WHEN f.sendable THEN 0 ELSE 1 END) + 1], %(lane)s::smallint FROM n8 f),
counted AS (
    INSERT INTO counter (hour, n, route_id, lane)
    SELECT date_trunc('hour', f.at), count(*), (%(routes_0)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n4_code WHERE NOT got AND NOT %(last)s) f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_1)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n4_code WHERE got) f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_2)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n6 WHERE sendable) f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_3)s::int[])[(f.path) * 2 + (CASE WHEN f.sendable THEN 0 ELSE 1 END) + 1], %(lane)s::smallint FROM n8 f GROUP BY 1, 3),
touched AS (
    INSERT INTO touched (profile_id, lane) SELECT DISTINCT x.profile_id, %(lane)s::smallint FROM taken x WHERE EXISTS (SELECT FROM touch_listener t WHERE t.kind = 'passage'))
SELECT (SELECT count(*) FROM taken), (SELECT count(*) FROM listed), (SELECT count(*) FROM carried_on);

-- then from node 5; values:
--   p1 = 5
--   p2 = 500
--   p3 = 700
--   p4 = 300
--   p5 = 6
--   p6 = 401
--   p7 = 8
--   p8 = 402
--   p9 = 800
--   p10 = 9
-- ways out:
--   carried at node 5: no step
--   completed at node 5: 5.1
--   rests at node 6: 5.0
--   carried at node 9: 5.0 6.1 8.0; 5.0 6.1 8.1
WITH taken AS MATERIALIZED (
    DELETE FROM carried c WHERE c.node_id = %(p1)s::int AND c.entry = 0
    RETURNING c.passage_id, c.profile_id, c.hop AS first_hop, c.hop, c.at, c.entered_at, c.key, c.context, c.turns, 0 AS path),
n5 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, f.hop AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, 1 AS asks
    FROM taken f ),
n5_code_asked AS MATERIALIZED (
    SELECT f.*, row_number() OVER () - 1 AS turn FROM n5 f),
n5_code_cursor AS (
    UPDATE promo_cursor c SET next_no = least(c.next_no + (SELECT count(*) FROM n5_code_asked), c.end_no)
    WHERE c.lane = %(lane)s::smallint AND c.pool_id = %(p2)s::int RETURNING old.next_no AS first_no, new.next_no AS end_no),
n5_code AS MATERIALIZED (
    SELECT a.*, c.first_no + a.turn AS no, coalesce(c.first_no + a.turn < c.end_no, false) AS got
    FROM n5_code_asked a LEFT JOIN n5_code_cursor c ON true),
n5_code_given AS (
    INSERT INTO promo_assignment (passage_id, no, profile_id, at, expires_at, scenario_id, pool_id, node_id, hop, lane)
    SELECT f.passage_id, f.no, f.profile_id, f.at, f.at + (SELECT lifetime FROM promo_pool WHERE id = %(p2)s::int), %(p3)s::int, %(p2)s::int,
      %(p1)s::int, f.hop, %(lane)s::smallint FROM n5_code f WHERE f.got),
n6 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, (f.hop + 1) AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, s.id AS subscription_id, (s.effective = 0) IS TRUE AS sendable
    FROM (SELECT * FROM n5_code WHERE got) f LEFT JOIN LATERAL (SELECT s.id, s.effective FROM subscription s WHERE s.lane = %(lane)s::smallint AND s.profile_id = f.profile_id
      AND s.resource_id = %(p4)s::int AND s.channel = 1::smallint AND s.preferred LIMIT 1) s ON true),
n8 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, (f.hop + 1) AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, s.id AS subscription_id, (s.effective = 0) IS TRUE AS sendable
    FROM (SELECT * FROM n6 WHERE NOT sendable) f LEFT JOIN LATERAL (SELECT s.id, s.effective FROM subscription s WHERE s.lane = %(lane)s::smallint AND s.profile_id = f.profile_id
      AND s.resource_id = %(p4)s::int AND s.channel = 2::smallint AND s.preferred LIMIT 1) s ON true),
planned AS (
    INSERT INTO message (passage_id, hop, profile_id, subscription_id, created_at, scenario_id, node_id, template_id, resource_id, lane, channel, flags, state, reason)
    SELECT f.passage_id, f.hop, f.profile_id, f.subscription_id, f.at, %(p3)s::int, %(p5)s::int,
      %(p6)s::int, %(p4)s::int, %(lane)s::smallint, 1::smallint, 2::smallint,
      CASE WHEN f.sendable THEN 0 ELSE 9 END::smallint,
      CASE WHEN f.sendable THEN NULL WHEN f.subscription_id IS NULL THEN 1 ELSE 2 END::smallint
    FROM n6 f
    UNION ALL SELECT f.passage_id, f.hop, f.profile_id, f.subscription_id, f.at, %(p3)s::int, %(p7)s::int,
      %(p8)s::int, %(p4)s::int, %(lane)s::smallint, 2::smallint, 0::smallint,
      CASE WHEN f.sendable THEN 0 ELSE 9 END::smallint,
      CASE WHEN f.sendable THEN NULL WHEN f.subscription_id IS NULL THEN 1 ELSE 2 END::smallint
    FROM n8 f),
listed AS (
    INSERT INTO dispatch (at, not_before, scenario_id, node_id, template_id, lane, channel, priority, passage_ids, hops)
    SELECT %(now)s::timestamptz, %(now)s::timestamptz, %(p3)s::int, %(p5)s::int, %(p6)s::int, %(lane)s::smallint, 1::smallint, 1::smallint,
      array_agg(q.passage_id), array_agg(q.hop) FROM (SELECT f.passage_id, f.hop AS hop, row_number() OVER () / 1000 AS part FROM (SELECT * FROM n6 WHERE sendable) f) q GROUP BY q.part
    UNION ALL SELECT %(now)s::timestamptz, %(now)s::timestamptz, %(p3)s::int, %(p7)s::int, %(p8)s::int, %(lane)s::smallint, 2::smallint, 1::smallint,
      array_agg(q.passage_id), array_agg(q.hop) FROM (SELECT f.passage_id, f.hop AS hop, row_number() OVER () / 1000 AS part FROM (SELECT * FROM n8 WHERE sendable) f) q GROUP BY q.part
    RETURNING 1),
refusals AS (
    INSERT INTO message_counter (hour, n, scenario_id, node_id, kind) SELECT date_trunc('hour', f.at), count(*), %(p3)s::int, %(p5)s::int, 2::smallint
    FROM n6 f WHERE NOT f.sendable GROUP BY 1
    UNION ALL SELECT date_trunc('hour', f.at), count(*), %(p3)s::int, %(p7)s::int, 2::smallint
    FROM n8 f WHERE NOT f.sendable GROUP BY 1),
rests AS (
    INSERT INTO resting (passage_id, profile_id, entered_at, due_at, scenario_id, version_id, node_id, hop, lane, awaits, key, context, turns, waits_since)
    SELECT f.passage_id, f.profile_id, f.entered_at, NULL::timestamptz, %(p3)s::int, %(p9)s::int, %(p5)s::int,
      f.hop, %(lane)s::smallint, 1::smallint, f.key, f.context, f.turns, NULL::timestamptz FROM (SELECT * FROM n6 WHERE sendable) f),
carried_on AS (
    INSERT INTO carried (passage_id, profile_id, hop, at, entered_at, key, context, turns, node_id, entry)
    SELECT f.passage_id, f.profile_id, f.hop, f.at, f.entered_at, f.key, f.context, f.turns, %(p1)s::int, 1::smallint FROM (SELECT * FROM n5_code WHERE NOT got AND NOT %(last)s) f
    UNION ALL SELECT f.passage_id, f.profile_id, (f.hop + 1), f.at, f.entered_at, f.key, f.context, f.turns, %(p10)s::int, 0::smallint FROM n8 f
    RETURNING 1),
ends AS (
    INSERT INTO passage_ended (passage_id, profile_id, entered_at, ended_at, scenario_id, version_id, node_id, hop, lane, reason, key, context)
    SELECT f.passage_id, f.profile_id, f.entered_at, f.at, %(p3)s::int, %(p9)s::int, %(p1)s::int,
      (f.hop + 1), %(lane)s::smallint, 1::smallint, f.key, f.context FROM (SELECT * FROM n5_code WHERE NOT got AND %(last)s) f),
trailed AS (
    INSERT INTO trail (passage_id, at, hop, route_id, lane)
    SELECT f.passage_id, f.at, f.first_hop, (%(routes_1)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n5_code WHERE NOT got AND %(last)s) f
    UNION ALL SELECT f.passage_id, f.at, f.first_hop, (%(routes_2)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n6 WHERE sendable) f
    UNION ALL SELECT f.passage_id, f.at, f.first_hop, (%(routes_3)s::int[])[(f.path) * 2 + (CASE WHEN f.sendable THEN 0 ELSE 1 END) + 1], %(lane)s::smallint FROM n8 f),
counted AS (
    INSERT INTO counter (hour, n, route_id, lane)
    SELECT date_trunc('hour', f.at), count(*), (%(routes_0)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n5_code WHERE NOT got AND NOT %(last)s) f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_1)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n5_code WHERE NOT got AND %(last)s) f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_2)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n6 WHERE sendable) f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_3)s::int[])[(f.path) * 2 + (CASE WHEN f.sendable THEN 0 ELSE 1 END) + 1], %(lane)s::smallint FROM n8 f GROUP BY 1, 3),
touched AS (
    INSERT INTO touched (profile_id, lane) SELECT DISTINCT x.profile_id, %(lane)s::smallint FROM taken x WHERE EXISTS (SELECT FROM touch_listener t WHERE t.kind = 'passage'))
SELECT (SELECT count(*) FROM taken), (SELECT count(*) FROM listed), (SELECT count(*) FROM carried_on);

-- then from node 5, after pool 500 dealt; values:
--   p1 = 5
--   p2 = 500
--   p3 = 700
--   p4 = 300
--   p5 = 6
--   p6 = 401
--   p7 = 8
--   p8 = 402
--   p9 = 800
--   p10 = 9
-- ways out:
--   carried at node 5: no step
--   completed at node 5: 5.1
--   rests at node 6: 5.0
--   carried at node 9: 5.0 6.1 8.0; 5.0 6.1 8.1
WITH taken AS MATERIALIZED (
    DELETE FROM carried c WHERE c.node_id = %(p1)s::int AND c.entry = 1
    RETURNING c.passage_id, c.profile_id, c.hop AS first_hop, c.hop, c.at, c.entered_at, c.key, c.context, c.turns, 0 AS path),
n5 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, f.hop AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, 1 AS asks
    FROM taken f ),
n5_code_asked AS MATERIALIZED (
    SELECT f.*, row_number() OVER () - 1 AS turn FROM n5 f),
n5_code_cursor AS (
    UPDATE promo_cursor c SET next_no = least(c.next_no + (SELECT count(*) FROM n5_code_asked), c.end_no)
    WHERE c.lane = %(lane)s::smallint AND c.pool_id = %(p2)s::int RETURNING old.next_no AS first_no, new.next_no AS end_no),
n5_code AS MATERIALIZED (
    SELECT a.*, c.first_no + a.turn AS no, coalesce(c.first_no + a.turn < c.end_no, false) AS got
    FROM n5_code_asked a LEFT JOIN n5_code_cursor c ON true),
n5_code_given AS (
    INSERT INTO promo_assignment (passage_id, no, profile_id, at, expires_at, scenario_id, pool_id, node_id, hop, lane)
    SELECT f.passage_id, f.no, f.profile_id, f.at, f.at + (SELECT lifetime FROM promo_pool WHERE id = %(p2)s::int), %(p3)s::int, %(p2)s::int,
      %(p1)s::int, f.hop, %(lane)s::smallint FROM n5_code f WHERE f.got),
n6 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, (f.hop + 1) AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, s.id AS subscription_id, (s.effective = 0) IS TRUE AS sendable
    FROM (SELECT * FROM n5_code WHERE got) f LEFT JOIN LATERAL (SELECT s.id, s.effective FROM subscription s WHERE s.lane = %(lane)s::smallint AND s.profile_id = f.profile_id
      AND s.resource_id = %(p4)s::int AND s.channel = 1::smallint AND s.preferred LIMIT 1) s ON true),
n8 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, (f.hop + 1) AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, s.id AS subscription_id, (s.effective = 0) IS TRUE AS sendable
    FROM (SELECT * FROM n6 WHERE NOT sendable) f LEFT JOIN LATERAL (SELECT s.id, s.effective FROM subscription s WHERE s.lane = %(lane)s::smallint AND s.profile_id = f.profile_id
      AND s.resource_id = %(p4)s::int AND s.channel = 2::smallint AND s.preferred LIMIT 1) s ON true),
planned AS (
    INSERT INTO message (passage_id, hop, profile_id, subscription_id, created_at, scenario_id, node_id, template_id, resource_id, lane, channel, flags, state, reason)
    SELECT f.passage_id, f.hop, f.profile_id, f.subscription_id, f.at, %(p3)s::int, %(p5)s::int,
      %(p6)s::int, %(p4)s::int, %(lane)s::smallint, 1::smallint, 2::smallint,
      CASE WHEN f.sendable THEN 0 ELSE 9 END::smallint,
      CASE WHEN f.sendable THEN NULL WHEN f.subscription_id IS NULL THEN 1 ELSE 2 END::smallint
    FROM n6 f
    UNION ALL SELECT f.passage_id, f.hop, f.profile_id, f.subscription_id, f.at, %(p3)s::int, %(p7)s::int,
      %(p8)s::int, %(p4)s::int, %(lane)s::smallint, 2::smallint, 0::smallint,
      CASE WHEN f.sendable THEN 0 ELSE 9 END::smallint,
      CASE WHEN f.sendable THEN NULL WHEN f.subscription_id IS NULL THEN 1 ELSE 2 END::smallint
    FROM n8 f),
listed AS (
    INSERT INTO dispatch (at, not_before, scenario_id, node_id, template_id, lane, channel, priority, passage_ids, hops)
    SELECT %(now)s::timestamptz, %(now)s::timestamptz, %(p3)s::int, %(p5)s::int, %(p6)s::int, %(lane)s::smallint, 1::smallint, 1::smallint,
      array_agg(q.passage_id), array_agg(q.hop) FROM (SELECT f.passage_id, f.hop AS hop, row_number() OVER () / 1000 AS part FROM (SELECT * FROM n6 WHERE sendable) f) q GROUP BY q.part
    UNION ALL SELECT %(now)s::timestamptz, %(now)s::timestamptz, %(p3)s::int, %(p7)s::int, %(p8)s::int, %(lane)s::smallint, 2::smallint, 1::smallint,
      array_agg(q.passage_id), array_agg(q.hop) FROM (SELECT f.passage_id, f.hop AS hop, row_number() OVER () / 1000 AS part FROM (SELECT * FROM n8 WHERE sendable) f) q GROUP BY q.part
    RETURNING 1),
refusals AS (
    INSERT INTO message_counter (hour, n, scenario_id, node_id, kind) SELECT date_trunc('hour', f.at), count(*), %(p3)s::int, %(p5)s::int, 2::smallint
    FROM n6 f WHERE NOT f.sendable GROUP BY 1
    UNION ALL SELECT date_trunc('hour', f.at), count(*), %(p3)s::int, %(p7)s::int, 2::smallint
    FROM n8 f WHERE NOT f.sendable GROUP BY 1),
rests AS (
    INSERT INTO resting (passage_id, profile_id, entered_at, due_at, scenario_id, version_id, node_id, hop, lane, awaits, key, context, turns, waits_since)
    SELECT f.passage_id, f.profile_id, f.entered_at, NULL::timestamptz, %(p3)s::int, %(p9)s::int, %(p5)s::int,
      f.hop, %(lane)s::smallint, 1::smallint, f.key, f.context, f.turns, NULL::timestamptz FROM (SELECT * FROM n6 WHERE sendable) f),
carried_on AS (
    INSERT INTO carried (passage_id, profile_id, hop, at, entered_at, key, context, turns, node_id, entry)
    SELECT f.passage_id, f.profile_id, f.hop, f.at, f.entered_at, f.key, f.context, f.turns, %(p1)s::int, 1::smallint FROM (SELECT * FROM n5_code WHERE NOT got AND NOT %(last)s) f
    UNION ALL SELECT f.passage_id, f.profile_id, (f.hop + 1), f.at, f.entered_at, f.key, f.context, f.turns, %(p10)s::int, 0::smallint FROM n8 f
    RETURNING 1),
ends AS (
    INSERT INTO passage_ended (passage_id, profile_id, entered_at, ended_at, scenario_id, version_id, node_id, hop, lane, reason, key, context)
    SELECT f.passage_id, f.profile_id, f.entered_at, f.at, %(p3)s::int, %(p9)s::int, %(p1)s::int,
      (f.hop + 1), %(lane)s::smallint, 1::smallint, f.key, f.context FROM (SELECT * FROM n5_code WHERE NOT got AND %(last)s) f),
trailed AS (
    INSERT INTO trail (passage_id, at, hop, route_id, lane)
    SELECT f.passage_id, f.at, f.first_hop, (%(routes_1)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n5_code WHERE NOT got AND %(last)s) f
    UNION ALL SELECT f.passage_id, f.at, f.first_hop, (%(routes_2)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n6 WHERE sendable) f
    UNION ALL SELECT f.passage_id, f.at, f.first_hop, (%(routes_3)s::int[])[(f.path) * 2 + (CASE WHEN f.sendable THEN 0 ELSE 1 END) + 1], %(lane)s::smallint FROM n8 f),
counted AS (
    INSERT INTO counter (hour, n, route_id, lane)
    SELECT date_trunc('hour', f.at), count(*), (%(routes_0)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n5_code WHERE NOT got AND NOT %(last)s) f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_1)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n5_code WHERE NOT got AND %(last)s) f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_2)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n6 WHERE sendable) f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_3)s::int[])[(f.path) * 2 + (CASE WHEN f.sendable THEN 0 ELSE 1 END) + 1], %(lane)s::smallint FROM n8 f GROUP BY 1, 3),
touched AS (
    INSERT INTO touched (profile_id, lane) SELECT DISTINCT x.profile_id, %(lane)s::smallint FROM taken x WHERE EXISTS (SELECT FROM touch_listener t WHERE t.kind = 'passage'))
SELECT (SELECT count(*) FROM taken), (SELECT count(*) FROM listed), (SELECT count(*) FROM carried_on);

-- then from node 9; values:
--   p1 = 9
--   p2 = 2
--   p3 = 1
--   p4 = 0
--   p5 = datetime.timedelta(days=1)
--   p6 = 700
--   p7 = 800
--   p8 = 7
-- ways out:
--   completed at node 9: 9.1
--   rests at node 7: 9.0
WITH taken AS MATERIALIZED (
    DELETE FROM carried c WHERE c.node_id = %(p1)s::int AND c.entry = 0
    RETURNING c.passage_id, c.profile_id, c.hop AS first_hop, c.hop, c.at, c.entered_at, c.key, c.context, c.turns, 0 AS path),
n9 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, f.hop AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, (((EXISTS (SELECT FROM message m WHERE m.lane = %(lane)s::smallint AND m.passage_id = f.passage_id AND m.channel = %(p2)s::smallint AND m.state IN (0, 1, 2, 4))) IS TRUE) OR (NOT ((EXISTS (SELECT FROM subscription s WHERE s.lane = %(lane)s::smallint AND s.profile_id = f.profile_id AND s.channel = %(p3)s::smallint AND s.status = %(p4)s::smallint)) IS TRUE))) AS yes
    FROM taken f ),
rests AS (
    INSERT INTO resting (passage_id, profile_id, entered_at, due_at, scenario_id, version_id, node_id, hop, lane, awaits, key, context, turns, waits_since)
    SELECT f.passage_id, f.profile_id, f.entered_at, f.at + %(p5)s::interval, %(p6)s::int, %(p7)s::int, %(p8)s::int,
      (f.hop + 1), %(lane)s::smallint, NULL::smallint, f.key, f.context, f.turns, NULL::timestamptz FROM (SELECT * FROM n9 WHERE yes) f),
ends AS (
    INSERT INTO passage_ended (passage_id, profile_id, entered_at, ended_at, scenario_id, version_id, node_id, hop, lane, reason, key, context)
    SELECT f.passage_id, f.profile_id, f.entered_at, f.at, %(p6)s::int, %(p7)s::int, %(p1)s::int,
      (f.hop + 1), %(lane)s::smallint, 1::smallint, f.key, f.context FROM (SELECT * FROM n9 WHERE NOT yes) f),
trailed AS (
    INSERT INTO trail (passage_id, at, hop, route_id, lane)
    SELECT f.passage_id, f.at, f.first_hop, (%(routes_0)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n9 WHERE NOT yes) f
    UNION ALL SELECT f.passage_id, f.at, f.first_hop, (%(routes_1)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n9 WHERE yes) f),
counted AS (
    INSERT INTO counter (hour, n, route_id, lane)
    SELECT date_trunc('hour', f.at), count(*), (%(routes_0)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n9 WHERE NOT yes) f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_1)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n9 WHERE yes) f GROUP BY 1, 3),
touched AS (
    INSERT INTO touched (profile_id, lane) SELECT DISTINCT x.profile_id, %(lane)s::smallint FROM taken x WHERE EXISTS (SELECT FROM touch_listener t WHERE t.kind = 'passage'))
SELECT (SELECT count(*) FROM taken), 0, 0;

-- ======================================== woken at node 1

-- first stage; values:
--   p1 = 800
--   p2 = 1
--   p3 = 10
--   p4 = 'points'
--   p5 = 100
--   p6 = 700
--   p7 = 2
-- ways out:
--   carried at node 2: 1.0
WITH taken AS MATERIALIZED (
    DELETE FROM resting r USING (
      SELECT DISTINCT ON (profile_id) ctid FROM (
        SELECT d.ctid, d.profile_id, d.passage_id FROM resting d
         WHERE d.lane = %(lane)s::smallint AND d.version_id = %(p1)s::int AND d.node_id = %(p2)s::int AND d.due_at <= %(now)s::timestamptz
         ORDER BY d.due_at LIMIT %(batch)s) d ORDER BY profile_id, passage_id) x
     WHERE r.ctid = x.ctid AND r.lane = %(lane)s::smallint
    RETURNING r.passage_id, r.profile_id, r.hop AS first_hop, r.hop, r.due_at AS at, r.entered_at, r.key, r.context, r.turns, r.awaits, r.waits_since, 0 AS path),
n1 AS (
    UPDATE "profile_100" p SET "f201" = coalesce(p."f201", 0) + %(p3)s::bigint, updated_at = f.at FROM (SELECT s.* FROM taken s ORDER BY s.profile_id) f
    WHERE p.lane = %(lane)s::smallint AND p.id = f.profile_id RETURNING p.id, f.at, old."f201" AS o0, new."f201" AS n0),
n1_change AS (
    INSERT INTO change (profile_id, at, database_id, lane, kind, cause, cause_id, old, new)
    SELECT u.id, u.at, %(p5)s::int, %(lane)s::smallint, 2::smallint, 6::smallint, %(p6)s::bigint,
      jsonb_build_object(%(p4)s::text, u.o0), jsonb_build_object(%(p4)s::text, u.n0) FROM n1 u WHERE u.o0 IS DISTINCT FROM u.n0),
n1_touched AS (
    INSERT INTO touched (profile_id, lane) SELECT DISTINCT u.id, %(lane)s::smallint FROM n1 u WHERE EXISTS (SELECT FROM touch_listener t WHERE t.kind = 'profile')),
carried_on AS (
    INSERT INTO carried (passage_id, profile_id, hop, at, entered_at, key, context, turns, node_id, entry)
    SELECT f.passage_id, f.profile_id, (f.hop + 1), f.at, f.entered_at, f.key, f.context, f.turns, %(p7)s::int, 0::smallint FROM taken f
    RETURNING 1),
trailed AS (
    INSERT INTO trail (passage_id, at, hop, route_id, lane)
    SELECT f.passage_id, f.at, f.first_hop, (%(routes_0)s::int[])[f.path + 1], %(lane)s::smallint FROM taken f),
counted AS (
    INSERT INTO counter (hour, n, route_id, lane)
    SELECT date_trunc('hour', f.at), count(*), (%(routes_0)s::int[])[f.path + 1], %(lane)s::smallint FROM taken f GROUP BY 1, 3),
touched AS (
    INSERT INTO touched (profile_id, lane) SELECT DISTINCT x.profile_id, %(lane)s::smallint FROM taken x WHERE EXISTS (SELECT FROM touch_listener t WHERE t.kind = 'passage'))
SELECT (SELECT count(*) FROM taken), 0, (SELECT count(*) FROM carried_on);

-- then from node 2; values:
--   p1 = 2
--   p2 = 100
--   p3 = ['gold']
--   p4 = 'points'
--   p5 = 'labels'
--   p6 = 700
--   p7 = 500
--   p8 = 4
--   p9 = 300
--   p10 = 6
--   p11 = 401
--   p12 = 8
--   p13 = 402
--   p14 = 800
--   p15 = 5
--   p16 = 9
-- ways out:
--   carried at node 4: 2.1; 2.0 3.0
--   carried at node 5: 2.1 4.0; 2.0 3.0 4.0
--   rests at node 6: 2.1 4.1; 2.0 3.0 4.1
--   carried at node 9: 2.1 4.1 6.1 8.0; 2.1 4.1 6.1 8.1; 2.0 3.0 4.1 6.1 8.0; 2.0 3.0 4.1 6.1 8.1
WITH taken AS MATERIALIZED (
    DELETE FROM carried c WHERE c.node_id = %(p1)s::int AND c.entry = 0
    RETURNING c.passage_id, c.profile_id, c.hop AS first_hop, c.hop, c.at, c.entered_at, c.key, c.context, c.turns, 0 AS path),
n2 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, f.hop AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, (((p."f201" >= %(p2)s::bigint) IS TRUE)) AS yes
    FROM taken f LEFT JOIN LATERAL (SELECT * FROM "profile_100" p WHERE p.lane = %(lane)s::smallint AND p.id = f.profile_id LIMIT 1) p ON true),
n3 AS (
    UPDATE "profile_100" p SET "f201" = coalesce(p."f201", 0) - %(p2)s::bigint, "f203" = (SELECT array_agg(DISTINCT t) FROM unnest(coalesce(p."f203", '{}') || %(p3)s::text[]) t), updated_at = f.at FROM (SELECT s.* FROM (SELECT * FROM n2 WHERE yes) s ORDER BY s.profile_id) f
    WHERE p.lane = %(lane)s::smallint AND p.id = f.profile_id RETURNING p.id, f.at, old."f201" AS o0, new."f201" AS n0, old."f203" AS o1, new."f203" AS n1),
n3_change AS (
    INSERT INTO change (profile_id, at, database_id, lane, kind, cause, cause_id, old, new)
    SELECT u.id, u.at, %(p2)s::int, %(lane)s::smallint, 2::smallint, 6::smallint, %(p6)s::bigint,
      jsonb_build_object(%(p4)s::text, u.o0, %(p5)s::text, u.o1), jsonb_build_object(%(p4)s::text, u.n0, %(p5)s::text, u.n1) FROM n3 u WHERE u.o0 IS DISTINCT FROM u.n0 OR u.o1 IS DISTINCT FROM u.n1),
n3_touched AS (
    INSERT INTO touched (profile_id, lane) SELECT DISTINCT u.id, %(lane)s::smallint FROM n3 u WHERE EXISTS (SELECT FROM touch_listener t WHERE t.kind = 'profile')),
n4_in AS MATERIALIZED (
    SELECT passage_id, profile_id, first_hop, (f.hop + 1) AS hop, at, entered_at, key, context, turns, f.path + 0 AS path FROM (SELECT * FROM n2 WHERE NOT yes) f
    UNION ALL SELECT passage_id, profile_id, first_hop, (f.hop + 2) AS hop, at, entered_at, key, context, turns, f.path + 1 AS path FROM (SELECT * FROM n2 WHERE yes) f),
n4 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, f.hop AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, 1 AS asks
    FROM n4_in f ),
n4_code_asked AS MATERIALIZED (
    SELECT f.*, row_number() OVER () - 1 AS turn FROM n4 f),
n4_code_cursor AS (
    UPDATE promo_cursor c SET next_no = least(c.next_no + (SELECT count(*) FROM n4_code_asked), c.end_no)
    WHERE c.lane = %(lane)s::smallint AND c.pool_id = %(p7)s::int RETURNING old.next_no AS first_no, new.next_no AS end_no),
n4_code AS MATERIALIZED (
    SELECT a.*, c.first_no + a.turn AS no, coalesce(c.first_no + a.turn < c.end_no, false) AS got
    FROM n4_code_asked a LEFT JOIN n4_code_cursor c ON true),
n4_code_given AS (
    INSERT INTO promo_assignment (passage_id, no, profile_id, at, expires_at, scenario_id, pool_id, node_id, hop, lane)
    SELECT f.passage_id, f.no, f.profile_id, f.at, f.at + (SELECT lifetime FROM promo_pool WHERE id = %(p7)s::int), %(p6)s::int, %(p7)s::int,
      %(p8)s::int, f.hop, %(lane)s::smallint FROM n4_code f WHERE f.got),
n6 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, (f.hop + 1) AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, s.id AS subscription_id, (s.effective = 0) IS TRUE AS sendable
    FROM (SELECT * FROM n4_code WHERE NOT got AND %(last)s) f LEFT JOIN LATERAL (SELECT s.id, s.effective FROM subscription s WHERE s.lane = %(lane)s::smallint AND s.profile_id = f.profile_id
      AND s.resource_id = %(p9)s::int AND s.channel = 1::smallint AND s.preferred LIMIT 1) s ON true),
n8 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, (f.hop + 1) AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, s.id AS subscription_id, (s.effective = 0) IS TRUE AS sendable
    FROM (SELECT * FROM n6 WHERE NOT sendable) f LEFT JOIN LATERAL (SELECT s.id, s.effective FROM subscription s WHERE s.lane = %(lane)s::smallint AND s.profile_id = f.profile_id
      AND s.resource_id = %(p9)s::int AND s.channel = 2::smallint AND s.preferred LIMIT 1) s ON true),
planned AS (
    INSERT INTO message (passage_id, hop, profile_id, subscription_id, created_at, scenario_id, node_id, template_id, resource_id, lane, channel, flags, state, reason)
    SELECT f.passage_id, f.hop, f.profile_id, f.subscription_id, f.at, %(p6)s::int, %(p10)s::int,
      %(p11)s::int, %(p9)s::int, %(lane)s::smallint, 1::smallint, 2::smallint,
      CASE WHEN f.sendable THEN 0 ELSE 9 END::smallint,
      CASE WHEN f.sendable THEN NULL WHEN f.subscription_id IS NULL THEN 1 ELSE 2 END::smallint
    FROM n6 f
    UNION ALL SELECT f.passage_id, f.hop, f.profile_id, f.subscription_id, f.at, %(p6)s::int, %(p12)s::int,
      %(p13)s::int, %(p9)s::int, %(lane)s::smallint, 2::smallint, 0::smallint,
      CASE WHEN f.sendable THEN 0 ELSE 9 END::smallint,
      CASE WHEN f.sendable THEN NULL WHEN f.subscription_id IS NULL THEN 1 ELSE 2 END::smallint
    FROM n8 f),
listed AS (
    INSERT INTO dispatch (at, not_before, scenario_id, node_id, template_id, lane, channel, priority, passage_ids, hops)
    SELECT %(now)s::timestamptz, %(now)s::timestamptz, %(p6)s::int, %(p10)s::int, %(p11)s::int, %(lane)s::smallint, 1::smallint, 5::smallint,
      array_agg(q.passage_id), array_agg(q.hop) FROM (SELECT f.passage_id, f.hop AS hop, row_number() OVER () / 1000 AS part FROM (SELECT * FROM n6 WHERE sendable) f) q GROUP BY q.part
    UNION ALL SELECT %(now)s::timestamptz, %(now)s::timestamptz, %(p6)s::int, %(p12)s::int, %(p13)s::int, %(lane)s::smallint, 2::smallint, 5::smallint,
      array_agg(q.passage_id), array_agg(q.hop) FROM (SELECT f.passage_id, f.hop AS hop, row_number() OVER () / 1000 AS part FROM (SELECT * FROM n8 WHERE sendable) f) q GROUP BY q.part
    RETURNING 1),
refusals AS (
    INSERT INTO message_counter (hour, n, scenario_id, node_id, kind) SELECT date_trunc('hour', f.at), count(*), %(p6)s::int, %(p10)s::int, 2::smallint
    FROM n6 f WHERE NOT f.sendable GROUP BY 1
    UNION ALL SELECT date_trunc('hour', f.at), count(*), %(p6)s::int, %(p12)s::int, 2::smallint
    FROM n8 f WHERE NOT f.sendable GROUP BY 1),
rests AS (
    INSERT INTO resting (passage_id, profile_id, entered_at, due_at, scenario_id, version_id, node_id, hop, lane, awaits, key, context, turns, waits_since)
    SELECT f.passage_id, f.profile_id, f.entered_at, NULL::timestamptz, %(p6)s::int, %(p14)s::int, %(p10)s::int,
      f.hop, %(lane)s::smallint, 1::smallint, f.key, f.context, f.turns, NULL::timestamptz FROM (SELECT * FROM n6 WHERE sendable) f),
carried_on AS (
    INSERT INTO carried (passage_id, profile_id, hop, at, entered_at, key, context, turns, node_id, entry)
    SELECT f.passage_id, f.profile_id, f.hop, f.at, f.entered_at, f.key, f.context, f.turns, %(p8)s::int, 1::smallint FROM (SELECT * FROM n4_code WHERE NOT got AND NOT %(last)s) f
    UNION ALL SELECT f.passage_id, f.profile_id, (f.hop + 1), f.at, f.entered_at, f.key, f.context, f.turns, %(p15)s::int, 0::smallint FROM (SELECT * FROM n4_code WHERE got) f
    UNION ALL SELECT f.passage_id, f.profile_id, (f.hop + 1), f.at, f.entered_at, f.key, f.context, f.turns, %(p16)s::int, 0::smallint FROM n8 f
    RETURNING 1),
trailed AS (
    INSERT INTO trail (passage_id, at, hop, route_id, lane)
    SELECT f.passage_id, f.at, f.first_hop, (%(routes_0)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n4_code WHERE NOT got AND NOT %(last)s) f
    UNION ALL SELECT f.passage_id, f.at, f.first_hop, (%(routes_1)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n4_code WHERE got) f
    UNION ALL SELECT f.passage_id, f.at, f.first_hop, (%(routes_2)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n6 WHERE sendable) f
    UNION ALL SELECT f.passage_id, f.at, f.first_hop, (%(routes_3)s::int[])[(f.path) * 2 + (CASE WHEN f.sendable THEN 0 ELSE 1 END) + 1], %(lane)s::smallint FROM n8 f),
counted AS (
    INSERT INTO counter (hour, n, route_id, lane)
    SELECT date_trunc('hour', f.at), count(*), (%(routes_0)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n4_code WHERE NOT got AND NOT %(last)s) f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_1)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n4_code WHERE got) f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_2)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n6 WHERE sendable) f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_3)s::int[])[(f.path) * 2 + (CASE WHEN f.sendable THEN 0 ELSE 1 END) + 1], %(lane)s::smallint FROM n8 f GROUP BY 1, 3),
touched AS (
    INSERT INTO touched (profile_id, lane) SELECT DISTINCT x.profile_id, %(lane)s::smallint FROM taken x WHERE EXISTS (SELECT FROM touch_listener t WHERE t.kind = 'passage'))
SELECT (SELECT count(*) FROM taken), (SELECT count(*) FROM listed), (SELECT count(*) FROM carried_on);

-- then from node 4, after pool 500 dealt; values:
--   p1 = 4
--   p2 = 500
--   p3 = 700
--   p4 = 300
--   p5 = 6
--   p6 = 401
--   p7 = 8
--   p8 = 402
--   p9 = 800
--   p10 = 5
--   p11 = 9
-- ways out:
--   carried at node 4: no step
--   carried at node 5: 4.0
--   rests at node 6: 4.1
--   carried at node 9: 4.1 6.1 8.0; 4.1 6.1 8.1
WITH taken AS MATERIALIZED (
    DELETE FROM carried c WHERE c.node_id = %(p1)s::int AND c.entry = 1
    RETURNING c.passage_id, c.profile_id, c.hop AS first_hop, c.hop, c.at, c.entered_at, c.key, c.context, c.turns, 0 AS path),
n4 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, f.hop AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, 1 AS asks
    FROM taken f ),
n4_code_asked AS MATERIALIZED (
    SELECT f.*, row_number() OVER () - 1 AS turn FROM n4 f),
n4_code_cursor AS (
    UPDATE promo_cursor c SET next_no = least(c.next_no + (SELECT count(*) FROM n4_code_asked), c.end_no)
    WHERE c.lane = %(lane)s::smallint AND c.pool_id = %(p2)s::int RETURNING old.next_no AS first_no, new.next_no AS end_no),
n4_code AS MATERIALIZED (
    SELECT a.*, c.first_no + a.turn AS no, coalesce(c.first_no + a.turn < c.end_no, false) AS got
    FROM n4_code_asked a LEFT JOIN n4_code_cursor c ON true),
n4_code_given AS (
    INSERT INTO promo_assignment (passage_id, no, profile_id, at, expires_at, scenario_id, pool_id, node_id, hop, lane)
    SELECT f.passage_id, f.no, f.profile_id, f.at, f.at + (SELECT lifetime FROM promo_pool WHERE id = %(p2)s::int), %(p3)s::int, %(p2)s::int,
      %(p1)s::int, f.hop, %(lane)s::smallint FROM n4_code f WHERE f.got),
n6 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, (f.hop + 1) AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, s.id AS subscription_id, (s.effective = 0) IS TRUE AS sendable
    FROM (SELECT * FROM n4_code WHERE NOT got AND %(last)s) f LEFT JOIN LATERAL (SELECT s.id, s.effective FROM subscription s WHERE s.lane = %(lane)s::smallint AND s.profile_id = f.profile_id
      AND s.resource_id = %(p4)s::int AND s.channel = 1::smallint AND s.preferred LIMIT 1) s ON true),
n8 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, (f.hop + 1) AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, s.id AS subscription_id, (s.effective = 0) IS TRUE AS sendable
    FROM (SELECT * FROM n6 WHERE NOT sendable) f LEFT JOIN LATERAL (SELECT s.id, s.effective FROM subscription s WHERE s.lane = %(lane)s::smallint AND s.profile_id = f.profile_id
      AND s.resource_id = %(p4)s::int AND s.channel = 2::smallint AND s.preferred LIMIT 1) s ON true),
planned AS (
    INSERT INTO message (passage_id, hop, profile_id, subscription_id, created_at, scenario_id, node_id, template_id, resource_id, lane, channel, flags, state, reason)
    SELECT f.passage_id, f.hop, f.profile_id, f.subscription_id, f.at, %(p3)s::int, %(p5)s::int,
      %(p6)s::int, %(p4)s::int, %(lane)s::smallint, 1::smallint, 2::smallint,
      CASE WHEN f.sendable THEN 0 ELSE 9 END::smallint,
      CASE WHEN f.sendable THEN NULL WHEN f.subscription_id IS NULL THEN 1 ELSE 2 END::smallint
    FROM n6 f
    UNION ALL SELECT f.passage_id, f.hop, f.profile_id, f.subscription_id, f.at, %(p3)s::int, %(p7)s::int,
      %(p8)s::int, %(p4)s::int, %(lane)s::smallint, 2::smallint, 0::smallint,
      CASE WHEN f.sendable THEN 0 ELSE 9 END::smallint,
      CASE WHEN f.sendable THEN NULL WHEN f.subscription_id IS NULL THEN 1 ELSE 2 END::smallint
    FROM n8 f),
listed AS (
    INSERT INTO dispatch (at, not_before, scenario_id, node_id, template_id, lane, channel, priority, passage_ids, hops)
    SELECT %(now)s::timestamptz, %(now)s::timestamptz, %(p3)s::int, %(p5)s::int, %(p6)s::int, %(lane)s::smallint, 1::smallint, 5::smallint,
      array_agg(q.passage_id), array_agg(q.hop) FROM (SELECT f.passage_id, f.hop AS hop, row_number() OVER () / 1000 AS part FROM (SELECT * FROM n6 WHERE sendable) f) q GROUP BY q.part
    UNION ALL SELECT %(now)s::timestamptz, %(now)s::timestamptz, %(p3)s::int, %(p7)s::int, %(p8)s::int, %(lane)s::smallint, 2::smallint, 5::smallint,
      array_agg(q.passage_id), array_agg(q.hop) FROM (SELECT f.passage_id, f.hop AS hop, row_number() OVER () / 1000 AS part FROM (SELECT * FROM n8 WHERE sendable) f) q GROUP BY q.part
    RETURNING 1),
refusals AS (
    INSERT INTO message_counter (hour, n, scenario_id, node_id, kind) SELECT date_trunc('hour', f.at), count(*), %(p3)s::int, %(p5)s::int, 2::smallint
    FROM n6 f WHERE NOT f.sendable GROUP BY 1
    UNION ALL SELECT date_trunc('hour', f.at), count(*), %(p3)s::int, %(p7)s::int, 2::smallint
    FROM n8 f WHERE NOT f.sendable GROUP BY 1),
rests AS (
    INSERT INTO resting (passage_id, profile_id, entered_at, due_at, scenario_id, version_id, node_id, hop, lane, awaits, key, context, turns, waits_since)
    SELECT f.passage_id, f.profile_id, f.entered_at, NULL::timestamptz, %(p3)s::int, %(p9)s::int, %(p5)s::int,
      f.hop, %(lane)s::smallint, 1::smallint, f.key, f.context, f.turns, NULL::timestamptz FROM (SELECT * FROM n6 WHERE sendable) f),
carried_on AS (
    INSERT INTO carried (passage_id, profile_id, hop, at, entered_at, key, context, turns, node_id, entry)
    SELECT f.passage_id, f.profile_id, f.hop, f.at, f.entered_at, f.key, f.context, f.turns, %(p1)s::int, 1::smallint FROM (SELECT * FROM n4_code WHERE NOT got AND NOT %(last)s) f
    UNION ALL SELECT f.passage_id, f.profile_id, (f.hop + 1), f.at, f.entered_at, f.key, f.context, f.turns, %(p10)s::int, 0::smallint FROM (SELECT * FROM n4_code WHERE got) f
    UNION ALL SELECT f.passage_id, f.profile_id, (f.hop + 1), f.at, f.entered_at, f.key, f.context, f.turns, %(p11)s::int, 0::smallint FROM n8 f
    RETURNING 1),
trailed AS (
    INSERT INTO trail (passage_id, at, hop, route_id, lane)
    SELECT f.passage_id, f.at, f.first_hop, (%(routes_1)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n4_code WHERE got) f
    UNION ALL SELECT f.passage_id, f.at, f.first_hop, (%(routes_2)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n6 WHERE sendable) f
    UNION ALL SELECT f.passage_id, f.at, f.first_hop, (%(routes_3)s::int[])[(f.path) * 2 + (CASE WHEN f.sendable THEN 0 ELSE 1 END) + 1], %(lane)s::smallint FROM n8 f),
counted AS (
    INSERT INTO counter (hour, n, route_id, lane)
    SELECT date_trunc('hour', f.at), count(*), (%(routes_0)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n4_code WHERE NOT got AND NOT %(last)s) f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_1)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n4_code WHERE got) f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_2)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n6 WHERE sendable) f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_3)s::int[])[(f.path) * 2 + (CASE WHEN f.sendable THEN 0 ELSE 1 END) + 1], %(lane)s::smallint FROM n8 f GROUP BY 1, 3),
touched AS (
    INSERT INTO touched (profile_id, lane) SELECT DISTINCT x.profile_id, %(lane)s::smallint FROM taken x WHERE EXISTS (SELECT FROM touch_listener t WHERE t.kind = 'passage'))
SELECT (SELECT count(*) FROM taken), (SELECT count(*) FROM listed), (SELECT count(*) FROM carried_on);

-- then from node 5; values:
--   p1 = 5
--   p2 = 500
--   p3 = 700
--   p4 = 300
--   p5 = 6
--   p6 = 401
--   p7 = 8
--   p8 = 402
--   p9 = 800
--   p10 = 9
-- ways out:
--   carried at node 5: no step
--   completed at node 5: 5.1
--   rests at node 6: 5.0
--   carried at node 9: 5.0 6.1 8.0; 5.0 6.1 8.1
WITH taken AS MATERIALIZED (
    DELETE FROM carried c WHERE c.node_id = %(p1)s::int AND c.entry = 0
    RETURNING c.passage_id, c.profile_id, c.hop AS first_hop, c.hop, c.at, c.entered_at, c.key, c.context, c.turns, 0 AS path),
n5 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, f.hop AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, 1 AS asks
    FROM taken f ),
n5_code_asked AS MATERIALIZED (
    SELECT f.*, row_number() OVER () - 1 AS turn FROM n5 f),
n5_code_cursor AS (
    UPDATE promo_cursor c SET next_no = least(c.next_no + (SELECT count(*) FROM n5_code_asked), c.end_no)
    WHERE c.lane = %(lane)s::smallint AND c.pool_id = %(p2)s::int RETURNING old.next_no AS first_no, new.next_no AS end_no),
n5_code AS MATERIALIZED (
    SELECT a.*, c.first_no + a.turn AS no, coalesce(c.first_no + a.turn < c.end_no, false) AS got
    FROM n5_code_asked a LEFT JOIN n5_code_cursor c ON true),
n5_code_given AS (
    INSERT INTO promo_assignment (passage_id, no, profile_id, at, expires_at, scenario_id, pool_id, node_id, hop, lane)
    SELECT f.passage_id, f.no, f.profile_id, f.at, f.at + (SELECT lifetime FROM promo_pool WHERE id = %(p2)s::int), %(p3)s::int, %(p2)s::int,
      %(p1)s::int, f.hop, %(lane)s::smallint FROM n5_code f WHERE f.got),
n6 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, (f.hop + 1) AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, s.id AS subscription_id, (s.effective = 0) IS TRUE AS sendable
    FROM (SELECT * FROM n5_code WHERE got) f LEFT JOIN LATERAL (SELECT s.id, s.effective FROM subscription s WHERE s.lane = %(lane)s::smallint AND s.profile_id = f.profile_id
      AND s.resource_id = %(p4)s::int AND s.channel = 1::smallint AND s.preferred LIMIT 1) s ON true),
n8 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, (f.hop + 1) AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, s.id AS subscription_id, (s.effective = 0) IS TRUE AS sendable
    FROM (SELECT * FROM n6 WHERE NOT sendable) f LEFT JOIN LATERAL (SELECT s.id, s.effective FROM subscription s WHERE s.lane = %(lane)s::smallint AND s.profile_id = f.profile_id
      AND s.resource_id = %(p4)s::int AND s.channel = 2::smallint AND s.preferred LIMIT 1) s ON true),
planned AS (
    INSERT INTO message (passage_id, hop, profile_id, subscription_id, created_at, scenario_id, node_id, template_id, resource_id, lane, channel, flags, state, reason)
    SELECT f.passage_id, f.hop, f.profile_id, f.subscription_id, f.at, %(p3)s::int, %(p5)s::int,
      %(p6)s::int, %(p4)s::int, %(lane)s::smallint, 1::smallint, 2::smallint,
      CASE WHEN f.sendable THEN 0 ELSE 9 END::smallint,
      CASE WHEN f.sendable THEN NULL WHEN f.subscription_id IS NULL THEN 1 ELSE 2 END::smallint
    FROM n6 f
    UNION ALL SELECT f.passage_id, f.hop, f.profile_id, f.subscription_id, f.at, %(p3)s::int, %(p7)s::int,
      %(p8)s::int, %(p4)s::int, %(lane)s::smallint, 2::smallint, 0::smallint,
      CASE WHEN f.sendable THEN 0 ELSE 9 END::smallint,
      CASE WHEN f.sendable THEN NULL WHEN f.subscription_id IS NULL THEN 1 ELSE 2 END::smallint
    FROM n8 f),
listed AS (
    INSERT INTO dispatch (at, not_before, scenario_id, node_id, template_id, lane, channel, priority, passage_ids, hops)
    SELECT %(now)s::timestamptz, %(now)s::timestamptz, %(p3)s::int, %(p5)s::int, %(p6)s::int, %(lane)s::smallint, 1::smallint, 5::smallint,
      array_agg(q.passage_id), array_agg(q.hop) FROM (SELECT f.passage_id, f.hop AS hop, row_number() OVER () / 1000 AS part FROM (SELECT * FROM n6 WHERE sendable) f) q GROUP BY q.part
    UNION ALL SELECT %(now)s::timestamptz, %(now)s::timestamptz, %(p3)s::int, %(p7)s::int, %(p8)s::int, %(lane)s::smallint, 2::smallint, 5::smallint,
      array_agg(q.passage_id), array_agg(q.hop) FROM (SELECT f.passage_id, f.hop AS hop, row_number() OVER () / 1000 AS part FROM (SELECT * FROM n8 WHERE sendable) f) q GROUP BY q.part
    RETURNING 1),
refusals AS (
    INSERT INTO message_counter (hour, n, scenario_id, node_id, kind) SELECT date_trunc('hour', f.at), count(*), %(p3)s::int, %(p5)s::int, 2::smallint
    FROM n6 f WHERE NOT f.sendable GROUP BY 1
    UNION ALL SELECT date_trunc('hour', f.at), count(*), %(p3)s::int, %(p7)s::int, 2::smallint
    FROM n8 f WHERE NOT f.sendable GROUP BY 1),
rests AS (
    INSERT INTO resting (passage_id, profile_id, entered_at, due_at, scenario_id, version_id, node_id, hop, lane, awaits, key, context, turns, waits_since)
    SELECT f.passage_id, f.profile_id, f.entered_at, NULL::timestamptz, %(p3)s::int, %(p9)s::int, %(p5)s::int,
      f.hop, %(lane)s::smallint, 1::smallint, f.key, f.context, f.turns, NULL::timestamptz FROM (SELECT * FROM n6 WHERE sendable) f),
carried_on AS (
    INSERT INTO carried (passage_id, profile_id, hop, at, entered_at, key, context, turns, node_id, entry)
    SELECT f.passage_id, f.profile_id, f.hop, f.at, f.entered_at, f.key, f.context, f.turns, %(p1)s::int, 1::smallint FROM (SELECT * FROM n5_code WHERE NOT got AND NOT %(last)s) f
    UNION ALL SELECT f.passage_id, f.profile_id, (f.hop + 1), f.at, f.entered_at, f.key, f.context, f.turns, %(p10)s::int, 0::smallint FROM n8 f
    RETURNING 1),
ends AS (
    INSERT INTO passage_ended (passage_id, profile_id, entered_at, ended_at, scenario_id, version_id, node_id, hop, lane, reason, key, context)
    SELECT f.passage_id, f.profile_id, f.entered_at, f.at, %(p3)s::int, %(p9)s::int, %(p1)s::int,
      (f.hop + 1), %(lane)s::smallint, 1::smallint, f.key, f.context FROM (SELECT * FROM n5_code WHERE NOT got AND %(last)s) f),
trailed AS (
    INSERT INTO trail (passage_id, at, hop, route_id, lane)
    SELECT f.passage_id, f.at, f.first_hop, (%(routes_1)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n5_code WHERE NOT got AND %(last)s) f
    UNION ALL SELECT f.passage_id, f.at, f.first_hop, (%(routes_2)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n6 WHERE sendable) f
    UNION ALL SELECT f.passage_id, f.at, f.first_hop, (%(routes_3)s::int[])[(f.path) * 2 + (CASE WHEN f.sendable THEN 0 ELSE 1 END) + 1], %(lane)s::smallint FROM n8 f),
counted AS (
    INSERT INTO counter (hour, n, route_id, lane)
    SELECT date_trunc('hour', f.at), count(*), (%(routes_0)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n5_code WHERE NOT got AND NOT %(last)s) f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_1)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n5_code WHERE NOT got AND %(last)s) f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_2)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n6 WHERE sendable) f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_3)s::int[])[(f.path) * 2 + (CASE WHEN f.sendable THEN 0 ELSE 1 END) + 1], %(lane)s::smallint FROM n8 f GROUP BY 1, 3),
touched AS (
    INSERT INTO touched (profile_id, lane) SELECT DISTINCT x.profile_id, %(lane)s::smallint FROM taken x WHERE EXISTS (SELECT FROM touch_listener t WHERE t.kind = 'passage'))
SELECT (SELECT count(*) FROM taken), (SELECT count(*) FROM listed), (SELECT count(*) FROM carried_on);

-- then from node 5, after pool 500 dealt; values:
--   p1 = 5
--   p2 = 500
--   p3 = 700
--   p4 = 300
--   p5 = 6
--   p6 = 401
--   p7 = 8
--   p8 = 402
--   p9 = 800
--   p10 = 9
-- ways out:
--   carried at node 5: no step
--   completed at node 5: 5.1
--   rests at node 6: 5.0
--   carried at node 9: 5.0 6.1 8.0; 5.0 6.1 8.1
WITH taken AS MATERIALIZED (
    DELETE FROM carried c WHERE c.node_id = %(p1)s::int AND c.entry = 1
    RETURNING c.passage_id, c.profile_id, c.hop AS first_hop, c.hop, c.at, c.entered_at, c.key, c.context, c.turns, 0 AS path),
n5 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, f.hop AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, 1 AS asks
    FROM taken f ),
n5_code_asked AS MATERIALIZED (
    SELECT f.*, row_number() OVER () - 1 AS turn FROM n5 f),
n5_code_cursor AS (
    UPDATE promo_cursor c SET next_no = least(c.next_no + (SELECT count(*) FROM n5_code_asked), c.end_no)
    WHERE c.lane = %(lane)s::smallint AND c.pool_id = %(p2)s::int RETURNING old.next_no AS first_no, new.next_no AS end_no),
n5_code AS MATERIALIZED (
    SELECT a.*, c.first_no + a.turn AS no, coalesce(c.first_no + a.turn < c.end_no, false) AS got
    FROM n5_code_asked a LEFT JOIN n5_code_cursor c ON true),
n5_code_given AS (
    INSERT INTO promo_assignment (passage_id, no, profile_id, at, expires_at, scenario_id, pool_id, node_id, hop, lane)
    SELECT f.passage_id, f.no, f.profile_id, f.at, f.at + (SELECT lifetime FROM promo_pool WHERE id = %(p2)s::int), %(p3)s::int, %(p2)s::int,
      %(p1)s::int, f.hop, %(lane)s::smallint FROM n5_code f WHERE f.got),
n6 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, (f.hop + 1) AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, s.id AS subscription_id, (s.effective = 0) IS TRUE AS sendable
    FROM (SELECT * FROM n5_code WHERE got) f LEFT JOIN LATERAL (SELECT s.id, s.effective FROM subscription s WHERE s.lane = %(lane)s::smallint AND s.profile_id = f.profile_id
      AND s.resource_id = %(p4)s::int AND s.channel = 1::smallint AND s.preferred LIMIT 1) s ON true),
n8 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, (f.hop + 1) AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, s.id AS subscription_id, (s.effective = 0) IS TRUE AS sendable
    FROM (SELECT * FROM n6 WHERE NOT sendable) f LEFT JOIN LATERAL (SELECT s.id, s.effective FROM subscription s WHERE s.lane = %(lane)s::smallint AND s.profile_id = f.profile_id
      AND s.resource_id = %(p4)s::int AND s.channel = 2::smallint AND s.preferred LIMIT 1) s ON true),
planned AS (
    INSERT INTO message (passage_id, hop, profile_id, subscription_id, created_at, scenario_id, node_id, template_id, resource_id, lane, channel, flags, state, reason)
    SELECT f.passage_id, f.hop, f.profile_id, f.subscription_id, f.at, %(p3)s::int, %(p5)s::int,
      %(p6)s::int, %(p4)s::int, %(lane)s::smallint, 1::smallint, 2::smallint,
      CASE WHEN f.sendable THEN 0 ELSE 9 END::smallint,
      CASE WHEN f.sendable THEN NULL WHEN f.subscription_id IS NULL THEN 1 ELSE 2 END::smallint
    FROM n6 f
    UNION ALL SELECT f.passage_id, f.hop, f.profile_id, f.subscription_id, f.at, %(p3)s::int, %(p7)s::int,
      %(p8)s::int, %(p4)s::int, %(lane)s::smallint, 2::smallint, 0::smallint,
      CASE WHEN f.sendable THEN 0 ELSE 9 END::smallint,
      CASE WHEN f.sendable THEN NULL WHEN f.subscription_id IS NULL THEN 1 ELSE 2 END::smallint
    FROM n8 f),
listed AS (
    INSERT INTO dispatch (at, not_before, scenario_id, node_id, template_id, lane, channel, priority, passage_ids, hops)
    SELECT %(now)s::timestamptz, %(now)s::timestamptz, %(p3)s::int, %(p5)s::int, %(p6)s::int, %(lane)s::smallint, 1::smallint, 5::smallint,
      array_agg(q.passage_id), array_agg(q.hop) FROM (SELECT f.passage_id, f.hop AS hop, row_number() OVER () / 1000 AS part FROM (SELECT * FROM n6 WHERE sendable) f) q GROUP BY q.part
    UNION ALL SELECT %(now)s::timestamptz, %(now)s::timestamptz, %(p3)s::int, %(p7)s::int, %(p8)s::int, %(lane)s::smallint, 2::smallint, 5::smallint,
      array_agg(q.passage_id), array_agg(q.hop) FROM (SELECT f.passage_id, f.hop AS hop, row_number() OVER () / 1000 AS part FROM (SELECT * FROM n8 WHERE sendable) f) q GROUP BY q.part
    RETURNING 1),
refusals AS (
    INSERT INTO message_counter (hour, n, scenario_id, node_id, kind) SELECT date_trunc('hour', f.at), count(*), %(p3)s::int, %(p5)s::int, 2::smallint
    FROM n6 f WHERE NOT f.sendable GROUP BY 1
    UNION ALL SELECT date_trunc('hour', f.at), count(*), %(p3)s::int, %(p7)s::int, 2::smallint
    FROM n8 f WHERE NOT f.sendable GROUP BY 1),
rests AS (
    INSERT INTO resting (passage_id, profile_id, entered_at, due_at, scenario_id, version_id, node_id, hop, lane, awaits, key, context, turns, waits_since)
    SELECT f.passage_id, f.profile_id, f.entered_at, NULL::timestamptz, %(p3)s::int, %(p9)s::int, %(p5)s::int,
      f.hop, %(lane)s::smallint, 1::smallint, f.key, f.context, f.turns, NULL::timestamptz FROM (SELECT * FROM n6 WHERE sendable) f),
carried_on AS (
    INSERT INTO carried (passage_id, profile_id, hop, at, entered_at, key, context, turns, node_id, entry)
    SELECT f.passage_id, f.profile_id, f.hop, f.at, f.entered_at, f.key, f.context, f.turns, %(p1)s::int, 1::smallint FROM (SELECT * FROM n5_code WHERE NOT got AND NOT %(last)s) f
    UNION ALL SELECT f.passage_id, f.profile_id, (f.hop + 1), f.at, f.entered_at, f.key, f.context, f.turns, %(p10)s::int, 0::smallint FROM n8 f
    RETURNING 1),
ends AS (
    INSERT INTO passage_ended (passage_id, profile_id, entered_at, ended_at, scenario_id, version_id, node_id, hop, lane, reason, key, context)
    SELECT f.passage_id, f.profile_id, f.entered_at, f.at, %(p3)s::int, %(p9)s::int, %(p1)s::int,
      (f.hop + 1), %(lane)s::smallint, 1::smallint, f.key, f.context FROM (SELECT * FROM n5_code WHERE NOT got AND %(last)s) f),
trailed AS (
    INSERT INTO trail (passage_id, at, hop, route_id, lane)
    SELECT f.passage_id, f.at, f.first_hop, (%(routes_1)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n5_code WHERE NOT got AND %(last)s) f
    UNION ALL SELECT f.passage_id, f.at, f.first_hop, (%(routes_2)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n6 WHERE sendable) f
    UNION ALL SELECT f.passage_id, f.at, f.first_hop, (%(routes_3)s::int[])[(f.path) * 2 + (CASE WHEN f.sendable THEN 0 ELSE 1 END) + 1], %(lane)s::smallint FROM n8 f),
counted AS (
    INSERT INTO counter (hour, n, route_id, lane)
    SELECT date_trunc('hour', f.at), count(*), (%(routes_0)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n5_code WHERE NOT got AND NOT %(last)s) f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_1)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n5_code WHERE NOT got AND %(last)s) f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_2)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n6 WHERE sendable) f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_3)s::int[])[(f.path) * 2 + (CASE WHEN f.sendable THEN 0 ELSE 1 END) + 1], %(lane)s::smallint FROM n8 f GROUP BY 1, 3),
touched AS (
    INSERT INTO touched (profile_id, lane) SELECT DISTINCT x.profile_id, %(lane)s::smallint FROM taken x WHERE EXISTS (SELECT FROM touch_listener t WHERE t.kind = 'passage'))
SELECT (SELECT count(*) FROM taken), (SELECT count(*) FROM listed), (SELECT count(*) FROM carried_on);

-- then from node 9; values:
--   p1 = 9
--   p2 = 2
--   p3 = 1
--   p4 = 0
--   p5 = datetime.timedelta(days=1)
--   p6 = 700
--   p7 = 800
--   p8 = 7
-- ways out:
--   completed at node 9: 9.1
--   rests at node 7: 9.0
WITH taken AS MATERIALIZED (
    DELETE FROM carried c WHERE c.node_id = %(p1)s::int AND c.entry = 0
    RETURNING c.passage_id, c.profile_id, c.hop AS first_hop, c.hop, c.at, c.entered_at, c.key, c.context, c.turns, 0 AS path),
n9 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, f.hop AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, (((EXISTS (SELECT FROM message m WHERE m.lane = %(lane)s::smallint AND m.passage_id = f.passage_id AND m.channel = %(p2)s::smallint AND m.state IN (0, 1, 2, 4))) IS TRUE) OR (NOT ((EXISTS (SELECT FROM subscription s WHERE s.lane = %(lane)s::smallint AND s.profile_id = f.profile_id AND s.channel = %(p3)s::smallint AND s.status = %(p4)s::smallint)) IS TRUE))) AS yes
    FROM taken f ),
rests AS (
    INSERT INTO resting (passage_id, profile_id, entered_at, due_at, scenario_id, version_id, node_id, hop, lane, awaits, key, context, turns, waits_since)
    SELECT f.passage_id, f.profile_id, f.entered_at, f.at + %(p5)s::interval, %(p6)s::int, %(p7)s::int, %(p8)s::int,
      (f.hop + 1), %(lane)s::smallint, NULL::smallint, f.key, f.context, f.turns, NULL::timestamptz FROM (SELECT * FROM n9 WHERE yes) f),
ends AS (
    INSERT INTO passage_ended (passage_id, profile_id, entered_at, ended_at, scenario_id, version_id, node_id, hop, lane, reason, key, context)
    SELECT f.passage_id, f.profile_id, f.entered_at, f.at, %(p6)s::int, %(p7)s::int, %(p1)s::int,
      (f.hop + 1), %(lane)s::smallint, 1::smallint, f.key, f.context FROM (SELECT * FROM n9 WHERE NOT yes) f),
trailed AS (
    INSERT INTO trail (passage_id, at, hop, route_id, lane)
    SELECT f.passage_id, f.at, f.first_hop, (%(routes_0)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n9 WHERE NOT yes) f
    UNION ALL SELECT f.passage_id, f.at, f.first_hop, (%(routes_1)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n9 WHERE yes) f),
counted AS (
    INSERT INTO counter (hour, n, route_id, lane)
    SELECT date_trunc('hour', f.at), count(*), (%(routes_0)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n9 WHERE NOT yes) f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_1)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n9 WHERE yes) f GROUP BY 1, 3),
touched AS (
    INSERT INTO touched (profile_id, lane) SELECT DISTINCT x.profile_id, %(lane)s::smallint FROM taken x WHERE EXISTS (SELECT FROM touch_listener t WHERE t.kind = 'passage'))
SELECT (SELECT count(*) FROM taken), 0, 0;

-- ======================================== woken at node 6

-- first stage; values:
--   p1 = 800
--   p2 = 6
--   p3 = 300
--   p4 = datetime.timedelta(days=1)
--   p5 = 700
--   p6 = 8
--   p7 = 402
--   p8 = 7
--   p9 = 9
-- ways out:
--   carried at node 9: 6.1 8.0; 6.1 8.1
--   rests at node 7: 6.0
WITH taken AS MATERIALIZED (
    DELETE FROM resting r USING (
      SELECT DISTINCT ON (profile_id) ctid FROM (
        SELECT d.ctid, d.profile_id, d.passage_id FROM resting d
         WHERE d.lane = %(lane)s::smallint AND d.version_id = %(p1)s::int AND d.node_id = %(p2)s::int AND d.due_at <= %(now)s::timestamptz
         ORDER BY d.due_at LIMIT %(batch)s) d ORDER BY profile_id, passage_id) x
     WHERE r.ctid = x.ctid AND r.lane = %(lane)s::smallint
    RETURNING r.passage_id, r.profile_id, r.hop AS first_hop, r.hop, r.due_at AS at, r.entered_at, r.key, r.context, r.turns, r.awaits, r.waits_since, 0 AS path),
n6_out AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, f.hop AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, (m.state IN (2, 4)) IS TRUE AS sent
    FROM taken f LEFT JOIN LATERAL (SELECT m.state FROM message m WHERE m.lane = %(lane)s::smallint AND m.passage_id = f.passage_id AND m.hop = f.hop LIMIT 1) m ON true),
n8 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, (f.hop + 1) AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, s.id AS subscription_id, (s.effective = 0) IS TRUE AS sendable
    FROM (SELECT * FROM n6_out WHERE NOT sent) f LEFT JOIN LATERAL (SELECT s.id, s.effective FROM subscription s WHERE s.lane = %(lane)s::smallint AND s.profile_id = f.profile_id
      AND s.resource_id = %(p3)s::int AND s.channel = 2::smallint AND s.preferred LIMIT 1) s ON true),
planned AS (
    INSERT INTO message (passage_id, hop, profile_id, subscription_id, created_at, scenario_id, node_id, template_id, resource_id, lane, channel, flags, state, reason)
    SELECT f.passage_id, f.hop, f.profile_id, f.subscription_id, f.at, %(p5)s::int, %(p6)s::int,
      %(p7)s::int, %(p3)s::int, %(lane)s::smallint, 2::smallint, 0::smallint,
      CASE WHEN f.sendable THEN 0 ELSE 9 END::smallint,
      CASE WHEN f.sendable THEN NULL WHEN f.subscription_id IS NULL THEN 1 ELSE 2 END::smallint
    FROM n8 f),
listed AS (
    INSERT INTO dispatch (at, not_before, scenario_id, node_id, template_id, lane, channel, priority, passage_ids, hops)
    SELECT %(now)s::timestamptz, %(now)s::timestamptz, %(p5)s::int, %(p6)s::int, %(p7)s::int, %(lane)s::smallint, 2::smallint, 5::smallint,
      array_agg(q.passage_id), array_agg(q.hop) FROM (SELECT f.passage_id, f.hop AS hop, row_number() OVER () / 1000 AS part FROM (SELECT * FROM n8 WHERE sendable) f) q GROUP BY q.part
    RETURNING 1),
refusals AS (
    INSERT INTO message_counter (hour, n, scenario_id, node_id, kind) SELECT date_trunc('hour', f.at), count(*), %(p5)s::int, %(p6)s::int, 2::smallint
    FROM n8 f WHERE NOT f.sendable GROUP BY 1),
rests AS (
    INSERT INTO resting (passage_id, profile_id, entered_at, due_at, scenario_id, version_id, node_id, hop, lane, awaits, key, context, turns, waits_since)
    SELECT f.passage_id, f.profile_id, f.entered_at, f.at + %(p4)s::interval, %(p5)s::int, %(p1)s::int, %(p8)s::int,
      (f.hop + 1), %(lane)s::smallint, NULL::smallint, f.key, f.context, f.turns, NULL::timestamptz FROM (SELECT * FROM n6_out WHERE sent) f),
carried_on AS (
    INSERT INTO carried (passage_id, profile_id, hop, at, entered_at, key, context, turns, node_id, entry)
    SELECT f.passage_id, f.profile_id, (f.hop + 1), f.at, f.entered_at, f.key, f.context, f.turns, %(p9)s::int, 0::smallint FROM n8 f
    RETURNING 1),
trailed AS (
    INSERT INTO trail (passage_id, at, hop, route_id, lane)
    SELECT f.passage_id, f.at, f.first_hop, (%(routes_0)s::int[])[(f.path) * 2 + (CASE WHEN f.sendable THEN 0 ELSE 1 END) + 1], %(lane)s::smallint FROM n8 f
    UNION ALL SELECT f.passage_id, f.at, f.first_hop, (%(routes_1)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n6_out WHERE sent) f),
counted AS (
    INSERT INTO counter (hour, n, route_id, lane)
    SELECT date_trunc('hour', f.at), count(*), (%(routes_0)s::int[])[(f.path) * 2 + (CASE WHEN f.sendable THEN 0 ELSE 1 END) + 1], %(lane)s::smallint FROM n8 f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_1)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n6_out WHERE sent) f GROUP BY 1, 3),
touched AS (
    INSERT INTO touched (profile_id, lane) SELECT DISTINCT x.profile_id, %(lane)s::smallint FROM taken x WHERE EXISTS (SELECT FROM touch_listener t WHERE t.kind = 'passage'))
SELECT (SELECT count(*) FROM taken), (SELECT count(*) FROM listed), (SELECT count(*) FROM carried_on);

-- then from node 9; values:
--   p1 = 9
--   p2 = 2
--   p3 = 1
--   p4 = 0
--   p5 = datetime.timedelta(days=1)
--   p6 = 700
--   p7 = 800
--   p8 = 7
-- ways out:
--   completed at node 9: 9.1
--   rests at node 7: 9.0
WITH taken AS MATERIALIZED (
    DELETE FROM carried c WHERE c.node_id = %(p1)s::int AND c.entry = 0
    RETURNING c.passage_id, c.profile_id, c.hop AS first_hop, c.hop, c.at, c.entered_at, c.key, c.context, c.turns, 0 AS path),
n9 AS MATERIALIZED (
    SELECT f.passage_id, f.profile_id, f.first_hop, f.hop AS hop, f.at, f.entered_at, f.key, f.context, f.turns, f.path AS path, (((EXISTS (SELECT FROM message m WHERE m.lane = %(lane)s::smallint AND m.passage_id = f.passage_id AND m.channel = %(p2)s::smallint AND m.state IN (0, 1, 2, 4))) IS TRUE) OR (NOT ((EXISTS (SELECT FROM subscription s WHERE s.lane = %(lane)s::smallint AND s.profile_id = f.profile_id AND s.channel = %(p3)s::smallint AND s.status = %(p4)s::smallint)) IS TRUE))) AS yes
    FROM taken f ),
rests AS (
    INSERT INTO resting (passage_id, profile_id, entered_at, due_at, scenario_id, version_id, node_id, hop, lane, awaits, key, context, turns, waits_since)
    SELECT f.passage_id, f.profile_id, f.entered_at, f.at + %(p5)s::interval, %(p6)s::int, %(p7)s::int, %(p8)s::int,
      (f.hop + 1), %(lane)s::smallint, NULL::smallint, f.key, f.context, f.turns, NULL::timestamptz FROM (SELECT * FROM n9 WHERE yes) f),
ends AS (
    INSERT INTO passage_ended (passage_id, profile_id, entered_at, ended_at, scenario_id, version_id, node_id, hop, lane, reason, key, context)
    SELECT f.passage_id, f.profile_id, f.entered_at, f.at, %(p6)s::int, %(p7)s::int, %(p1)s::int,
      (f.hop + 1), %(lane)s::smallint, 1::smallint, f.key, f.context FROM (SELECT * FROM n9 WHERE NOT yes) f),
trailed AS (
    INSERT INTO trail (passage_id, at, hop, route_id, lane)
    SELECT f.passage_id, f.at, f.first_hop, (%(routes_0)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n9 WHERE NOT yes) f
    UNION ALL SELECT f.passage_id, f.at, f.first_hop, (%(routes_1)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n9 WHERE yes) f),
counted AS (
    INSERT INTO counter (hour, n, route_id, lane)
    SELECT date_trunc('hour', f.at), count(*), (%(routes_0)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n9 WHERE NOT yes) f GROUP BY 1, 3
    UNION ALL SELECT date_trunc('hour', f.at), count(*), (%(routes_1)s::int[])[f.path + 1], %(lane)s::smallint FROM (SELECT * FROM n9 WHERE yes) f GROUP BY 1, 3),
touched AS (
    INSERT INTO touched (profile_id, lane) SELECT DISTINCT x.profile_id, %(lane)s::smallint FROM taken x WHERE EXISTS (SELECT FROM touch_listener t WHERE t.kind = 'passage'))
SELECT (SELECT count(*) FROM taken), 0, 0;

-- ======================================== woken at node 7

-- first stage; values:
--   p1 = 800
--   p2 = 7
--   p3 = 700
--   p4 = 1
-- ways out:
--   rests at node 1: 7.0
--   visit_cap at node 1: 7.0
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

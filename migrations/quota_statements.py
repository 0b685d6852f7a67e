"""The parts of the write function that keep quotas. As there: what stands here is never changed after a release.

`quota_usage` has the use of those measures that something limits, by namespace. A row that is there is exact: whatever
stores or removes an object of the namespace changes it in the same transaction. A namespace that nothing limits has no
rows, so that its writes cost one look.
"""

# Of one measure `d` of a namespace: its limits, and what is used of it. A quota without a name stands for the ceiling
# of objects, which is a setting.
_LIMITS = """(
    SELECT l.quota, l.resource, l.most, l.shown, u.used
    FROM quota_usage u CROSS JOIN LATERAL (
        SELECT q.quota, q.resource, q.most, q.shown FROM quota_limits q
        WHERE q.namespace = u.namespace AND q.measure = u.measure
        UNION ALL
        SELECT '', u.measure, p_ceiling, p_ceiling::text WHERE p_ceiling IS NOT NULL AND u.measure = 'objects'
        OFFSET 0
    ) AS l
    WHERE u.namespace = d.namespace AND u.measure = d.measure OFFSET 0
)"""

VARIABLES = """
    counted text[];              -- namespaces in which something is limited
    delta_members integer[];     -- by how much each member changes each measure that is limited
    delta_namespaces text[];
    delta_measures text[];
    delta_amounts bigint[];
    delta_asked boolean[];       -- whether a limit may stand against it: not against what has been allowed before
    running jsonb := '{}';       -- what the members before have changed
    exceeded_quota text;
    exceeded jsonb;
    refused integer[] := ARRAY[]::integer[];
    refusals jsonb[] := ARRAY[]::jsonb[];
    first integer := 1;
    last integer;
    limited text[];              -- namespaces whose limits change
"""

# The ceiling is new to a namespace: its objects are counted once. The batch's own come later.
MEASURE = """
    IF p_ceiling IS NOT NULL AND 'create' = ANY (p_actions) THEN
        INSERT INTO quota_usage (namespace, measure, used)
        SELECT m.namespace, 'objects', (SELECT count(*) FROM objects o WHERE o.namespace = m.namespace)
        FROM (
            SELECT DISTINCT m.namespace FROM unnest(p_actions, p_namespaces) AS m(action, namespace)
            WHERE m.action = 'create' AND m.namespace <> ''
        ) AS m
        WHERE (SELECT true FROM quota_usage u WHERE u.namespace = m.namespace AND u.measure = 'objects') IS NULL;
    END IF;
    counted := ARRAY(
        SELECT m.namespace FROM (SELECT DISTINCT unnest(p_namespaces)) AS m(namespace)
        WHERE (SELECT true FROM quota_usage u WHERE u.namespace = m.namespace LIMIT 1));
    IF cardinality(counted) > 0 THEN
        SELECT array_agg(d.i ORDER BY d.i), array_agg(d.namespace ORDER BY d.i), array_agg(d.measure ORDER BY d.i),
            array_agg(d.amount ORDER BY d.i), array_agg(d.asked ORDER BY d.i)
        INTO delta_members, delta_namespaces, delta_measures, delta_amounts, delta_asked
        FROM (
            SELECT m.i, m.namespace, x.measure, sum(x.amount)::bigint AS amount,
                m.action <> 'publish' AND (x.measure <> 'objects' OR m.bounded) AS asked
            FROM unnest(p_actions, p_kinds, p_namespaces, p_uids, p_charges, p_bounded, outcomes)
                WITH ORDINALITY AS m(action, kind, namespace, uid, charges, bounded, outcome, i)
            CROSS JOIN LATERAL (
                SELECT 'count/' || m.kind, CASE m.action WHEN 'create' THEN 1 ELSE -1 END
                WHERE m.action IN ('create', 'delete')
                UNION ALL
                SELECT 'objects', CASE m.action WHEN 'create' THEN 1 ELSE -1 END
                WHERE m.action IN ('create', 'delete')
                UNION ALL
                SELECT c.key, c.value::bigint FROM jsonb_each_text(m.charges::jsonb) AS c WHERE m.action <> 'delete'
                UNION ALL
                SELECT c.key, -c.value::bigint
                FROM (SELECT o.charges FROM objects o WHERE o.uid = m.uid AND m.action <> 'create' OFFSET 0) AS o
                CROSS JOIN LATERAL jsonb_each_text(o.charges) AS c
            ) AS x(measure, amount)
            WHERE m.namespace = ANY (counted) AND coalesce(m.outcome, 'NameTaken') = 'NameTaken'
                AND (SELECT true FROM quota_usage u WHERE u.namespace = m.namespace AND u.measure = x.measure)
            GROUP BY m.i, m.namespace, m.action, m.bounded, x.measure HAVING sum(x.amount) <> 0
        ) AS d;
    END IF;
"""

# A quota that is exceeded weighs less than a claim that is held and more than a name that is taken: Kubernetes
# allocates, then asks the quota, then stores. Mostly all members fit, which one question tells. Else they come one by
# one, so that as many are stored as fit. Of writes that go together, what some give back is there for the others.
# What is published has been allowed before.
CHECK = f"""
    IF delta_members IS NOT NULL AND EXISTS (
        SELECT FROM (
            SELECT d.namespace, d.measure, sum(d.amount)::bigint AS amount
            FROM unnest(delta_namespaces, delta_measures, delta_amounts) AS d(namespace, measure, amount)
            WHERE d.amount > 0 OR p_together
            GROUP BY d.namespace, d.measure HAVING sum(d.amount) > 0
        ) AS d CROSS JOIN LATERAL {_LIMITS} AS l
        WHERE l.used + d.amount > l.most
    ) THEN
        IF p_together THEN
            SELECT coalesce(jsonb_object_agg(d.namespace || '/' || d.measure, d.amount), '{{}}') INTO running
            FROM (
                SELECT d.namespace, d.measure, sum(d.amount) AS amount
                FROM unnest(delta_namespaces, delta_measures, delta_amounts) AS d(namespace, measure, amount)
                WHERE d.amount < 0 GROUP BY d.namespace, d.measure
            ) AS d;
        END IF;
        WHILE first <= cardinality(delta_members) LOOP
            last := first;
            WHILE delta_members[last + 1] = delta_members[first] LOOP
                last := last + 1;
            END LOOP;
            SELECT l.quota, jsonb_agg(
                jsonb_build_array(l.resource, d.amount, l.used + d.before, l.shown) ORDER BY l.resource)
            INTO exceeded_quota, exceeded
            FROM (
                SELECT delta_namespaces[k] AS namespace, delta_measures[k] AS measure, delta_amounts[k] AS amount,
                    coalesce((running ->> (delta_namespaces[k] || '/' || delta_measures[k]))::bigint, 0) AS before
                FROM generate_series(first, last) AS k
                WHERE delta_amounts[k] > 0 AND delta_asked[k] OFFSET 0
            ) AS d CROSS JOIN LATERAL {_LIMITS} AS l
            WHERE l.used + d.before + d.amount > l.most
            GROUP BY l.quota ORDER BY l.quota LIMIT 1;
            IF exceeded IS NOT NULL THEN
                outcomes[delta_members[first]] := 'QuotaExceeded';
                refused := refused || delta_members[first];
                refusals := refusals || jsonb_build_array(exceeded_quota, exceeded);
            ELSIF outcomes[delta_members[first]] IS NULL THEN
                FOR i IN first .. last LOOP
                    CONTINUE WHEN p_together AND delta_amounts[i] < 0;
                    running := running || jsonb_build_object(
                        delta_namespaces[i] || '/' || delta_measures[i],
                        delta_amounts[i]
                            + coalesce((running ->> (delta_namespaces[i] || '/' || delta_measures[i]))::bigint, 0));
                END LOOP;
            END IF;
            first := last + 1;
        END LOOP;
        IF cardinality(refused) > 0 THEN
            holders := coalesce(holders, jsonb_build_object()) || (
                SELECT jsonb_object_agg(r.member, r.refusal) FROM unnest(refused, refusals) AS r(member, refusal));
        END IF;
    END IF;
"""

CHARGE = """
    IF delta_members IS NOT NULL THEN
        FOR i IN 1 .. cardinality(delta_members) LOOP
            IF outcomes[delta_members[i]] <> 'Committed' THEN
                delta_amounts[i] := 0;
            END IF;
        END LOOP;
        FOR hit IN
            SELECT d.namespace, d.measure, sum(d.amount)::bigint AS amount
            FROM unnest(delta_namespaces, delta_measures, delta_amounts) AS d(namespace, measure, amount)
            GROUP BY d.namespace, d.measure HAVING sum(d.amount) <> 0
        LOOP
            UPDATE quota_usage u SET used = u.used + hit.amount
            WHERE u.namespace = hit.namespace AND u.measure = hit.measure;
        END LOOP;
    END IF;
"""

# A measure is counted from the moment in which something limits it, this batch included, until nothing does any more.
LIMIT = """
    IF 'resourcequotas' = ANY (p_kinds) THEN
        limited := ARRAY(
            SELECT DISTINCT m.namespace FROM unnest(p_kinds, p_namespaces, outcomes) AS m(kind, namespace, outcome)
            WHERE m.kind = 'resourcequotas' AND m.outcome = 'Committed');
        DELETE FROM quota_limits WHERE ctid = ANY (ARRAY(
            SELECT found.ctid FROM unnest(p_kinds, p_uids, p_limits, outcomes) AS m(kind, uid, limits, outcome)
            CROSS JOIN LATERAL (
                SELECT q.ctid FROM quota_limits q
                WHERE q.owner = m.uid AND (m.limits IS NULL OR NOT EXISTS (
                    SELECT FROM jsonb_array_elements(m.limits::jsonb) AS l(value)
                    WHERE l.value = jsonb_build_array(q.resource, q.measure, q.most, q.shown))) OFFSET 0
            ) AS found
            WHERE m.kind = 'resourcequotas' AND m.outcome = 'Committed'));
        INSERT INTO quota_limits (owner, namespace, quota, resource, measure, most, shown)
        SELECT m.uid, m.namespace, m.name, l.value ->> 0, l.value ->> 1, (l.value ->> 2)::bigint, l.value ->> 3
        FROM unnest(p_uids, p_namespaces, p_names, p_actions, p_limits, outcomes)
            AS m(uid, namespace, name, action, limits, outcome)
        CROSS JOIN LATERAL jsonb_array_elements(m.limits::jsonb) AS l(value)
        WHERE m.action <> 'delete' AND m.outcome = 'Committed'
        ON CONFLICT DO NOTHING;
        DELETE FROM quota_usage WHERE ctid = ANY (ARRAY(
            SELECT found.ctid FROM unnest(limited) AS m(namespace)
            CROSS JOIN LATERAL (
                SELECT u.ctid FROM quota_usage u
                WHERE u.namespace = m.namespace AND u.measure <> 'objects' AND (
                    SELECT true FROM quota_limits q
                    WHERE q.namespace = u.namespace AND q.measure = u.measure LIMIT 1) IS NULL OFFSET 0
            ) AS found));
        INSERT INTO quota_usage (namespace, measure, used)
        SELECT d.namespace, d.measure, CASE WHEN d.measure LIKE 'count/%' THEN (
                SELECT count(*) FROM objects o
                WHERE o.namespace = d.namespace AND o.kind = substr(d.measure, length('count/') + 1))
            ELSE (
                SELECT coalesce(sum((o.charges ->> d.measure)::bigint), 0) FROM objects o
                WHERE o.namespace = d.namespace)
            END
        FROM (
            SELECT DISTINCT m.namespace, q.measure FROM unnest(limited) AS m(namespace)
            CROSS JOIN LATERAL (SELECT q.measure FROM quota_limits q WHERE q.namespace = m.namespace OFFSET 0) AS q
        ) AS d
        WHERE (SELECT true FROM quota_usage u WHERE u.namespace = d.namespace AND u.measure = d.measure) IS NULL;
    END IF;
    IF 'delete' = ANY (p_actions) AND 'namespaces' = ANY (p_kinds) THEN
        FOR hit IN
            SELECT m.name FROM unnest(p_actions, p_kinds, p_names, outcomes) AS m(action, kind, name, outcome)
            WHERE m.action = 'delete' AND m.kind = 'namespaces' AND m.outcome = 'Committed'
        LOOP
            DELETE FROM quota_usage u WHERE u.namespace = hit.name;
        END LOOP;
    END IF;
"""

"""The write function, and the functions that settle a batch and acquire a lease.

All three take the write lock first. It is an advisory transaction lock, taken and given back within one round trip:
a client that is paused or killed cannot hold it, and whoever comes after it sees what the one before it committed.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_LOCK = "SELECT pg_advisory_xact_lock(4712303102)"

# Members are independent of each other, so each step treats all of them at once. Plans are made once a session, perhaps
# while the tables are empty and have no statistics, and are used when there are millions of rows: whatever the planner
# estimates then, the only plan that stays right is one index lookup a member.
_PLANS = """
    SET plan_cache_mode = force_generic_plan
    SET enable_seqscan = off
    SET enable_bitmapscan = off
    SET enable_hashjoin = off
    SET enable_mergejoin = off
    SET enable_memoize = off
"""

# One entry a table: columns; a claim's key to columns; a row to its key; what makes two claims the same row.
_CLAIMS = {
    "cluster_ips": (
        "address",
        "c.key::inet",
        "host(t.address)",
        "t.address = c.key::inet",
    ),
    "node_ports": (
        "port",
        "c.key::integer",
        "t.port::text",
        "t.port = c.key::integer",
    ),
    "lb_addresses": (
        "address, shared",
        "split_part(c.key, '/', 1)::inet, split_part(c.key, '/', 2) = 'shared'",
        "host(t.address) || CASE WHEN t.shared THEN '/shared' ELSE '' END",
        "t.address = split_part(c.key, '/', 1)::inet",
    ),
    "lb_ports": (
        "address, protocol, port",
        "split_part(c.key, '/', 1)::inet, split_part(c.key, '/', 2), split_part(c.key, '/', 3)::integer",
        "host(t.address) || '/' || t.protocol || '/' || t.port",
        (
            "t.address = split_part(c.key, '/', 1)::inet AND t.protocol = split_part(c.key, '/', 2)"
            " AND t.port = split_part(c.key, '/', 3)::integer"
        ),
    ),
}


def _held() -> str:
    """Claims that somebody else holds; an address of load balancers may have several holders if all share it."""
    return " UNION ALL ".join(
        f"""
        SELECT m.i, '{table}' AS held, c.key, t.owner
        FROM unnest(p_uids, p_{table}, outcomes) WITH ORDINALITY AS m(uid, claims, outcome, i)
        CROSS JOIN unnest(m.claims::text[]) AS c(key)
        JOIN {table} t ON {same}
        WHERE coalesce(m.outcome, 'NameTaken') = 'NameTaken' AND t.owner <> m.uid
        {"AND NOT (t.shared AND split_part(c.key, '/', 2) = 'shared')" if table == "lb_addresses" else ""}
        """
        for table, (_, _, _, same) in _CLAIMS.items()
    )


def _release() -> str:
    return "".join(
        f"""
        DELETE FROM {table} t
        USING unnest(p_uids, p_{table}, p_actions, outcomes) AS m(uid, claims, action, outcome)
        WHERE t.owner = m.uid AND m.action <> 'create' AND m.outcome = 'Committed'
          AND (m.claims IS NULL OR {key} <> ALL (m.claims::text[]));
        IF FOUND THEN
            released := released || '{table}'::text;
        END IF;
        """
        for table, (_, _, key, _) in _CLAIMS.items()
    )


def _take() -> str:
    """What is not held yet: no ON CONFLICT, so that a claim the check overlooked is an error and never shared."""
    return "".join(
        f"""
        IF p_{table} IS NOT NULL THEN
            INSERT INTO {table} ({columns}, owner)
            SELECT {values}, m.uid
            FROM unnest(p_uids, p_{table}, outcomes) AS m(uid, claims, outcome)
            CROSS JOIN unnest(m.claims::text[]) AS c(key)
            WHERE m.outcome = 'Committed'
              AND NOT EXISTS (SELECT FROM {table} t WHERE {same} AND t.owner = m.uid);
        END IF;
        """
        for table, (columns, values, _, same) in _CLAIMS.items()
    )


_CHECK = """
    SELECT array_agg(checked.outcome ORDER BY checked.i), array_agg(checked.revision ORDER BY checked.i)
    INTO outcomes, revisions
    FROM (
        SELECT m.i, o.revision, CASE
            WHEN m.lease IS NOT NULL AND l.epoch IS DISTINCT FROM m.epoch THEN 'LeaseLost'
            WHEN m.action = 'create' THEN CASE
                WHEN m.namespace <> '' AND n.uid IS NULL AND m.namespace <> ALL (founded) THEN 'NamespaceMissing'
                WHEN n.deletion_timestamp IS NOT NULL THEN 'NamespaceTerminating'
                WHEN o.uid IS NOT NULL THEN 'NameTaken'
            END
            WHEN o.uid IS DISTINCT FROM m.uid THEN 'Missing'
            WHEN m.action = 'publish' THEN CASE WHEN o.published THEN 'Stale' END
            WHEN m.action = 'update' AND NOT o.published THEN 'Missing'
            WHEN m.expected IS NOT NULL AND o.revision IS DISTINCT FROM m.expected THEN 'Stale'
            WHEN m.action = 'delete' AND m.kind = 'namespaces'
                AND EXISTS (SELECT FROM objects c WHERE c.namespace = m.name) THEN 'NamespaceNotEmpty'
        END AS outcome
        FROM unnest(p_actions, p_kinds, p_namespaces, p_names, p_uids, p_expected, p_leases, p_epochs)
            WITH ORDINALITY AS m(action, kind, namespace, name, uid, expected, lease, epoch, i)
        LEFT JOIN objects o ON o.namespace = m.namespace AND o.kind = m.kind AND o.name = m.name
        LEFT JOIN objects n ON m.action = 'create' AND m.namespace <> ''
            AND n.namespace = '' AND n.kind = 'namespaces' AND n.name = m.namespace
        LEFT JOIN leases l ON l.name = m.lease
    ) AS checked;
"""

_STORE = """
    IF newest IS NOT NULL THEN
        INSERT INTO changes (revision, kind, namespace, name, uid, type, body, previous_body, previous_revision)
        SELECT m.revision, m.kind, m.namespace, m.name, m.uid,
            CASE m.action WHEN 'update' THEN 'MODIFIED' WHEN 'delete' THEN 'DELETED' ELSE 'ADDED' END,
            m.body, o.body, o.revision
        FROM unnest(p_actions, p_kinds, p_namespaces, p_names, p_uids, p_bodies, outcomes, revisions)
            AS m(action, kind, namespace, name, uid, body, outcome, revision)
        LEFT JOIN objects o ON o.uid = m.uid AND o.published
        WHERE m.outcome = 'Committed' AND m.revision IS NOT NULL;
    END IF;
    IF 'create' = ANY (p_actions) THEN
        INSERT INTO objects (uid, kind, namespace, name, revision, pending, deletion_timestamp, body)
        SELECT m.uid, m.kind, m.namespace, m.name, m.revision, m.pending, m.deletion, m.body
        FROM unnest(p_actions, p_kinds, p_namespaces, p_names, p_uids, p_bodies, p_pending, p_deletions, outcomes,
            revisions) AS m(action, kind, namespace, name, uid, body, pending, deletion, outcome, revision)
        WHERE m.action = 'create' AND m.outcome = 'Committed';
    END IF;
    IF 'publish' = ANY (p_actions) OR 'update' = ANY (p_actions) THEN
        UPDATE objects o
        SET revision = m.revision, pending = m.pending, deletion_timestamp = m.deletion, body = m.body
        FROM unnest(p_actions, p_uids, p_bodies, p_pending, p_deletions, outcomes, revisions)
            AS m(action, uid, body, pending, deletion, outcome, revision)
        WHERE o.uid = m.uid AND m.action IN ('publish', 'update') AND m.outcome = 'Committed';
    END IF;
    IF 'delete' = ANY (p_actions) THEN
        DELETE FROM objects o
        USING unnest(p_actions, p_uids, outcomes) AS m(action, uid, outcome)
        WHERE o.uid = m.uid AND m.action = 'delete' AND m.outcome = 'Committed';
    END IF;
"""

_WRITE = f"""
CREATE FUNCTION fairlead_write(
    p_batch uuid, p_together boolean, p_actions text[], p_kinds text[], p_namespaces text[], p_names text[],
    p_uids uuid[], p_bodies bytea[], p_expected bigint[], p_published boolean[], p_pending boolean[],
    p_deletions timestamptz[], p_leases text[], p_epochs bigint[],
    p_cluster_ips text[], p_node_ports text[], p_lb_addresses text[], p_lb_ports text[],
    OUT outcomes text[], OUT revisions bigint[], OUT holders jsonb, OUT lock_seconds double precision
) LANGUAGE plpgsql {_PLANS} AS $$
DECLARE
    locked timestamptz;
    founded text[] := '{{}}';   -- namespaces that are created together with what is in them
    released text[] := '{{}}';
    newest bigint;
    waiting boolean := false;   -- something is left for the reconciler
    lasting boolean := false;   -- something was done that somebody can see
    hit record;
BEGIN
    PERFORM ({_LOCK});
    locked := clock_timestamp();
    IF EXISTS (SELECT FROM batches b WHERE b.id = p_batch) THEN
        RAISE EXCEPTION 'batch % was given up by its writer', p_batch USING ERRCODE = 'FL001';
    END IF;
    IF p_together THEN
        founded := ARRAY(
            SELECT m.name FROM unnest(p_actions, p_kinds, p_names) AS m(action, kind, name)
            WHERE m.action = 'create' AND m.kind = 'namespaces');
    END IF;
    {_CHECK}
    IF num_nonnulls(p_cluster_ips, p_node_ports, p_lb_addresses, p_lb_ports) > 0 THEN
        FOR hit IN {_held()} LOOP
            -- A claim that is held weighs more than a name that is taken, as in Kubernetes, which allocates before it
            -- looks at the name. Writes that go together may pass claims on among themselves.
            IF coalesce(outcomes[hit.i], 'NameTaken') = 'NameTaken'
                AND NOT (p_together AND hit.owner = ANY (p_uids)) THEN
                outcomes[hit.i] := 'ClaimHeld';
                holders := coalesce(holders, '{{}}') || jsonb_build_object(hit.i, (
                    SELECT jsonb_build_array(hit.held, hit.key, o.kind, o.namespace, o.name)
                    FROM objects o WHERE o.uid = hit.owner));
            END IF;
        END LOOP;
    END IF;
    IF p_together AND array_remove(outcomes, NULL) <> '{{}}' THEN
        outcomes := array_replace(outcomes, NULL, 'Aborted');
    END IF;
    FOR i IN 1 .. cardinality(outcomes) LOOP
        CONTINUE WHEN outcomes[i] IS NOT NULL;
        outcomes[i] := 'Committed';
        waiting := waiting OR p_pending[i];
        IF p_actions[i] = 'create' AND NOT p_published[i] THEN
            waiting := true;
        ELSIF p_actions[i] = 'delete' AND revisions[i] IS NULL THEN
            lasting := true;
        ELSE
            newest := nextval('revisions');
            revisions[i] := newest;
        END IF;
    END LOOP;
    IF 'update' = ANY (p_actions) OR 'delete' = ANY (p_actions) OR 'publish' = ANY (p_actions) THEN
        {_release()}
    END IF;
    {_STORE}
    {_take()}
    INSERT INTO batches (id, outcomes, revisions, holders) VALUES (p_batch, outcomes, revisions, holders);
    IF newest IS NOT NULL THEN
        PERFORM pg_notify('fairlead_changes', newest::text);
    END IF;
    IF waiting THEN
        PERFORM pg_notify('fairlead_pending', '');
    END IF;
    IF released <> '{{}}' THEN
        PERFORM pg_notify('fairlead_released', array_to_string(released, ','));
    END IF;
    -- What nobody can see yet need not be on the disk yet: its publication comes later in the log, and flushes both.
    IF newest IS NULL AND NOT lasting THEN
        PERFORM set_config('synchronous_commit', 'off', true);
    ELSIF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
    lock_seconds := extract(epoch FROM clock_timestamp() - locked);
END $$
"""

_SETTLE = f"""
CREATE FUNCTION fairlead_settle(
    p_batch uuid, OUT outcomes text[], OUT revisions bigint[], OUT holders jsonb
) LANGUAGE plpgsql {_PLANS} AS $$
BEGIN
    PERFORM ({_LOCK});
    SELECT b.outcomes, b.revisions, b.holders INTO outcomes, revisions, holders FROM batches b WHERE b.id = p_batch;
    IF NOT FOUND THEN
        INSERT INTO batches (id) VALUES (p_batch);
    END IF;
END $$
"""

_ACQUIRE = f"""
CREATE FUNCTION fairlead_acquire(p_name text, p_holder text, p_ttl interval, OUT epoch bigint)
LANGUAGE plpgsql {_PLANS} AS $$
BEGIN
    IF EXISTS (
        SELECT FROM leases l WHERE l.name = p_name AND l.holder <> p_holder AND l.expires_at > clock_timestamp()
    ) THEN
        RETURN;
    END IF;
    -- Under the write lock: what the holder before wrote is committed and seen, and what it has not written is refused.
    PERFORM ({_LOCK});
    INSERT INTO leases AS l (name, holder, epoch, expires_at)
    VALUES (p_name, p_holder, 1, clock_timestamp() + p_ttl)
    ON CONFLICT (name) DO UPDATE SET holder = p_holder, epoch = l.epoch + 1, expires_at = clock_timestamp() + p_ttl
        WHERE l.holder = p_holder OR l.expires_at <= clock_timestamp()
    RETURNING l.epoch INTO epoch;
END $$
"""


def upgrade() -> None:
    for function in (_WRITE, _SETTLE, _ACQUIRE):
        op.get_bind().exec_driver_sql(function)


def downgrade() -> None:
    for function in ("fairlead_acquire", "fairlead_settle", "fairlead_write"):
        op.execute(f"DROP FUNCTION {function}")

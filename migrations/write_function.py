"""The write function, made for a list of claim tables.

As with the module of the tables: what stands here is never changed after a release. Another function is another module.
"""

from collections.abc import Sequence

from migrations import quota_statements as quotas
from migrations.claim_tables import ClaimTable

WRITE_LOCK = "SELECT pg_advisory_xact_lock(4712303102)"
"""Everything that writes takes this lock first. It lasts until the end of the transaction, which is one round trip: a
client that is paused or killed cannot hold it, and whoever comes next sees what the one before committed."""

# Members are independent of each other, so each step treats all of them at once. Plans are made once a session, perhaps
# while the tables are empty and have no statistics, and are used when there are millions of rows: whatever the planner
# estimates then, the only plan that stays right is one index lookup a member.
#
# For a table that VACUUM has found empty, the planner believes that its whole index is read at the cost of one lookup.
# A join with such a table may then be planned the other way round, and stay so. `OFFSET 0` keeps a lookup from becoming
# a join: each claim table, which may well be empty for a while, is looked up in that way.
PLANS = """
    SET plan_cache_mode = force_generic_plan
    SET enable_seqscan = off
    SET enable_bitmapscan = off
    SET enable_hashjoin = off
    SET enable_mergejoin = off
    SET enable_memoize = off
"""

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
        INSERT INTO changes (
            revision, kind, namespace, name, uid, type, body, previous_body, previous_revision, trace)
        SELECT m.revision, m.kind, m.namespace, m.name, m.uid,
            CASE m.action WHEN 'update' THEN 'MODIFIED' WHEN 'delete' THEN 'DELETED' ELSE 'ADDED' END,
            m.body, o.body, o.revision, m.trace
        FROM unnest(p_actions, p_kinds, p_namespaces, p_names, p_uids, p_bodies, outcomes, revisions, p_traces)
            AS m(action, kind, namespace, name, uid, body, outcome, revision, trace)
        LEFT JOIN objects o ON o.uid = m.uid AND m.action IN ('update', 'delete')
        WHERE m.outcome = 'Committed' AND m.revision IS NOT NULL;
    END IF;
    IF 'create' = ANY (p_actions) THEN
        INSERT INTO objects (uid, kind, namespace, name, revision, pending, deletion_timestamp, charges, body, trace)
        SELECT m.uid, m.kind, m.namespace, m.name, m.revision, m.pending, m.deletion, m.charges::jsonb, m.body, m.trace
        FROM unnest(p_actions, p_kinds, p_namespaces, p_names, p_uids, p_bodies, p_pending, p_deletions, p_charges,
            outcomes, revisions, p_traces)
            AS m(action, kind, namespace, name, uid, body, pending, deletion, charges, outcome, revision, trace)
        WHERE m.action = 'create' AND m.outcome = 'Committed';
    END IF;
    IF 'publish' = ANY (p_actions) OR 'update' = ANY (p_actions) THEN
        UPDATE objects o
        SET revision = m.revision, pending = m.pending, deletion_timestamp = m.deletion, charges = m.charges::jsonb,
            body = m.body, trace = m.trace
        FROM unnest(p_actions, p_uids, p_bodies, p_pending, p_deletions, p_charges, outcomes, revisions, p_traces)
            AS m(action, uid, body, pending, deletion, charges, outcome, revision, trace)
        WHERE o.uid = m.uid AND m.action IN ('publish', 'update') AND m.outcome = 'Committed';
    END IF;
    IF 'delete' = ANY (p_actions) THEN
        DELETE FROM objects o
        USING unnest(p_actions, p_uids, outcomes) AS m(action, uid, outcome)
        WHERE o.uid = m.uid AND m.action = 'delete' AND m.outcome = 'Committed';
    END IF;
"""

_WRITE = """
CREATE OR REPLACE FUNCTION fairlead_write(
    p_batch uuid, p_together boolean, p_actions text[], p_kinds text[], p_namespaces text[], p_names text[],
    p_uids uuid[], p_bodies bytea[], p_expected bigint[], p_published boolean[], p_pending boolean[],
    p_deletions timestamptz[], p_leases text[], p_epochs bigint[],
    p_charges text[], p_limits text[], p_bounded boolean[], p_ceiling bigint,
    p_tables text[], p_claims text[], p_traces text[] DEFAULT NULL,
    OUT outcomes text[], OUT revisions bigint[], OUT holders jsonb, OUT lock_seconds double precision
) LANGUAGE plpgsql {plans} AS $$
DECLARE
    {variables}
    locked timestamptz;
    founded text[] := ARRAY[]::text[];   -- namespaces that are created together with what is in them
    released text[] := ARRAY[]::text[];
    newest bigint;
    waiting boolean := false;   -- something is left for the reconciler
    lasting boolean := false;   -- something was done that somebody can see
    hit record;
    {quota_variables}
BEGIN
    PERFORM ({lock});
    locked := clock_timestamp();
    IF EXISTS (SELECT FROM batches b WHERE b.id = p_batch) THEN
        RAISE EXCEPTION 'batch % was given up by its writer', p_batch USING ERRCODE = 'FL001';
    END IF;
    IF p_together THEN
        founded := ARRAY(
            SELECT m.name FROM unnest(p_actions, p_kinds, p_names) AS m(action, kind, name)
            WHERE m.action = 'create' AND m.kind = 'namespaces');
    END IF;
    FOR i IN 1 .. cardinality(p_tables) LOOP
        CASE p_tables[i]
            {keys}
            ELSE RAISE EXCEPTION 'there is no table of claims %', p_tables[i];
        END CASE;
    END LOOP;
    {check}
    -- A claim that is held weighs more than a name that is taken, as in Kubernetes, which allocates before it looks at
    -- the name. Writes that go together may pass claims on among themselves.
    {held}
    {measure}
    {quota_check}
    IF p_together AND cardinality(array_remove(outcomes, NULL)) > 0 THEN
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
        {release}
    END IF;
    {store}
    {change}
    {take}
    {charge}
    {limit}
    INSERT INTO batches (id, outcomes, revisions, holders) VALUES (p_batch, outcomes, revisions, holders);
    IF newest IS NOT NULL THEN
        PERFORM pg_notify('fairlead_changes', newest::text);
    END IF;
    IF waiting THEN
        PERFORM pg_notify('fairlead_pending', '');
    END IF;
    IF cardinality(released) > 0 THEN
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


def write_function(tables: Sequence[ClaimTable]) -> str:
    """The statement that creates the function, or replaces it by one that knows other tables.

    Claims come as `p_tables`, the tables that something is claimed from, and `p_claims`, which has a row for each of
    them: one array literal of keys a member, NULL for one that claims nothing from that table. `p_charges` has an
    object of amounts by measure for each member, `p_limits` a list of resource, measure, most and quantity; both as
    JSON or NULL. `p_ceiling` is the most objects of a namespace, for members that are bounded, or NULL.
    """
    return _WRITE.format(
        plans=PLANS,
        lock=WRITE_LOCK,
        check=_CHECK,
        store=_STORE,
        quota_variables=quotas.VARIABLES,
        measure=quotas.MEASURE,
        quota_check=quotas.CHECK,
        charge=quotas.CHARGE,
        limit=quotas.LIMIT,
        variables=" ".join(f"{table.name}_keys text[];" for table in tables),
        keys=" ".join(f"WHEN '{table.name}' THEN {table.name}_keys := p_claims[i:i];" for table in tables),
        held="".join(map(_held, tables)),
        release="".join(map(_release, tables)),
        change="".join(map(_change, tables)),
        take="".join(map(_take, tables)),
    )


def _values(table: ClaimTable) -> list[str]:
    """The columns that a claim's key, `c.key`, stands for."""
    return [f"split_part(c.key, '/', {place})::{type_}" for place, (_, type_) in enumerate(table.columns, start=1)]


def _how(table: ClaimTable) -> tuple[str, str]:
    """The home and the role that a claim's key, `c.key`, goes on with."""
    place = len(table.columns) + 1
    return f"split_part(c.key, '/', {place})", f"split_part(c.key, '/', {place + 1})"


def _conflict(table: ClaimTable) -> str:
    """Whether row `t` and a claim on the same thing exclude each other.

    A thing that can be shared has one home. Within it there is one owner who was given it (`own`, or `alone` if it lets
    nobody share), one who keeps it for others (`static`), and any number who asked for it by name (`shared`).
    """
    if not table.shareable:
        return "true"
    home, role = _how(table)
    same = " AND ".join(f"o.{column} = t.{column}" for column, _ in table.columns)
    return f"""(t.home <> {home} OR (t.role = {role} AND t.role <> 'shared')
            OR ('alone' IN (t.role, {role}) AND 'static' NOT IN (t.role, {role})))
        AND NOT ({role} = 'kept' AND EXISTS (SELECT FROM {table.name} o WHERE {same} AND o.owner = m.uid))"""


def _same(table: ClaimTable) -> str:
    """Whether row `t` is what a claim asks for."""
    pairs = zip(table.columns, _values(table), strict=True)
    return " AND ".join(f"t.{column} = {value}" for (column, _), value in pairs)


def _held(table: ClaimTable) -> str:
    """Refuse the members who claim what somebody else holds."""
    return f"""
        IF {table.name}_keys IS NOT NULL THEN
            FOR hit IN
                SELECT m.i, c.key, t.owner
                FROM unnest(p_uids, {table.name}_keys, outcomes) WITH ORDINALITY AS m(uid, claims, outcome, i)
                CROSS JOIN unnest(m.claims::text[]) AS c(key)
                CROSS JOIN LATERAL (SELECT * FROM {table.name} t WHERE {_same(table)} OFFSET 0) AS t
                WHERE coalesce(m.outcome, 'NameTaken') = 'NameTaken' AND t.owner <> m.uid
                    AND {_conflict(table)}
            LOOP
                IF coalesce(outcomes[hit.i], 'NameTaken') = 'NameTaken'
                    AND NOT (p_together AND hit.owner = ANY (p_uids)) THEN
                    outcomes[hit.i] := 'ClaimHeld';
                    holders := coalesce(holders, jsonb_build_object()) || jsonb_build_object(hit.i, (
                        SELECT jsonb_build_array('{table.name}', hit.key, o.kind, o.namespace, o.name)
                        FROM objects o WHERE o.uid = hit.owner));
                END IF;
            END LOOP;
        END IF;
    """


def _release(table: ClaimTable) -> str:
    """Give back what a member's object held and no longer shows."""
    delete = f"""
        DELETE FROM {table.name} WHERE ctid = ANY (ARRAY(
            SELECT found.ctid
            FROM unnest(p_uids, {table.name}_keys, p_actions, outcomes) AS m(uid, claims, action, outcome)
            CROSS JOIN LATERAL (
                SELECT t.ctid FROM {table.name} t
                WHERE t.owner = m.uid AND (m.claims IS NULL OR {_is_left_out(table)}) OFFSET 0
            ) AS found
            WHERE m.action <> 'create' AND m.outcome = 'Committed'))
    """
    return f"""
        {_recorded(table, delete) if table.recorded else f"{delete};"}
        IF FOUND THEN
            released := released || '{table.name}'::text;
        END IF;
    """


def _recorded(table: ClaimTable, delete: str) -> str:
    """The claims that a statement deletes become history. A clock that was set back makes none end before it began."""
    columns = {name for name, _ in table.columns}
    values = [f"g.{name}" if name in columns else "NULL" for name in ("address", "protocol", "port")]
    return f"""
        WITH gone AS ({delete} RETURNING *)
        INSERT INTO address_history (
            number, claims, address, protocol, port, owner, kind, namespace, name, since, until)
        SELECT g.number, '{table.name}', {", ".join(values)}, g.owner, o.kind, o.namespace, o.name, g.since,
            greatest(g.since, locked)
        FROM gone g CROSS JOIN LATERAL (SELECT * FROM objects o WHERE o.uid = g.owner OFFSET 0) AS o;
    """


def _is_left_out(table: ClaimTable) -> str:
    """Whether row `t` is none of a member's claims."""
    if table.shareable:
        return f"NOT EXISTS (SELECT FROM unnest(m.claims::text[]) AS c(key) WHERE {_same(table)})"
    texts = [f"host(t.{name})" if type_ == "inet" else f"t.{name}::text" for name, type_ in table.columns]
    key = " || '/' || ".join(texts)
    return f"{key} <> ALL (m.claims::text[])"


def _change(table: ClaimTable) -> str:
    """Note how a member's object holds from now on what it held before in another way.

    Who only shares from now on comes first, since there is one owner at most in the other roles.
    """
    if not table.shareable:
        return ""
    home, role = _how(table)
    return f"""
        IF {table.name}_keys IS NOT NULL AND ('update' = ANY (p_actions) OR 'publish' = ANY (p_actions)) THEN
            FOR hit IN
                SELECT found.ctid AS place, {home} AS home, {role} AS role
                FROM unnest(p_uids, {table.name}_keys, p_actions, outcomes) AS m(uid, claims, action, outcome)
                CROSS JOIN unnest(m.claims::text[]) AS c(key)
                CROSS JOIN LATERAL (
                    SELECT t.ctid, t.home, t.role FROM {table.name} t WHERE {_same(table)} AND t.owner = m.uid OFFSET 0
                ) AS found
                WHERE m.action <> 'create' AND m.outcome = 'Committed' AND (found.home, found.role) <> ({home}, {role})
                    AND {role} <> 'kept'
                ORDER BY {role} <> 'shared'
            LOOP
                UPDATE {table.name} SET home = hit.home, role = hit.role WHERE ctid = hit.place;
            END LOOP;
        END IF;
    """


def _take(table: ClaimTable) -> str:
    """Take what is not held yet: no ON CONFLICT, so that a claim the check overlooked is an error and never shared."""
    columns = [name for name, _ in table.columns] + ["home", "role"] * table.shareable + ["since"] * table.recorded
    values = [*_values(table), *(_how(table) if table.shareable else ()), *["locked"] * table.recorded]
    return f"""
        IF {table.name}_keys IS NOT NULL THEN
            INSERT INTO {table.name} ({", ".join(columns)}, owner)
            SELECT {", ".join(values)}, m.uid
            FROM unnest(p_uids, {table.name}_keys, outcomes) AS m(uid, claims, outcome)
            CROSS JOIN unnest(m.claims::text[]) AS c(key)
            WHERE m.outcome = 'Committed'
              AND NOT EXISTS (SELECT FROM {table.name} t WHERE {_same(table)} AND t.owner = m.uid OFFSET 0);
        END IF;
    """

"""The functions that settle a batch and acquire a lease. Both take the write lock first."""

from alembic import op

from migrations.write_function import PLANS, WRITE_LOCK

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_SETTLE = f"""
CREATE FUNCTION fairlead_settle(
    p_batch uuid, OUT outcomes text[], OUT revisions bigint[], OUT holders jsonb
) LANGUAGE plpgsql {PLANS} AS $$
BEGIN
    PERFORM ({WRITE_LOCK});
    SELECT b.outcomes, b.revisions, b.holders INTO outcomes, revisions, holders FROM batches b WHERE b.id = p_batch;
    IF NOT FOUND THEN
        INSERT INTO batches (id) VALUES (p_batch);
    ELSE
        -- Its own commit may not have waited for a synchronous standby, if the connection was lost while it did. The
        -- commit of this change comes later in the log, and waits for the standby to have both.
        UPDATE batches SET at = at WHERE id = p_batch;
    END IF;
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
END $$
"""

# A lease that would live longer than it was given for was renewed before the clock was set back: it counts as expired,
# so that its holder's death holds up the others for no longer than ever. A holder that lives renews it at once.
_IS_LIVE = "l.expires_at > clock_timestamp() AND l.expires_at <= clock_timestamp() + l.ttl"

# Whoever asks may have seen by its own clock that a lease was not renewed for its time, however the clock here stands.
_ACQUIRE = f"""
CREATE FUNCTION fairlead_acquire(
    p_name text, p_holder text, p_ttl interval,
    p_silent_epoch bigint DEFAULT NULL, p_silent_renewals bigint DEFAULT NULL,
    OUT epoch bigint, OUT held_epoch bigint, OUT held_renewals bigint
) LANGUAGE plpgsql {PLANS} AS $$
BEGIN
    SELECT l.epoch, l.renewals INTO held_epoch, held_renewals
    FROM leases l
    WHERE l.name = p_name AND l.holder <> p_holder AND {_IS_LIVE}
        AND (l.epoch, l.renewals) IS DISTINCT FROM (p_silent_epoch, p_silent_renewals);
    IF FOUND THEN
        RETURN;
    END IF;
    -- Under the write lock: what the holder before wrote is committed and seen, and what it has not written is refused.
    PERFORM ({WRITE_LOCK});
    INSERT INTO leases AS l (name, holder, epoch, renewals, ttl, expires_at)
    VALUES (p_name, p_holder, 1, 0, p_ttl, clock_timestamp() + p_ttl)
    ON CONFLICT (name) DO UPDATE
        SET holder = p_holder, epoch = l.epoch + 1, renewals = 0, ttl = p_ttl, expires_at = clock_timestamp() + p_ttl
        WHERE l.holder = p_holder OR NOT ({_IS_LIVE}) OR (l.epoch, l.renewals) = (p_silent_epoch, p_silent_renewals)
    RETURNING l.epoch INTO epoch;
END $$
"""


def upgrade() -> None:
    for function in (_SETTLE, _ACQUIRE):
        op.get_bind().exec_driver_sql(function)


def downgrade() -> None:
    for function in ("fairlead_acquire", "fairlead_settle"):
        op.execute(f"DROP FUNCTION {function}")

"""The statements that read claims. They follow from the declarations of the tables."""

from app.store.claim_tables import CLAIM_TABLES, ClaimTable, KeyColumn


def claimed(table: str) -> str:
    """All claims of a table: key and owner."""
    return f"SELECT {_key(CLAIM_TABLES[table])}, t.owner::text FROM {table} t"


def claimed_between(table: str) -> str:
    """Claims from $1 to $2, both included, in order, $3 at most: key and owner."""
    column = ranged(table)
    return f"""
        {claimed(table)} WHERE t.{column.name} BETWEEN $1::text::{column.type} AND $2::text::{column.type}
        ORDER BY t.{column.name} LIMIT $3
    """


def free(table: str) -> str:
    """Values that nobody holds, from $1 to the one $2 behind it, in order, $3 at most.

    Postgres makes the series only as far as it is read, and looks up each value by itself. A join would read all
    claims.
    """
    column = ranged(table)
    value = f"$1::text::{column.type} + s.n"
    return f"""
        SELECT {_text(column, f"({value})")} FROM (SELECT generate_series(0, $2::bigint) AS n) s
        WHERE (SELECT true FROM {table} t WHERE t.{column.name} = {value} LIMIT 1) IS NULL LIMIT $3
    """


def holders(table: str) -> str:
    """Who holds which of the keys $1: key, and the owner's kind, namespace, name and uid."""
    return f"""
        SELECT k.key, o.kind, o.namespace, o.name, o.uid::text
        FROM unnest($1::text[]) AS k(key)
        JOIN {table} t ON {_matches(CLAIM_TABLES[table])} JOIN objects o ON o.uid = t.owner
    """


def holders_between(table: str) -> str:
    """The first $3 values that are held within the spans from $1 to $2 (arrays), in order, each with its holder."""
    column = ranged(table)
    return f"""
        SELECT {_text(column, f"t.{column.name}")}, o.kind, o.namespace, o.name, o.uid::text
        FROM unnest($1::text[], $2::text[]) AS s(low, high)
        CROSS JOIN LATERAL (
            SELECT * FROM {table} c WHERE {_within(column, "c")} ORDER BY c.{column.name} LIMIT $3
        ) t
        JOIN objects o ON o.uid = t.owner
        ORDER BY t.{column.name} LIMIT $3
    """


def count_between(table: str) -> str:
    """How many claims there are within the spans from $1 to $2 (arrays)."""
    return f"""
        SELECT count(*) FROM unnest($1::text[], $2::text[]) AS s(low, high)
        JOIN {table} t ON {_within(ranged(table), "t")}
    """


def ranged(table: str) -> KeyColumn:
    """The column of a table whose values have ranges.

    Raises:
        ValueError: The table has none.
    """
    column = CLAIM_TABLES[table].ranged
    if column is None:
        raise ValueError(f"{table} has no ranges")
    return column


def _key(table: ClaimTable) -> str:
    """The key of a row, written as `Claim.key` writes it."""
    key = " || '/' || ".join(_text(column, f"t.{column.name}") for column in table.columns)
    return f"{key} || '/' || t.home || '/' || t.role" if table.shareable else key


def _within(column: KeyColumn, row: str) -> str:
    return f"{row}.{column.name} BETWEEN s.low::{column.type} AND s.high::{column.type}"


def _text(column: KeyColumn, value: str) -> str:
    return f"host({value})" if column.type == "inet" else f"{value}::text"


def _matches(table: ClaimTable) -> str:
    """Whether row `t` holds what `k.key` claims, in whatever role."""
    return " AND ".join(
        f"t.{column.name} = split_part(k.key, '/', {place})::{column.type}"
        for place, column in enumerate(table.columns, start=1)
    )

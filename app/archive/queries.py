"""The archive's SQL. `:home` is the home's id, `:from` and `:to` are ms since 1970, `:to` not included.

The rows are clustered by (home, entity, at, state), without a second index by time, which would cost a third
more writing: the statements go entity by entity instead, each a range of the key.
"""

# Each entity once, by stepping from one to the next in the key: a few hundred look-ups, not a scan.
_ENTITIES = """
    WITH RECURSIVE own (entity_id) AS (
        SELECT min(entity_id) FROM archive_event WHERE home_id = :home
        UNION ALL
        SELECT (SELECT min(entity_id) FROM archive_event WHERE home_id = :home AND entity_id > own.entity_id)
        FROM own WHERE own.entity_id IS NOT NULL
    )
"""


def _by_entity(statement: str) -> str:
    return _ENTITIES + statement


ROW_KEPT = "INSERT OR IGNORE INTO archive_event VALUES (?, ?, ?, ?, ?, ?, ?)"

CAUSE_LEARNED = """
    UPDATE archive_event SET cause = ?, context = ?, actor = ?
    WHERE home_id = ? AND entity_id = ? AND at = ? AND state = ? AND cause = 0
"""

FIRST_RECENT = _by_entity("""
    SELECT min((
        SELECT min(at) FROM archive_event
        WHERE home_id = :home AND entity_id = own.entity_id AND at >= :from
    )) FROM own
""")

RECENT_BETWEEN = _by_entity("""
    SELECT event.entity_id, event.state, event.at, event.cause, event.context, event.actor
    FROM own CROSS JOIN archive_event AS event
        ON event.home_id = :home AND event.entity_id = own.entity_id
        AND event.at >= :from AND event.at < :to
""")

RECENT_COUNT = _by_entity("""
    SELECT count(*)
    FROM own CROSS JOIN archive_event AS event
        ON event.home_id = :home AND event.entity_id = own.entity_id
        AND event.at >= :from AND event.at < :to
""")

RECENT_DELETED = _by_entity("""
    DELETE FROM archive_event
    WHERE home_id = :home AND entity_id IN (SELECT entity_id FROM own) AND at >= :from AND at < :to
""")

RECENT_SIZE = """
    SELECT count(*) AS events, min(at) AS first_at, max(at) AS last_at,
        count(DISTINCT at / 86400000) AS days,
        coalesce(sum(length(entity_id) + length(state) + length(actor) + 17), 0) AS bytes
    FROM archive_event WHERE home_id = :home
"""

DAYS_SIZE = """
    SELECT coalesce(sum(events), 0) AS events, min(first_at) AS first_at, max(last_at) AS last_at,
        count(*) AS days, coalesce(sum(length(block)), 0) AS bytes
    FROM archive_day WHERE home_id = :home
"""

# A day's name says when it was, in any zone: within these bounds, not all of years has to be looked at.
_FROM = "day >= coalesce(date(:from / 1000, 'unixepoch', '-3 days'), '')"
_TO = "day <= coalesce(date(:to / 1000, 'unixepoch', '+3 days'), ':')"

DAYS_BETWEEN = f"""
    SELECT day, starts_at, ends_at FROM archive_day
    WHERE home_id = :home AND {_FROM} AND {_TO} AND starts_at <= :to AND ends_at > :from ORDER BY ends_at
"""  # noqa: S608 - our own words

# In the order in which they end, which after a change of zone may not be that of their names, by a place or
# two. The blocks are fetched when it is known which: to sort them would mean to copy each on the way.
NEXT_DAYS = f"""
    SELECT day, starts_at, ends_at, first_at, last_at, block
    FROM (
        SELECT chosen FROM (
            SELECT rowid AS chosen, ends_at FROM archive_day
            WHERE home_id = :home AND {_FROM} AND ends_at > :from ORDER BY day LIMIT :days + 3
        ) ORDER BY ends_at LIMIT :days
    ) CROSS JOIN archive_day ON archive_day.rowid = chosen
    ORDER BY ends_at
"""  # noqa: S608 - our own words

DAY_KEPT = """
    INSERT INTO archive_day (home_id, day, starts_at, ends_at, first_at, last_at, events, block)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (home_id, day) DO UPDATE SET
        starts_at = min(starts_at, excluded.starts_at), ends_at = max(ends_at, excluded.ends_at),
        first_at = excluded.first_at, last_at = excluded.last_at,
        events = excluded.events, block = excluded.block
"""

BLOCK = "SELECT block FROM archive_day WHERE home_id = :home AND day = :day"

DAYS_BEFORE_SIZE = "SELECT coalesce(sum(events), 0) FROM archive_day WHERE home_id = :home AND day < :day"

DAYS_BEFORE_DELETED = "DELETE FROM archive_day WHERE home_id = :home AND day < :day"

MARKED = "SELECT pulled_until FROM archive_mark WHERE home_id = :home"

MARK = """
    INSERT INTO archive_mark (home_id, pulled_until) VALUES (:home, :until)
    ON CONFLICT (home_id) DO UPDATE SET pulled_until = excluded.pulled_until
"""

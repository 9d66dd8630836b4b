"""The statistics' SQL. `:home` is the home's id; `:from` and `:to` are ms, or days as text where days are
asked.
"""

MARK = """
    SELECT counted_from, counted_until, measured_until, measured FROM stat_mark WHERE home_id = :home
"""

COUNTED = """
    INSERT INTO stat_mark (home_id, counted_from, counted_until) VALUES (:home, :from, :until)
    ON CONFLICT (home_id) DO UPDATE SET
        counted_from = excluded.counted_from, counted_until = excluded.counted_until
"""

MEASURED_MARKED = """
    UPDATE stat_mark SET measured_until = :until, measured = :measured WHERE home_id = :home
"""

COUNT_ADDED = """
    INSERT INTO stat_hour (home_id, starts_at, area_id, events, automations_fired) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (home_id, starts_at, area_id) DO UPDATE SET
        events = events + excluded.events,
        automations_fired = automations_fired + excluded.automations_fired
"""

MEASURED_KEPT = """
    INSERT INTO stat_hour (home_id, starts_at, area_id, energy, temperature, humidity, co2)
    VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (home_id, starts_at, area_id) DO UPDATE SET
        energy = coalesce(excluded.energy, energy),
        temperature = coalesce(excluded.temperature, temperature),
        humidity = coalesce(excluded.humidity, humidity),
        co2 = coalesce(excluded.co2, co2)
"""

MEASURED = """
    SELECT starts_at, area_id, energy, temperature, humidity, co2 FROM stat_hour
    WHERE home_id = :home AND starts_at >= :from
"""

ENERGY_FORGOTTEN = "UPDATE stat_hour SET energy = NULL WHERE home_id = :home AND energy IS NOT NULL"

# A day is all of its hours, whenever one of them changed; so it can be made as often as one likes.
DAY_MADE = """
    INSERT INTO stat_day (
        home_id, day, area_id, events, automations_fired, energy, energy_hours,
        temperature, temperature_low, temperature_high, humidity, co2, co2_high
    )
    SELECT home_id, :day, area_id, sum(events), sum(automations_fired), sum(energy), count(energy),
        avg(temperature), min(temperature), max(temperature), avg(humidity), avg(co2), max(co2)
    FROM stat_hour WHERE home_id = :home AND starts_at >= :from AND starts_at < :to GROUP BY area_id
    ON CONFLICT (home_id, day, area_id) DO UPDATE SET
        events = excluded.events, automations_fired = excluded.automations_fired,
        energy = excluded.energy, energy_hours = excluded.energy_hours,
        temperature = excluded.temperature, temperature_low = excluded.temperature_low,
        temperature_high = excluded.temperature_high,
        humidity = excluded.humidity, co2 = excluded.co2, co2_high = excluded.co2_high
"""

USUAL_KEPT = """
    UPDATE stat_day SET energy_low = ?, energy_usual = ?, energy_high = ?
    WHERE home_id = ? AND day = ? AND area_id = ''
"""

HOURS = """
    SELECT area_id, starts_at, events, automations_fired, energy, temperature, humidity, co2 FROM stat_hour
    WHERE home_id = :home AND starts_at >= :from AND starts_at < :to ORDER BY starts_at, area_id
"""

DAYS = """
    SELECT area_id, day, events, automations_fired, energy, energy_hours,
        energy_low, energy_usual, energy_high,
        temperature, temperature_low, temperature_high, humidity, co2, co2_high
    FROM stat_day
    WHERE home_id = :home AND day BETWEEN :from AND :to AND (:area IS NULL OR area_id = :area)
    ORDER BY day, area_id
"""

SUMS = """
    SELECT area_id, sum(events), sum(automations_fired), sum(energy) FROM stat_day
    WHERE home_id = :home AND day BETWEEN :from AND :to GROUP BY area_id
"""

LATEST = """
    SELECT area_id, name, computed_at, stats FROM computed_stats WHERE home_id = :home
    ORDER BY area_id <> '', name COLLATE NOCASE, area_id
"""

LATEST_KEPT = """
    INSERT INTO computed_stats (home_id, area_id, name, computed_at, stats) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (home_id, area_id) DO UPDATE SET
        name = excluded.name, computed_at = excluded.computed_at, stats = excluded.stats
"""

LATEST_GONE = "DELETE FROM computed_stats WHERE home_id = ? AND area_id = ?"

ANY_HOUR_BEFORE = "SELECT 1 FROM stat_hour WHERE home_id = :home AND starts_at < :from LIMIT 1"

HOURS_FORGOTTEN = "DELETE FROM stat_hour WHERE home_id = :home AND starts_at < :from"

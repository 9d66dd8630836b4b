"""Every table of the one database, as numbered migrations.

Each migration and the record that it was applied share one transaction (sqlite-utils 4 `Migrations`). A
released migration is never edited: a change is a new one below it. Every time is an integer, milliseconds
since 1970 UTC. The room that owns a table writes its queries.
"""

from typing import Any

from sqlite_utils import Migrations

MIGRATIONS = Migrations("nightshift")


@MIGRATIONS(name="0001_home_and_archive")
def _home_and_archive(db: Any) -> None:
    db.execute(
        "CREATE TABLE home (home_id TEXT PRIMARY KEY, facts TEXT NOT NULL, updated_at INTEGER NOT NULL)"
    )
    # Clustered by its key: the same row read twice meets itself, and one entity's rows lie together.
    db.execute("""
        CREATE TABLE archive_event (
            home_id TEXT NOT NULL,
            entity_id TEXT NOT NULL,
            at INTEGER NOT NULL,
            state TEXT NOT NULL,
            cause INTEGER NOT NULL,
            context INTEGER NOT NULL,
            actor TEXT NOT NULL,
            PRIMARY KEY (home_id, entity_id, at, state)
        ) WITHOUT ROWID""")
    # The day covers [starts_at, ends_at), 23 to 25 hours; its events lie from first_at to last_at. The block
    # comes last, so that the other columns are read without it.
    db.execute("""
        CREATE TABLE archive_day (
            home_id TEXT NOT NULL,
            day TEXT NOT NULL,
            starts_at INTEGER NOT NULL,
            ends_at INTEGER NOT NULL,
            first_at INTEGER NOT NULL,
            last_at INTEGER NOT NULL,
            events INTEGER NOT NULL,
            block BLOB NOT NULL,
            PRIMARY KEY (home_id, day)
        )""")
    db.execute("CREATE TABLE archive_mark (home_id TEXT PRIMARY KEY, pulled_until INTEGER NOT NULL)")


@MIGRATIONS(name="0002_jobs")
def _jobs(db: Any) -> None:
    db.execute("""
        CREATE TABLE job_run (
            run_id TEXT PRIMARY KEY,
            job TEXT NOT NULL,
            home TEXT NOT NULL,
            trigger TEXT NOT NULL,
            status TEXT NOT NULL,
            scheduled_for INTEGER,
            started_at INTEGER,
            completed_at INTEGER,
            duration_seconds REAL,
            counts TEXT NOT NULL DEFAULT '{}',
            error_message TEXT,
            attempt INTEGER NOT NULL DEFAULT 1,
            retry_of TEXT,
            generation TEXT NOT NULL,
            details TEXT NOT NULL DEFAULT '{}',
            UNIQUE (job, home, scheduled_for)
        )""")
    db.execute("CREATE INDEX job_run_job_status ON job_run (job, status)")
    db.execute("CREATE INDEX job_run_started_at ON job_run (started_at DESC)")
    db.execute("CREATE TABLE job_setting (job TEXT PRIMARY KEY, paused INTEGER NOT NULL)")
    db.execute("""
        CREATE TABLE liveness (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            seen_at INTEGER NOT NULL,
            generation TEXT NOT NULL
        )""")


@MIGRATIONS(name="0003_suggestion")
def _suggestion(db: Any) -> None:
    db.execute("""
        CREATE TABLE suggestion (
            home_id TEXT NOT NULL,
            suggestion_id TEXT NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('offered', 'faded')),
            body TEXT NOT NULL,
            first_seen INTEGER NOT NULL,
            last_seen INTEGER NOT NULL,
            run_id TEXT,
            PRIMARY KEY (home_id, suggestion_id)
        )""")


@MIGRATIONS(name="0004_job_ledger")
def _job_ledger(db: Any) -> None:
    # What a run is about: the instant it was due, or the day a person asked for.
    db.execute("ALTER TABLE job_run ADD COLUMN occasion INTEGER")
    db.execute("UPDATE job_run SET occasion = coalesce(scheduled_for, started_at)")
    db.execute("ALTER TABLE job_run ADD COLUMN created_at INTEGER")
    db.execute("UPDATE job_run SET created_at = started_at")
    # When a run that is `retrying` is tried again.
    db.execute("ALTER TABLE job_run ADD COLUMN next_retry_at INTEGER")
    for count in ("processed", "successful", "failed"):
        db.execute(f"ALTER TABLE job_run ADD COLUMN subjects_{count} INTEGER NOT NULL DEFAULT 0")
    # A job's newest runs, at each decision about it: one that runs each minute has half a million rows.
    db.execute("CREATE INDEX job_run_job_started_at ON job_run (job, started_at)")
    db.execute("CREATE INDEX job_run_waiting ON job_run (status) WHERE status IN ('pending', 'retrying')")
    # Set on the page; NULL is what the options or the declaration say.
    db.execute("ALTER TABLE job_setting ADD COLUMN schedule TEXT")
    db.execute("""
        CREATE TABLE job_subject (
            run_id TEXT NOT NULL REFERENCES job_run (run_id) ON DELETE CASCADE,
            subject_id TEXT NOT NULL,
            name TEXT NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('successful', 'failed')),
            duration_seconds REAL NOT NULL,
            completed_at INTEGER NOT NULL,
            error TEXT,
            checks TEXT NOT NULL DEFAULT '{}',
            counts TEXT NOT NULL DEFAULT '{}',
            PRIMARY KEY (run_id, subject_id)
        ) WITHOUT ROWID""")
    # `next_retry_at` NULL: given up. A try in progress has the generation of the process that makes it.
    db.execute("""
        CREATE TABLE job_retry (
            retry_id INTEGER PRIMARY KEY,
            job TEXT NOT NULL,
            home TEXT NOT NULL,
            subject_id TEXT NOT NULL,
            name TEXT NOT NULL,
            run_id TEXT NOT NULL,
            occasion INTEGER NOT NULL,
            retry_count INTEGER NOT NULL DEFAULT 0,
            max_retries INTEGER NOT NULL,
            last_error TEXT NOT NULL,
            next_retry_at INTEGER,
            leased_by TEXT,
            created_at INTEGER NOT NULL,
            UNIQUE (job, home, subject_id)
        )""")
    db.execute("CREATE INDEX job_retry_due ON job_retry (next_retry_at) WHERE next_retry_at IS NOT NULL")
    db.execute("""
        CREATE TABLE job_log (
            run_id TEXT NOT NULL REFERENCES job_run (run_id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            at INTEGER NOT NULL,
            level TEXT NOT NULL,
            text TEXT NOT NULL,
            PRIMARY KEY (run_id, number)
        ) WITHOUT ROWID""")


@MIGRATIONS(name="0005_decisions")
def _decisions(db: Any) -> None:
    # Every decision is kept; the one that stands for a suggestion is the one that nothing superseded, and the
    # index makes sure that there is only one, whoever decides at the same moment.
    db.execute("""
        CREATE TABLE decision (
            decision_id TEXT PRIMARY KEY,
            home_id TEXT NOT NULL,
            suggestion_id TEXT NOT NULL,
            verdict TEXT NOT NULL CHECK (
                verdict IN ('accepting', 'accepted', 'declined', 'snoozed', 'undoing', 'undone')
            ),
            mode TEXT,
            until INTEGER,
            reason TEXT NOT NULL DEFAULT '',
            decided_at INTEGER NOT NULL,
            decided_by TEXT NOT NULL,
            via TEXT NOT NULL CHECK (via IN ('page', 'phone', 'mqtt', 'api')),
            superseded_at INTEGER,
            body TEXT NOT NULL
        )""")
    db.execute(
        "CREATE UNIQUE INDEX decision_standing ON decision (home_id, suggestion_id)"
        " WHERE superseded_at IS NULL"
    )
    db.execute("CREATE INDEX decision_history ON decision (home_id, suggestion_id, decided_at)")
    db.execute("""
        CREATE TABLE exclusion (
            home_id TEXT NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN ('entity', 'area', 'domain', 'label', 'kind')),
            value TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            created_by TEXT NOT NULL,
            PRIMARY KEY (home_id, kind, value)
        ) WITHOUT ROWID""")
    # What an accepted automation did on each local day ('YYYY-MM-DD').
    db.execute("""
        CREATE TABLE watched (
            home_id TEXT NOT NULL,
            unique_id TEXT NOT NULL,
            day TEXT NOT NULL,
            fired INTEGER NOT NULL,
            undone INTEGER NOT NULL,
            by_hand INTEGER NOT NULL,
            PRIMARY KEY (home_id, unique_id, day)
        ) WITHOUT ROWID""")


@MIGRATIONS(name="0006_watching")
def _watching(db: Any) -> None:
    # Its moment came, there was something to change, and nothing did; NULL: it cannot be told.
    db.execute("ALTER TABLE watched ADD COLUMN missed INTEGER")
    # The automations watched, those that people made too, as of the last good night. `body` is the newest
    # undos and the standing proposal; `announced` is what was told of it, once for each decision.
    db.execute("""
        CREATE TABLE watched_automation (
            home_id TEXT NOT NULL,
            unique_id TEXT NOT NULL,
            entity_id TEXT NOT NULL,
            alias TEXT NOT NULL,
            suggestion_id TEXT NOT NULL DEFAULT '',
            since INTEGER,
            proposal TEXT CHECK (proposal IN ('keep', 'shift', 'condition', 'retire')),
            announced TEXT NOT NULL DEFAULT '',
            seen_at INTEGER NOT NULL,
            body TEXT NOT NULL,
            PRIMARY KEY (home_id, unique_id)
        ) WITHOUT ROWID""")


@MIGRATIONS(name="0007_digest")
def _digest(db: Any) -> None:
    # One row for each phone and local day: claimed before the digest is sent, `sent_at` once it was. `told`
    # are the ids of the suggestions in it, as JSON.
    db.execute("""
        CREATE TABLE digest (
            home_id TEXT NOT NULL,
            day TEXT NOT NULL,
            phone TEXT NOT NULL,
            told TEXT NOT NULL,
            claimed_at INTEGER NOT NULL,
            sent_at INTEGER,
            PRIMARY KEY (home_id, day, phone)
        ) WITHOUT ROWID""")


@MIGRATIONS(name="0009_statistics")
def _statistics(db: Any) -> None:
    # What of the home was counted (each change once: counts and mark are written together), and until when
    # its measured figures were fetched; `measured` says from which of the hub's statistics.
    db.execute("""
        CREATE TABLE stat_mark (
            home_id TEXT PRIMARY KEY,
            counted_from INTEGER NOT NULL,
            counted_until INTEGER NOT NULL,
            measured_until INTEGER,
            measured TEXT NOT NULL DEFAULT ''
        )""")
    # A local hour of a place; `area_id` is empty for the home itself. kWh, degrees Celsius, per cent, ppm.
    db.execute("""
        CREATE TABLE stat_hour (
            home_id TEXT NOT NULL,
            starts_at INTEGER NOT NULL,
            area_id TEXT NOT NULL,
            events INTEGER NOT NULL DEFAULT 0,
            automations_fired INTEGER NOT NULL DEFAULT 0,
            energy REAL,
            temperature REAL,
            humidity REAL,
            co2 REAL,
            PRIMARY KEY (home_id, starts_at, area_id)
        ) WITHOUT ROWID""")
    # A local day ('YYYY-MM-DD') of a place, made of its hours and kept when they are gone. `energy_hours` is
    # how many of them knew the energy; the usual band is that of the day's kind when the day was over.
    db.execute("""
        CREATE TABLE stat_day (
            home_id TEXT NOT NULL,
            day TEXT NOT NULL,
            area_id TEXT NOT NULL,
            events INTEGER NOT NULL DEFAULT 0,
            automations_fired INTEGER NOT NULL DEFAULT 0,
            energy REAL,
            energy_hours INTEGER NOT NULL DEFAULT 0,
            energy_low REAL,
            energy_usual REAL,
            energy_high REAL,
            temperature REAL,
            temperature_low REAL,
            temperature_high REAL,
            humidity REAL,
            co2 REAL,
            co2_high REAL,
            PRIMARY KEY (home_id, day, area_id)
        ) WITHOUT ROWID""")
    db.execute("""
        CREATE TABLE computed_stats (
            home_id TEXT NOT NULL,
            area_id TEXT NOT NULL,
            name TEXT NOT NULL,
            computed_at INTEGER NOT NULL,
            stats TEXT NOT NULL,
            PRIMARY KEY (home_id, area_id)
        ) WITHOUT ROWID""")


@MIGRATIONS(name="0010_alerts")
def _alerts(db: Any) -> None:
    # One row for each cause, from when it was noticed until it is over; the index makes sure that a cause has
    # one open row. `told_at`: when people were last notified of it, at what level; `waits`: they are to be,
    # once quiet hours or the rate limit let them. Archived ones are kept for the counts, out of every list.
    db.execute("""
        CREATE TABLE alert (
            alert_id TEXT PRIMARY KEY,
            home_id TEXT NOT NULL,
            cause TEXT NOT NULL,
            kind TEXT NOT NULL,
            level TEXT NOT NULL,
            title TEXT NOT NULL,
            description TEXT NOT NULL,
            entity_id TEXT NOT NULL,
            area_id TEXT NOT NULL,
            place TEXT NOT NULL,
            detected_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            closed_at INTEGER,
            times INTEGER NOT NULL DEFAULT 1,
            is_read INTEGER NOT NULL DEFAULT 0,
            read_by TEXT NOT NULL DEFAULT '',
            read_at INTEGER,
            acknowledged_by TEXT NOT NULL DEFAULT '',
            acknowledged_at INTEGER,
            told_at INTEGER,
            told_level TEXT,
            waits INTEGER NOT NULL DEFAULT 0,
            archived_at INTEGER
        )""")
    db.execute("CREATE UNIQUE INDEX alert_open ON alert (home_id, cause) WHERE closed_at IS NULL")
    db.execute("CREATE INDEX alert_cause ON alert (home_id, cause, closed_at)")
    db.execute("CREATE INDEX alert_detected_at ON alert (home_id, detected_at)")
    db.execute("CREATE INDEX alert_told_at ON alert (home_id, told_at) WHERE told_at IS NOT NULL")
    # What was seen well once: only that can have failed since.
    db.execute("""
        CREATE TABLE alert_known (
            home_id TEXT NOT NULL,
            what TEXT NOT NULL,
            first_seen INTEGER NOT NULL,
            PRIMARY KEY (home_id, what)
        ) WITHOUT ROWID""")
    # What each finished local day of the archive taught (compressed JSON); NULL: it taught nothing.
    db.execute("""
        CREATE TABLE alert_day (
            home_id TEXT NOT NULL,
            day TEXT NOT NULL,
            facts BLOB,
            PRIMARY KEY (home_id, day)
        )""")
    # A home's own list of words; without a row the defaults hold.
    db.execute("""
        CREATE TABLE alert_keywords (
            home_id TEXT PRIMARY KEY,
            keywords TEXT NOT NULL,
            changed_at INTEGER NOT NULL,
            changed_by TEXT NOT NULL
        )""")


@MIGRATIONS(name="0011_insights")
def _insights(db: Any) -> None:
    # One insight for each scorecard and local day; the newest of a day takes the place of the one before.
    # `fingerprint` is the scorecard's text then: scores by other rules are not compared.
    db.execute("""
        CREATE TABLE coach_insights (
            insight_id TEXT PRIMARY KEY,
            home_id TEXT NOT NULL,
            scorecard TEXT NOT NULL,
            title TEXT NOT NULL,
            day TEXT NOT NULL,
            health_score INTEGER,
            health_breakdown TEXT NOT NULL,
            recommendations TEXT NOT NULL,
            connector_data_snapshot TEXT NOT NULL,
            confidence REAL NOT NULL,
            stale_since INTEGER,
            fingerprint TEXT NOT NULL,
            generated_at INTEGER NOT NULL,
            UNIQUE (home_id, scorecard, day)
        )""")
    # People's own scorecards; `text` NULL is a shipped one that was switched on or off.
    db.execute("""
        CREATE TABLE scorecard (
            home_id TEXT NOT NULL,
            name TEXT NOT NULL,
            text TEXT,
            active INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            updated_by TEXT NOT NULL,
            PRIMARY KEY (home_id, name)
        ) WITHOUT ROWID""")
    # Which recommendations people are told of, once each: claimed with the insight, told afterwards.
    db.execute("""
        CREATE TABLE coach_told (
            home_id TEXT NOT NULL,
            recommendation_id TEXT NOT NULL,
            claimed_at INTEGER NOT NULL,
            told_at INTEGER,
            PRIMARY KEY (home_id, recommendation_id)
        ) WITHOUT ROWID""")


@MIGRATIONS(name="0012_reports")
def _reports(db: Any) -> None:
    # One report of each kind for the local days it is about; `announced_at` NULL: nobody was told of it yet.
    db.execute("""
        CREATE TABLE report (
            home_id TEXT NOT NULL,
            report_id TEXT NOT NULL,
            kind TEXT NOT NULL,
            first_day TEXT NOT NULL,
            last_day TEXT NOT NULL,
            generated_at INTEGER NOT NULL,
            announced_at INTEGER,
            body TEXT NOT NULL,
            PRIMARY KEY (home_id, report_id)
        )""")
    db.execute("CREATE INDEX report_newest ON report (home_id, last_day)")
    # A report on its way by mail: tried again at `next_at`; neither that nor `sent_at`: given up.
    db.execute("""
        CREATE TABLE report_mail (
            home_id TEXT NOT NULL,
            report_id TEXT NOT NULL,
            attempts INTEGER NOT NULL DEFAULT 0,
            next_at INTEGER,
            sent_at INTEGER,
            tried_at INTEGER,
            error TEXT NOT NULL DEFAULT '',
            PRIMARY KEY (home_id, report_id)
        ) WITHOUT ROWID""")


@MIGRATIONS(name="0013_alert_reopened")
def _alert_reopened(db: Any) -> None:
    # When the cause of an alert last came back; of those that came back before, nobody knows.
    db.execute("ALTER TABLE alert ADD COLUMN reopened_at INTEGER")

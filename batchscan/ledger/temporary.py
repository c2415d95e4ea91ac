"""Temporary tables: what one process has seen; dropped with its connection."""

from __future__ import annotations

# Unchanged pictures without matches are left out.
TEMPORARY = """
    PRAGMA temp.cache_size = -16000;            -- KiB that stay in memory
    CREATE TEMP TABLE seen_pictures (
        picture_id INTEGER PRIMARY KEY,
        path BLOB NOT NULL,
        fresh INTEGER NOT NULL,                 -- scanned in this run
        covered INTEGER NOT NULL                -- only versions of it were seen
    );
    CREATE TEMP TABLE report_pictures (         -- of the view that was used last
        picture_id INTEGER PRIMARY KEY,
        path BLOB NOT NULL,
        fresh INTEGER NOT NULL                  -- scanned in this run
    );
    CREATE TEMP TABLE picture_sums (            -- counts of matches for each of report_pictures
        picture_id INTEGER PRIMARY KEY,
        fresh INTEGER NOT NULL,
        present INTEGER NOT NULL,               -- full, partial, new... count only these
        full INTEGER NOT NULL,
        partial INTEGER NOT NULL,
        new INTEGER NOT NULL,
        returned INTEGER NOT NULL,
        gone INTEGER NOT NULL,
        allowed INTEGER NOT NULL,
        worklist INTEGER NOT NULL,
        alarms INTEGER NOT NULL,                -- that `--fail-on` looks at
        news_alarms INTEGER NOT NULL,
        full_alarms INTEGER NOT NULL,
        newest REAL,                            -- first_seen of the newest present one
        any_full INTEGER NOT NULL,              -- from here on, those that are gone count, too
        any_partial INTEGER NOT NULL,
        any_other INTEGER NOT NULL,
        any_open INTEGER NOT NULL,
        any_reviewed INTEGER NOT NULL,
        any_noticed INTEGER NOT NULL,
        any_removed INTEGER NOT NULL,
        any_not_mine INTEGER NOT NULL,
        any_allowed INTEGER NOT NULL
    );
    CREATE TEMP TABLE report_rejected (         -- unchanged files that are still rejected
        folder_id INTEGER NOT NULL,
        name BLOB NOT NULL,
        PRIMARY KEY (folder_id, name)
    ) WITHOUT ROWID;
    CREATE TEMP TABLE walked (folder_id INTEGER PRIMARY KEY);  -- folders that have pictures now
    CREATE TEMP TABLE news_runs (run_id TEXT PRIMARY KEY) WITHOUT ROWID;  -- whose matches are new
    CREATE TEMP TABLE message_drafts (                  -- until the number of messages is known
        part INTEGER PRIMARY KEY,
        matches BLOB NOT NULL,                  -- JSON
        number INTEGER NOT NULL
    );
    CREATE TEMP TABLE allowed_matches (                 -- matches that a rule allows
        picture_id INTEGER NOT NULL,
        key TEXT NOT NULL,
        PRIMARY KEY (picture_id, key)
    ) WITHOUT ROWID;
    CREATE TEMP TABLE due_rescans (                     -- to be sent again, after new pictures
        id INTEGER PRIMARY KEY,
        counts_from REAL NOT NULL,              -- time of its answer; earlier with matches
        taken INTEGER NOT NULL DEFAULT 0,
        covered INTEGER NOT NULL,               -- by another version's answer, which is sent first
        folder BLOB NOT NULL,
        root BLOB,
        explicit INTEGER NOT NULL,
        name BLOB NOT NULL,
        size INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL,
        ctime_ns INTEGER NOT NULL
    );
    CREATE INDEX temp.due_by_age ON due_rescans (taken, covered, counts_from, id);
    CREATE INDEX temp.due_by_file ON due_rescans (folder, name);
    CREATE TEMP TABLE prune_candidates (                   -- files that are gone, before their rows go
        folder_id INTEGER NOT NULL,
        name BLOB NOT NULL,
        root BLOB NOT NULL,                     -- of the scans that found it
        PRIMARY KEY (folder_id, name)
    ) WITHOUT ROWID;
    CREATE TEMP TABLE rendition_files (                 -- looked at in this run, to be compared
        id INTEGER PRIMARY KEY,
        path BLOB NOT NULL,
        root BLOB,
        explicit INTEGER NOT NULL,
        size INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL,
        ctime_ns INTEGER NOT NULL,
        sha256 BLOB NOT NULL,
        format TEXT NOT NULL,
        picture_width INTEGER NOT NULL,         -- as they are stored
        picture_height INTEGER NOT NULL,
        converted INTEGER NOT NULL,
        answered INTEGER NOT NULL,
        resized INTEGER NOT NULL,               -- by its name
        verdict TEXT NOT NULL,                  -- the rest of what the judge found, as JSON
        hash BLOB NOT NULL,
        detail REAL NOT NULL,
        width INTEGER NOT NULL,                 -- upright
        height INTEGER NOT NULL,
        taken TEXT NOT NULL
    );
    CREATE TEMP TABLE rendition_ranks (rank INTEGER PRIMARY KEY, id INTEGER NOT NULL);
    -- With row ids: rows as large as these are slow to insert in the order of their keys.
    CREATE TEMP TABLE rendition_thumbnails (sha256 BLOB PRIMARY KEY, pixels BLOB NOT NULL);
    CREATE TEMP TABLE dry_run_planned (sha256 BLOB PRIMARY KEY) WITHOUT ROWID;  -- what a dry run would send
"""

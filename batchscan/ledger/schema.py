"""The ledger's tables and the migrations between versions.

`MIGRATIONS[n]` turns version n into n + 1 (`PRAGMA user_version`); released ones never change.
`normalize_url`, `matches_in`, `site_of` and `to_read_anew` are Python functions (`ledger.migrate`).
Times are seconds since 1970, paths and names are bytes as in the file system.
"""

from __future__ import annotations

MIGRATIONS = (
    """
    -- Answers of different realms never mix: another address, or the sandbox.
    CREATE TABLE realms (
        id INTEGER PRIMARY KEY,
        api_url TEXT NOT NULL,
        sandbox INTEGER NOT NULL,
        UNIQUE (api_url, sandbox)
    );
    -- A distinct content in a realm, whatever its files are called.
    CREATE TABLE pictures (
        id INTEGER PRIMARY KEY,
        realm_id INTEGER NOT NULL REFERENCES realms,
        sha256 BLOB NOT NULL,
        bytes INTEGER NOT NULL,
        format TEXT NOT NULL,
        width INTEGER NOT NULL,
        height INTEGER NOT NULL,
        answer_id INTEGER REFERENCES answers,   -- the newest one
        refusal BLOB,                           -- why the service will not take it, as JSON
        UNIQUE (realm_id, sha256)
    );
    -- What was paid for: the verbatim body, compressed, kept for ever.
    CREATE TABLE answers (
        id INTEGER PRIMARY KEY,
        picture_id INTEGER NOT NULL REFERENCES pictures,
        generation INTEGER NOT NULL,
        scan_id TEXT NOT NULL,
        run_id TEXT NOT NULL,
        received_at REAL NOT NULL,
        credits INTEGER,
        body BLOB NOT NULL
    );
    CREATE INDEX answers_by_picture ON answers (picture_id);
    -- The newest answer's matches, for SQL.
    CREATE TABLE matches (
        picture_id INTEGER NOT NULL REFERENCES pictures,
        url TEXT NOT NULL,
        kind TEXT NOT NULL,
        domain TEXT NOT NULL,
        PRIMARY KEY (picture_id, url)
    ) WITHOUT ROWID;
    -- An open claim means that bytes were about to leave under its scan id.
    CREATE TABLE claims (
        scan_id TEXT PRIMARY KEY,
        picture_id INTEGER NOT NULL REFERENCES pictures,
        generation INTEGER NOT NULL,
        run_id TEXT NOT NULL,
        path BLOB NOT NULL,
        opened_at REAL NOT NULL,
        state TEXT NOT NULL,                    -- open, answered, refused, lost
        under_way INTEGER NOT NULL,             -- sent, and not yet heard of
        sends INTEGER NOT NULL,
        unanswered INTEGER NOT NULL             -- sends that may have been charged for nothing
    ) WITHOUT ROWID;
    CREATE INDEX claims_by_picture ON claims (picture_id, generation);
    CREATE INDEX claims_open ON claims (run_id) WHERE state = 'open';
    -- Bodies of 200s that nobody could read: paid for, so kept.
    CREATE TABLE unread_bodies (
        scan_id TEXT NOT NULL,
        received_at REAL NOT NULL,
        body BLOB NOT NULL
    );
    CREATE TABLE folders (
        id INTEGER PRIMARY KEY,
        path BLOB NOT NULL UNIQUE
    );
    -- A file's final verdict in the state it had then: `picture_id`, or a rejection under rules.
    CREATE TABLE files (
        realm_id INTEGER NOT NULL,
        folder_id INTEGER NOT NULL REFERENCES folders,
        name BLOB NOT NULL,
        size INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL,
        ctime_ns INTEGER NOT NULL,
        picture_id INTEGER REFERENCES pictures,
        rules TEXT,                             -- what it was rejected under
        line BLOB,                              -- the rejection's line, as JSON
        PRIMARY KEY (realm_id, folder_id, name)
    ) WITHOUT ROWID;
    CREATE INDEX files_by_picture ON files (picture_id);
    CREATE TABLE runs (
        run_id TEXT PRIMARY KEY,
        realm_id INTEGER NOT NULL REFERENCES realms,
        folder BLOB NOT NULL,
        started_at REAL NOT NULL,
        closed INTEGER NOT NULL,
        facts BLOB NOT NULL,                    -- counts that no line shows, as JSON
        report BLOB                             -- report.json, when closed
    );
    -- What the open runs and the last closed one decided, to make results.jsonl again.
    CREATE TABLE outcomes (
        id INTEGER PRIMARY KEY,
        run_id TEXT NOT NULL,
        answer_id INTEGER REFERENCES answers,   -- its matches belong into the line
        line BLOB NOT NULL
    );
    CREATE INDEX outcomes_by_run ON outcomes (run_id);
    -- When requests left, for windows longer than a run.
    CREATE TABLE sends (
        api_url TEXT NOT NULL,
        at REAL NOT NULL
    );
    CREATE INDEX sends_by_time ON sends (api_url, at);
    CREATE TABLE pace (
        api_url TEXT PRIMARY KEY,
        share REAL NOT NULL,                    -- of the told rate, learned from 429s
        wall REAL NOT NULL,                     -- the share at which the last 429 came
        learned_at REAL NOT NULL,
        paused_until REAL NOT NULL
    );
    """,
    """
    -- A block of a folder's files that all have their verdicts: while its fingerprint fits, none
    -- has changed. Only a shortcut to what `files` says.
    CREATE TABLE seals (
        realm_id INTEGER NOT NULL,
        folder_id INTEGER NOT NULL REFERENCES folders,
        first_name BLOB NOT NULL,               -- of the block's files
        fingerprint BLOB NOT NULL,              -- of names, sizes and times
        rules TEXT NOT NULL,                    -- that its rejections were made under
        oldest REAL,                            -- when its oldest answer came
        matched BLOB NOT NULL,                  -- pictures with matches, and their files' names
        PRIMARY KEY (realm_id, folder_id, first_name)
    ) WITHOUT ROWID;
    -- Which runs made the sends that `claims.unanswered` counts: a claim passes from run to run.
    CREATE TABLE doubts (
        run_id TEXT NOT NULL,
        scan_id TEXT NOT NULL REFERENCES claims,
        sends INTEGER NOT NULL,
        PRIMARY KEY (run_id, scan_id)
    ) WITHOUT ROWID;
    INSERT INTO doubts SELECT run_id, scan_id, unanswered FROM claims WHERE unanswered > 0;
    """,
    """
    -- The first ledgers of version 2 were made without this table.
    CREATE TABLE IF NOT EXISTS doubts (
        run_id TEXT NOT NULL,
        scan_id TEXT NOT NULL REFERENCES claims,
        sends INTEGER NOT NULL,
        PRIMARY KEY (run_id, scan_id)
    ) WITHOUT ROWID;
    INSERT INTO doubts SELECT run_id, scan_id, unanswered FROM claims
        WHERE unanswered > 0 AND NOT EXISTS (SELECT 1 FROM doubts);
    -- Every match that an answer ever showed of a picture, once by its normalised URL. It is gone
    -- when `answer_id` is not the picture's newest answer.
    CREATE TABLE sightings (
        picture_id INTEGER NOT NULL REFERENCES pictures,
        key TEXT NOT NULL,                      -- the normalised URL
        url TEXT NOT NULL,                      -- as the service wrote it last
        kind TEXT NOT NULL,
        domain TEXT NOT NULL,
        pages BLOB,                             -- that show it: JSON; NULL for none
        answer_id INTEGER NOT NULL REFERENCES answers,  -- the newest that showed it
        first_seen REAL NOT NULL,
        last_seen REAL NOT NULL,
        arrived_in TEXT NOT NULL,               -- the run that saw it first, or first again
        returned INTEGER NOT NULL,              -- whether it had been gone before that
        disposition TEXT NOT NULL DEFAULT 'open',
        marked_at REAL,
        PRIMARY KEY (picture_id, key)
    ) WITHOUT ROWID;
    CREATE INDEX sightings_by_domain ON sightings (domain);
    -- As if each answer had been entered when it came (`ledger.history`).
    INSERT INTO sightings
        SELECT a.picture_id, normalised(json_extract(m.value, '$[0]')),
            json_extract(m.value, '$[0]'), json_extract(m.value, '$[1]'),
            json_extract(m.value, '$[2]'), CAST(json_extract(m.value, '$[3]') AS BLOB),
            a.id, a.received_at, a.received_at, a.run_id, 0, 'open', NULL
        FROM answers a CROSS JOIN json_each(matches_in(a.body)) m WHERE true ORDER BY a.id, m.id
        ON CONFLICT (picture_id, key) DO UPDATE SET
            url = excluded.url, kind = excluded.kind, domain = excluded.domain,
            pages = excluded.pages, answer_id = excluded.answer_id,
            last_seen = max(last_seen, excluded.last_seen),
            arrived_in = iif(answer_id = (SELECT max(b.id) FROM answers b WHERE b.picture_id =
                excluded.picture_id AND b.id < excluded.answer_id), arrived_in,
                excluded.arrived_in),
            returned = iif(answer_id = (SELECT max(b.id) FROM answers b WHERE b.picture_id =
                excluded.picture_id AND b.id < excluded.answer_id), returned, 1)
        WHERE sightings.answer_id <> excluded.answer_id;
    -- Should an answer have become unreadable, what was known of it still is.
    INSERT OR IGNORE INTO sightings
        SELECT m.picture_id, normalised(m.url), m.url, m.kind, m.domain, NULL, p.answer_id,
            a.received_at, a.received_at, a.run_id, 0, 'open', NULL
        FROM matches m JOIN pictures p ON p.id = m.picture_id JOIN answers a ON a.id = p.answer_id;
    DROP TABLE matches;
    DELETE FROM seals;                          -- they do not tell of pictures that had matches
    -- What a matched picture looks like and says of itself, taken from the bytes that were sent.
    CREATE TABLE portraits (
        picture_id INTEGER PRIMARY KEY REFERENCES pictures,
        thumbnail BLOB,                         -- a small WebP file
        provenance BLOB NOT NULL                -- JSON
    );
    -- The pictures with matches that a run saw, for its reports: numbers, packed.
    ALTER TABLE runs ADD COLUMN matched BLOB;
    """,
    """
    -- What people are to be told: entered with the answer that shows it, until it is in messages.
    CREATE TABLE events (
        id INTEGER PRIMARY KEY,
        realm_id INTEGER NOT NULL REFERENCES realms,
        run_id TEXT NOT NULL,
        picture_id INTEGER NOT NULL REFERENCES pictures,
        key TEXT NOT NULL,                      -- of the sighting
        event TEXT NOT NULL,                    -- new, returned, full: it was a partial copy
        first INTEGER NOT NULL                  -- whether it came with the picture's first answer
    );
    -- A message to one target, the same as often as it is sent.
    CREATE TABLE messages (
        id TEXT PRIMARY KEY,
        target TEXT NOT NULL,
        run_id TEXT NOT NULL,
        body BLOB NOT NULL,                     -- JSON
        matches INTEGER NOT NULL,
        made_at REAL NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        tried_at REAL,
        trouble TEXT,                           -- of the last attempt
        told_at REAL                            -- NULL while it is pending
    ) WITHOUT ROWID;
    CREATE INDEX messages_pending ON messages (target, made_at) WHERE told_at IS NULL;
    -- For budgets of calendar windows.
    CREATE INDEX answers_by_time ON answers (received_at, credits, picture_id);
    ALTER TABLE doubts ADD COLUMN at REAL NOT NULL DEFAULT 0;   -- the last of its sends
    """,
    """
    -- International names are written in punycode now, so that a site is one.
    UPDATE sightings SET domain = site_of(url) WHERE domain GLOB '*[^ -~]*';
    -- What people decided about matches, by whom and why: only ever added to.
    CREATE TABLE decisions (
        id INTEGER PRIMARY KEY,
        realm_id INTEGER NOT NULL REFERENCES realms,
        at REAL NOT NULL,
        who TEXT NOT NULL,                      -- the user's name
        disposition TEXT NOT NULL,              -- what the matches became
        about TEXT NOT NULL,                    -- the site or URL, as it was written
        note TEXT,
        undoes INTEGER REFERENCES decisions,    -- the decision that this one took back
        complete INTEGER NOT NULL               -- 0 while matches are still being taken back
    );
    CREATE TABLE decided (
        decision_id INTEGER NOT NULL REFERENCES decisions,
        picture_id INTEGER NOT NULL REFERENCES pictures,
        key TEXT NOT NULL,                      -- of the sighting
        before TEXT NOT NULL,
        after TEXT NOT NULL,
        PRIMARY KEY (decision_id, picture_id, key)
    ) WITHOUT ROWID;
    CREATE INDEX decided_by_match ON decided (picture_id, key);
    -- An answer is kept before it is read. `reader` is the version of the reading that made the
    -- rows about it; NULL until one has. `trouble` says why its matches may not be all there are.
    ALTER TABLE answers ADD COLUMN reader INTEGER DEFAULT 1;
    ALTER TABLE answers ADD COLUMN trouble TEXT;
    -- Readings that began and are not known to have ended: each is counted before it begins, as it
    -- may be the process's end. NULL where `reader` makes no more.
    ALTER TABLE answers ADD COLUMN attempts INTEGER DEFAULT 0;
    UPDATE answers SET reader = NULL WHERE to_read_anew(body);
    CREATE INDEX answers_to_read ON answers (picture_id, reader)
        WHERE reader IS NULL OR trouble IS NOT NULL;
    CREATE INDEX answers_attempted ON answers (attempts) WHERE attempts > 0;
    DELETE FROM seals WHERE folder_id IN (SELECT f.folder_id FROM answers a
        JOIN files f ON f.picture_id = a.picture_id WHERE a.reader IS NULL);
    -- Whether a folder is on another file system than the root it was found under; NULL where no
    -- scan has looked. One that is gone is reported once, unless it was mounted.
    ALTER TABLE folders ADD COLUMN mounted INTEGER;
    ALTER TABLE folders ADD COLUMN reported_missing INTEGER NOT NULL DEFAULT 0;
    -- What was sent in a file's place under a scan id: JSON of `model.Sent`, and its hash; NULL
    -- where it was the file itself.
    ALTER TABLE claims ADD COLUMN sent BLOB;
    ALTER TABLE claims ADD COLUMN sent_sha256 BLOB;
    CREATE INDEX claims_by_sent ON claims (sent_sha256) WHERE sent_sha256 IS NOT NULL;
    -- Other files' contents of which the same bytes would be sent as of an answered picture.
    CREATE TABLE equals (
        realm_id INTEGER NOT NULL REFERENCES realms,
        sha256 BLOB NOT NULL,
        picture_id INTEGER NOT NULL REFERENCES pictures,
        bytes INTEGER NOT NULL,
        format TEXT NOT NULL,
        width INTEGER NOT NULL,
        height INTEGER NOT NULL,
        sent BLOB,
        PRIMARY KEY (realm_id, sha256)
    ) WITHOUT ROWID;
    -- The file's own content, where `picture_id` is the answered one of equals.
    ALTER TABLE files ADD COLUMN sha256 BLOB;
    -- A conversion may avoid these rejections, which were made before there were any.
    UPDATE files SET rules = rules || '-never' WHERE picture_id IS NULL AND rules IS NOT NULL
        AND json_extract(CAST(line AS TEXT), '$.reason')
            IN ('unsupported_format', 'too_large', 'too_many_pixels');
    -- Counts up with everything that reports are made from, so that one that would be the same
    -- need not be made again (`ledger.report_cache`).
    CREATE TABLE changes (number INTEGER NOT NULL);
    INSERT INTO changes VALUES (0);
    CREATE TRIGGER sighting_added AFTER INSERT ON sightings
        BEGIN UPDATE changes SET number = number + 1; END;
    CREATE TRIGGER sighting_changed AFTER UPDATE ON sightings
        BEGIN UPDATE changes SET number = number + 1; END;
    CREATE TRIGGER sighting_removed AFTER DELETE ON sightings
        BEGIN UPDATE changes SET number = number + 1; END;
    -- The runs that matches arrived in: what they tell is not what the next run tells.
    CREATE TABLE arrivals (run_id TEXT PRIMARY KEY) WITHOUT ROWID;
    INSERT INTO arrivals SELECT DISTINCT arrived_in FROM sightings;
    CREATE TRIGGER sighting_arrived AFTER INSERT ON sightings
        WHEN NOT EXISTS (SELECT 1 FROM arrivals WHERE run_id = NEW.arrived_in)
        BEGIN INSERT INTO arrivals VALUES (NEW.arrived_in); END;
    CREATE TRIGGER sighting_returned AFTER UPDATE OF arrived_in ON sightings
        WHEN NOT EXISTS (SELECT 1 FROM arrivals WHERE run_id = NEW.arrived_in)
        BEGIN INSERT INTO arrivals VALUES (NEW.arrived_in); END;
    CREATE TRIGGER answer_replaced AFTER UPDATE OF answer_id ON pictures
        WHEN EXISTS (SELECT 1 FROM sightings WHERE picture_id = NEW.id)
        BEGIN UPDATE changes SET number = number + 1; END;
    CREATE TRIGGER answer_read AFTER UPDATE OF credits, received_at ON answers
        WHEN EXISTS (SELECT 1 FROM sightings WHERE picture_id = NEW.picture_id)
        BEGIN UPDATE changes SET number = number + 1; END;
    CREATE TRIGGER portrait_made AFTER INSERT ON portraits
        BEGIN UPDATE changes SET number = number + 1; END;
    CREATE TRIGGER portrait_changed AFTER UPDATE ON portraits
        BEGIN UPDATE changes SET number = number + 1; END;
    CREATE TRIGGER portrait_removed AFTER DELETE ON portraits
        BEGIN UPDATE changes SET number = number + 1; END;
    CREATE TABLE digests (
        id INTEGER PRIMARY KEY,
        fingerprint BLOB NOT NULL UNIQUE,       -- of everything that it was made from
        digest BLOB NOT NULL                    -- JSON, compressed
    );
    CREATE TABLE cached_files (
        fingerprint BLOB NOT NULL,              -- of its digest
        name TEXT NOT NULL,
        facts BLOB NOT NULL,                    -- stands for what else it says
        run_id TEXT NOT NULL,                   -- for which it was made
        path BLOB NOT NULL,                     -- where it stands
        identity TEXT NOT NULL,                 -- inode, size and time: as it was written
        PRIMARY KEY (fingerprint, name)
    ) WITHOUT ROWID;
    -- Which ledger this is, and how far it came (`ledger.identity`). Copies from before there were
    -- ids get the same one, by the first answer.
    CREATE TABLE identity (
        ledger_id TEXT NOT NULL,
        changes INTEGER NOT NULL,               -- of runs, claims and answers, ever
        accepted_until REAL NOT NULL            -- runs that started until then may be unknown
    );
    INSERT INTO identity VALUES (coalesce(
        (SELECT hash_of(scan_id || ' ' || run_id || ' ' || received_at) FROM answers
            ORDER BY id LIMIT 1), lower(hex(randomblob(16)))), 0, 0);
    CREATE TRIGGER runs_count AFTER INSERT ON runs
        BEGIN UPDATE identity SET changes = changes + 1; END;
    CREATE TRIGGER claims_count AFTER INSERT ON claims
        BEGIN UPDATE identity SET changes = changes + 1; END;
    CREATE TRIGGER claims_count_changes AFTER UPDATE ON claims
        BEGIN UPDATE identity SET changes = changes + 1; END;
    CREATE TRIGGER answers_count AFTER INSERT ON answers
        BEGIN UPDATE identity SET changes = changes + 1; END;
    -- The names of a block's rejected files by reason, in MessagePack: they have no answer, and
    -- every run says so.
    ALTER TABLE seals ADD COLUMN rejected BLOB NOT NULL DEFAULT x'80';
    DELETE FROM seals WHERE folder_id IN (SELECT folder_id FROM files WHERE rules IS NOT NULL);
    -- What stood at a match's addresses when it was captured: a WARC file of the state folder for
    -- each match and time, and what of it is worth finding again.
    CREATE TABLE capture_files (
        id INTEGER PRIMARY KEY,
        picture_id INTEGER NOT NULL REFERENCES pictures,
        key TEXT NOT NULL,                      -- of the sighting
        name TEXT NOT NULL UNIQUE,              -- in STATE/captures
        bytes INTEGER NOT NULL,
        sha256 BLOB NOT NULL,
        captured_at REAL NOT NULL,
        who TEXT NOT NULL,                      -- the user's name
        timestamp_url TEXT,                     -- of the authority that was asked (RFC 3161)
        timestamp BLOB,                         -- what it answered, verbatim
        timestamped_at REAL                     -- as it says; NULL where it could not be checked
    );
    CREATE INDEX capture_files_by_match ON capture_files (picture_id, key);
    CREATE TABLE captures (
        id INTEGER PRIMARY KEY,
        file_id INTEGER NOT NULL REFERENCES capture_files,
        kind TEXT NOT NULL,                     -- picture, page, resource, screenshot
        url TEXT NOT NULL,
        http_status INTEGER,                    -- NULL where nothing was answered
        trouble TEXT,                           -- why, or why it is not whole
        position INTEGER,                       -- of its record in the file; NULL without a record
        sha256 BLOB,                            -- of the body without transfer and content coding
        bytes INTEGER,
        media_type TEXT,
        preview BLOB,                           -- a small JPEG, made by a decoder process of ours
        fingerprint BLOB,                       -- by which pictures are compared
        likeness REAL,                          -- to their picture as first fetched: 0 to 1
        our_likeness REAL                       -- to our picture
    );
    CREATE INDEX captures_by_file ON captures (file_id);
    -- What other versions of a picture are found by (`batchscan.renditions`), by content, whatever
    -- the realm; made once. An empty hash: it cannot be compared.
    CREATE TABLE fingerprints (
        sha256 BLOB PRIMARY KEY,
        hash BLOB NOT NULL,
        detail REAL NOT NULL,
        width INTEGER NOT NULL,                 -- upright
        height INTEGER NOT NULL,
        taken TEXT NOT NULL                     -- when, to the fraction of a second
    ) WITHOUT ROWID;
    CREATE INDEX fingerprints_by_time ON fingerprints (taken) WHERE taken <> '';
    -- Contents that were not asked about: a version of the same picture is answered.
    CREATE TABLE covered (
        realm_id INTEGER NOT NULL REFERENCES realms,
        sha256 BLOB NOT NULL,
        picture_id INTEGER NOT NULL REFERENCES pictures,   -- the answered one
        by_sha256 BLOB NOT NULL,                -- of it
        by_path BLOB NOT NULL,                  -- where it was then
        distance INTEGER NOT NULL,
        difference INTEGER NOT NULL,
        rule TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        format TEXT NOT NULL,
        width INTEGER NOT NULL,
        height INTEGER NOT NULL,
        PRIMARY KEY (realm_id, sha256)
    ) WITHOUT ROWID;
    CREATE INDEX covered_by_picture ON covered (picture_id);
    CREATE TRIGGER covered_added AFTER INSERT ON covered
        WHEN EXISTS (SELECT 1 FROM sightings WHERE picture_id = NEW.picture_id)
        BEGIN UPDATE changes SET number = number + 1; END;
    CREATE TRIGGER covered_removed AFTER DELETE ON covered
        WHEN EXISTS (SELECT 1 FROM sightings WHERE picture_id = OLD.picture_id)
        BEGIN UPDATE changes SET number = number + 1; END;
    -- What people said of versions: only ever added to.
    CREATE TABLE rendition_decisions (
        id INTEGER PRIMARY KEY,
        word TEXT NOT NULL,                     -- split, join
        at REAL NOT NULL,
        who TEXT NOT NULL,
        sha256 BLOB NOT NULL,
        path BLOB NOT NULL,
        other_sha256 BLOB,                      -- of a join
        other_path BLOB,
        note TEXT
    );
    -- What the sites themselves answered about matches, free of charge. A run that did not end
    -- goes on in the next one that asks for the same.
    CREATE TABLE recheck_runs (
        id INTEGER PRIMARY KEY,
        realm_id INTEGER NOT NULL REFERENCES realms,
        choice TEXT NOT NULL,                   -- which matches, as it was written
        started_at REAL NOT NULL,
        ended_at REAL                           -- NULL while it goes on, or when it was interrupted
    );
    CREATE TABLE rechecks (
        id INTEGER PRIMARY KEY,
        run_id INTEGER NOT NULL REFERENCES recheck_runs,
        picture_id INTEGER NOT NULL REFERENCES pictures,
        key TEXT NOT NULL,                      -- of the sighting
        kind TEXT NOT NULL,                     -- picture, page
        url TEXT NOT NULL,                      -- that was asked
        checked_at REAL NOT NULL,
        verdict TEXT NOT NULL,                  -- there, changed, gone_once, gone, unknown
        http_status INTEGER,                    -- NULL where nothing was answered
        detail TEXT,                            -- why
        gone_since REAL,                        -- the first of the answers that it is gone
        likeness REAL,                          -- to their picture as first fetched: 0 to 1
        our_likeness REAL,                      -- to our picture
        names_picture INTEGER                   -- of a page: whether its text names the picture
    );
    CREATE INDEX rechecks_by_match ON rechecks (picture_id, key, kind, url, id);
    CREATE INDEX rechecks_by_run ON rechecks (run_id, picture_id, key);
    CREATE TRIGGER recheck_added AFTER INSERT ON rechecks
        BEGIN UPDATE changes SET number = number + 1; END;
    -- Their picture: as it was first fetched, to compare with, and a small copy as of the last time.
    CREATE TABLE their_pictures (
        picture_id INTEGER NOT NULL REFERENCES pictures,
        key TEXT NOT NULL,                      -- of the sighting
        first_at REAL NOT NULL,
        sha256 BLOB NOT NULL,                   -- of its bytes then
        fingerprint BLOB,                       -- NULL where they could not be decoded
        seen_at REAL,
        preview BLOB,                           -- a small JPEG, made by a decoder process of ours
        PRIMARY KEY (picture_id, key)
    ) WITHOUT ROWID;
    """,
    """
    -- What a covered version looks like, a small JPEG, where the answer about it has matches.
    ALTER TABLE covered ADD COLUMN preview BLOB;
    -- Those of pictures that were made smaller to be sent were taken of a part; they are taken anew.
    DELETE FROM fingerprints WHERE sha256 IN (SELECT p.sha256 FROM pictures p
        JOIN claims c ON c.picture_id = p.id WHERE c.sent LIKE '%"r1"%');
    """,
)

VERSION = len(MIGRATIONS)

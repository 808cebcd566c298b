import SQLite

/// The tables, and how older ones become these.
enum Schema {
    /// `HfLg` as SQLite's application id, by which `file` and this program know the database.
    static let applicationID: Int64 = 0x4866_4c67

    /// One step each; `user_version` counts those that were taken.
    ///
    /// A step may change projections and add tables. It never touches `entry` or `body`: what is chained stays as
    /// it was written.
    static let migrations: [String] = [chain + guards + projections, retention, rollouts, outlets]

    /// The version that this program writes.
    static var version: Int64 { Int64(migrations.count) }

    /// Takes the steps that are missing; to be called inside a transaction.
    static func migrate(
        _ database: Connection, from version: Int64, by migrations: [String] = migrations
    ) throws(SQLiteError) {
        for (index, step) in migrations.enumerated() where index >= version {
            try database.execute(script: step)
            try database.execute("PRAGMA user_version = \(index + 1)")
        }
        try database.execute("PRAGMA application_id = \(applicationID)")
    }

    /// A body may be dropped where the newest retention entry covers it, and no other.
    private static let retention = """
        CREATE TABLE retention(
            id INTEGER PRIMARY KEY CHECK(id = 1),
            seq INTEGER NOT NULL REFERENCES entry(seq),
            through INTEGER NOT NULL
        ) STRICT;
        DROP TRIGGER body_is_kept;
        CREATE TRIGGER body_is_kept BEFORE DELETE ON body
        WHEN NOT EXISTS (
            SELECT 1 FROM retention JOIN entry AS says ON says.seq = retention.seq JOIN entry AS gone
            WHERE says.kind = 'bodies-dropped' AND gone.seq = OLD.seq AND (
                (gone.seq <= retention.through AND gone.kind IN (\(DroppedBodies.kindsInSQL)))
                OR (gone.seq < retention.seq AND gone.kind = 'bodies-dropped')
            )
        )
        BEGIN SELECT RAISE(ABORT, 'the ledger only grows: a body is dropped by retention alone'); END;

        """

    private static let chain = """
        CREATE TABLE entry(
            seq INTEGER PRIMARY KEY,
            prev BLOB NOT NULL CHECK(length(prev) = 32),
            kind TEXT NOT NULL,
            at INTEGER NOT NULL,
            synchronised INTEGER CHECK(synchronised IN (0, 1)),
            boot TEXT NOT NULL,
            body_hash BLOB NOT NULL CHECK(length(body_hash) = 32),
            hash BLOB NOT NULL CHECK(length(hash) = 32)
        ) STRICT;
        CREATE TABLE body(
            seq INTEGER PRIMARY KEY REFERENCES entry(seq),
            content TEXT NOT NULL
        ) STRICT;

        """

    // The insert guards also stop INSERT OR REPLACE, which deletes without asking delete triggers.
    private static let guards = """
        CREATE TRIGGER entry_follows BEFORE INSERT ON entry
        WHEN NEW.seq IS NOT 1 + coalesce((SELECT max(seq) FROM entry), 0)
            OR (NEW.seq > 1 AND NEW.prev IS NOT (SELECT hash FROM entry WHERE seq = NEW.seq - 1))
        BEGIN SELECT RAISE(ABORT, 'the ledger only grows: an entry follows the newest one'); END;
        CREATE TRIGGER entry_stays BEFORE UPDATE ON entry
        BEGIN SELECT RAISE(ABORT, 'the ledger only grows: an entry is never changed'); END;
        CREATE TRIGGER entry_is_kept BEFORE DELETE ON entry
        BEGIN SELECT RAISE(ABORT, 'the ledger only grows: an entry is never deleted'); END;
        CREATE TRIGGER body_is_new BEFORE INSERT ON body
        WHEN EXISTS (SELECT 1 FROM body WHERE seq = NEW.seq)
        BEGIN SELECT RAISE(ABORT, 'the ledger only grows: a body is never replaced'); END;
        CREATE TRIGGER body_stays BEFORE UPDATE ON body
        BEGIN SELECT RAISE(ABORT, 'the ledger only grows: a body is never changed'); END;
        CREATE TRIGGER body_is_kept BEFORE DELETE ON body
        BEGIN SELECT RAISE(ABORT, 'the ledger only grows: a body is never deleted'); END;

        """

    // Everything here can be made anew from entries and bodies, but for memory, which is a cache.
    // There is no index over time: history is read in order of seq, and a sort would not stay in constant memory.
    private static let projections = """
        CREATE TABLE decision(
            seq INTEGER PRIMARY KEY REFERENCES entry(seq),
            instant INTEGER NOT NULL,
            at TEXT, node TEXT, distribution TEXT, installation TEXT, change TEXT, "trigger" TEXT, updateType TEXT,
            phase TEXT, "from" TEXT, "to" TEXT, target TEXT, verdict TEXT, unmet TEXT, decision TEXT, policy TEXT,
            reason TEXT
        ) STRICT;
        CREATE INDEX decision_by_id ON decision(decision);
        CREATE TABLE catalog(
            seq INTEGER NOT NULL REFERENCES entry(seq),
            position INTEGER NOT NULL,
            sha256 TEXT NOT NULL,
            content TEXT NOT NULL,
            PRIMARY KEY(seq, position)
        ) STRICT;
        CREATE INDEX catalog_by_digest ON catalog(sha256);
        CREATE TABLE snapshot(
            id INTEGER PRIMARY KEY CHECK(id = 1),
            seq INTEGER NOT NULL REFERENCES entry(seq),
            state TEXT NOT NULL,
            coverage TEXT
        ) STRICT;
        CREATE TABLE memory(
            id INTEGER PRIMARY KEY CHECK(id = 1),
            content TEXT NOT NULL
        ) STRICT;

        """

    // What was decided before is given its rollout from the record; a record that is no JSON has none.
    private static let rollouts = """
        ALTER TABLE decision ADD COLUMN rollout TEXT;
        UPDATE decision SET rollout = (
            SELECT CASE WHEN json_valid(content) THEN
                CASE json_type(content, '$.fleet.rollout') WHEN 'text' THEN json_extract(content, '$.fleet.rollout') END
            END FROM body WHERE body.seq = decision.seq
        );

        """

    // How far others were told of the chain. It moves, so it is no part of it; to lose it tells the last hour again.
    private static let outlets = """
        CREATE TABLE outlet(
            id TEXT PRIMARY KEY,
            content TEXT NOT NULL
        ) STRICT;

        """
}

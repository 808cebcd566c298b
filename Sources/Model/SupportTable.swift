/// Until when each minor of Kubernetes is supported, and which patch of it is the newest, as of a day.
///
/// Nothing is decided by it. It ships with the program, and `holdfast catalog import` puts a newer one in its place.
public struct SupportTable: Hashable, Sendable {
    /// One minor.
    public struct Row: Hashable, Sendable {
        /// The 1 of `1.31`.
        public var major: Int
        /// The 31 of `1.31`.
        public var minor: Int
        /// When its first release came out; nil where that is not known.
        public var released: CivilDate?
        /// When only what is grave is still mended.
        public var maintenance: SupportEnd
        /// When nothing is mended any longer.
        public var end: SupportEnd
        /// Its newest patch as of the table's day: upstream's, without a build; nil where that is not known.
        public var latest: Version?

        /// Makes a row.
        public init(
            major: Int, minor: Int, released: CivilDate?, maintenance: SupportEnd, end: SupportEnd,
            latest: Version?
        ) {
            self.major = major
            self.minor = minor
            self.released = released
            self.maintenance = maintenance
            self.end = end
            self.latest = latest
        }
    }

    /// The day that it tells of.
    public var asOf: CivilDate
    /// Where it is from, for a person: `shipped`, or the file that was imported.
    public var origin: String
    /// The newest minor first.
    public var rows: [Row]

    /// Makes a table; the rows are put in order.
    public init(asOf: CivilDate, origin: String, rows: [Row]) {
        self.asOf = asOf
        self.origin = origin
        self.rows = rows.sorted { ($0.major, $0.minor) > ($1.major, $1.minor) }
    }

    /// By what its contents are named where they are used (design, invariant 5): `2026-08-22 shipped`.
    public var dataVersion: String { "\(asOf) \(origin)" }

    /// What is known of a version's minor; nil where nothing is.
    public func row(of version: Version) -> Row? {
        rows.first { $0.major == version.major && $0.minor == version.minor }
    }
}

/// An end of support, as far as it is known.
public enum SupportEnd: Hashable, Sendable {
    /// The last day.
    case on(CivilDate)
    /// It is over; since when is not known.
    case over
    /// It has not come, and is not announced.
    case open

    /// Whether it has come by a day; on the day itself it has not.
    public func isOver(on day: CivilDate) -> Bool {
        switch self {
        case .on(let last): last < day
        case .over: true
        case .open: false
        }
    }
}

// MARK: - Text

/// Why a text is no table.
public struct SupportTableError: Error, Hashable, CustomStringConvertible {
    /// One sentence: lower case, no full stop.
    public var description: String

    /// Makes an error.
    public init(_ description: String) { self.description = description }
}

extension SupportTable {
    /// More rows than Kubernetes will have minors.
    public static let mostRows = 400
    private static let heading = "minor\treleased\teoas\teol\tlatest"

    /// Reads a table from its own text: `# as of DATE`, `# from ORIGIN`, a heading, and a row a minor.
    ///
    /// - Throws: `SupportTableError` for anything else.
    public init(text: String) throws(SupportTableError) {
        guard text.utf8.count <= 1 << 16 else { throw SupportTableError("it is longer than 64 KiB") }
        var asOf: CivilDate?
        var origin: String?
        var rows: [Row] = []
        for line in text.split(separator: "\n") where line != Self.heading {
            if line.hasPrefix("# as of ") {
                asOf = CivilDate(line.dropFirst(8))
            } else if line.hasPrefix("# from ") {
                origin = String(line.dropFirst(7))
            } else if !line.hasPrefix("#") {
                guard let row = Row(line: line) else {
                    throw SupportTableError("row \(rows.count + 1) is none of a minor and its dates")
                }
                guard rows.count < Self.mostRows else {
                    throw SupportTableError("it has more than \(Self.mostRows) rows")
                }
                rows.append(row)
            }
        }
        guard let asOf, let origin, !rows.isEmpty else {
            throw SupportTableError("it does not say of which day and from where it is, or has no row")
        }
        self.init(asOf: asOf, origin: origin, rows: rows)
    }

    /// The text from which it is read again.
    public var text: String {
        // A file's name can hold a line break, which `printable` takes out.
        (["# as of \(asOf)", "# from \(origin.printable)", Self.heading] + rows.map(\.line))
            .joined(separator: "\n") + "\n"
    }
}

extension SupportTable.Row {
    fileprivate init?(line: some StringProtocol) {
        let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
        guard fields.count >= 5, let minor = SupportTable.Row.minor(fields[0]),
            let maintenance = SupportEnd(fields[2]), let end = SupportEnd(fields[3])
        else { return nil }
        self.init(
            major: minor.major, minor: minor.minor, released: CivilDate(fields[1]), maintenance: maintenance,
            end: end, latest: Version(fields[4]))
    }

    fileprivate var line: String {
        [
            "\(major).\(minor)", released?.description ?? "", maintenance.text, end.text,
            latest.map { String($0.description.dropFirst()) } ?? "",
        ].joined(separator: "\t")
    }

    /// Reads `1.31`; nil for anything else.
    public static func minor(_ text: some StringProtocol) -> (major: Int, minor: Int)? {
        // By the rules of a version's own numbers.
        guard let version = Version("\(text).0"), version.prerelease.isEmpty, version.build.isEmpty else {
            return nil
        }
        return (version.major, version.minor)
    }
}

extension SupportEnd {
    fileprivate init?(_ text: some StringProtocol) {
        switch text {
        case "true": self = .over
        case "false": self = .open
        default:
            guard let date = CivilDate(text) else { return nil }
            self = .on(date)
        }
    }

    fileprivate var text: String {
        switch self {
        case .on(let date): date.description
        case .over: "true"
        case .open: "false"
        }
    }
}

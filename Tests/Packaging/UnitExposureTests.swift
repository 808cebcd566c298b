import FoundationEssentials
import Host
import Testing

/// The units' sandbox, as systemd itself judges the files; nothing is run.
@Suite(
    "the sandbox of the units", .enabled(if: Analysis.obstacle == nil, "SKIPPED: \(Analysis.obstacle ?? "")"))
struct UnitExposureTests {
    static let units = ["holdfast.service", "holdfast-step.service"]

    @Test("is rated 3.0 or lower", arguments: units)
    func rating(_ unit: String) throws {
        let outcome = try Analysis.run(["--threshold=30"], of: unit)
        #expect(outcome.succeeded, "\(String(decoding: outcome.output.suffix(120), as: UTF8.self))")
    }

    @Test("explains each way in which it is open", arguments: units)
    func explanations(_ unit: String) throws {
        let rows = try JSONDecoder().decode(
            [Analysis.Row].self, from: Data(Analysis.run(["--json=short"], of: unit).output))
        let comments = try Analysis.text(of: unit).split(separator: "\n").filter { $0.hasPrefix("#") }
            .joined(separator: "\n")
        let open = rows.filter { $0.exposure != nil && $0.set == false }
        #expect(!open.isEmpty)
        for row in open {
            #expect(row.words.contains { comments.contains($0) }, "no comment speaks of \(row.name)")
        }
    }

    @Test("bounds memory, tasks and time", arguments: units)
    func limits(_ unit: String) throws {
        let settings = try Analysis.text(of: unit).split(separator: "\n").compactMap {
            $0.split(separator: "=").first.map(String.init)
        }
        #expect(Set(settings).isSuperset(of: ["MemoryMax", "TasksMax", "TimeoutStartSec", "TimeoutStopSec"]))
    }
}

/// What `systemd-analyze security` says of a unit of this repository.
enum Analysis {
    /// One thing that it looks at.
    struct Row: Decodable {
        let set: Bool?
        let name: String
        let exposure: String?

        /// How a comment may speak of it: by the setting, or by what of it is left open.
        var words: [String] {
            switch name {
            case let name where name.hasPrefix("CapabilityBoundingSet=~CAP_(CHOWN"): ["CHOWN"]
            case let name where name.hasPrefix("CapabilityBoundingSet=~CAP_(DAC"): ["DAC_READ_SEARCH"]
            case let name where name.hasPrefix("CapabilityBoundingSet=~CAP_"):
                [String(name.dropFirst("CapabilityBoundingSet=~CAP_".count))]
            case "SystemCallFilter=~@clock": ["clock's synchronisation"]
            case let name where name.hasPrefix("SystemCallFilter=~"):
                [String(name.dropFirst("SystemCallFilter=~".count))]
            case "RestrictAddressFamilies=~AF_UNIX": ["Unix sockets:"]
            case "RestrictAddressFamilies=~AF_(INET|INET6)": ["Internet:"]
            case "ProtectHome=": ["/root and /home"]
            default: name.split(separator: "/").map(String.init)
            }
        }
    }

    private static let directory = Script.repository + "/Packaging/systemd/"
    private static let program = "/usr/bin/systemd-analyze"

    /// Why nothing can be said here; nil where it can.
    static let obstacle: String? =
        FileManager.default.isExecutableFile(atPath: program) ? nil : "\(program) is not there"

    static func run(_ options: [String], of unit: String) throws -> ProcessOutcome {
        try runProcess(
            [program, "security", "--offline=true"] + options + [directory + unit], timeout: 30_000)
    }

    static func text(of unit: String) throws -> String {
        try String(contentsOfFile: directory + unit, encoding: .utf8)
    }
}

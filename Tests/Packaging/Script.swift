import FoundationEssentials
import Host

/// A script of Packaging/scripts, or a line of shell that uses what one defines.
enum Script {
    static let repository = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    /// Runs a line of bash in which `$1`, `$2` … are the arguments.
    static func run(_ line: String, _ arguments: String...) throws -> (
        code: Bool, output: String, errors: String
    ) {
        let inherited = ProcessInfo.processInfo.environment.filter {
            ["PATH", "HOME", "HOLDFAST_BUILD"].contains($0.key)
        }
        let outcome = try runProcess(
            ["/bin/bash", "-euc", "cd \"$0\"; \(line)", repository] + arguments,
            environment: inherited.merging(["SOURCE_DATE_EPOCH": "1700000000"]) { $1 }, timeout: 60_000)
        return (
            outcome.succeeded, String(decoding: outcome.output, as: UTF8.self),
            String(decoding: outcome.errors, as: UTF8.self)
        )
    }

    /// Runs something in a directory of its own, which is then removed.
    static func inScratch(_ body: (String) throws -> Void) throws {
        let directory =
            FileManager.default.temporaryDirectory.path + "/holdfast-packaging-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try body(directory)
    }
}

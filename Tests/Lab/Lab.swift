import FoundationEssentials
import Host
import Testing
import Threads

/// The lab of this repository: real nodes on this machine.
enum Lab {
    static let repository = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path
    private static let script = repository + "/Packaging/lab/lab"

    /// The program as it ships; a debug build would need the Swift runtime, which no node has.
    static let program = ProcessInfo.processInfo.environment["HOLDFAST_PROGRAM"].flatMap {
        $0.isEmpty ? nil : $0
    }

    /// Why no node can be booted here; nil where one can.
    static let obstacle: String? = {
        guard let program else {
            return
                "HOLDFAST_PROGRAM does not name the static release build; 'make test' makes it and names it"
        }
        guard FileManager.default.isExecutableFile(atPath: program) else {
            return "HOLDFAST_PROGRAM is \(program), which is no program"
        }
        guard let outcome = try? runProcess([script, "available"], environment: environment, timeout: 30_000)
        else {
            return "\(script) cannot be started"
        }
        return outcome.succeeded ? nil : Answer(outcome).errors
    }()

    /// The Debian package and the tarball, as `make deb` and `make tarball` leave them.
    static let packages: (debian: String, tarball: String)? = {
        let environment = ProcessInfo.processInfo.environment
        guard let debian = environment["HOLDFAST_PACKAGE"], let tarball = environment["HOLDFAST_TARBALL"],
            !debian.isEmpty, !tarball.isEmpty
        else { return nil }
        return (debian, tarball)
    }()

    /// Why no node can be booted here, or nothing installed on it from its package; nil where it can.
    static let packageObstacle: String? =
        obstacle
        ?? (packages == nil
            ? "HOLDFAST_PACKAGE and HOLDFAST_TARBALL name no packages; 'make test' makes them and names them"
            : nil)

    /// What is said of each test that is skipped.
    static var skipped: Comment { "SKIPPED: \(obstacle ?? "")" }

    private static var environment: [String: String] {
        let kept = ["PATH", "HOME", "HOLDFAST_LAB_CACHE", "HOLDFAST_LAB_RUN", "HOLDFAST_LAB_MIRROR"]
        return ProcessInfo.processInfo.environment.filter { kept.contains($0.key) }
    }

    /// Runs a verb of the lab; whatever it answers.
    ///
    /// - Parameter seconds: how long it may take; it is then killed with all that it started.
    static func ask(_ words: [String], seconds: Int = 60) async throws -> Answer {
        try await withCheckedThrowingContinuation { continuation in
            startThread {
                continuation.resume(
                    with: Result {
                        Answer(
                            try runProcess(
                                [script] + words, environment: environment, timeout: seconds * 1000))
                    })
            }
        }
    }

    /// Runs a verb of the lab that must succeed, and gives what it printed.
    @discardableResult
    static func run(_ words: [String], seconds: Int = 60) async throws -> String {
        let answer = try await ask(words, seconds: seconds)
        guard answer.code == 0 else { throw LabFailure(words: words, answer: answer) }
        return answer.output
    }

    /// Has a verb of the lab run once this process is gone, however it ends: `stop` of a node, `disband` of a fleet.
    static func afterThisProcess(_ verb: String, _ name: String) throws {
        let process = ProcessInfo.processInfo.processIdentifier
        _ = try runProcess(
            [
                "/bin/sh", "-c", "(tail --pid=\"$1\" -f /dev/null; \"$2\" \"$3\" \"$4\") >/dev/null 2>&1 &",
                "sh",
                String(process), script, verb, name,
            ], environment: environment, timeout: 10_000)
    }
}

/// What a program answered.
struct Answer {
    let code: Int32
    let output: String
    let errors: String

    init(_ outcome: ProcessOutcome) {
        code =
            switch outcome.end {
            case .exited(let code): code
            case .signalled(let signal): 128 + signal
            // As timeout(1) has it.
            case .timedOut: 124
            }
        output = String(decoding: outcome.output, as: UTF8.self)
        errors = String(decoding: outcome.errors, as: UTF8.self)
    }

    /// The output as JSON.
    func json<T: Decodable>(_ type: T.Type) throws -> T {
        do {
            return try JSONDecoder().decode(type, from: Data(output.utf8))
        } catch {
            throw LabFailure(words: ["no JSON of \(type): \(error)"], answer: self)
        }
    }

    /// The output as JSON, an object a line.
    func jsonLines<T: Decodable>(_ type: T.Type) throws -> [T] {
        try output.split(separator: "\n").map { try JSONDecoder().decode(type, from: Data($0.utf8)) }
    }
}

/// The lab, or something in a node, did not do what a test needs.
struct LabFailure: Error, CustomStringConvertible {
    let words: [String]
    let answer: Answer

    var description: String {
        "\(words.joined(separator: " ")): exit code \(answer.code)\n\(answer.output)\n\(answer.errors)"
    }
}

import FoundationEssentials
import Glibc
import Host
import Model
import ScriptedServer
import Testing

/// A program that runs for a minute at most, with a version among its constants.
final class RunningProgram {
    let process: pid_t

    /// Starts the program at a path.
    init(at path: String) throws {
        var started: pid_t = 0
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup(path), nil]
        defer { for argument in arguments { free(argument) } }
        // A child that another test is just starting holds our written file open until it executes its program.
        var result = posix_spawn(&started, path, nil, nil, &arguments, nil)
        for _ in 0..<100 where result == ETXTBSY {
            usleep(10_000)
            result = posix_spawn(&started, path, nil, nil, &arguments, nil)
        }
        try #require(result == 0)
        process = started
        // posix_spawn returns once the program is executed; its memory is then what /proc tells of.
    }

    deinit {
        kill(process, SIGKILL)
        waitpid(process, nil, 0)
    }

    /// The bytes of such a program.
    static func bytes(_ version: String) throws -> [UInt8] {
        var bytes = try compiled.get()
        let place = try #require(bytes.firstRange(of: Array(placeholder.utf8)))
        let text = [0] + Array(version.utf8) + [0, 0]
        try #require(text.count <= placeholder.utf8.count)
        bytes.replaceSubrange(place.lowerBound..<(place.lowerBound + text.count), with: text)
        return bytes
    }

    private static let placeholder = "here is room for a version"

    /// Compiled here, since what a program of the system has among its constants differs between systems.
    private static let compiled = Result {
        let directory = try TemporaryDirectory()
        let source = try directory.write(
            """
            #include <unistd.h>
            const char version[] = "\(placeholder)";
            int main(void) { return sleep(60) != 0; }
            """, to: "program.c")
        let program = "\(directory.path)/program"
        let outcome = try runProcess(
            ["/usr/bin/env", "cc", "-o", program, source],
            environment: ["PATH": "/usr/local/bin:/usr/bin:/bin"], timeout: 60_000)
        try #require(outcome.succeeded, "\(String(decoding: outcome.errors, as: UTF8.self))")
        return Array(try Data(contentsOf: URL(filePath: program)))
    }
}

/// Units as a test states them, for a site that is live.
final class StatedUnits: UnitSource {
    var services: [ServiceDefinition]
    var states: [String: UnitObservation]
    var silence: HostError?

    init(_ services: [ServiceDefinition], states: [UnitObservation]) {
        self.services = services
        self.states = Dictionary(uniqueKeysWithValues: states.map { ($0.name, $0) })
    }

    func services(where isWanted: (ServiceDefinition) -> Bool) throws(HostError) -> [ServiceDefinition] {
        services.filter(isWanted)
    }

    func state(of unit: String) -> UnitObservation {
        silence == nil ? states[unit] ?? UnitObservation(name: unit) : UnitObservation(name: unit)
    }
}

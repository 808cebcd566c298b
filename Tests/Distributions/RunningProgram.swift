import FoundationEssentials
import Glibc
import Host
import Model
import Testing

/// A program that runs, with a version among its constants: a copy of /bin/sleep in which that stands for its help.
final class RunningProgram {
    let process: pid_t

    /// Starts the program at a path as `PATH 60`.
    init(at path: String) throws {
        var started: pid_t = 0
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup(path), strdup("60"), nil]
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
        var bytes = Array(try Data(contentsOf: URL(filePath: "/bin/sleep")))
        let help = Array("Pause for NUMBER seconds.".utf8)
        let place = try #require(bytes.firstRange(of: help), "/bin/sleep is not that of GNU coreutils")
        let text = [0] + Array(version.utf8) + [0, 0]
        bytes.replaceSubrange(place.lowerBound..<(place.lowerBound + text.count), with: text)
        return bytes
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

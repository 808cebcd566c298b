import Distributions
import Glibc
import Host
import Model
import Ports
import ScriptedServer

/// A made-up node in a directory.
struct NodeRoot {
    let directory: TemporaryDirectory
    var root: Root { Root(directory.path) }

    init() throws { directory = try TemporaryDirectory() }

    /// Writes a unit that runs a command.
    func unit(
        _ name: String, _ command: String, _ more: String = "", in folder: String = "etc/systemd/system"
    ) throws {
        try directory.write("[Service]\nType=notify\nExecStart=\(command)\n\(more)", to: "\(folder)/\(name)")
    }

    func program(_ bytes: [UInt8], at path: String) throws { try directory.write(bytes, to: path) }

    /// Looks once with an adapter.
    func look(
        _ adapter: any DistributionAdapter, extraUnits: [String] = [], memory: inout ObserverMemory
    ) -> Findings {
        adapter.look(
            at: Site(root: root, units: UnitFiles(root: root), extraUnits: extraUnits, patience: 500),
            reading: .test, memory: &memory)
    }

    func look(_ adapter: any DistributionAdapter, extraUnits: [String] = []) -> Findings {
        var memory = ObserverMemory()
        return look(adapter, extraUnits: extraUnits, memory: &memory)
    }
}

extension ClockReading {
    /// Long after every file was written, so that hashes are kept.
    static var test: ClockReading {
        ClockReading(now: Instant(seconds: 4_000_000_000), monotonic: 0, bootID: "b", synchronised: true)
    }
}

/// Lets anybody run a file.
func makeExecutable(_ path: String) { chmod(path, 0o755) }

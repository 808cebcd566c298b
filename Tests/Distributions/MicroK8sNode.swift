import Distributions
import FoundationEssentials
import Host
import Model
import Ports
import ScriptedServer
import Testing

/// A node root in a directory, with a snapd on its socket that answers from recorded bytes.
final class MicroK8sNode: Sendable {
    /// Answers a target; nil is snapd's 404.
    typealias Answers = @Sendable (_ target: String, _ number: Int) -> [ScriptedServer.Step]?

    let directory: TemporaryDirectory
    let server: ScriptedServer?

    /// Makes a node; without answers there is no socket.
    init(_ answers: Answers? = nil) throws {
        let directory = try TemporaryDirectory()
        self.directory = directory
        server = try answers.map { answers in
            try directory.write("", to: "run/placeholder")
            return try ScriptedServer.unix("\(directory.path)/run/snapd.socket") { request, number in
                answers(request.target, number) ?? [.answer(Self.notFound, status: "404 Not Found")]
            }
        }
    }

    deinit { server?.stop() }

    /// The targets that were asked for.
    var asked: [String] { server?.received.map(\.target) ?? [] }

    /// Looks once.
    func look(
        at now: Instant = MicroK8sNode.recorded, memory: inout ObserverMemory, patience: Int = 5000,
        units: any UnitSource = NoUnits()
    ) -> Findings {
        MicroK8sAdapter().look(
            at: Site(root: Root(directory.path), units: units, patience: patience),
            reading: ClockReading(now: now, monotonic: 0, bootID: "boot", synchronised: true), memory: &memory
        )
    }

    /// Looks once with no memory.
    func look(patience: Int = 5000, units: any UnitSource = NoUnits()) -> Findings {
        var memory = ObserverMemory()
        return look(memory: &memory, patience: patience, units: units)
    }

    /// Shortly after the last state was recorded: 2026-11-24T15:30:00Z.
    static let recorded = Instant(seconds: 1_795_534_200)

    static let notFound = """
        {"type":"error","status-code":404,"status":"Not Found",\
        "result":{"message":"snap not installed","kind":"snap-not-found","value":"microk8s"}}
        """
}

/// A systemd that cannot be asked, as under another root.
struct NoUnits: UnitSource {
    var names: [String] = []

    func services(where isWanted: (ServiceDefinition) -> Bool) -> [ServiceDefinition] {
        names.map { ServiceDefinition(name: $0, fragmentPath: "", command: [], environment: [:]) }.filter(
            isWanted)
    }

    func state(of unit: String) -> UnitObservation { UnitObservation(name: unit) }
}

/// One recorded state of a node with MicroK8s.
struct RecordedState: Sendable {
    var name: String
    var newestChange: Int
    var snap: [UInt8]
    var find: [UInt8]
    var information: [UInt8]

    /// A state by the beginning of its name.
    static func named(_ name: String) throws -> RecordedState {
        guard let state = try all.get().first(where: { $0.name.hasPrefix(name) }) else {
            throw HostError(description: "no recorded state \(name)")
        }
        return state
    }

    // Read once: decoding any JSON is slow in a debug build.
    private static let all = Result { () throws -> [RecordedState] in
        try SnapdFixture.read("states-2.68.3.jsonl").split(separator: UInt8(ascii: "\n")).map { line in
            let state = try SnapdFixture.object(Array(line))
            guard case .string(let name)? = state["name"], case .integer(let newest)? = state["newestChange"]
            else { throw HostError(description: "a recorded state without a name") }
            return RecordedState(
                name: name, newestChange: Int(newest), snap: try SnapdFixture.bytes(state["snap"]),
                find: try SnapdFixture.bytes(state["find"]),
                information: try SnapdFixture.bytes(state["information"]))
        }
    }

    private static let allChanges = Result { () throws -> [JSON] in
        let answer = try SnapdFixture.object(SnapdFixture.read("changes-2.68.3.json"))
        guard case .array(let all)? = answer["result"] else {
            throw HostError(description: "no changes recorded")
        }
        return all
    }

    /// The changes up to this state that name the snap, as `for=microk8s` gives them.
    func changes() throws -> [UInt8] {
        let named = try Self.allChanges.get().filter { change in
            guard case .object(let members) = change, case .string(let id)? = members["id"],
                case .object(let data)? = members["data"], case .array(let names)? = data["snap-names"]
            else { return false }
            return names.contains(.string("microk8s")) && (Int(id) ?? .max) <= newestChange
        }
        return try SnapdFixture.bytes(
            .object(["type": .string("sync"), "status-code": .integer(200), "result": .array(named)]))
    }

    /// What snapd answered in this state.
    func answers() throws -> MicroK8sNode.Answers {
        let changes = try changes()
        return { target, _ in
            switch target {
            // Over 2 KiB snapd sends chunks.
            case "/v2/snaps/microk8s": [.answer(snap)]
            case "/v2/find?select=refresh": [.answer(find)]
            case "/v2/system-info": [.chunked(information, size: 7)]
            case "/v2/changes?select=all&for=microk8s": [.chunked(changes)]
            default: nil
            }
        }
    }
}

/// Recorded answers of snapd.
enum SnapdFixture {
    static func read(_ name: String) throws -> [UInt8] {
        let tests = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        return try readFile("/\(tests)/Fixtures/snapd/\(name)", limit: 1 << 20)
    }

    static func object(_ bytes: [UInt8]) throws -> [String: JSON] {
        try JSONDecoder().decode([String: JSON].self, from: Data(bytes))
    }

    static func bytes(_ value: JSON?) throws -> [UInt8] { Array(try JSONEncoder().encode(value)) }
}

/// Any JSON value.
indirect enum JSON: Codable, Hashable, Sendable {
    case null, bool(Bool), integer(Int64), string(String), array([JSON]), object([String: JSON])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .integer(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSON].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSON].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }
}

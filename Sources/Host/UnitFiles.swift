internal import Glibc
public import Model
public import Ports

/// Services as their unit files have them, on the node itself or below another root.
///
/// systemd is not asked. Precedence of directories, masks, aliases, instances and drop-ins are as in
/// systemd.unit(5). Files too large to be real are read up to a limit.
public struct UnitFiles: UnitSource {
    private let root: Root
    private let limits: UnitTree.Limits

    /// Makes a source over the unit directories of a root.
    public init(root: Root) { self.init(root: root, limits: UnitTree.Limits()) }

    init(root: Root, limits: UnitTree.Limits) {
        self.root = root
        self.limits = limits
    }

    /// The services that are installed and for which `isWanted` holds, in order of their names.
    ///
    /// A template is none, only its instances that something wants or that are linked. Files that EnvironmentFile=
    /// names are read for wanted services, and before that only for commands that refer to variables. A service of
    /// which a file cannot be read is left out and hides no other; a snapshot tells why (`unread`).
    public func services(where isWanted: (ServiceDefinition) -> Bool) throws(HostError) -> [ServiceDefinition]
    {
        var scan = try UnitScan(root: root, limits: limits)
        return try scan.services(where: isWanted)
    }

    /// Only the name: nothing runs below another root.
    public func state(of unit: String) -> UnitObservation { UnitObservation(name: unit) }

    /// The unit files as they are at the first question, read once; only the wanted ones while no directory moved.
    public func snapshot(known: KnownUnits?, question: String?, now: Instant) -> any UnitSource {
        look(known: known, question: question, now: now)
    }

    func look(known: KnownUnits?, question: String?, now: Instant) -> UnitSnapshot {
        UnitSnapshot(root: root, limits: limits, earlier: known, question: question, now: now)
    }
}

/// Every service of a root, read as far as its unit files and drop-ins go.
struct UnitScan {
    /// Every directory that was looked for, as the node has it; none where the services were known.
    private(set) var directories: [String] = []
    /// Why a service was left out; nil where none was.
    private(set) var unread: HostError?
    private var reader: UnitFileReader
    private var loaded: [LoadedService] = []

    /// Reads the files of every service.
    init(root: Root, limits: UnitTree.Limits) throws(HostError) {
        var tree = try UnitTree(root: root, limits: limits)
        reader = tree.reader
        var fragments: [String: UnitTree.Entry] = [:]
        var aliases: [String: [String]] = [:]
        for (name, entry) in tree.services {
            do {
                switch try tree.standing(of: entry) {
                case .unit: fragments[name] = entry
                case .alias(let target): aliases[target, default: []].append(name)
                case .masked: continue
                }
            } catch {
                unread = unread ?? error
            }
        }
        for name in tree.instances where tree.services[name] == nil {
            if let template = UnitName(name).template { fragments[name] = fragments[template] }
        }
        for (name, entry) in fragments where !name.hasSuffix("@.service") {
            do {
                if let service = try LoadedService(
                    name: name, fragment: entry, aliases: aliases[name] ?? [], in: &tree)
                {
                    loaded.append(service)
                }
            } catch {
                try leaveOut(error)
            }
        }
        loaded.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        directories = tree.listed
        reader = tree.reader
    }

    /// Reads the files of services that are known; nil where one of those has gone, and all are to be read.
    init?(root: Root, limits: UnitTree.Limits, services: [KnownUnits.Service]) throws(HostError) {
        reader = UnitFileReader(root: root, limits: limits)
        for service in services {
            do {
                guard let loaded = try LoadedService(service, with: &reader) else { return nil }
                self.loaded.append(loaded)
            } catch {
                try leaveOut(error)
            }
        }
    }

    /// One file that cannot be read hides no other service; more than is read of all together hides any.
    private mutating func leaveOut(_ error: HostError) throws(HostError) {
        if error.code == EFBIG { throw error }
        unread = unread ?? error
    }

    /// Which files make up the services of these names.
    func files(of names: Set<String>) -> [KnownUnits.Service] {
        loaded.map(\.files).filter { names.contains($0.name) }
    }

    mutating func services(where isWanted: (ServiceDefinition) -> Bool) throws(HostError)
        -> [ServiceDefinition]
    {
        var wanted: [ServiceDefinition] = []
        for service in loaded {
            do {
                if let definition = try service.definition(with: &reader, where: isWanted) {
                    wanted.append(definition)
                }
            } catch {
                try leaveOut(error)
            }
        }
        return wanted
    }
}

extension UnitTree {
    enum Standing {
        case unit
        /// Another name of that unit.
        case alias(of: String)
        case masked
    }

    /// What a name in a unit directory is: a link to /dev/null masks, one to another unit is an alias of it.
    fileprivate func standing(of entry: Entry) throws(HostError) -> Standing {
        guard entry.isLink, let target = try target(of: entry) else { return .unit }
        if target == "/dev/null" { return .masked }
        let slash = target.lastIndex(of: "/")
        let targetName = slash.map { String(target[target.index(after: $0)...]) } ?? target
        // A link to the template is an instance, one to a place outside the unit directories a linked unit.
        guard targetName != entry.name, targetName != UnitName(entry.name).template else { return .unit }
        let directory = slash.map { String(target[..<$0]) } ?? ""
        let isInside =
            directory.hasPrefix("/")
            ? Self.paths.contains(directory)
            : Self.paths.contains(joined(directory, to: places[entry.place].path))
        return isInside ? .alias(of: targetName) : .unit
    }

    private func joined(_ relative: String, to directory: String) -> String {
        var parts = directory.split(separator: "/")
        for part in relative.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }
}

/// The parts of a service's files that say what it runs, drop-ins applied.
private struct LoadedService {
    private(set) var files: KnownUnits.Service
    var name: String { files.name }
    private var commands: [UnitCommand] = []
    private var variables: [String: String] = [:]
    private var variableFiles: [String] = []

    /// Reads a service; nil where its file has gone or is empty, which masks it.
    init?(name: String, fragment: UnitTree.Entry, aliases: [String], in tree: inout UnitTree)
        throws(HostError)
    {
        files = KnownUnits.Service(
            name: name, fragmentPath: "\(tree.places[fragment.place].path)/\(fragment.name)", dropIns: [])
        guard let bytes = try tree.read(fragment), !bytes.isEmpty else { return nil }
        apply(bytes)
        files.dropIns = try Self.dropIns(of: [name] + aliases.sorted(), in: &tree)
        try applyDropIns(with: &tree.reader)
    }

    /// Reads a service whose files are known; nil where the unit file has gone or is empty.
    init?(_ files: KnownUnits.Service, with reader: inout UnitFileReader) throws(HostError) {
        self.files = files
        guard let bytes = try reader.read(path: files.fragmentPath), !bytes.isEmpty else { return nil }
        apply(bytes)
        try applyDropIns(with: &reader)
    }

    private mutating func applyDropIns(with reader: inout UnitFileReader) throws(HostError) {
        for path in files.dropIns {
            if let bytes = try reader.read(path: path) { apply(bytes) }
        }
    }

    private mutating func apply(_ bytes: [UInt8]) {
        let file = UnitFile(parsing: bytes) { section, key in
            section == "Service" && (key == "ExecStart" || key == "Environment" || key == "EnvironmentFile")
        }
        for assignment in file.assignments {
            let value = assignment.value
            switch assignment.key {
            case "ExecStart":
                if value.isEmpty { commands = [] } else { commands += UnitCommand.parse(value) ?? [] }
            case "Environment":
                if value.isEmpty { variables = [:] }
                for (name, value) in environmentAssignments(value) ?? [] {
                    variables[name] = expandingSpecifiers(value, unit: self.name)
                }
            default:
                if value.isEmpty { variableFiles = [] } else { variableFiles.append(value) }
            }
        }
    }

    /// What the service runs, where that is wanted.
    func definition(
        with reader: inout UnitFileReader, where isWanted: (ServiceDefinition) -> Bool
    ) throws(HostError) -> ServiceDefinition? {
        guard var command = commands.last else { return nil }
        command.words = command.words.map { expandingSpecifiers($0, unit: name) }
        var environment = variables
        let refers =
            command.expandsVariables
            && command.words.dropFirst().contains { $0.utf8.contains(UInt8(ascii: "$")) }
        if refers { try readVariableFiles(into: &environment, with: &reader) }
        var service = ServiceDefinition(
            name: name, fragmentPath: files.fragmentPath, command: expandingVariables(command, environment),
            environment: environment)
        guard isWanted(service) else { return nil }
        if !refers { try readVariableFiles(into: &service.environment, with: &reader) }
        return service
    }

    /// Takes the files in; later ones win over earlier ones and over Environment=.
    ///
    /// Globs are left out.
    private func readVariableFiles(
        into environment: inout [String: String], with reader: inout UnitFileReader
    ) throws(HostError) {
        for file in variableFiles {
            let path = expandingSpecifiers(file.hasPrefix("-") ? String(file.dropFirst()) : file, unit: name)
            guard path.hasPrefix("/"), let bytes = try reader.read(path: path) else { continue }
            environment.merge(environmentFile(bytes)) { $1 }
        }
    }

    /// The drop-ins that apply, in the order in which they do: by file name, whatever directory each is from.
    ///
    /// Of files with one name only the strongest counts: by unit directory, then the longer prefix; `service.d`,
    /// which is for all services, is the weakest.
    private static func dropIns(of names: [String], in tree: inout UnitTree) throws(HostError) -> [String] {
        guard names.contains(where: { mayHaveDropIns($0, tree) }) else { return [] }
        var directories: [(directory: String, place: Int)] = []
        for name in names {
            let candidates = dropInDirectories(of: name)
            for place in tree.places.indices {
                for directory in candidates where tree.dropInPlaces[directory]?.contains(place) == true {
                    directories.append((directory, place))
                }
            }
        }
        for place in tree.dropInPlaces["service.d"] ?? [] { directories.append(("service.d", place)) }
        var chosen: [String: String] = [:]
        for (directory, place) in directories {
            for file in try tree.dropIns(in: directory, place: place) where chosen[file] == nil {
                chosen[file] = "\(tree.places[place].path)/\(directory)/\(file)"
            }
        }
        return chosen.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map(\.value)
    }

    /// Whether any directory of drop-ins could be one of this unit's; nearly none is, so this is asked first.
    private static func mayHaveDropIns(_ name: String, _ tree: UnitTree) -> Bool {
        tree.dropInPlaces.keys.contains { directory in
            let stem = directory.utf8.dropLast(".service.d".utf8.count)
            // `service.d`, its own and its template's, and prefixes: a unit's name begins with each of their stems.
            return name.utf8.starts(with: stem)
        }
    }

    /// `a-b@c.service`: its own, its template's, and those of each prefix that ends in a dash, longest first.
    private static func dropInDirectories(of name: String) -> [String] {
        var result = ["\(name).d"]
        let parts = UnitName(name)
        if let template = parts.template { result.append("\(template).d") }
        var prefix = Substring(parts.prefix)
        while let dash = prefix.dropLast().lastIndex(of: "-") {
            prefix = prefix[...dash]
            result.append("\(prefix).service.d")
        }
        return result
    }
}

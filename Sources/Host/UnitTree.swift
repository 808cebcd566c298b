internal import Glibc
internal import Model

/// The unit directories of one root and what lies in them.
struct UnitTree {
    /// Where the system manager looks for units, the strongest first (systemd.unit(5), table 1).
    static let paths = [
        "/etc/systemd/system.control", "/run/systemd/system.control", "/run/systemd/transient",
        "/run/systemd/generator.early", "/etc/systemd/system", "/etc/systemd/system.attached",
        "/run/systemd/system", "/run/systemd/system.attached", "/run/systemd/generator",
        "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system",
        "/run/systemd/generator.late",
    ]

    /// How much of the unit directories is read before that is called an error.
    struct Limits: Hashable, Sendable {
        /// Entries of all directories; a node has some hundreds.
        var entries = 20_000
        /// Bytes of one file, the rest of it is not read; real ones have a few thousand.
        var file = 4 << 20
        /// Bytes of all files together.
        var total = 64 << 20
    }

    struct Entry {
        var name: String
        var isLink: Bool
        /// Which directory it lies in.
        var place: Int
    }

    struct Place {
        /// As the node has it.
        var path: String
        /// The directory on this machine, links on the way followed inside the root.
        var directory: String
    }

    private(set) var places: [Place] = []
    /// `NAME.service` by name, the strongest only.
    private(set) var services: [String: Entry] = [:]
    /// Directories of drop-ins for services, by name (`k3s.service.d`, `k3s-.service.d`, `service.d`), strongest first.
    private(set) var dropInPlaces: [String: [Int]] = [:]
    /// Instances that something wants: `k3s@edge.service`.
    private(set) var instances: Set<String> = []
    /// Every directory that was looked for, as the node has it.
    private(set) var listed: [String] = []
    var reader: UnitFileReader
    private let root: Root
    private let limits: Limits
    private var entryCount = 0

    /// Lists the unit directories; those that are not there are empty, and all may be: not every node has systemd.
    ///
    /// - Throws: `HostError` where the root is no directory, a directory cannot be listed, or they hold too much.
    init(root: Root, limits: Limits) throws(HostError) {
        self.root = root
        self.limits = limits
        reader = UnitFileReader(root: root, limits: limits)
        if !root.isLive { closedir(try listing(of: root.prefix)) }
        var seen: Set<[Int64]> = []
        for path in Self.paths {
            let directory = try root.resolve(path)
            let identity: FileIdentity
            do {
                identity = try Host.identity(ofFile: directory)
            } catch  where error.isAbsence {
                listed.append(path)
                continue
            }
            // /lib is /usr/lib on most systems.
            guard seen.insert([identity.device, identity.inode]).inserted else { continue }
            places.append(Place(path: path, directory: directory))
            try list(place: places.count - 1)
        }
    }

    // MARK: Reading

    /// The bytes of a unit file; empty where it is masked, nil where it has gone or is no regular file.
    mutating func read(_ entry: Entry) throws(HostError) -> [UInt8]? {
        let place = places[entry.place]
        return entry.isLink
            ? try reader.read(path: "\(place.path)/\(entry.name)")
            : try reader.read(resolved: "\(place.directory)/\(entry.name)")
    }

    /// Where a symbolic link in a unit directory points to, as it is written; nil where it is no link.
    ///
    /// - Throws: `HostError` where that cannot be told.
    func target(of entry: Entry) throws(HostError) -> String? {
        do {
            return try readLink("\(places[entry.place].directory)/\(entry.name)")
        } catch  where !error.isInconclusive {
            return nil
        }
    }

    /// The `.conf` files of drop-in directories of that name in one place.
    mutating func dropIns(in directory: String, place: Int) throws(HostError) -> [String] {
        var names: [String] = []
        try forEachEntry(of: "\(places[place].path)/\(directory)") { name, _ in
            if name.hasSuffix(".conf") { names.append(name) }
        }
        return names
    }

    // MARK: Listing

    /// Whether a name in a unit directory has to do with services.
    static func isOfServices(_ name: String) -> Bool {
        [".service", "service.d", ".wants", ".requires"].contains { name.hasSuffix($0) }
    }

    /// Whether systemd takes a file of that name for a unit (systemd.unit(5)): one with other characters it never runs.
    private static func isUnitName(_ name: String) -> Bool {
        name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: ":"), UInt8(ascii: "-"),
                UInt8(ascii: "_"),
                UInt8(ascii: "."), UInt8(ascii: "\\"), UInt8(ascii: "@"):
                true
            default: false
            }
        }
    }

    private mutating func list(place: Int) throws(HostError) {
        var services: [Entry] = []
        var dropIns: [String] = []
        var wishes: [String] = []
        try forEachEntry(of: places[place].path) { name, kind in
            if name.hasSuffix(".service") {
                guard Self.isUnitName(name) else { return }
                services.append(
                    Entry(
                        name: name, isLink: kind == UInt8(DT_LNK) || kind == UInt8(DT_UNKNOWN), place: place))
            } else if name.hasSuffix("service.d"), name == "service.d" || name.hasSuffix(".service.d") {
                dropIns.append(name)
            } else if name.hasSuffix(".wants") || name.hasSuffix(".requires") {
                wishes.append(name)
            }
        }
        for service in services where self.services[service.name] == nil {
            self.services[service.name] = service
        }
        for name in dropIns { dropInPlaces[name, default: []].append(place) }
        let path = places[place].path
        // Of any service: one that is not wanted may become so by a drop-in.
        listed += dropIns.map { "\(path)/\($0)" }
        // An administrator enables instances in /etc and /run; what packages want of their own are none of ours.
        for name in wishes where path.hasPrefix("/etc/") || path.hasPrefix("/run/") {
            var wanted: [String] = []
            try forEachEntry(of: "\(path)/\(name)") { name, _ in
                if name.hasSuffix(".service"), Self.isUnitName(name), UnitName(name).template != nil {
                    wanted.append(name)
                }
            }
            instances.formUnion(wanted)
        }
    }

    /// Goes over a directory of the node; one that is not there is empty.
    private mutating func forEachEntry(
        of path: String, _ body: (_ name: String, _ kind: UInt8) -> Void
    ) throws(HostError) {
        listed.append(path)
        let place: String
        do {
            place = try root.resolve(path)
        } catch  where !error.isInconclusive {
            return
        }
        let stream: OpaquePointer
        do {
            stream = try listing(of: place)
        } catch  where error.isAbsence {
            return
        }
        defer { closedir(stream) }
        while true {
            errno = 0
            guard let entry = readdir(stream) else { break }
            entryCount += 1
            guard entryCount <= limits.entries else {
                throw HostError(
                    code: EFBIG,
                    description:
                        "\(root.prefix)/: unit directories hold more than \(limits.entries) entries, "
                        + "so not all were read; look for what fills them")
            }
            let kind = entry.pointee.d_type
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            body(name, kind)
        }
        // What was not listed is not gone.
        guard errno == 0 else { throw HostError.failed("listed", place) }
    }
}

private func listing(of path: String) throws(HostError) -> OpaquePointer {
    guard let stream = opendir(path) else { throw HostError.failed("listed", path) }
    return stream
}

import CSystemd
import Glibc

/// The unit directories of one root, opened, and what lies in them.
struct UnitTree: ~Copyable {
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
        var path: String
        var descriptor: Int32
    }

    private(set) var places: [Place] = []
    /// `NAME.service` by name, the strongest only.
    private(set) var services: [String: Entry] = [:]
    /// Directories of drop-ins for services, by name (`k3s.service.d`, `k3s-.service.d`, `service.d`), strongest first.
    private(set) var dropInPlaces: [String: [Int]] = [:]
    /// Instances that something wants: `k3s@edge.service`.
    private(set) var instances: Set<String> = []
    private let root: Root
    private let limits: Limits
    private let rootDescriptor: Int32
    private var entryCount = 0
    private var byteCount = 0

    /// Opens the root.
    ///
    /// - Throws: `HostError` where it is no directory.
    init(root: Root, limits: Limits) throws(HostError) {
        self.root = root
        self.limits = limits
        rootDescriptor = root.isLive ? AT_FDCWD : open(root.prefix, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard root.isLive || rootDescriptor >= 0 else {
            throw HostError(
                code: errno, description: "\(root.prefix): \(reason(errno)), so no unit can be read there")
        }
    }

    /// Opens and lists the unit directories.
    ///
    /// - Throws: `HostError` where there is none, or where they hold too much.
    mutating func list() throws(HostError) {
        var seen: Set<[UInt64]> = []
        for path in Self.paths {
            let descriptor = openInRoot(path, O_DIRECTORY)
            guard descriptor >= 0 else { continue }
            var status = stat()
            // /lib is /usr/lib on most systems.
            guard fstat(descriptor, &status) == 0,
                seen.insert([UInt64(status.st_dev), UInt64(status.st_ino)]).inserted
            else {
                close(descriptor)
                continue
            }
            places.append(Place(path: path, descriptor: descriptor))
            try list(place: places.count - 1)
        }
        guard !places.isEmpty else {
            throw HostError(
                code: ENOENT,
                description:
                    "\(root.prefix)/etc/systemd/system and /usr/lib/systemd/system: no unit directory can be "
                    + "opened, so no service can be found")
        }
    }

    deinit {
        for place in places { close(place.descriptor) }
        if rootDescriptor >= 0 { close(rootDescriptor) }
    }

    // MARK: Reading

    /// The bytes of a unit file; empty where it is masked, nil where it has gone or is no regular file.
    mutating func read(_ entry: Entry) throws(HostError) -> [UInt8]? {
        guard entry.isLink else {
            return try read(
                descriptor: openat(
                    places[entry.place].descriptor, entry.name,
                    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY))
        }
        return try read(path: "\(places[entry.place].path)/\(entry.name)")
    }

    /// The bytes of a file of the node; nil where there is none, or none that is a regular file.
    mutating func read(path: String) throws(HostError) -> [UInt8]? {
        try read(descriptor: openInRoot(path, 0))
    }

    private mutating func read(descriptor: Int32) throws(HostError) -> [UInt8]? {
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        let size = min(max(Int(status.st_size), 0), limits.file)
        guard size > 0 else { return [] }
        byteCount += size
        guard byteCount <= limits.total else {
            throw HostError(
                code: EFBIG,
                description: "\(root.prefix)/: unit files hold more than \(limits.total) bytes, "
                    + "so not all were read; look for what fills the unit directories")
        }
        return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size {
                let got = Glibc.read(descriptor, buffer.baseAddress?.advanced(by: count), size - count)
                if got < 0, errno == EINTR { continue }
                guard got > 0 else { return }
                count += got
            }
        }
    }

    /// Where a symbolic link in a unit directory points to, as it is written.
    func target(of entry: Entry) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
            guard let start = buffer.baseAddress else { return nil }
            let count = readlinkat(places[entry.place].descriptor, entry.name, start, buffer.count)
            guard count > 0 else { return nil }
            return String(decoding: UnsafeRawBufferPointer(buffer).prefix(count), as: UTF8.self)
        }
    }

    /// The `.conf` files of drop-in directories of that name in one place.
    mutating func dropIns(in directory: String, place: Int) throws(HostError) -> [String] {
        var names: [String] = []
        try forEachEntry(of: openInRoot("\(places[place].path)/\(directory)", O_DIRECTORY)) { name, _ in
            if name.hasSuffix(".conf") { names.append(name) }
        }
        return names
    }

    // MARK: Listing

    private func openInRoot(_ path: String, _ flags: Int32) -> Int32 {
        let flags = flags | O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
        return root.isLive ? open(path, flags) : holdfast_open_below(rootDescriptor, path, flags)
    }

    private mutating func list(place: Int) throws(HostError) {
        var services: [Entry] = []
        var dropIns: [String] = []
        var wishes: [String] = []
        let copy = openat(places[place].descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        try forEachEntry(of: copy) { name, kind in
            if name.hasSuffix(".service") {
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
        for name in wishes {
            var wanted: [String] = []
            try forEachEntry(of: openInRoot("\(places[place].path)/\(name)", O_DIRECTORY)) { name, _ in
                if name.hasSuffix(".service"), UnitName(name).template != nil { wanted.append(name) }
            }
            instances.formUnion(wanted)
        }
    }

    /// Goes over a directory and closes it; a negative descriptor is an empty directory.
    private mutating func forEachEntry(
        of descriptor: Int32, _ body: (_ name: String, _ kind: UInt8) -> Void
    ) throws(HostError) {
        guard descriptor >= 0 else { return }
        guard let stream = fdopendir(descriptor) else {
            close(descriptor)
            return
        }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
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
    }
}

/// What the system calls an error number, in lower case.
private func reason(_ code: Int32) -> String { String(cString: strerror(code)).lowercased() }

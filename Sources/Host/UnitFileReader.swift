internal import Glibc

/// Reads unit files below a root, up to a limit for each and for all together.
struct UnitFileReader {
    let root: Root
    private let limits: UnitTree.Limits
    private var byteCount = 0

    init(root: Root, limits: UnitTree.Limits) {
        self.root = root
        self.limits = limits
    }

    /// The bytes of a file of the node; nil where there is none, or none that is a regular file.
    mutating func read(path: String) throws(HostError) -> [UInt8]? {
        guard let path = try? root.resolve(path) else { return nil }
        return try read(resolved: path)
    }

    /// The bytes of a file of this machine.
    mutating func read(resolved path: String) throws(HostError) -> [UInt8]? {
        // A hundred files can be read at a tick: each call counts.
        let number = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard number >= 0 else { return nil }
        let descriptor = Descriptor(owning: number)
        guard let status = try? descriptor.status(path), status.st_mode & S_IFMT == S_IFREG else {
            return nil
        }
        let size = min(max(Int(status.st_size), 0), limits.file)
        byteCount += size
        guard byteCount <= limits.total else {
            throw HostError(
                code: EFBIG,
                description:
                    "\(root.prefix)/: unit files hold more than \(limits.total) bytes, so not all were read; "
                    + "look for what fills the unit directories")
        }
        return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            count =
                (try? descriptor.read(at: 0, into: UnsafeMutableRawBufferPointer(buffer), path: path)) ?? 0
        }
    }
}

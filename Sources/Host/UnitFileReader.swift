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
    ///
    /// - Throws: `HostError` where that cannot be told: an installation whose unit cannot be read is not gone.
    mutating func read(path: String) throws(HostError) -> [UInt8]? {
        let resolved: String
        do throws(HostError) {
            resolved = try root.resolve(path)
        } catch {
            if error.isInconclusive { throw error }
            return nil
        }
        return try read(resolved: resolved)
    }

    /// The bytes of a file of this machine.
    mutating func read(resolved path: String) throws(HostError) -> [UInt8]? {
        // A hundred files can be read at a tick: each call counts.
        let number = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard number >= 0 else {
            let failure = HostError.failed("opened", path)
            if failure.isInconclusive { throw failure }
            return nil
        }
        let descriptor = Descriptor(owning: number)
        let status = try descriptor.status(path)
        guard status.st_mode & S_IFMT == S_IFREG else { return nil }
        let size = min(max(Int(status.st_size), 0), limits.file)
        byteCount += size
        guard byteCount <= limits.total else {
            throw HostError(
                code: EFBIG,
                description:
                    "\(root.prefix)/: unit files hold more than \(limits.total) bytes, so not all were read; "
                    + "look for what fills the unit directories")
        }
        var failure: HostError?
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            do throws(HostError) {
                count = try descriptor.read(
                    at: 0, into: UnsafeMutableRawBufferPointer(buffer), path: path)
            } catch { failure = error }
        }
        if let failure { throw failure }
        // An empty unit file is a masked unit.
        guard bytes.count == size else {
            throw HostError(
                description: "\(path): it became shorter while it was read; the next look sees it whole")
        }
        return bytes
    }
}

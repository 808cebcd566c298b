import Gate
import Glibc
import Model

/// Why something could not be done to a file.
struct FileFailure: Error {
    /// The kernel's reason; 0 where it is ours.
    var code: Int32
    /// What happened, and where.
    var text: String

    init(_ what: String, _ path: String, code: Int32 = errno) {
        self.code = code
        text = "\(path) could not be \(what): \(String(cString: strerror(code)))"
    }

    init(text: String) {
        code = 0
        self.text = text
    }
}

/// A descriptor that is closed when it goes out of sight.
struct Descriptor: ~Copyable {
    let number: Int32

    /// Opens a file; one that is not there is ENOENT like any other failure.
    init(_ path: String, _ flags: Int32, mode: mode_t = 0o600) throws(FileFailure) {
        // Whoever puts a FIFO in a file's place must not make the gate wait.
        number = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, mode)
        guard number >= 0 else { throw FileFailure("opened", path) }
    }

    deinit { close(number) }

    func status(_ path: String) throws(FileFailure) -> stat {
        var status = stat()
        guard fstat(number, &status) == 0 else { throw FileFailure("examined", path) }
        return status
    }

    /// Up to that many bytes; none at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer, _ path: String) throws(FileFailure) -> Int {
        while true {
            let count = Glibc.read(number, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            guard errno == EINTR else { throw FileFailure("read", path) }
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, _ path: String) throws(FileFailure) {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(number, rest.baseAddress, rest.count)
            if count < 0 {
                guard errno == EINTR else { throw FileFailure("written", path) }
                continue
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    func synchronise(_ path: String) throws(FileFailure) {
        guard fsync(number) == 0 else { throw FileFailure("flushed", path) }
    }
}

/// The whole of a small file.
///
/// - Parameter trusted: whether nobody but root, or whoever runs this, may have written it.
func readFile(_ path: String, largest: Int, trusted: Bool = false) throws(FileFailure) -> [UInt8] {
    let file = try Descriptor(path, O_RDONLY)
    let status = try file.status(path)
    guard isRegular(status) else { throw FileFailure(text: "\(path) is not a regular file") }
    guard !trusted || status.st_mode & 0o022 == 0 && (status.st_uid == 0 || status.st_uid == geteuid()) else {
        throw FileFailure(text: "\(path) can be written by others than root")
    }
    var bytes = [UInt8](repeating: 0, count: largest + 1)
    var count = 0
    while count < bytes.count {
        var failure: FileFailure?
        let got = bytes.withUnsafeMutableBytes { buffer -> Int in
            do throws(FileFailure) {
                return try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[count...]), path)
            } catch {
                failure = error
                return 0
            }
        }
        if let failure { throw failure }
        if got == 0 { break }
        count += got
    }
    guard count <= largest else { throw FileFailure(text: "\(path) is longer than \(largest) bytes") }
    return Array(bytes[..<count])
}

/// Puts a small file in its place by a rename, and makes the directories above it where they are missing.
///
/// - Parameter flushed: whether it has to survive a power cut.
func replaceFile(_ path: String, _ text: String, flushed: Bool) throws(FileFailure) {
    let directory = split(path).directory
    let draft = GatePlaces.draft(of: path)
    do throws(FileFailure) {
        try writeFile(draft, text, flags: O_TRUNC, flushed: flushed)
    } catch {
        guard error.code == ENOENT else { throw error }
        makeDirectories(directory)
        try writeFile(draft, text, flags: O_TRUNC, flushed: flushed)
    }
    guard rename(draft, path) == 0 else {
        let failure = FileFailure("replaced", path)
        unlink(draft)
        throw failure
    }
    if flushed { try flushDirectory(directory) }
}

/// Writes a file under its own name; what could not be finished is taken away.
func writeFile(_ path: String, _ text: String, flags: Int32, flushed: Bool) throws(FileFailure) {
    let file = try Descriptor(path, O_WRONLY | O_CREAT | O_NOFOLLOW | flags)
    do throws(FileFailure) {
        var failure: FileFailure?
        var text = text
        text.withUTF8 { bytes in
            do throws(FileFailure) {
                try file.write(UnsafeRawBufferPointer(bytes), path)
            } catch { failure = error }
        }
        if let failure { throw failure }
        if flushed { try file.synchronise(path) }
    } catch {
        unlink(path)
        throw error
    }
}

/// Makes what was done to names in a directory survive a power cut.
func flushDirectory(_ directory: String) throws(FileFailure) {
    try Descriptor(directory, O_RDONLY | O_DIRECTORY).synchronise(directory)
}

/// Makes a directory and those above it; that one of them failed is seen when it is used.
func makeDirectories(_ path: String) {
    var parent = ""
    for part in path.split(separator: "/") {
        parent += "/\(part)"
        mkdir(parent, 0o755)
    }
}

/// The directory of a path, and the name in it.
func split(_ path: String) -> (directory: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    return (
        slash == path.startIndex ? "/" : String(path[..<slash]), String(path[path.index(after: slash)...])
    )
}

/// What is at a path, symbolic links followed, as the kernel does when a unit starts it.
func find(_ path: String) -> FileFinding {
    var status = stat()
    guard stat(path, &status) == 0 else {
        let code = errno
        return code == ENOENT || code == ENOTDIR ? .missing : .unusable(String(cString: strerror(code)))
    }
    return isRegular(status) ? .file(FileIdentity(status)) : .unusable("it is not a regular file")
}

func isRegular(_ status: stat) -> Bool { status.st_mode & S_IFMT == S_IFREG }

extension FileIdentity {
    /// The same numbers as the tick takes: it wrote the ones that these are compared with.
    init(_ status: stat) {
        self.init(
            device: Int64(bitPattern: UInt64(status.st_dev)), inode: Int64(bitPattern: UInt64(status.st_ino)),
            size: Int64(status.st_size), modified: Self.nanoseconds(status.st_mtim),
            changed: Self.nanoseconds(status.st_ctim))
    }

    private static func nanoseconds(_ time: timespec) -> Int64 {
        let (seconds, overflow) = Int64(time.tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return time.tv_sec < 0 ? .min : .max }
        let (sum, sumOverflow) = seconds.addingReportingOverflow(Int64(time.tv_nsec))
        return sumOverflow ? .max : sum
    }
}

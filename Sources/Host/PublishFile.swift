internal import Glibc

/// What came of a file that was to be published.
public enum Publication: Hashable, Sendable {
    /// There is no such directory, so nobody wants it.
    case unwanted
    /// What was there says the same: its time alone was moved.
    case touched
    case written
}

/// Puts a file for everybody to read into a directory that may be somebody else's, whole at every instant.
///
/// No link is followed, neither for the directory nor for the file: one that is there is replaced. Nothing is flushed to
/// the disk, since it is written again soon.
///
/// - Parameters:
///   - limit: a longer file that is there is not read, but replaced.
///   - isSame: whether what is there can stay.
/// - Throws: `HostError`; what was there then still stands.
public func publish(
    _ bytes: [UInt8], as name: String, in directory: String, limit: Int = 1 << 20,
    isSame: ([UInt8]) -> Bool
) throws(HostError) -> Publication {
    let place = "\(directory)/\(name)"
    let number = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard number >= 0 else {
        if errno == ENOENT { return .unwanted }
        throw HostError.failed("opened as a directory that is no link", directory)
    }
    let home = Descriptor(owning: number)
    if try touch(name, in: home, place, limit: limit, isSame: isSame) { return .touched }
    // By the directory that is open: its path may lead elsewhere by now.
    removeDrafts(of: "/proc/self/fd/\(home.number)/\(name)")
    // The process id keeps two writers apart.
    let draft = ".\(name).\(getpid()).tmp"
    _ = unlinkat(home.number, draft, 0)
    do throws(HostError) {
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let made = openat(home.number, draft, flags, mode_t(0o600))
        guard made >= 0 else { throw HostError.failed("made", place) }
        let file = Descriptor(owning: made)
        try file.write(bytes, path: place)
        guard fchmod(file.number, 0o644) == 0 else { throw HostError.failed("given its mode", place) }
        guard renameat(home.number, draft, home.number, name) == 0 else {
            throw HostError.failed("replaced", place)
        }
    } catch {
        _ = unlinkat(home.number, draft, 0)
        throw error
    }
    return .written
}

/// Moves the time of a file that can stay; false where it cannot, or there is none.
private func touch(
    _ name: String, in home: borrowing Descriptor, _ place: String, limit: Int, isSame: ([UInt8]) -> Bool
) throws(HostError) -> Bool {
    let number = openat(home.number, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
    // Whatever cannot be opened is replaced, a link among it.
    guard number >= 0 else { return false }
    let file = Descriptor(owning: number)
    let status = try file.status(place)
    guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= limit, status.st_mode & 0o7777 == 0o644,
        status.st_nlink == 1
    else { return false }
    var old = [UInt8](repeating: 0, count: Int(status.st_size))
    var failure: HostError?
    let count = old.withUnsafeMutableBytes { buffer in
        do throws(HostError) { return try file.read(at: 0, into: buffer, path: place) } catch {
            failure = error
        }
        return 0
    }
    if let failure { throw failure }
    guard count == old.count, isSame(old) else { return false }
    guard futimens(file.number, nil) == 0 else { throw HostError.failed("touched", place) }
    return true
}

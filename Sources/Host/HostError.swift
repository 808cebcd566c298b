internal import Glibc

/// Something that this machine would not do, with the path and the reason.
public struct HostError: Error, Hashable, Sendable, CustomStringConvertible {
    /// `errno`, or 0 where the system did not give one.
    public var code: Int32
    /// What happened, where, and what to do about it.
    public var description: String

    /// Makes an error.
    public init(code: Int32 = 0, description: String) {
        self.code = code
        self.description = description
    }

    /// Whether it says that there is no such file.
    public var isAbsence: Bool { code == ENOENT || code == ENOTDIR }

    /// Whether it says that the disk is full, or our share of it.
    public var isFull: Bool { code == ENOSPC || code == EDQUOT }

    /// Whether the file may be there all the same: the disk, the memory or the kernel's tables gave no answer, and may
    /// give one the next time.
    ///
    /// What says that a path leads to nothing, or to something that cannot be opened by anybody, is an answer.
    public var isInconclusive: Bool {
        switch code {
        case ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, EINVAL, ENXIO, ENODEV: false
        // Our own, about what was opened.
        case 0, EFBIG: false
        // To root the mode of a file says nothing: it is a security module, or a server, that refuses now.
        case EACCES, EPERM: geteuid() == 0
        default: true
        }
    }

    /// Whether it says that another process has what was asked for.
    public var isBusy: Bool { code == EWOULDBLOCK }

    /// What a failed call left in `errno`: `/etc/x: cannot be opened: permission denied`.
    static func failed(_ what: String, _ path: String, code: Int32 = errno) -> HostError {
        HostError(code: code, description: "\(path): cannot be \(what): \(reason(for: code))")
    }

    // strerror_r, whose texts begin with a capital letter ("No such file or directory", "I/O error").
    private static func reason(for code: Int32) -> String {
        var buffer = [CChar](repeating: 0, count: 128)
        guard strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
        let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard let first = text.first, text.dropFirst().first?.isLowercase == true else { return text }
        return first.lowercased() + text.dropFirst()
    }
}

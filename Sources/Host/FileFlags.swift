internal import CLinux
internal import Glibc

/// Flags that a file system keeps beside a file's mode (`lsattr`, `chattr`).
public enum FileFlags {
    /// Whether this process may set and clear the immutable flag, as far as its bounds go.
    public static var mayChange: Bool { clinux_may_change_flags() != 0 }

    /// Whether a regular file is immutable; nil where there is no file, or its file system has no flags.
    ///
    /// - Throws: `HostError`, also for what is no regular file.
    public static func isImmutable(_ path: String) throws(HostError) -> Bool? {
        let file: Descriptor
        do throws(HostError) {
            file = try Descriptor.openRegularFile(path)
        } catch {
            if error.isAbsence { return nil }
            throw error
        }
        let answer = clinux_is_immutable(file.number)
        if answer < 0 {
            guard hasNoFlags(errno) else { throw HostError.failed("asked for its flags", path) }
            return nil
        }
        return answer == 1
    }

    /// Makes a regular file immutable, or no longer so.
    ///
    /// - Throws: `HostError`.
    public static func setImmutable(_ path: String, _ isImmutable: Bool) throws(HostError) {
        let file = try Descriptor.openRegularFile(path)
        guard clinux_set_immutable(file.number, isImmutable ? 1 : 0) == 0 else {
            throw HostError.failed("made \(isImmutable ? "immutable" : "mutable")", path)
        }
    }

    private static func hasNoFlags(_ code: Int32) -> Bool {
        code == ENOTTY || code == EOPNOTSUPP || code == ENOSYS || code == EINVAL
    }
}

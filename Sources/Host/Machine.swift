internal import Glibc
public import Model

/// What this machine says about itself.
public enum Machine {
    /// The variables of this process's environment that have these names and are set.
    public static func environment(of names: [String]) -> [String: String] {
        var found: [String: String] = [:]
        for name in names { found[name] = getenv(name).map { String(cString: $0) } }
        return found
    }

    /// The node's host name: the kernel's on the live root, `/etc/hostname` under another; nil where there is none.
    public static func hostName(root: Root) -> String? {
        let name: String
        if root.isLive {
            var buffer = [CChar](repeating: 0, count: 256)
            guard gethostname(&buffer, buffer.count - 1) == 0 else { return nil }
            name = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        } else {
            guard let path = try? root.resolve("/etc/hostname"), let bytes = try? readFile(path, limit: 1024)
            else {
                return nil
            }
            // hostname(5): one name; lines that begin with # are comments.
            let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
            name = String(lines.first { !$0.hasPrefix("#") } ?? "")
        }
        // The kernel takes any bytes for one (sethostname(2)), and it stands in every report; hostname(7) has no others.
        let trimmed = String(
            name.filter { !$0.isWhitespace }.unicodeScalars.map { scalar in
                let isPlain =
                    scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
                return isPlain || ["-", "_", "."].contains(scalar) ? Character(scalar) : "?"
            })
        return trimmed.isEmpty ? nil : trimmed
    }

    /// What the kernel runs on, whatever this program was built for; nil for anything else.
    public static var architecture: Architecture? {
        var names = utsname()
        guard uname(&names) == 0 else { return nil }
        let machine = withUnsafeBytes(of: names.machine) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        return switch machine {
        case "x86_64": .amd64
        case "aarch64": .arm64
        case "s390x": .s390x
        case "riscv64": .riscv64
        case "ppc64le": .ppc64le
        case "i386", "i486", "i586", "i686": .i386
        case _ where machine.hasPrefix("armv"): .arm
        default: nil
        }
    }

    /// Where the program that runs lies; nil where /proc does not say.
    public static var programDirectory: String? {
        (try? readLink("/proc/self/exe")).map { splitPath($0).directory }
    }

    /// Lets this process have that many files open at once, as far as the system lets it.
    public static func raiseOpenFiles(to count: Int) {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limit) == 0, limit.rlim_cur < count else { return }
        limit.rlim_cur = min(rlim_t(count), limit.rlim_max)
        _ = setrlimit(resource, &limit)
    }

    /// The user whose rights this process has.
    public static var effectiveUser: UInt32 { geteuid() }
}

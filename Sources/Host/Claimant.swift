internal import Glibc
internal import Model

/// Who runs this process, as far as the system says: a claim, which root can forge.
public struct Claimant: Hashable, Sendable {
    /// `SUDO_USER`, which whoever is root can set as they like.
    public var sudoUser: String?
    /// The user who logged in, by the kernel's audit (`/proc/self/loginuid`); nil outside a login session.
    public var loginUID: UInt32?
    /// The user whose process it is.
    public var uid: UInt32

    /// Makes a claimant.
    public init(sudoUser: String?, loginUID: UInt32?, uid: UInt32) {
        self.sudoUser = sudoUser
        self.loginUID = loginUID
        self.uid = uid
    }

    /// Who runs this process.
    public static var current: Claimant {
        var login: UInt32?
        if let bytes = try? readFile("/proc/self/loginuid", limit: 32) {
            let digits = bytes.prefix { (48...57).contains($0) }
            // proc_pid_loginuid: all bits set means that nobody logged in.
            login = UInt32(String(decoding: digits, as: UTF8.self)).flatMap { $0 == .max ? nil : $0 }
        }
        let variables = Machine.environment(of: ["SUDO_USER"])
        return Claimant(sudoUser: variables["SUDO_USER"], loginUID: login, uid: getuid())
    }

    /// One line for people: `ada (login uid 1000)`, `ada (sudo, uid 0)`, `root (uid 0)`.
    ///
    /// What the kernel keeps comes before what the environment says; where the two differ, both are there.
    ///
    /// - Parameter name: the name of a user; nil where there is none.
    public func text(name: (UInt32) -> String?) -> String {
        // No longer than any name is; it ends up in the journal and on screens.
        let sudo = sudoUser.map { $0.cut(to: 64).printable }.flatMap { $0.isEmpty ? nil : $0 }
        if let loginUID {
            let login = name(loginUID) ?? "uid \(loginUID)"
            let other = sudo.flatMap { $0 == login ? nil : ", sudo says \($0)" } ?? ""
            return "\(login) (login uid \(loginUID)\(other))"
        }
        if let sudo { return "\(sudo) (sudo, uid \(uid))" }
        return "\(name(uid) ?? "uid \(uid)") (uid \(uid))"
    }

    /// The name that `/etc/passwd` has for a user; a directory service is not asked, since it may never answer.
    public static func localName(of uid: UInt32) -> String? {
        guard let bytes = try? readFile("/etc/passwd", limit: 4 << 20) else { return nil }
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            // passwd(5): name:password:uid:…
            let fields = line.split(
                separator: UInt8(ascii: ":"), maxSplits: 3, omittingEmptySubsequences: false)
            guard fields.count > 3, UInt32(String(decoding: fields[2], as: UTF8.self)) == uid else {
                continue
            }
            return String(decoding: fields[0], as: UTF8.self).printable
        }
        return nil
    }
}

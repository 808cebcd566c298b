import Crypto
import Gate
import Glibc
import Model

/// A made-up node below a directory of one test's own, with the built gate run against it.
final class GateNode {
    static let version = "v1.31.4+k3s1"
    static let invocation = "0123456789abcdef0123456789abcdef"
    let root: String
    var file: GuardFile
    let approved = Artifact(version: Version(version), sha256: digest("approved"))

    let binary = "/usr/local/bin/k3s"
    let spare = "/usr/local/bin/.k3s.spare"
    let pending = "/usr/local/bin/.holdfast-pending"
    let data = "/var/lib/rancher/k3s"
    let state = GatePlaces(state: "/var/lib/holdfast")
    var vault: String { "/var/lib/holdfast/vault/\(Self.digest("approved").hex)" }

    struct Failure: Error { var text: String }

    /// A node as `adopt` leaves it: approved binary, its spare, a copy in the vault, v1.31.4 recorded as running.
    init(mode: Enforcement.GateMode = .restore, role: Role? = .server, in parent: String = "/var/tmp") throws
    {
        var template = Array("\(parent)/holdfast-gate-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw Failure(text: "no directory in \(parent)") }
        root = String(cString: made)
        file = GuardFile(ledgerSequence: 1)
        try write(binary, "approved", mode: 0o755)
        try write(spare, "approved", mode: 0o755)
        try write(vault, "approved", mode: 0o755)
        file.installations = [
            GuardedInstallation(
                id: InstallationID(distribution: .k3s, name: "k3s"), units: ["k3s.service"], role: role,
                mode: mode,
                binary: binary, dataDirectory: data, vault: "/var/lib/holdfast/vault/{sha256}",
                pending: pending,
                approved: [GuardedArtifact(approved, identities: [try identity(binary)])],
                spare: Spare(path: spare, artifact: approved, identity: try identity(spare)))
        ]
        try writeGuard()
        try record(Self.version)
    }

    deinit {
        for mount in mounts.reversed() { _ = Self.run(["/bin/umount", "-l", mount]) }
        _ = Self.run(["/bin/rm", "-rf", root, "\(root).trace", "\(root).errors"])
    }

    private var mounts: [String] = []

    func writeGuard() throws { try write(state.guardFile, file.text) }

    func record(_ version: String?, unproven: String? = nil) throws {
        let record = LastRan(
            dataDirectory: data, highest: version.flatMap { Version($0) }, unproven: unproven,
            invocationID: nil,
            at: Instant(seconds: 0))
        try write(state.lastRan(dataDirectory: data), record.text)
    }

    var lastRan: LastRan? {
        read(state.lastRan(dataDirectory: data)).flatMap { try? LastRan.parse(Array($0.utf8)) }
    }

    /// What the gate left for the tick, oldest first.
    var spool: [SpoolRecord] {
        list(state.spool).compactMap { name in
            read("\(state.spool)/\(name)").flatMap { try? SpoolRecord.parse(Array($0.utf8)) }
        }
    }

    var isMissed: Bool { state.missed(unit: "k3s.service").contains { exists($0) } }

    // MARK: Running it

    struct Outcome {
        /// The exit status, or minus the signal that ended it.
        var status: Int32
        var errors: String
    }

    /// Runs the gate before a start of the unit.
    ///
    /// - Parameters:
    ///   - strace: options under which strace runs it, for kills in the midst of it.
    ///   - socket: where it asks snapd, which answers that a refresh is at it.
    func gate(
        unit: String = "k3s.service", strace: [String] = [], asking socket: Listener? = nil
    ) -> Outcome {
        let traced = strace.isEmpty ? [] : ["/usr/bin/strace", "-f", "-o", "\(root).trace"] + strace
        let process = Self.spawn(
            traced + [Self.program, "--root", root, unit], errorsTo: "\(root).errors")
        // One that is killed before it asks does not.
        while let socket, !Self.hasEnded(process) {
            guard socket.isAsked(within: 10) else { continue }
            socket.answer(VetoTests.Snapd(name: "").bytes)
            break
        }
        return Self.wait(process, errorsAt: "\(root).errors")
    }

    /// Whether a process has come to its end, and is still to be waited for.
    private static func hasEnded(_ process: pid_t) -> Bool {
        var seen = siginfo_t()
        let flags = WEXITED | WNOHANG | WNOWAIT
        return waitid(P_PID, id_t(process), &seen, Int32(flags)) != 0 || seen.si_signo == SIGCHLD
    }

    /// The gate is built into the directory that the tests' own program lies in.
    static let program: String = {
        var path = [CChar](repeating: 0, count: 4096)
        let count = max(0, readlink("/proc/self/exe", &path, path.count))
        let own = String(decoding: path[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return own[..<(own.lastIndex(of: "/") ?? own.startIndex)] + "/holdfast-gate"
    }()

    @discardableResult
    static func run(_ words: [String], errorsTo path: String = "/dev/null") -> Outcome {
        wait(spawn(words, errorsTo: path), errorsAt: path)
    }

    /// 0 where it could not be started.
    static func spawn(_ words: [String], errorsTo path: String) -> pid_t {
        var files = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&files)
        defer { posix_spawn_file_actions_destroy(&files) }
        posix_spawn_file_actions_addopen(&files, 2, path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        var environment: [UnsafeMutablePointer<CChar>?] = [
            strdup("INVOCATION_ID=\(invocation)"), strdup("PATH=/usr/sbin:/usr/bin:/sbin:/bin"), nil,
        ]
        defer { for word in arguments + environment { free(word) } }
        var process: pid_t = 0
        return posix_spawn(&process, words[0], &files, nil, &arguments, &environment) == 0 ? process : 0
    }

    static func wait(_ process: pid_t, errorsAt path: String) -> Outcome {
        guard process > 0 else { return Outcome(status: 127, errors: "it could not be started") }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        let code = status & 0x7f == 0 ? status >> 8 & 0xff : -(status & 0x7f)
        return Outcome(status: code, errors: String(decoding: (try? bytes(of: path)) ?? [], as: UTF8.self))
    }

    // MARK: Files of the node

    static func digest(_ text: String) -> Digest { Digest(bytes: sha256(Array(text.utf8))) ?? .none }

    func write(_ path: String, _ text: String, mode: mode_t = 0o644) throws {
        _ = Self.run([
            "/bin/mkdir", "-p", String((root + path)[..<((root + path).lastIndex(of: "/") ?? root.endIndex)]),
        ])
        // By a rename, as installers do it: another inode each time.
        let draft = root + path + ".draft"
        let file = open(draft, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        guard file >= 0 else { throw Failure(text: "cannot write \(path): \(errno)") }
        defer { close(file) }
        let bytes = Array(text.utf8)
        guard Glibc.write(file, bytes, bytes.count) == bytes.count, fchmod(file, mode) == 0,
            rename(draft, root + path) == 0
        else { throw Failure(text: "cannot write \(path): \(errno)") }
    }

    static func bytes(of path: String) throws -> [UInt8] {
        let file = open(path, O_RDONLY)
        guard file >= 0 else { throw Failure(text: "cannot read \(path)") }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = Glibc.read(file, &bytes, bytes.count)
        return Array(bytes[..<max(0, count)])
    }

    func read(_ path: String) -> String? {
        (try? Self.bytes(of: root + path)).map { String(decoding: $0, as: UTF8.self) }
    }

    func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(root + path, &status) == 0
    }

    func list(_ path: String) -> [String] {
        guard let stream = opendir(root + path) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    /// What is kept, by content.
    var kept: [String] { list(pending).compactMap { read("\(pending)/\($0)") } }

    func remove(_ path: String) { _ = unlink(root + path) }

    func identity(_ path: String) throws -> FileIdentity {
        var status = stat()
        guard stat(root + path, &status) == 0 else { throw Failure(text: "no \(path)") }
        return FileIdentity(
            device: Int64(status.st_dev), inode: Int64(status.st_ino), size: Int64(status.st_size),
            modified: Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec),
            changed: Int64(status.st_ctim.tv_sec) * 1_000_000_000 + Int64(status.st_ctim.tv_nsec))
    }

    /// Mounts a small file system in memory on a directory of the node; needs root.
    func mount(_ path: String, _ options: String) throws {
        _ = Self.run(["/bin/mkdir", "-p", root + path])
        let done = Self.run(["/bin/mount", "-t", "tmpfs", "-o", options, "tmpfs", root + path])
        guard done.status == 0 else { throw Failure(text: "cannot mount on \(path)") }
        mounts.append(root + path)
    }

    func remountReadOnly(_ path: String) throws {
        let done = Self.run(["/bin/mount", "-o", "remount,ro", root + path])
        guard done.status == 0 else { throw Failure(text: "cannot remount \(path)") }
    }
}

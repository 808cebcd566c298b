import Glibc

/// An authority, certificates of it, and an HTTPS server, all by the openssl command, in a directory of their own.
public final class Certificates: Sendable {
    /// Where they are.
    public let directory: TemporaryDirectory

    /// Whether the openssl command is there.
    public static let canBeMade = access("/usr/bin/openssl", X_OK) == 0

    /// Makes authorities `ca` and `other`, and of the first a `server` (127.0.0.1, kubernetes), an `expired` one and a `client`.
    public init() throws {
        directory = try TemporaryDirectory()
        for name in ["ca", "other"] {
            try openssl(
                "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout \(name).key -out \(name).crt"
                    + " -days 2 -subj /CN=\(name)")
        }
        try directory.write("subjectAltName=IP:127.0.0.1,DNS:kubernetes\n", to: "names")
        try directory.write(Self.authority, to: "authority")
        try directory.write("", to: "issued")
        for name in ["server", "expired", "client"] {
            try openssl(
                "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout \(name).key -out \(name).csr"
                    + " -subj /CN=\(name)")
            let dates =
                name == "expired" ? "-startdate 20240101000000Z -enddate 20240102000000Z" : "-days 2"
            try openssl(
                "ca -config authority -batch -notext -in \(name).csr -out \(name).crt"
                    + " -extfile names \(dates)")
        }
        try openssl("ec -in client.key -aes128 -passout pass:hunter2 -out locked.key")
    }

    /// By `openssl ca`, which can date a certificate back: the `openssl x509` of 3.0 has no option for that, and that of
    /// 3.5 refuses negative days.
    private static let authority = """
        [ca]
        default_ca = authority
        [authority]
        certificate = ca.crt
        private_key = ca.key
        database = issued
        new_certs_dir = .
        default_md = sha256
        rand_serial = yes
        policy = names
        [names]
        commonName = supplied

        """

    /// What a server of `server` shows, and by whom its clients have to be vouched for.
    public var serverIdentity: ServerIdentity {
        ServerIdentity(
            certificate: "\(directory.path)/server.crt", key: "\(directory.path)/server.key",
            authority: "\(directory.path)/ca.crt")
    }

    /// A file that was made.
    public func read(_ name: String) throws -> [UInt8] {
        guard let file = fopen("\(directory.path)/\(name)", "r") else {
            throw ScriptedServer.Failure(description: "\(name): cannot be read")
        }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = fread(&bytes, 1, bytes.count, file)
        return Array(bytes.prefix(count))
    }

    /// Runs openssl in the directory and waits for it.
    private func openssl(_ arguments: String) throws {
        let process = try Child(
            "/usr/bin/openssl", arguments.split(separator: " ").map(String.init), in: directory.path)
        guard process.wait() == 0 else {
            throw ScriptedServer.Failure(description: "openssl \(arguments)")
        }
    }

    /// Starts a server that answers every request with its own status page.
    public func serve(_ name: String, more: String = "") throws -> (child: Child, port: Int) {
        for _ in 0..<5 {
            let port = try freePort()
            let child = try Child(
                "/usr/bin/openssl",
                "s_server -accept 127.0.0.1:\(port) -cert \(name).crt -key \(name).key -CAfile ca.crt -www -quiet \(more)"
                    .split(separator: " ").map(String.init), in: directory.path)
            if answers(port: port) { return (child, port) }
            child.stop()
        }
        throw ScriptedServer.Failure(description: "openssl s_server did not start")
    }

    /// A port that nobody listens on, below those that the kernel gives to whoever asks for any.
    private func freePort() throws -> Int {
        for _ in 0..<100 {
            let port = Int.random(in: 15_000..<32_000)
            if isFree(port) { return port }
        }
        throw ScriptedServer.Failure(description: "no port is free")
    }

    private func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        name.sin_port = UInt16(port).bigEndian
        return withUnsafePointer(to: name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        } == 0
    }

    private func answers(port: Int) -> Bool {
        for _ in 0..<500 {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(descriptor) }
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            name.sin_port = UInt16(port).bigEndian
            let result = withUnsafePointer(to: name) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            if result == 0 { return true }
            usleep(10_000)
        }
        return false
    }
}

/// A process that ends with this object.
public final class Child: Sendable {
    private let number: pid_t

    /// Starts a program in a directory.
    public init(_ program: String, _ arguments: [String], in directory: String) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        // Through a shell, since the call that changes the directory is not to be had here.
        let words = ["/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", directory, program] + arguments
        var pointers = words.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        var started: pid_t = 0
        guard posix_spawn(&started, "/bin/sh", &actions, nil, &pointers, environ) == 0 else {
            throw ScriptedServer.Failure(description: "\(program) cannot be started")
        }
        number = started
    }

    /// Waits for its end; the exit status.
    public func wait() -> Int32 {
        var status: Int32 = 0
        while waitpid(number, &status, 0) < 0, errno == EINTR {}
        return status
    }

    /// Ends it.
    public func stop() {
        kill(number, SIGKILL)
        _ = wait()
    }
}

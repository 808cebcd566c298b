import Glibc
import Synchronization
import TLSServer

/// A server on a real socket that says what it is told to, byte for byte; for tests of what reads it.
///
/// One connection at a time, on a thread of its own, until it is stopped or let go.
public final class ScriptedServer: Sendable {
    /// What is done with a connection once its request has come in.
    public enum Step: Sendable {
        case send([UInt8])
        /// The same bytes over and over, one each so many milliseconds, until the client goes.
        case drip(UInt8, everyMilliseconds: Int)
        case wait(milliseconds: Int)
        /// Says nothing more until the client goes or the server is stopped.
        case hang
        /// Carries bytes to and from another server on 127.0.0.1, as a proxy does after CONNECT, until one of them goes.
        case tunnel(port: Int)
        /// Closes with RST instead of FIN, where the socket is TCP.
        case reset
    }

    /// A request as it came in.
    public struct Received: Hashable, Sendable {
        /// Request line and headers.
        public var head: String
        public var body: [UInt8]
        /// The common name of the client's certificate; nil where it showed none.
        public var peer: String?

        /// `GET` and so on.
        public var method: String { String(head.prefix { $0 != " " }) }

        /// The value of a header, by its name in lower case; nil where there is none.
        public func header(_ name: String) -> String? {
            for line in head.split(separator: "\r\n").dropFirst() {
                guard let colon = line.firstIndex(of: ":"), line[..<colon].lowercased() == name else {
                    continue
                }
                return String(line[line.index(after: colon)...].drop { $0 == " " })
            }
            return nil
        }

        /// The request target: path and query.
        public var target: String {
            let words = head.prefix { $0 != "\r\n" }.split(separator: " ")
            return words.count > 1 ? String(words[1]) : ""
        }
    }

    /// Answers a request; the number counts connections from 0.
    public typealias Script = @Sendable (_ request: Received, _ number: Int) -> [Step]

    /// The port of a TCP server; 0 for a Unix one.
    public let port: Int
    /// The path of a Unix server.
    public let path: String?

    private let listener: Int32
    private let wakeReader: Int32
    private let wakeWriter: Int32
    private let script: Script
    private let secured: Secured?
    private let log = Mutex<[Received]>([])
    private let thread = Mutex<pthread_t?>(nil)

    /// Every request so far.
    public var received: [Received] { log.withLock { $0 } }

    /// Listens on a Unix socket.
    public static func unix(_ path: String, script: @escaping Script) throws(Failure) -> ScriptedServer {
        let descriptor = try checked(socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0), "socket")
        unlink(path)
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        guard path.utf8.count < MemoryLayout.size(ofValue: name.sun_path) else {
            throw Failure(description: "\(path) is too long for a socket")
        }
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        _ = try checked(result, "bind to \(path)")
        return try ScriptedServer(listener: descriptor, port: 0, path: path, script: script)
    }

    /// Listens on 127.0.0.1, on a port that the kernel chooses.
    ///
    /// - Parameter tls: with whose certificate; nil for plain text.
    public static func tcp(tls: ServerIdentity? = nil, script: @escaping Script) throws(Failure)
        -> ScriptedServer
    {
        let descriptor = try checked(socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0), "socket")
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                let bound = bind(descriptor, $0, length)
                return bound == 0 ? getsockname(descriptor, $0, &length) : bound
            }
        }
        _ = try checked(result, "bind to 127.0.0.1")
        return try ScriptedServer(
            listener: descriptor, port: Int(UInt16(bigEndian: name.sin_port)), path: nil, tls: tls,
            script: script)
    }

    private init(
        listener: Int32, port: Int, path: String?, tls: ServerIdentity? = nil, script: @escaping Script
    ) throws(Failure) {
        self.secured = try tls.map(Secured.init)
        self.listener = listener
        self.port = port
        self.path = path
        self.script = script
        var ends: [Int32] = [0, 0]
        _ = try Self.checked(pipe(&ends), "pipe")
        (wakeReader, wakeWriter) = (ends[0], ends[1])
        _ = try Self.checked(listen(listener, 16), "listen")
        var new = pthread_t()
        // The thread holds the server by an unretained pointer: `stop` joins it before the server goes.
        let place = Unmanaged.passUnretained(self).toOpaque()
        let code = pthread_create(
            &new, nil,
            { argument in
                if let argument {
                    Unmanaged<ScriptedServer>.fromOpaque(argument).takeUnretainedValue().serve()
                }
                return nil
            }, place)
        guard code == 0 else { throw Failure(description: "pthread_create: \(code)") }
        let started = new
        thread.withLock { $0 = started }
    }

    /// Stops; a Unix socket's file goes too, as it does where a service is stopped.
    public func stop() {
        guard
            let running = thread.withLock({ value in
                defer { value = nil }; return value
            })
        else { return }
        var byte: UInt8 = 0
        write(wakeWriter, &byte, 1)
        pthread_join(running, nil)
        close(listener)
        if let path { unlink(path) }
    }

    deinit {
        stop()
        close(wakeReader)
        close(wakeWriter)
    }

    // MARK: The thread

    private func serve() {
        var number = 0
        while waits(for: listener, milliseconds: -1) {
            let descriptor = accept(listener, nil, nil)
            guard descriptor >= 0 else { continue }
            let connection = Connection(descriptor: descriptor, tls: secured?.accept(descriptor))
            if secured == nil || connection.tls != nil, let request = receive(from: connection) {
                log.withLock { $0.append(request) }
                perform(script(request, number), on: connection)
            }
            number += 1
            connection.close()
        }
    }

    private func receive(from connection: Connection) -> Received? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            if let end = headEnd(bytes) {
                let head = String(decoding: bytes[..<end], as: UTF8.self)
                let length =
                    head.split(separator: "\r\n")
                    .first { $0.lowercased().hasPrefix("content-length:") }
                    .flatMap { Int($0.dropFirst(15).filter { $0 != " " }) } ?? 0
                if bytes.count >= end + length {
                    return Received(
                        head: head, body: Array(bytes[end..<(end + length)]), peer: connection.peer)
                }
            }
            let isThere = connection.hasBuffered || waits(for: connection.descriptor, milliseconds: 5000)
            guard isThere else { return nil }
            let count = connection.read(&buffer)
            guard count > 0 else { return nil }
            bytes.append(contentsOf: buffer[..<count])
            // No HTTP, but the beginning of a TLS handshake: it is answered all the same.
            if bytes[0] == 22 { return Received(head: "", body: bytes, peer: nil) }
        }
    }

    private func headEnd(_ bytes: [UInt8]) -> Int? {
        guard bytes.count >= 4 else { return nil }
        return (4...bytes.count).first { bytes[($0 - 4)..<$0].elementsEqual([13, 10, 13, 10]) }
    }

    private func perform(_ steps: [Step], on connection: Connection) {
        for step in steps {
            switch step {
            case .send(let bytes):
                guard send(bytes, over: connection) else { return }
            case .drip(let byte, let milliseconds):
                while !pauses(milliseconds: milliseconds) {
                    guard send([byte], over: connection) else { return }
                }
            case .wait(let milliseconds):
                if pauses(milliseconds: milliseconds) { return }
            case .hang:
                // A client that goes makes the connection readable.
                _ = waits(for: connection.descriptor, milliseconds: -1)
            case .tunnel(let port):
                tunnel(connection.descriptor, port: port)
            case .reset:
                var option = linger(l_onoff: 1, l_linger: 0)
                setsockopt(
                    connection.descriptor, SOL_SOCKET, SO_LINGER, &option,
                    socklen_t(MemoryLayout<linger>.size))
            }
        }
    }

    private func tunnel(_ client: Int32, port: Int) {
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
        defer { close(server) }
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        name.sin_port = UInt16(port).bigEndian
        let result = withUnsafePointer(to: name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { return }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            var entries = [client, server, wakeReader].map {
                pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
            }
            guard poll(&entries, 3, -1) > 0 || errno == EINTR, entries[2].revents == 0 else { return }
            for (from, to) in [(0, server), (1, client)] where entries[from].revents != 0 {
                let count = Glibc.read(entries[from].fd, &buffer, buffer.count)
                guard count > 0 else { return }
                let side = Connection(descriptor: to, tls: nil)
                guard send(Array(buffer[..<count]), over: side) else { return }
            }
        }
    }

    private func send(_ bytes: [UInt8], over connection: Connection) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = connection.write(rest)
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Waits until something is there to be read; false once the time is over or the server is stopped.
    private func waits(for descriptor: Int32, milliseconds: Int32) -> Bool {
        var entries = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: wakeReader, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            let count = poll(&entries, 2, milliseconds)
            if count < 0, errno == EINTR { continue }
            return count > 0 && entries[1].revents == 0
        }
    }

    /// Waits; true where the server was stopped meanwhile.
    private func pauses(milliseconds: Int) -> Bool {
        var entry = pollfd(fd: wakeReader, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, Int32(clamping: milliseconds)) > 0
    }

    /// A server that could not be set up.
    public struct Failure: Error, CustomStringConvertible {
        public var description: String

        /// Makes a failure.
        public init(description: String) { self.description = description }
    }

    private static func checked(_ result: Int32, _ what: String) throws(Failure) -> Int32 {
        guard result >= 0 else { throw Failure(description: "\(what): \(String(cString: strerror(errno)))") }
        return result
    }
}

extension ScriptedServer.Step {
    /// Sends a text.
    public static func text(_ text: String) -> Self { .send(Array(text.utf8)) }

    /// Sends a whole answer with its length.
    public static func answer(
        _ body: [UInt8], status: String = "200 OK", type: String = "application/json"
    ) -> Self {
        .send(
            Array("HTTP/1.1 \(status)\r\nContent-Type: \(type)\r\nContent-Length: \(body.count)\r\n\r\n".utf8)
                + body)
    }

    /// Sends a whole answer with its length.
    public static func answer(
        _ body: String, status: String = "200 OK", type: String = "application/json"
    ) -> Self {
        answer(Array(body.utf8), status: status, type: type)
    }

    /// Sends a whole answer in chunks of so many bytes, as snapd sends what is over 2 KiB.
    public static func chunked(
        _ body: [UInt8], status: String = "200 OK", type: String = "application/json", size: Int = 2048
    ) -> Self {
        var bytes = Array(
            "HTTP/1.1 \(status)\r\nContent-Type: \(type)\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
        var rest = body[...]
        while !rest.isEmpty {
            let part = rest.prefix(size)
            bytes += Array("\(String(part.count, radix: 16))\r\n".utf8) + part + Array("\r\n".utf8)
            rest = rest.dropFirst(part.count)
        }
        return .send(bytes + Array("0\r\n\r\n".utf8))
    }
}

import Glibc

/// One request over a Unix socket, without libcurl: what a quiet tick pays for asking snapd is a few system calls.
///
/// It speaks HTTP/1.1 and asks the server to close. Under HTTP/1.0 a server leaves out the length of what it would
/// send in chunks, and an answer that a restart has cut short would look like a whole one.
struct UnixExchange {
    var path: String
    var maximumBody: Int
    var connectMilliseconds: Int
    var totalMilliseconds: Int

    /// Sends a request and reads the answer.
    func perform(_ request: HTTPRequest) throws(HTTPError) -> HTTPResponse {
        let message = try Self.message(for: request)
        let deadline = Deadline(afterMilliseconds: totalMilliseconds)
        let socket = try connect(
            by: .earlier(deadline, Deadline(afterMilliseconds: connectMilliseconds)))
        try send(message, over: socket, by: deadline)
        return try receive(from: socket, by: deadline)
    }

    private static func message(for request: HTTPRequest) throws(HTTPError) -> [UInt8] {
        var lines = ["\(request.method.rawValue) \(request.target) HTTP/1.1"]
        let headers = try request.checkedHeaders()
        // snapd answers 400 to a request without Host.
        lines.append("Host: localhost")
        lines.append("User-Agent: holdfast")
        lines.append("Connection: close")
        lines += headers.map { "\($0.name): \($0.value)" }
        if !request.body.isEmpty || request.method != .get {
            lines.append("Content-Length: \(request.body.count)")
        }
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + request.body
    }

    // MARK: Connecting

    private func connect(by deadline: Deadline) throws(HTTPError) -> Descriptor {
        let socket = Descriptor(socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | O_NONBLOCK | O_CLOEXEC, 0))
        guard socket.isOpen else { throw failure(errno, doing: "making a socket") }
        // sockaddr_un takes 107 bytes; a longer path is reached through its directory.
        guard let slash = path.lastIndex(of: "/"), path.utf8.first == UInt8(ascii: "/"),
            !path.utf8.contains(0)
        else {
            throw HTTPError(
                code: .invalidRequest, description: "\(path) is not the absolute path of a socket")
        }
        if path.utf8.count < Self.addressCapacity {
            try connect(socket, to: path, by: deadline)
        } else {
            let directory = Descriptor(open(String(path[...slash]), O_RDONLY | O_DIRECTORY | O_CLOEXEC))
            guard directory.isOpen else { throw failure(errno, doing: "opening its directory") }
            let name = path[path.index(after: slash)...]
            try connect(socket, to: "/proc/self/fd/\(directory.number)/\(name)", by: deadline)
        }
        try refuseOthers(socket)
        return socket
    }

    private static let addressCapacity = MemoryLayout.size(ofValue: sockaddr_un().sun_path)

    private func connect(
        _ socket: borrowing Descriptor, to address: String, by deadline: Deadline
    ) throws(HTTPError) {
        let bytes = Array(address.utf8)
        guard bytes.count < Self.addressCapacity else { throw failure(ENAMETOOLONG, doing: "connecting") }
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: bytes) }
        let number = socket.number
        while true {
            let result = withUnsafePointer(to: name) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.connect(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            if result == 0 { return }
            let code = errno
            switch code {
            case EINTR:
                continue
            case EAGAIN:
                // The server's backlog is full, and a Unix socket gives no event when there is room again.
                let left = deadline.millisecondsLeft
                guard left > 0 else { throw failure(ETIMEDOUT, doing: "connecting") }
                pause(milliseconds: min(left, 5))
            default:
                throw failure(code, doing: "connecting")
            }
        }
    }

    /// Refuses a server that is neither root nor us: somebody who took the place before the service came up.
    private func refuseOthers(_ socket: borrowing Descriptor) throws(HTTPError) {
        // struct ucred of socket(7): process, user, group.
        var peer: (UInt32, user: UInt32, UInt32) = (0, 0, 0)
        var length = socklen_t(MemoryLayout.size(ofValue: peer))
        guard getsockopt(socket.number, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 else {
            throw failure(errno, doing: "asking who listens")
        }
        guard peer.user == 0 || peer.user == geteuid() else {
            throw HTTPError(
                code: .denied,
                description:
                    "\(path): user \(peer.user) listens there, not root; see who it is with 'ss -xlp'")
        }
    }

    // MARK: Sending and receiving

    private func send(
        _ message: [UInt8], over socket: borrowing Descriptor, by deadline: Deadline
    ) throws(HTTPError) {
        var rest = message[...]
        while !rest.isEmpty {
            let number = socket.number
            let count = rest.withUnsafeBytes {
                Glibc.send(number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                rest = rest.dropFirst(count)
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN: try wait(for: Int16(POLLOUT), on: socket, by: deadline)
            // A server that has heard enough may answer without reading the rest.
            case EPIPE: return
            case let code: throw failure(code, doing: "sending")
            }
        }
    }

    private func receive(
        from socket: borrowing Descriptor, by deadline: Deadline
    ) throws(HTTPError) -> HTTPResponse {
        var reader = ResponseReader(maximumBody: maximumBody)
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            // Before every read: a server that drips bytes must not outlast the deadline.
            try wait(for: Int16(POLLIN), on: socket, by: deadline)
            let number = socket.number
            let count = buffer.withUnsafeMutableBytes { recv(number, $0.baseAddress, $0.count, 0) }
            do throws(HTTPError) {
                if count > 0 {
                    try reader.take(buffer[..<count])
                    if let response = reader.finished { return response }
                } else if count == 0 {
                    return try reader.end()
                } else {
                    switch errno {
                    case EINTR, EAGAIN: continue
                    case let code: throw failure(code, doing: "reading the answer")
                    }
                }
            } catch {
                throw HTTPError(
                    code: error.code,
                    description: error.description.hasPrefix(path)
                        ? error.description : "\(path): \(error.description)")
            }
        }
    }

    private func wait(
        for events: Int16, on socket: borrowing Descriptor, by deadline: Deadline
    ) throws(HTTPError) {
        var entry = pollfd(fd: socket.number, events: events, revents: 0)
        while true {
            let left = deadline.millisecondsLeft
            guard left > 0 else { throw failure(ETIMEDOUT, doing: "waiting for the answer") }
            let count = poll(&entry, 1, Int32(clamping: left))
            if count > 0 { return }
            if count < 0, errno != EINTR { throw failure(errno, doing: "waiting for the answer") }
        }
    }

    private func failure(_ code: Int32, doing what: String) -> HTTPError {
        switch code {
        case ENOENT, ENOTDIR:
            HTTPError(
                code: .absent, description: "\(path): there is no such socket; check that its service runs")
        case ECONNREFUSED, ENOTSOCK:
            HTTPError(
                code: .refused,
                description: "\(path): nobody listens on this socket; check that its service runs")
        case EACCES, EPERM:
            HTTPError(code: .denied, description: "\(path): permission denied while \(what); run as root")
        case ETIMEDOUT:
            HTTPError(
                code: .timeout,
                description: "\(path): no answer within \(totalMilliseconds) ms, given up while \(what); "
                    + "see whether the service behind it hangs")
        case ECONNRESET, EPIPE:
            HTTPError(code: .interrupted, description: "\(path): the connection broke while \(what)")
        default:
            HTTPError(code: .other, description: "\(path): \(String(cString: strerror(code))) while \(what)")
        }
    }
}

/// Waits, and does nothing else.
public func pause(milliseconds: Int) {
    let deadline = Deadline(afterMilliseconds: milliseconds)
    while case let left = deadline.millisecondsLeft, left > 0 { _ = poll(nil, 0, Int32(clamping: left)) }
}

/// A file descriptor that is closed with its scope.
private struct Descriptor: ~Copyable {
    let number: Int32
    var isOpen: Bool { number >= 0 }

    init(_ number: Int32) { self.number = number }

    deinit { if number >= 0 { close(number) } }
}

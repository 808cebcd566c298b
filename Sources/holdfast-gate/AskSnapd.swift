import Gate
import Glibc

/// Asks snapd which changes of a snap are in progress.
///
/// HTTP/1.0, so that the answer is never chunked and ends with the connection. Typically answered within 50 ms, even
/// in the midst of a change; whatever takes longer than the deadline counts as no answer.
func askSnapd(socket path: String, snap: String) -> SnapdAnswer {
    do throws(FileFailure) {
        let connection = try Connection(path)
        let request =
            "GET /v2/changes?select=in-progress&for=\(snap) HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        try connection.send(request, path)
        return changesAnswer(try connection.receive(path))
    } catch {
        return .failed(error.text)
    }
}

private struct Connection: ~Copyable {
    private let number: Int32
    /// snapd's list of changes in progress is some tens of kilobytes.
    private static let largest = 1 << 20

    init(_ path: String) throws(FileFailure) {
        number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { throw FileFailure("opened", path) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let isShort = withUnsafeMutableBytes(of: &address.sun_path) { name in
            guard bytes.count < name.count else { return false }
            name.copyBytes(from: bytes)
            return true
        }
        guard isShort else { throw FileFailure(text: "\(path) is too long for a socket") }
        // Less than what is left of the gate's own limit.
        var limit = timeval(tv_sec: 0, tv_usec: 800_000)
        setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(number, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard code == 0 else { throw FileFailure("connected to", path) }
        // snapd is root's: whoever took its place before it came up is not asked.
        // struct ucred of socket(7): process, user, group.
        var peer: (UInt32, user: UInt32, UInt32) = (0, 0, 0)
        var length = socklen_t(MemoryLayout.size(ofValue: peer))
        guard getsockopt(number, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 else {
            throw FileFailure("asked who listens", path)
        }
        guard peer.user == 0 || peer.user == geteuid() else {
            throw FileFailure(text: "\(path) is served by user \(peer.user), not by root")
        }
    }

    deinit { close(number) }

    func send(_ text: String, _ path: String) throws(FileFailure) {
        let bytes = Array(text.utf8)
        // Far below what the kernel takes at once.
        guard Glibc.send(number, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            throw FileFailure("asked", path)
        }
    }

    func receive(_ path: String) throws(FileFailure) -> [UInt8] {
        var answer: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = recv(number, &piece, piece.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FileFailure("heard", path) }
            if count == 0 { return answer }
            answer += piece[..<count]
            guard answer.count <= Self.largest else { throw FileFailure(text: "its answer is too long") }
            guard !Deadline.isPast(milliseconds: 1200) else {
                throw FileFailure(text: "its answer takes too long")
            }
        }
    }
}

import Glibc

/// A socket in a stand-in's hands.
final class Listener {
    private let number: Int32
    private var open: [Int32] = []

    init(_ path: String) throws {
        _ = GateNode.run(["/bin/mkdir", "-p", String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)])])
        number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard code == 0, listen(number, 8) == 0 else { throw GateNode.Failure(text: "no socket at \(path)") }
    }

    deinit { for descriptor in open + [number] { close(descriptor) } }

    /// Whether somebody has connected whose request waits, or does within that many milliseconds.
    func isAsked(within milliseconds: Int32) -> Bool {
        var asked = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
        return poll(&asked, 1, milliseconds) == 1
    }

    /// Takes one request, and answers it; nil keeps it waiting until this goes away.
    func answer(_ bytes: [UInt8]?) {
        let peer = accept(number, nil, nil)
        guard let bytes else {
            open.append(peer)
            return
        }
        var request = [UInt8](repeating: 0, count: 4096)
        _ = recv(peer, &request, request.count, 0)
        _ = send(peer, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        close(peer)
    }

    /// Takes one request, and answers it a byte at a time until whoever asked has gone.
    func drip() {
        let peer = accept(number, nil, nil)
        defer { close(peer) }
        while send(peer, [UInt8(ascii: "x")], 1, Int32(MSG_NOSIGNAL)) == 1 { usleep(20_000) }
    }
}

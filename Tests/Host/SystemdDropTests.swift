import Glibc
import Model
import Synchronization
import Testing
import Threads

@testable import Host

/// A D-Bus that breaks off: a socket of our own, since a real daemon cannot be told when to die.
private final class BrokenBus: Sendable {
    enum Way: CaseIterable {
        /// Nobody takes the connection.
        case silent
        /// It is closed at once, after the first line, or after the handshake, as by a daemon that is killed.
        case closesAtOnce, closesInHandshake, closesAfterHandshake
        /// It lets everybody in and never answers a call.
        case hangs
        /// What comes is no D-Bus.
        case rubbish, endless
    }

    let path: String
    private let number: Int32

    init(_ way: Way, at path: String) throws {
        self.path = path
        let number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        self.number = number
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(code == 0 && listen(number, 16) == 0)
        guard way != .silent else { return }
        startThread {
            while true {
                let peer = accept(number, nil, nil)
                guard peer >= 0 else { return }
                Self.serve(peer, way)
            }
        }
    }

    deinit {
        shutdown(number, Int32(SHUT_RDWR))
        close(number)
    }

    private static func serve(_ peer: Int32, _ way: Way) {
        func say(_ text: String) { _ = send(peer, text, text.utf8.count, Int32(MSG_NOSIGNAL)) }
        func hear() {
            var buffer = [UInt8](repeating: 0, count: 4096)
            _ = recv(peer, &buffer, buffer.count, 0)
        }
        switch way {
        case .silent: break
        case .closesAtOnce: break
        case .closesInHandshake: hear()
        case .closesAfterHandshake, .hangs:
            hear()
            say("DATA\r\nOK 0123456789abcdef0123456789abcdef\r\nAGREE_UNIX_FD\r\n")
            hear()
            // Kept open until the other side has had enough.
            if way == .hangs { while recvOne(peer) {} }
        case .rubbish:
            hear()
            say("HTTP/1.1 400 Bad Request\r\n\r\n" + String(repeating: "\u{1b}[2J\0", count: 100))
        case .endless:
            hear()
            let piece = [UInt8](repeating: 65, count: 65_536)
            while send(peer, piece, piece.count, Int32(MSG_NOSIGNAL)) > 0 {}
        }
        close(peer)
    }

    private static func recvOne(_ peer: Int32) -> Bool {
        var byte: UInt8 = 0
        return recv(peer, &byte, 1, 0) > 0
    }
}

@Suite("a system bus that breaks off")
struct SystemdDropTests {
    @Test(
        "is given up within its patience, said once, and not asked again; nothing is made up",
        .enabled(
            if: access("/run/systemd/private", F_OK) != 0, "SKIPPED: systemd itself would answer instead"),
        arguments: BrokenBus.Way.allCases.indices)
    func broken(index: Int) async throws {
        // libsystemd reads the address once a process; in one of its own nobody else does.
        await #expect(processExitsWith: .success) { [index = index as Int] in
            // It is killed where it waits as long as libsystemd does by itself, which is 25 seconds.
            alarm(20)
            let scratch = try Scratch()
            let bus = try BrokenBus(BrokenBus.Way.allCases[index], at: scratch("bus"))
            setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=\(bus.path)", 1)
            let units = SystemdUnits(patience: 300)
            let state = units.state(of: "k3s.service")
            try #require(state == UnitObservation(name: "k3s.service"))
            let said = try #require(units.silence?.description)
            try #require(said.contains("systemd") && said == said.printable)
            // It was this one that was asked.
            try #require(!said.contains("no such file"))
            // Nobody is asked a second time: the reason would now be that there is no such bus.
            try #require(unlink(bus.path) == 0)
            try #require(units.state(of: "k0s.service") == UnitObservation(name: "k0s.service"))
            try #require(units.silence?.description == said)
            withExtendedLifetime(bus) {}
        }
    }
}

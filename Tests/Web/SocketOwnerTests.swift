import Glibc
import ScriptedServer
import Testing
import Web

@Suite("A socket that somebody took before its service came up")
struct SocketOwnerTests {
    @Test(
        "is not spoken to where neither root nor we listen, and the error names who does",
        .enabled(if: geteuid() == 0, "SKIPPED: to listen as another user needs root"))
    func squatted() async throws {
        // The kernel notes whose process listens; a process of its own, since that is every thread's.
        await #expect(processExitsWith: .success) {
            let directory = try TemporaryDirectory()
            try #require(chmod(directory.path, 0o777) == 0 && seteuid(65_534) == 0)
            let squatter = try ScriptedServer.unix("\(directory.path)/theirs") { _, _ in [.answer("x")] }
            try #require(seteuid(0) == 0)
            let own = try ScriptedServer.unix("\(directory.path)/own") { _, _ in [.answer("x")] }
            let error = try #require(throws: HTTPError.self) {
                try HTTPClient(.unixSocket(path: "\(directory.path)/theirs")).send(
                    HTTPRequest(.post, "/v2/snaps/microk8s", body: [1]))
            }
            try #require(error.code == .denied && !error.mayHaveArrived)
            try #require(error.description.contains("user 65534 listens there"))
            squatter.stop()
            try #require(squatter.received.isEmpty)
            let answer = try HTTPClient(.unixSocket(path: "\(directory.path)/own")).send(
                HTTPRequest(.get, "/"))
            try #require(answer.status == 200)
            own.stop()
        }
    }
}

import FoundationEssentials
import Glibc
import GoPrograms
import Host
import Model
import Ports
import ScriptedServer
import Synchronization
import Testing

@testable import Artifacts

/// A program of K3s or k0s as far as it is read, with as many other bytes as a test likes.
func program(
    _ version: String, _ architecture: Architecture = .amd64, padding: Int = 0, seed: UInt8 = 0
) -> [UInt8] {
    let other = (0..<padding).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) &+ seed }
    guard version.contains("+k3s") else {
        return ELFWriter(architecture: architecture, readOnlyData: linked(version) + other).bytes()
    }
    let flags = "-X github.com/k3s-io/k3s/pkg/version.Version=\(version) -w -s"
    return ELFWriter(
        architecture: architecture, readOnlyData: other,
        buildInfo: .inline(modules: goModules(module: "github.com/k3s-io/k3s", flags: flags))
    ).bytes()
}

/// Lines of a checksum file.
func checksums(_ files: [(name: String, bytes: [UInt8])], mark: String = " ") throws -> String {
    try files.map { "\(try #require(hashBytes($0.bytes)).hex) \(mark)\($0.name)\n" }.joined()
}

func version(_ text: String) throws -> Version { try #require(Version(text)) }

/// What a K3s node of today asks for.
func wanted(_ text: String = "v1.31.4+k3s1", _ architecture: Architecture = .amd64, pinned: Digest? = nil)
    throws -> WantedArtifact
{
    let version = try version(text)
    return WantedArtifact(
        try #require(version.distribution), version, architecture, pinned: pinned)
}

/// Certificates for all tests; nil where openssl is not there.
let certificates = Certificates.canBeMade ? try? Certificates() : nil

/// A server of releases: files by their path, of which a test may change what is done with a request.
final class Site: Sendable {
    typealias Answer =
        @Sendable (_ request: ScriptedServer.Received, _ file: ServedFile, _ count: Int) ->
        [ScriptedServer.Step]

    private final class State: Sendable {
        let files = Mutex<[String: ServedFile]>([:])
        let answers = Mutex<[String: Answer]>([:])
        let counts = Mutex<[String: Int]>([:])
    }

    let server: ScriptedServer
    let scheme: String
    private let state: State

    init(isEncrypted: Bool = true) throws {
        let state = State()
        self.state = state
        scheme = isEncrypted ? "https" : "http"
        server = try ScriptedServer.tcp(
            tls: isEncrypted ? try #require(certificates).serverIdentity : nil
        ) { request, _ in
            let path = String(request.target.prefix { $0 != "?" })
            let count = state.counts.withLock { counts in
                counts[path, default: 0] += 1
                return counts[path, default: 1] - 1
            }
            guard let file = state.files.withLock({ $0[path] }) else {
                return [.answer("<html>hunter2</html>", status: "404 Not Found", type: "text/html")]
            }
            let answer = state.answers.withLock { $0[path] }
            return answer?(request, file, count) ?? file.answer(to: request)
        }
    }

    var base: String { "\(scheme)://127.0.0.1:\(server.port)" }

    func serve(_ file: ServedFile, at path: String) { state.files.withLock { $0[path] = file } }
    func serve(_ text: String, at path: String) { serve(ServedFile(Array(text.utf8)), at: path) }
    func answer(_ path: String, _ answer: @escaping Answer) { state.answers.withLock { $0[path] = answer } }

    /// Puts a release of K3s there, for one architecture.
    func serveK3s(
        _ file: ServedFile, version: String = "v1.31.4%2Bk3s1", name: String = "k3s",
        checksums list: String = "sha256sum-amd64.txt"
    ) throws {
        serve(file, at: "/\(version)/\(name)")
        serve(try checksums([("k3s-images.txt", []), (name, file.bytes)]), at: "/\(version)/\(list)")
    }

    /// What was asked for a path.
    func requests(_ path: String) -> [ScriptedServer.Received] {
        server.received.filter { $0.target.prefix { $0 != "?" } == path }
    }

    func source(
        releases: String? = nil, channel: String = "", caFile: String? = nil, proxy: String = "",
        reserve: Int64 = 0
    ) throws -> WebReleases {
        var settings = ArtifactSource()
        settings.releases = releases ?? base
        settings.channel = channel
        settings.caFile =
            scheme == "http" ? "" : try caFile ?? #require(certificates).directory.path + "/ca.crt"
        settings.proxy = proxy
        var source = WebReleases(settings, reserve: reserve)
        source.pauseMilliseconds = 0
        source.stallMilliseconds = 400
        // Another test sets a proxy in the environment of this process.
        source.usesEnvironmentProxies = false
        return source
    }
}

/// Where a test fetches to.
struct Downloads {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    var path: String { "\(directory.path)/downloads/k3s-v1.31.4+k3s1-amd64" }

    /// The names that are there, in order.
    var names: [String] { (try? listDirectory("\(directory.path)/downloads")) ?? [] }

    var bytes: [UInt8]? { try? readFile(path, limit: 1 << 26) }

    func mode(_ path: String) -> UInt32 {
        var status = stat()
        return stat(path, &status) == 0 ? UInt32(status.st_mode & 0o7777) : 0
    }
}

extension ReleaseSource {
    /// Finds and fetches.
    func bring(_ wanted: WantedArtifact, to downloads: Downloads) throws -> FetchedArtifact {
        try fetch(find(wanted), to: downloads.path) { _ in true }
    }
}

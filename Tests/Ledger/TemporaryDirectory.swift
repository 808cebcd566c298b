import FoundationEssentials
import Glibc

/// A state directory that goes away with the test.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/holdfast-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failed(code: errno) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    struct Failed: Error { var code: Int32 }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }

    func exists(_ name: String) -> Bool { access(file(name), F_OK) == 0 }

    func bytes(_ name: String) -> [UInt8] {
        FileManager.default.contents(atPath: file(name)).map(Array.init) ?? []
    }

    func write(_ bytes: [UInt8], to name: String) {
        _ = FileManager.default.createFile(atPath: file(name), contents: Data(bytes))
    }

    func mode(_ name: String) -> UInt32 {
        var status = stat()
        return stat(file(name), &status) == 0 ? status.st_mode & 0o7777 : 0
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// What a shell command prints; nil where it fails.
func output(of command: String) -> [UInt8]? {
    guard let pipe = popen(command, "r") else { return nil }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = fread(&piece, 1, piece.count, pipe)
        if count == 0 { break }
        bytes += piece.prefix(count)
    }
    return pclose(pipe) == 0 ? bytes : nil
}

/// Whether the sqlite3 shell is there; where it is not, what needs it is skipped and says so.
let hasShell = output(of: "command -v sqlite3") != nil

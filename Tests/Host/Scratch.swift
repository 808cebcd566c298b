import FoundationEssentials
import Glibc

/// A directory of one test's own, gone when the test ends.
final class Scratch: Sendable {
    let path: String

    /// Makes an empty directory.
    init(in parent: String = "/var/tmp") throws {
        var template = Array("\(parent)/holdfast-test-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw Failure(text: "no directory in \(parent)") }
        path = String(cString: made)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

    @discardableResult
    func write(_ name: String, _ bytes: [UInt8], mode: mode_t = 0o644) throws -> String {
        let path = self(name)
        try Data(bytes).write(to: URL(filePath: path))
        guard chmod(path, mode) == 0 else { throw Failure(text: "no mode for \(path)") }
        return path
    }

    @discardableResult
    func write(_ name: String, _ text: String, mode: mode_t = 0o644) throws -> String {
        try write(name, Array(text.utf8), mode: mode)
    }

    @discardableResult
    func makeDirectory(_ name: String, mode: mode_t = 0o755) throws -> String {
        let path = self(name)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        guard chmod(path, mode) == 0 else { throw Failure(text: "no mode for \(path)") }
        return path
    }

    func link(_ name: String, to target: String) throws {
        guard symlink(target, self(name)) == 0 else { throw Failure(text: "no link \(name)") }
    }

    struct Failure: Error { var text: String }
}

import FoundationEssentials
import Glibc

/// A directory that is there as long as this object is, with a short path so that sockets fit in.
public final class TemporaryDirectory: Sendable {
    public let path: String

    /// Makes a directory.
    public init() throws(ScriptedServer.Failure) {
        var template = Array("/tmp/node-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else {
            throw ScriptedServer.Failure(description: "mkdtemp: \(String(cString: strerror(errno)))")
        }
        path = String(cString: made)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file, and the directories on the way to it.
    @discardableResult
    public func write(_ text: String, to name: String) throws -> String {
        try write(Array(text.utf8), to: name)
    }

    /// Writes a file, and the directories on the way to it.
    @discardableResult
    public func write(_ bytes: [UInt8], to name: String) throws -> String {
        let file = "\(path)/\(name)"
        let directory = String(file[..<(file.lastIndex(of: "/") ?? file.endIndex)])
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(filePath: file))
        return file
    }

    /// Makes a symbolic link, and the directories on the way to it.
    public func link(_ name: String, to target: String) throws {
        let file = "\(path)/\(name)"
        let directory = String(file[..<(file.lastIndex(of: "/") ?? file.endIndex)])
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try? FileManager.default.removeItem(atPath: file)
        try FileManager.default.createSymbolicLink(atPath: file, withDestinationPath: target)
    }
}

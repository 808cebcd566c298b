import Glibc
import Model

/// A row as values, and the `HistoryRow` over their bytes.
struct Row {
    var seq: Int64
    /// All columns but the first; nil for NULL.
    var texts: [[UInt8]?]

    init(seq: Int64 = 1, texts: [[UInt8]?]) {
        self.seq = seq
        self.texts = texts
    }

    /// A row whose columns are what a tick would record, but for some.
    init(seq: Int64 = 1, _ columns: [HistoryColumn: String?] = [:]) {
        let usual: [HistoryColumn: String] = [
            .at: "2026-11-24T16:27:44Z", .node: "one", .distribution: "k3s", .installation: "k3s",
            .change: "3f9a1c22b0", .trigger: "file-replaced", .updateType: "minor", .phase: "on-disk",
            .from: "v1.31.4+k3s1", .to: "v1.32.0+k3s1", .target: "sha256:00", .verdict: "hold",
            .unmet: "ceiling window", .decision: "77", .policy: "ab",
            .reason: "the ceiling is patch, this is minor",
        ]
        self.init(
            seq: seq,
            texts: HistoryColumn.allCases.dropFirst().map { column in
                (columns[column] ?? usual[column]).map { Array($0.utf8) }
            })
    }

    func withRow<Result>(_ body: (HistoryRow) throws -> Result) rethrows -> Result {
        var storage: [UInt8] = []
        for text in texts { storage += text ?? [] }
        // An address even where every text is empty, so that empty is not NULL.
        storage.append(0)
        return try storage.withUnsafeBytes { bytes in
            var offset = 0
            let buffers = texts.map { text -> UnsafeRawBufferPointer in
                guard let text else { return UnsafeRawBufferPointer(start: nil, count: 0) }
                defer { offset += text.count }
                return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + text.count])
            }
            return try buffers.withUnsafeBufferPointer { try body(HistoryRow(seq: seq, texts: $0)) }
        }
    }
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

/// What the sqlite3 shell makes of a script; nil where it fails or is not there.
func shell(_ script: String, options: String) -> [UInt8]? {
    var template = Array("/tmp/holdfast-test-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else { return nil }
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { unlink(path) }
    var rest = Array(script.utf8)[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        guard count > 0 else { break }
        rest = rest.dropFirst(count)
    }
    close(descriptor)
    return output(of: "sqlite3 \(options) :memory: <\(path)")
}

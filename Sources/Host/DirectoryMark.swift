internal import Model

/// How a directory of units stands; equal marks mean equal names in it, and the same files behind them.
///
/// Whatever is added, taken away or renamed moves a directory's change time, which nobody can set back. What is written
/// to a file in place does not.
struct DirectoryMark {
    /// What is compared: an identity, and the path.
    let text: String
    /// When it last changed, in nanoseconds since the epoch; the distant past where there is no such directory.
    private(set) var changed = Int64.min

    /// Looks at a directory.
    ///
    /// - Parameter path: as the node has it.
    init(of path: String, in root: Root) {
        guard let place = try? root.resolve(path), let identity = try? identity(ofFile: place) else {
            text = "- \(path)"
            return
        }
        changed = identity.changed
        guard path == Self.busy else {
            text = "\(identity.device):\(identity.inode):\(identity.changed) \(path)"
            return
        }
        var entries: [String] = []
        for name in (try? listDirectory(place)) ?? [] where UnitTree.isOfServices(name) {
            guard let entry = try? Host.identity(ofFile: "\(place)/\(name)") else { continue }
            entries.append("\(name):\(entry.inode):\(entry.changed)")
            changed = max(changed, entry.changed)
        }
        text = "\(entries.joined(separator: ",")) \(path)"
    }

    /// Where the kubelet and each login make scopes and slices, every few seconds on a busy node: only what has to do
    /// with services counts there.
    private static let busy = "/run/systemd/transient"

    /// Whether a directory is still as its mark has it.
    static func stands(_ text: String, in root: Root) -> Bool {
        guard let space = text.firstIndex(of: " ") else { return false }
        return DirectoryMark(of: String(text[text.index(after: space)...]), in: root).text == text
    }
}

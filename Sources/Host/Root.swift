/// The root directory of the node that is looked at: `/` on the node itself, a directory for `--root`.
///
/// Paths of the node are absolute and are never used as they are; they pass through here, so that no symbolic
/// link under a foreign root leads out of it.
public struct Root: Hashable, Sendable {
    /// Without a trailing slash; empty for `/`.
    public let prefix: String

    /// Makes a root.
    public init(_ path: String) {
        var path = Substring(path)
        while path.hasSuffix("/") { path = path.dropLast() }
        prefix = String(path)
    }

    /// Whether this is the machine's own root, where systemd, snapd and processes can be asked.
    public var isLive: Bool { prefix.isEmpty }
}

internal import Glibc

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

    /// Where a path of the node is on this machine, as `chroot` would have it.
    ///
    /// Symbolic links are followed inside the root, the last one too: absolute ones start at the root, `..` stops
    /// there. What does not exist is kept as it is written, so that opening it says so. On the live root the
    /// kernel does all this itself, and the path is given back as it is.
    ///
    /// Somebody who can write under the root can exchange a link afterwards: a foreign root is acted on only where
    /// a person adopted it there, and should be nobody else's to write.
    ///
    /// - Throws: `HostError` for a path that is not absolute, more than 40 links (`ELOOP`, the kernel's own limit),
    ///   or a link that cannot be read.
    public func resolve(_ nodePath: String) throws(HostError) -> String {
        guard nodePath.hasPrefix("/"), !nodePath.utf8.contains(0) else {
            throw HostError(code: EINVAL, description: "\(nodePath): not an absolute path of the node")
        }
        if isLive { return nodePath }
        // What is still to be walked, the next name last.
        var rest = Self.names(nodePath)
        var walked: [Substring] = []
        var linksLeft = 40
        while let name = rest.popLast() {
            if name == ".." {
                _ = walked.popLast()
                continue
            }
            let path = host(walked + [name])
            guard let target = try Self.linkTarget(path) else {
                walked.append(name)
                continue
            }
            linksLeft -= 1
            guard linksLeft >= 0 else { throw HostError.failed("followed", nodePath, code: ELOOP) }
            rest += Self.names(target)
            // A link can double the path each time; the kernel stops here as well.
            guard rest.count + walked.count <= 4096 else {
                throw HostError.failed("followed", nodePath, code: ENAMETOOLONG)
            }
            if target.hasPrefix("/") { walked = [] }
        }
        return host(walked)
    }

    private func host(_ names: [Substring]) -> String {
        names.isEmpty ? prefix + "/" : names.reduce(into: prefix) { $0 += "/" + $1 }
    }

    private static func names(_ path: String) -> [Substring] {
        path.split(separator: "/").filter { $0 != "." }.reversed()
    }

    /// Nil where there is no link: another kind of file, or nothing at all.
    private static func linkTarget(_ path: String) throws(HostError) -> String? {
        do {
            return try readLink(path)
        } catch  where error.code == EINVAL || error.isAbsence {
            return nil
        }
    }
}

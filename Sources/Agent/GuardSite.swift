import Gate
import Model

/// Where our guards lie on a node; all paths are the node's.
public struct GuardSite: Hashable, Sendable {
    /// The start gate.
    public var gate: String
    /// The state directory.
    public var state: String
    /// Whether this process may set and clear immutable flags.
    public var mayChangeFlags: Bool

    /// Makes a site.
    public init(gate: String, state: String, mayChangeFlags: Bool = true) {
        self.gate = gate
        self.state = state
        self.mayChangeFlags = mayChangeFlags
    }

    var places: GatePlaces { GatePlaces(state: state) }

    /// Where artifacts lie, for the guard file.
    var vault: String { "\(state)/vault/sha256/{sha256}" }

    func vaultPath(of digest: Digest) -> String { "\(state)/vault/sha256/\(digest.hex)" }

    /// The drop-in of a unit; its name puts it behind others, since an empty ExecStartPre= takes back those before it.
    func dropInPath(unit: String) -> String { "/etc/systemd/system/\(unit).d/zz-holdfast.conf" }

    func dropInText(isSnap: Bool = false) -> String {
        gateDropIn(program: gate, state: state, isSnap: isSnap)
    }

    /// On the binary's own file system, so that putting it back is a rename.
    func sparePath(of binary: String) -> String { beside(binary) { ".\($0).holdfast-spare" } }

    /// The binary that a spare is of; nil for what is no spare's path.
    func binary(ofSpare path: String) -> String? {
        guard let slash = path.lastIndex(of: "/") else { return nil }
        let name = path[path.index(after: slash)...]
        let suffix = ".holdfast-spare"
        guard name.hasPrefix("."), name.hasSuffix(suffix) else { return nil }
        return String(path[...slash]) + String(name.dropFirst().dropLast(suffix.count))
    }

    /// Where the gate keeps what it turned away.
    func pendingPath(of binary: String) -> String { PendingNames.directory(beside: binary) }

    private func beside(_ path: String, _ name: (Substring) -> String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return name(path[...]) }
        return path[...slash] + name(path[path.index(after: slash)...])
    }
}

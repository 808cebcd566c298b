/// A Pod of a node that is to be drained, as far as its fate depends on it.
public struct DrainPod: Hashable, Sendable {
    /// Its namespace.
    public var namespace: String
    /// Its name.
    public var name: String
    /// Tells it from a successor of the same name, as a StatefulSet makes one.
    public var uid: String
    /// `Pending`, `Running`, `Succeeded`, `Failed`.
    public var phase: String
    /// The kind of its controller: `ReplicaSet`, `DaemonSet`; nil where it has none.
    public var controller: String?
    /// Whether a kubelet made it of a file of its own; the API shows it and cannot end it.
    public var isMirror: Bool
    /// Whether it is being ended.
    public var isEnding: Bool

    /// Makes a Pod.
    public init(
        namespace: String, name: String, uid: String, phase: String = "Running", controller: String? = nil,
        isMirror: Bool = false, isEnding: Bool = false
    ) {
        self.namespace = namespace
        self.name = name
        self.uid = uid
        self.phase = phase
        self.controller = controller
        self.isMirror = isMirror
        self.isEnding = isEnding
    }

    /// `namespace/name`.
    public var path: String { "\(namespace)/\(name)" }

    /// What becomes of a Pod where its node is drained.
    public enum Fate: Hashable, Sendable {
        /// It does not count: it has ended, or would be back at once.
        case stays
        case evict
        /// It is on its way.
        case leaves
        /// It is not evicted, and keeps the node from being empty.
        case blocks(String)
    }

    /// What becomes of it; that of `kubectl drain --ignore-daemonsets --delete-emptydir-data`.
    ///
    /// A Pod with an emptyDir is evicted: k0s's autopilot and k0sctl do so, and one whose data must outlive its Pod has
    /// a volume. One that nothing would bring back is not: autopilot forces it out, and it would be gone for good,
    /// while it goes on through the restart of a K3s or k0s unit.
    public var fate: Fate {
        if isMirror || controller == "DaemonSet" || phase == "Succeeded" || phase == "Failed" {
            return .stays
        }
        if isEnding { return .leaves }
        guard controller != nil else {
            return .blocks("no controller would bring it back: delete it, or give it one")
        }
        return .evict
    }
}

/// How far a drain has come, as one round found it.
public struct DrainProgress: Codable, Hashable, Sendable {
    /// Pods that are still to leave, those that were just evicted among them.
    public var left: Int
    /// Pods that were evicted in this round.
    public var evicted: Int
    /// Pods that could not be evicted now, in order of their names.
    public var blocked: [Blocked]

    /// A Pod that could not be evicted now.
    public struct Blocked: Codable, Hashable, Sendable {
        /// `namespace/name`.
        public var pod: String
        /// Why: lower case, no full stop.
        public var reason: String

        /// Makes an entry.
        public init(pod: String, reason: String) {
            self.pod = pod
            self.reason = reason
        }
    }

    /// Makes a finding.
    public init(left: Int, evicted: Int = 0, blocked: [Blocked] = []) {
        self.left = left
        self.evicted = evicted
        self.blocked = blocked
    }

    /// Whether the node is empty, but for what stays.
    public var isDone: Bool { left == 0 }

    /// For a person: what is left and why; a few names are enough.
    public var summary: String {
        guard left > 0 else { return "no Pods are left" }
        let names = blocked.prefix(5).map { "\($0.pod): \($0.reason)" }.joined(separator: "; ")
        let more = blocked.count > 5 ? "; and \(blocked.count - 5) more" : ""
        return "\(left) Pods are left" + (names.isEmpty ? "" : " (\(names)\(more))")
    }
}

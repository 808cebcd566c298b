import Host
import YAML

/// The members of MicroK8s's dqlite, as the files beside its data have them.
///
/// `cluster.yaml` is what this member knows of all of them, brought up to date every half minute while it runs;
/// `info.yaml` is this one's own entry.
struct DqliteMembers: Hashable {
    struct Member: Hashable {
        /// `10.0.0.1:19001`.
        var address: String
        var id: String
        /// 0 votes, 1 stands by with a copy, 2 is spare.
        var role: Int

        var isVoter: Bool { role == 0 }
        /// The address without its port.
        var host: String {
            guard let colon = address.lastIndex(of: ":") else { return address }
            return String(address[..<colon].filter { $0 != "[" && $0 != "]" })
        }
        /// One that nobody has joined yet listens on the loopback.
        var isLocal: Bool { host.hasPrefix("127.") || host == "::1" }
    }

    var members: [Member]
    /// This node's own entry; nil where `info.yaml` does not tell.
    var own: Member?

    private static let directory = "\(MicroK8sData.directory)/var/kubernetes/backend"

    /// Reads them; nil where they are not there or are something else.
    static func read(_ root: Root) -> DqliteMembers? {
        guard let cluster = nodes(root, "cluster.yaml"), !cluster.isEmpty else { return nil }
        return DqliteMembers(members: cluster, own: nodes(root, "info.yaml")?.first)
    }

    private static func nodes(_ root: Root, _ name: String) -> [Member]? {
        guard let path = try? root.resolve("\(directory)/\(name)"),
            let bytes = try? readFileIfPresent(path, limit: 64 << 10), let document = try? parseYAML(bytes)
        else { return nil }
        let entries = document.sequence ?? [document]
        let members = entries.compactMap(member)
        return members.count == entries.count ? members : nil
    }

    private static func member(_ node: YAMLNode) -> Member? {
        var texts: [String: String] = [:]
        for pair in node.mapping ?? [] {
            if let key = pair.key.scalar?.text, let value = pair.value.scalar?.text { texts[key] = value }
        }
        guard let address = texts["Address"], let id = texts["ID"],
            let role = texts["Role"].flatMap({ Int($0) })
        else { return nil }
        return Member(address: address, id: id, role: role)
    }

    /// How dqlite stands, for the check `dqliteVoters`; nil where it is well.
    ///
    /// It keeps three voters where there are as many members, and one where there are fewer.
    var complaint: String? {
        guard let own, members.contains(where: { $0.id == own.id }) else {
            return "this node is no member of dqlite yet"
        }
        let voters = members.filter(\.isVoter).count
        let wanted = members.count >= 3 ? 3 : 1
        guard voters >= wanted else {
            return "dqlite has \(voters) voters of the \(wanted) that it should have"
        }
        return nil
    }
}

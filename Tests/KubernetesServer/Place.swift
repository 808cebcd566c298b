/// What a path of the API leads to.
struct Place {
    /// The path of the list that an object is in.
    let collection: String
    /// `nodes`, `plans`.
    let list: String
    /// The object; nil for the list.
    let name: String?
    private let group: String
    /// A list over all namespaces holds those of each.
    private let isOverall: Bool

    init?(_ path: String, groups: Set<String>) {
        var parts = path.split(separator: "/").map(String.init)
        var prefix: [String]
        if parts.first == "api", parts.count > 2 {
            prefix = Array(parts.prefix(2))
            group = ""
        } else if parts.first == "apis", parts.count > 3, groups.contains("\(parts[1])/\(parts[2])") {
            prefix = Array(parts.prefix(3))
            group = parts[1]
        } else {
            return nil
        }
        parts.removeFirst(prefix.count)
        if parts.first == "namespaces", parts.count > 2 {
            prefix += parts.prefix(2)
            parts.removeFirst(2)
        }
        guard let list = parts.first, KubernetesServer.kinds[list] != nil, parts.count <= 2 else {
            return nil
        }
        self.list = list
        collection = "/" + (prefix + [list]).joined(separator: "/")
        name = parts.count == 2 ? parts[1] : nil
        isOverall = !prefix.contains("namespaces")
    }

    var kind: String { KubernetesServer.kinds[list] ?? "" }

    /// `leases.coordination.k8s.io`.
    var qualified: String { group.isEmpty ? list : "\(list).\(group)" }

    var missing: Reply { .failure(404, "NotFound", "\(qualified) \"\(name ?? "")\" not found") }

    /// Whether an object belongs to the list.
    func holds(_ path: String) -> Bool {
        let parts = path.split(separator: "/")
        guard parts.count >= 2, parts[parts.count - 2] == list else { return false }
        if path.hasPrefix(collection + "/") { return true }
        let root = collection.dropLast(list.utf8.count)
        return isOverall && path.hasPrefix(root + "namespaces/")
    }
}

/// What is answered.
struct Reply: Error {
    var status: Int
    var body: AnyJSON = [:]
    var text: String?

    /// A Status.
    static func failure(_ code: Int, _ reason: String, _ message: String) -> Reply {
        Reply(
            status: code,
            body: [
                "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Failure",
                "message": .text(message), "reason": .text(reason), "code": .number(Double(code)),
            ])
    }

    /// What a user without the right is told.
    static func forbidden(user: String, list: String) -> Reply {
        failure(
            403, "Forbidden",
            "\(list) is forbidden: User \"\(user)\" cannot list resource \"\(list)\" in API group \"\" at the cluster scope"
        )
    }
}

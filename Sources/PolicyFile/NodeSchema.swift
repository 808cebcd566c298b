extension Schema {
    /// The keys of `node.yaml`, in the order in which the manual lists them.
    public static let node = [
        SchemaKey(
            "name", "text", default: #""""#,
            "What this node is called: in stages, approvals, reports, and as a Node of Kubernetes. Empty is the "
                + "Kubernetes node name, else the host name."),
        SchemaKey(
            "cluster", "text", default: "default",
            "The cluster that it belongs to, by which rules and stages match it."),
        SchemaKey(
            "labels", "mapping of texts",
            "By which rules and stages match this node; they are not labels of Kubernetes."),
        SchemaKey(
            "fleet", "sqlite, or a mapping", default: "sqlite",
            "Where rollouts, approvals for several nodes and quarantines are kept. sqlite is this node alone.",
            keys: fleet),
        SchemaKey(
            "kubeconfig", "path", default: #""""#,
            "Credentials for plans, events, drains and health. Empty is the distribution's own, on servers."),
        SchemaKey(
            "stateDirectory", "path", default: "/var/lib/holdfast",
            "Where the ledger, the vault and the guard file are."),
        SchemaKey("units", "list of service units", "Units to watch besides those that are recognised."),
    ]

    private static let fleet = [
        SchemaKey("store", "sqlite | kubernetes | etcd", required: true, "The kind of store."),
        SchemaKey(
            "kubeconfig", "path",
            "kubernetes: credentials of the cluster that keeps the fleet's ConfigMaps; else as the node's."),
        SchemaKey("namespace", "text", "kubernetes: where the ConfigMaps are; holdfast without it."),
        SchemaKey("endpoints", "list of URLs", "etcd: its members; required there."),
        SchemaKey("caFile", "path", "etcd: whom to trust; what the system trusts without it."),
        SchemaKey(
            "userFile", "path",
            "etcd: a file with NAME:PASSWORD in its first line, which only root can read."),
    ]
}

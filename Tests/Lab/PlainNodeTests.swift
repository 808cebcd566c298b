import Testing

/// K3s and k0s under a real systemd, all on one node, which is booted once.
///
/// Each test has units, directories and ports of its own, and looks at nothing else.
@Suite(
    "K3s and k0s on a real node", .serialized, .enabled(if: Lab.obstacle == nil, Lab.skipped),
    .node(.plain, with: "k3s", "k0s"))
struct PlainNodeTests {}

extension LabNode {
    /// Installs a K3s server of its own name, as its installer would; an API server needs a port of its own.
    func installK3s(_ name: String, _ version: String, port: Int) async throws -> K3sOnNode {
        let place = K3sOnNode(name: name)
        try await lab(
            "install-k3s", version, "--unit", name, "--bin-dir", place.bin, "--data-dir", place.data, "--",
            "--https-listen-port", String(port), "--write-kubeconfig", place.kubeconfig)
        return place
    }

    /// Puts a release's binary on the node, not installed, and gives its path there.
    func download(_ distribution: String, _ version: String) async throws -> String {
        let path = "/root/\(distribution)-\(version)"
        let built = try await Lab.run(["binary", distribution, version], seconds: 120)
        try await put(String(built.split(separator: "\n").last ?? ""), at: path)
        return path
    }
}

/// Where a K3s is on the node.
struct K3sOnNode {
    let name: String
    var unit: String { name + ".service" }
    var bin: String { "/opt/\(name)/bin" }
    var binary: String { bin + "/k3s" }
    var data: String { "/srv/\(name)" }
    var kubeconfig: String { "/etc/rancher/\(name).yaml" }
}

@testable import Distributions
import FoundationEssentials
@testable import Kubernetes
import Model

/// What an API server answers, and the kubeconfig that leads to it.
let clusters = [
    Target(name: "kubernetes", look: lookAtObjects),
    Target(name: "metrics", look: lookAtMetrics),
    Target(name: "kubeconfig", look: lookAtKubeconfig),
]

private struct List<Item: Decodable>: Decodable { var items: [Item] }

private func decoded<Item: Decodable>(_: Item.Type, _ bytes: [UInt8]) -> [Item] {
    let data = Data(bytes)
    return (try? JSONDecoder().decode(List<Item>.self, from: data))?.items
        ?? (try? JSONDecoder().decode(Item.self, from: data)).map { [$0] } ?? []
}

private func lookAtObjects(_ bytes: [UInt8]) {
    var ours = (name: "edge-1", labels: ["kubernetes.io/hostname": "edge-1"])
    for node in decoded(NodeObject.self, bytes) {
        _ = node.condition("Ready")
        ours.labels.merge(node.labels) { $1 }
    }
    for pod in decoded(PodObject.self, bytes) {
        expect(!(pod.isMirror && pod.name.isEmpty && pod.phase == "?"), "")
    }
    for plan in decoded(PlanObject.self, bytes).map({ $0.plan(for: ours) }) {
        let texts = [
            plan.namespace, plan.name, plan.version, plan.channel, plan.latestVersion, plan.latestHash,
        ]
        for text in texts.compactMap(\.self) { expectBounded(text) }
    }
    for config in decoded(UpdateConfigObject.self, bytes).map(\.config) {
        for text in [config.name, config.channel, config.server] { expectBounded(text) }
        if let window = config.window {
            expect(window.days.count <= 14, "\(window.days.count) days")
            for text in window.days + [window.start, window.length] { expectBounded(text) }
        }
    }
    for plan in decoded(AutopilotPlanObject.self, bytes).map({ $0.plan(for: ours.name) }) {
        for text in [plan.version, plan.state].compactMap(\.self) + plan.nodeStates { expectBounded(text) }
    }
}

/// 512 characters of four bytes.
private func expectBounded(_ text: String, line: Int = #line) {
    expect(text.utf8.count <= 2048, "\(text.utf8.count) bytes are kept of a text", line: line)
}

/// The first byte says in what pieces the rest comes in: however it does, the same is found.
private func lookAtMetrics(_ bytes: [UInt8]) {
    guard let first = bytes.first else { return }
    let rest = Array(bytes.dropFirst())
    let whole = metrics(rest, piece: max(1, rest.count))
    let pieces = metrics(rest, piece: Int(first % 23) + 1)
    expect(
        whole.deprecated == pieces.deprecated && whole.start == pieces.start, "other metrics in other pieces")
    expect(whole.isCut == pieces.isCut, "cut in one piece or in pieces")
    expect(whole.deprecated.count <= 2000, "\(whole.deprecated.count) samples")
}

private func metrics(_ bytes: [UInt8], piece: Int) -> MetricsReader {
    var reader = MetricsReader()
    var rest = bytes[...]
    while !rest.isEmpty {
        rest.prefix(piece).withUnsafeBytes { reader.take($0) }
        rest = rest.dropFirst(piece)
    }
    reader.finish()
    return reader
}

/// Every secret of the corpus has this in it, and no message may (invariant 13).
private let mark = "s3cret"

private func lookAtKubeconfig(_ bytes: [UInt8]) {
    struct NoFile: Error, CustomStringConvertible { var description: String { "no such file" } }
    do throws(KubernetesError) {
        let found = try Kubeconfig(bytes, path: "/etc/rancher/k3s/k3s.yaml") { path in
            guard path.hasPrefix("/") else { fatalError("\(path) is not absolute") }
            if path.utf8.count % 3 == 0 { throw NoFile() }
            return Array("a file".utf8)
        }
        expect(!found.server.isEmpty, "no server")
        expect(
            !"\(found)".contains(mark) || found.server.contains(mark) || "\(found.tls)".contains(mark),
            "a secret is shown")
    } catch {
        expectShowable(error.description)
        expect(!error.description.contains(mark), "a secret in an error: \(error)")
    }
}

import Model
import Testing

@Suite("Which Pods leave a node that is drained")
struct DrainTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var pod: DrainPod
        var fate: DrainPod.Fate
    }

    private static func pod(
        _ phase: String = "Running", by controller: String? = "ReplicaSet", isMirror: Bool = false,
        isEnding: Bool = false
    ) -> DrainPod {
        DrainPod(
            namespace: "shop", name: "web-1", uid: "u", phase: phase, controller: controller,
            isMirror: isMirror, isEnding: isEnding)
    }

    private static let bare = DrainPod.Fate.blocks(
        "no controller would bring it back: delete it, or give it one")

    static let rows = [
        Row(testDescription: "one of a Deployment leaves", pod: pod(), fate: .evict),
        Row(testDescription: "one of a StatefulSet leaves", pod: pod(by: "StatefulSet"), fate: .evict),
        Row(testDescription: "one that waits for its images leaves", pod: pod("Pending"), fate: .evict),
        // A kind that nobody knows yet is somebody's all the same.
        Row(testDescription: "one of an operator of its own leaves", pod: pod(by: "Cluster"), fate: .evict),
        Row(
            testDescription: "one of a DaemonSet would be back at once", pod: pod(by: "DaemonSet"),
            fate: .stays),
        Row(
            testDescription: "a mirror of a file cannot be evicted", pod: pod(by: "Node", isMirror: true),
            fate: .stays),
        Row(testDescription: "one that has ended is gone already", pod: pod("Succeeded"), fate: .stays),
        Row(testDescription: "one that failed is gone already", pod: pod("Failed", by: nil), fate: .stays),
        Row(
            testDescription: "one that is being ended is waited for", pod: pod(isEnding: true), fate: .leaves),
        Row(
            testDescription: "one that nothing brings back is waited for while it is being ended",
            pod: pod(by: nil, isEnding: true), fate: .leaves),
        Row(testDescription: "one that nothing brings back stays in the way", pod: pod(by: nil), fate: bare),
    ]

    @Test("by what it is", arguments: rows)
    func fate(row: Row) { #expect(row.pod.fate == row.fate) }

    @Test("a few names tell what is in the way")
    func summary() {
        let blocked = (1...7).map { DrainProgress.Blocked(pod: "shop/web-\($0)", reason: "a budget") }
        let text = DrainProgress(left: 9, blocked: blocked).summary
        #expect(text.hasPrefix("9 Pods are left (shop/web-1: a budget; "))
        #expect(text.hasSuffix("and 2 more)"))
        #expect(DrainProgress(left: 0).isDone && !DrainProgress(left: 1).isDone)
    }
}

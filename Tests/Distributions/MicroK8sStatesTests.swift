import Model
import Ports
import ScriptedServer
import Testing

@testable import Distributions

/// A recorded state and what is to be made of it.
private struct Expected: Sendable, CustomTestStringConvertible {
    var state: String
    var revision: String
    var version: String
    var channel = "1.31/stable"
    var cause: Trigger
    var until: String?
    var inhibited: String?
    /// The revision that a refresh would bring.
    var offer: String?
    var isRunning = true
    var testDescription: String { state }
}

@Suite("MicroK8s in recorded states of snapd 2.68.3")
struct MicroK8sStatesTests {
    @Test(
        "revision, channel, hold, waiting refresh, offer and what brought it are read",
        arguments: [
            // The two hours that seeding keeps refreshes off are a hold over all snaps.
            Expected(
                state: "01", revision: "1", version: "v1.31.9", cause: .namedRefresh,
                until: "2026-11-24T16:46:00Z"),
            Expected(state: "02", revision: "1", version: "v1.31.9", cause: .namedRefresh, offer: "2"),
            Expected(state: "03", revision: "2", version: "v1.32.4", cause: .autoRefresh),
            Expected(
                state: "05", revision: "1", version: "v1.31.9", channel: "latest/stable",
                cause: .namedRefresh,
                offer: "3"),
            Expected(
                state: "06", revision: "3", version: "v1.32.5", channel: "latest/stable", cause: .autoRefresh),
            Expected(
                state: "10", revision: "2", version: "v1.32.4", cause: .namedRefresh,
                until: "2319-03-06T14:36:37Z",
                offer: "5"),
            Expected(
                state: "12", revision: "2", version: "v1.32.4", cause: .namedRefresh,
                until: "2319-03-06T14:36:37Z",
                offer: "5"),
            // A named refresh goes past the hold, and the hold stays.
            Expected(
                state: "13", revision: "5", version: "v1.33.1", cause: .namedRefresh,
                until: "2319-03-06T14:36:37Z"),
            Expected(
                state: "14", revision: "2", version: "v1.32.4", cause: .namedRefresh,
                until: "2319-03-06T14:36:37Z"),
            Expected(state: "15", revision: "2", version: "v1.32.4", cause: .namedRefresh),
            Expected(state: "18", revision: "6", version: "v1.33.2", cause: .autoRefresh),
            // Every service is stopped and disabled, though snapd calls the snap active.
            Expected(
                state: "20", revision: "6", version: "v1.33.2", cause: .autoRefresh, offer: "7",
                isRunning: false),
            // What was undone since did not bring what is there.
            Expected(state: "21", revision: "6", version: "v1.33.2", cause: .autoRefresh, offer: "8"),
            Expected(state: "22", revision: "9", version: "v1.33.5", cause: .autoRefresh, isRunning: false),
            Expected(state: "23", revision: "9", version: "v1.33.5", cause: .autoRefresh),
            Expected(
                state: "24", revision: "6", version: "v1.33.2", cause: .namedRefresh, offer: "10",
                isRunning: false),
            Expected(state: "25", revision: "6", version: "v1.33.2", cause: .namedRefresh, offer: "11"),
            Expected(
                state: "33", revision: "12", version: "v1.34.0", cause: .autoRefresh,
                until: "2319-03-06T14:41:44Z"),
            Expected(
                state: "41", revision: "12", version: "v1.34.0", cause: .autoRefresh,
                until: "2319-03-06T14:42:11Z",
                offer: "13"),
            Expected(
                state: "50", revision: "13", version: "v1.34.1", cause: .autoRefresh,
                until: "2319-03-06T14:42:54Z",
                offer: "14"),
            // `snap refresh` of everything is a person's.
            Expected(
                state: "51", revision: "14", version: "v1.34.2", cause: .namedRefresh,
                until: "2319-03-06T14:42:54Z"),
            // The snap's own hold is over and still told; the one over all snaps is in force.
            Expected(
                state: "55", revision: "15", version: "v1.34.3", cause: .autoRefresh,
                until: "2319-03-06T14:43:00Z"),
            Expected(
                state: "56", revision: "17", version: "v1.35.0", channel: "1.35/stable", cause: .namedRefresh,
                until: "2319-03-06T14:44:05Z"),
            Expected(state: "70", revision: "19", version: "v1.34.6", cause: .autoRefresh),
            // The change that brought it ended in Error.
            Expected(
                state: "71-channel-moved-back-before", revision: "20", version: "v1.34.7",
                cause: .autoRefresh,
                inhibited: "2026-12-08T15:08:40Z", offer: "19"),
            // Downwards, since the store moved the channel back.
            Expected(
                state: "71-channel-moved-back-after", revision: "19", version: "v1.34.6", cause: .autoRefresh),
            Expected(
                state: "72", revision: "20", version: "v1.34.7", cause: .autoRefresh,
                inhibited: "2026-12-08T15:10:28Z", offer: "21"),
            // Held, and a refresh that waits since before goes on all the same.
            Expected(
                state: "73", revision: "22", version: "v1.34.9", cause: .autoRefresh,
                until: "2319-03-06T15:04:01Z",
                inhibited: "2026-12-08T15:16:42Z", offer: "23"),
            Expected(
                state: "80", revision: "20", version: "v1.34.7", cause: .autoRefresh,
                inhibited: "2026-12-08T15:10:28Z", offer: "21"),
        ])
    private func recorded(_ expected: Expected) throws {
        let node = try MicroK8sNode(RecordedState.named(expected.state).answers())
        let findings = node.look()
        #expect(findings.problems == [])
        let installation = try #require(findings.installations.first)
        #expect(installation.id.description == "microk8s/microk8s")
        let installed = try #require(installation.installed)
        #expect(installed.artifact.revision == expected.revision)
        #expect(installed.artifact.version?.description == expected.version)
        #expect(installed.artifact.channel == expected.channel)
        #expect(installed.path == "/snap/microk8s/\(expected.revision)")
        #expect(installed.evidence == .snapd)
        #expect(installed.origin == .verified)
        #expect(installed.cause == expected.cause)
        #expect(installation.hold?.until?.description == expected.until)
        #expect(installation.hold?.inhibitProceed?.description == expected.inhibited)
        #expect(installation.offers.map(\.artifact.revision) == (expected.offer.map { [$0] } ?? []))
        #expect(installation.offers.allSatisfy { $0.trigger == .autoRefresh && $0.origin == .verified })
        #expect(installation.running?.version?.description == (expected.isRunning ? expected.version : nil))
        #expect(installation.running?.sources.map(\.source) == (expected.isRunning ? [.snapd] : nil))
        #expect(
            installation.units.map(\.name) == [
                "snap.microk8s.daemon-containerd.service", "snap.microk8s.daemon-kubelite.service",
            ])
        #expect(
            installation.units.last?.activeState == (expected.isRunning ? "active" : "inactive"))
    }

    @Test("a look after a refresh asks for changes and offers again, one at the same revision for neither")
    func sequence() throws {
        var memory = ObserverMemory()
        let before = try MicroK8sNode(RecordedState.named("02").answers())
        _ = before.look(memory: &memory)
        #expect(before.asked.count == 4)
        let again = before.look(at: MicroK8sNode.recorded + .minutes(5), memory: &memory)
        #expect(before.asked.dropFirst(4) == ["/v2/snaps/microk8s", "/v2/system-info"])
        #expect(again.installations.first?.offers.first?.artifact.revision == "2")
        #expect(again.installations.first?.installed?.cause == .namedRefresh)

        let after = try MicroK8sNode(RecordedState.named("03").answers())
        let findings = after.look(at: MicroK8sNode.recorded + .minutes(10), memory: &memory)
        #expect(findings.installations.first?.installed?.cause == .autoRefresh)
        #expect(findings.installations.first?.offers == [])
        #expect(after.asked.contains("/v2/changes?select=all&for=microk8s"))
        #expect(after.asked.contains("/v2/find?select=refresh"))
        #expect(memory.snapChanges["microk8s/microk8s"] == "6")
    }

    @Test("a refresh that snapd undid leaves what brought the revision before as its cause")
    func undone() throws {
        var memory = ObserverMemory()
        // As a look in the middle of change 79 would have seen it.
        memory.snaps["microk8s/microk8s"] = .init(revision: "21", channel: "1.31/stable")
        memory.causes["microk8s/microk8s"] = .namedRefresh
        let node = try MicroK8sNode(RecordedState.named("80").answers())
        #expect(node.look(memory: &memory).installations.first?.installed?.cause == .autoRefresh)
    }

    @Test(
        "a sideloaded revision was brought by a person, and has no number when the task that links it is made"
    )
    func sideloaded() {
        // As snapd 2.68.3 says it for `snap install --dangerous ./microk8s.snap`.
        let change = SnapdChange(
            id: "15", kind: "install-snap",
            tasks: [
                .init(
                    kind: "link-snap", summary: "Make snap \"microk8s\" (unset) available to the system",
                    status: "Done")
            ])
        #expect(Trigger(of: "x1", snap: "microk8s", in: [change]) == .namedRefresh)
        #expect(Trigger(of: "1", snap: "microk8s", in: [change]) == .unknown)
    }

    @Test("a cause that no change tells is unknown")
    func pruned() throws {
        #expect(Trigger(of: "7", snap: "microk8s", in: []) == .unknown)
        // Changes that name another snap, another revision, or were undone.
        for (kind, status, summary) in [
            ("link-snap", "Done", "Make snap \"microk8s-x\" (7) available"),
            ("link-snap", "Done", "Make snap \"microk8s\" (77) available"),
            ("link-snap", "Undone", "Make snap \"microk8s\" (7) available"),
            ("link-snap", "Hold", "Make snap \"microk8s\" (7) available"),
            ("download-snap", "Done", "Download snap \"microk8s\" (7)"),
        ] {
            let change = SnapdChange(
                id: "1", kind: "auto-refresh", tasks: [.init(kind: kind, summary: summary, status: status)])
            #expect(Trigger(of: "7", snap: "microk8s", in: [change]) == .unknown)
        }
    }
}

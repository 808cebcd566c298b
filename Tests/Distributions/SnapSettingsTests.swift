import Host
import Model
import Ports
import ScriptedServer
import Testing

@testable import Distributions

@Suite("snapd's settings, as guards read and write them")
struct SnapSettingsTests {
    private static let hold = Setting(.snapHold, "microk8s")
    private static let now = Instant(seconds: 1_795_534_200)
    private static let forever = "2319-03-06T14:36:37.287485771Z"

    private func node(hold: String?, level: String? = nil) throws -> MicroK8sNode {
        let node = try MicroK8sNode { target, _ in
            if target == "/v2/changes/7" {
                return [
                    .answer(
                        #"{"type":"sync","result":{"id":"7","kind":"hold-snap","status":"Done","ready":true}}"#
                    )
                ]
            }
            // Both are asked of one target.
            let held = hold.map { #","hold":"\#($0)""# } ?? ""
            return [
                .answer(
                    #"{"type":"sync","change":"7","result":{"name":"microk8s","version":"v1.33.4","revision":"101"\#(held)}}"#
                )
            ]
        }
        if let level {
            try node.directory.write(
                #"{"data":{"snaps-hold":{"microk8s":{"system":{"hold-until":"x"\#(level)}}}}}"#,
                to: "var/lib/snapd/state.json")
        }
        return node
    }

    private func settings(_ node: MicroK8sNode) -> SnapSettings {
        SnapSettings(root: Root(node.directory.path)) { Self.now }
    }

    @Test(
        "what was held before is known with its level, which snapd's state alone tells",
        arguments: [
            (nil, nil, nil), (forever, #","level":1"#, forever + " general"),
            (forever, "", forever + " auto-refresh"), (forever, nil, forever + " general"),
        ] as [(String?, String?, String?)])
    func past(hold: String?, level: String?, past: String?) throws {
        let node = try node(hold: hold, level: level)
        #expect(try settings(node).past(Self.hold) == past)
        #expect(try settings(node).read(Self.hold) == hold)
        withExtendedLifetime(node) {}
    }

    struct Same: Sendable {
        var reading: String?
        var value: String?
        var level: String?
        var isSame: Bool
    }

    @Test(
        "a reading is what a value comes to, its level included where that can be told",
        arguments: [
            Same(reading: forever, value: "forever", isSame: true),
            Same(reading: nil, value: "forever", isSame: false),
            Same(
                reading: "2027-01-01T00:00:00.000009604Z", value: "2027-01-01T00:00:00Z auto-refresh",
                level: "", isSame: true),
            Same(reading: "2027-01-02T00:00:00Z", value: "2027-01-01T00:00:00Z", isSame: false),
            Same(reading: forever, value: forever + " auto-refresh", level: #","level":1"#, isSame: false),
            Same(reading: forever, value: "forever", level: "", isSame: false),
            // A hold that is over is none.
            Same(reading: "2020-01-01T00:00:00Z", value: nil, isSame: true),
            Same(reading: nil, value: "2020-01-01T00:00:00Z general", isSame: true),
            Same(reading: forever, value: nil, isSame: false),
        ])
    func same(_ row: Same) throws {
        let node = try node(hold: row.reading, level: row.level)
        defer { withExtendedLifetime(node) {} }
        let settings = settings(node)
        #expect(settings.isSame(Self.hold, reading: row.reading, as: row.value) == row.isSame)
        #expect(settings.isSame(Setting(.snapChannel, "microk8s"), reading: "1.33/stable", as: "1.33"))
        #expect(!settings.isSame(Setting(.snapRetain, "system"), reading: "2", as: "3"))
        #expect(
            settings.isSame(
                Setting(.systemHold, "system"), reading: "2027-01-23T01:00:00+01:00",
                as: "2027-01-23T00:00:00Z"))
    }

    @Test("a snapd that is not there is a failure that says where it was looked for")
    func absent() throws {
        let settings = settings(try MicroK8sNode())
        let error = #expect(throws: EffectFailure.self) { _ = try settings.read(Self.hold) }
        #expect(error?.description.contains("/run/snapd.socket") == true)
    }

    @Test(
        "what was there before is written as it was: forever, dated with its level, or not at all",
        arguments: [
            (forever + " general", #"{"action":"hold","hold-level":"general","time":"forever"}"#),
            (
                "2027-01-01T00:00:00Z auto-refresh",
                #"{"action":"hold","hold-level":"auto-refresh","time":"2027-01-01T00:00:00Z"}"#
            ),
            ("2020-01-01T00:00:00Z general", #"{"action":"unhold"}"#),
            (nil, #"{"action":"unhold"}"#),
        ] as [(String?, String)])
    func writes(value: String?, body: String) throws {
        let accepted = try MicroK8sNode { target, _ in
            target == "/v2/changes/7"
                ? [.answer(#"{"type":"sync","result":{"id":"7","kind":"x","status":"Done","ready":true}}"#)]
                : [.answer(#"{"type":"async","change":"7","result":null}"#, status: "202 Accepted")]
        }
        try settings(accepted).write(Self.hold, value)
        #expect(accepted.server?.received.first.map { String(decoding: $0.body, as: UTF8.self) } == body)
    }
}

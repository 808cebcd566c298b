import Model
import Testing

@Suite("Whether a member of a control plane may be touched")
struct ControlPlaneTests {
    private static func member(
        _ name: String, isOwn: Bool = false, _ change: (inout ControlPlaneMember) -> Void = { _ in }
    ) -> ControlPlaneMember {
        var member = ControlPlaneMember(name: name, isOwn: isOwn)
        member.isReady = true
        member.isCordoned = false
        member.answers = true
        member.votes = true
        member.running = Version("v1.31.4+k3s1")
        change(&member)
        return member
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var plane: ControlPlane
        var store = DataStore.etcd
        /// What the objection says; nil where there is none.
        var objection: String?
    }

    private static let own = member("a", isOwn: true)
    private static func three(_ change: (inout ControlPlaneMember) -> Void) -> ControlPlane {
        ControlPlane(members: [own, member("b"), member("c", change)])
    }

    static let rows = [
        Row(testDescription: "three that are well", plane: three { _ in }, objection: nil),
        Row(
            testDescription: "alone there is no quorum to lose", plane: ControlPlane(members: [own]),
            objection: nil),
        Row(
            testDescription: "of two none may be away", plane: ControlPlane(members: [own, member("b")]),
            objection: "with 2 voters none may be away"),
        // Five with one that stands by: three of four voters are left.
        Row(
            testDescription: "of four one may",
            plane: ControlPlane(members: [own, member("b"), member("c"), member("d")]),
            objection: nil),
        Row(
            testDescription: "one is not Ready", plane: three { $0.isReady = false },
            objection: "c is not Ready"),
        Row(
            testDescription: "one is cordoned by somebody", plane: three { $0.isCordoned = true },
            objection: "c is cordoned"),
        Row(
            testDescription: "the API server of one is down", plane: three { $0.answers = false },
            objection: "the API server of c does not answer"),
        Row(
            testDescription: "nobody knows where one listens (invariant 2)",
            plane: three { $0.answers = nil },
            objection: "nobody knows whether c is well"),
        Row(
            testDescription: "a kubelet that says nothing is unknown (invariant 2)",
            plane: three { $0.isReady = nil },
            objection: "nobody knows whether c is well"),
        Row(
            testDescription: "a k0s controller without workloads has no kubelet",
            plane: three {
                $0.isReady = nil
                $0.isCordoned = nil
            }, objection: nil),
        Row(
            testDescription: "one is still learning", plane: three { $0.votes = false },
            objection: "c does not vote in the data store"),
        Row(
            testDescription: "nobody knows whether one votes (invariant 2)", plane: three { $0.votes = nil },
            objection: "nobody knows whether c votes"),
        Row(
            testDescription: "a server that has its etcd on others has no vote",
            plane: ControlPlane(
                members: [
                    own, member("b"), member("c"),
                    member("d") {
                        $0.votes = nil
                        $0.keepsState = false
                    },
                ]), objection: nil),
        Row(
            testDescription: "dqlite keeps stand-bys on purpose",
            plane: ControlPlane(
                members: [own, member("b"), member("c"), member("d") { $0.votes = false }]),
            store: .dqlite, objection: nil),
        Row(
            testDescription: "a store beside the nodes has no votes among them",
            plane: ControlPlane(members: [own, member("b") { $0.votes = nil }]), store: .external,
            objection: nil),
        Row(
            testDescription: "a store that nobody knows (invariant 2)", plane: three { _ in },
            store: .unknown,
            objection: "nobody knows who of the control plane votes"),
        Row(
            testDescription: "there may be members that nobody tells of (invariant 2)",
            plane: ControlPlane(members: [own], gaps: ["autopilot is off"], mayHaveOthers: true),
            objection: "nobody knows all members of the control plane (autopilot is off)"),
        Row(
            testDescription: "this node is not among them (invariant 2)",
            plane: ControlPlane(members: [member("b")]),
            objection: "the cluster does not tell of this node"),
    ]

    @Test("by what is known of the others", arguments: rows)
    func objection(row: Row) {
        let found = row.plane.objection(store: row.store)
        if let expected = row.objection {
            #expect(found?.hasPrefix(expected) == true, "\(found ?? "nothing")")
        } else {
            #expect(found == nil)
        }
    }

    @Test("the oldest version is known where all are")
    func oldest() {
        let old = Self.three { $0.running = Version("v1.30.9+k3s1") }
        #expect(old.oldest == Version("v1.30.9+k3s1"))
        #expect(Self.three { $0.running = nil }.oldest == nil)
    }

    @Test("what is unknown of a member stays unknown to the rules")
    func fleetMember() {
        var member = ControlPlaneMember(name: "b", isOwn: false)
        #expect(member.fleetMember(cluster: "c", role: .server).healthy == nil)
        member.isReady = false
        #expect(member.fleetMember(cluster: "c", role: .server).healthy == false)
        #expect(Self.own.fleetMember(cluster: "c", role: .server).healthy == true)
    }
}

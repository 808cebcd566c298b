import Model
import Testing

@testable import Reports

@Suite("Evidence that nothing unapproved was started")
struct AbsenceTests {
    /// What happens in the middle of a span that is covered otherwise, and what comes of it.
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var tell: @Sendable (inout StoryLedger) -> Void
        var answer: Absence.Answer
        var kinds: Set<Gap.Kind> = []
        var starts = 0
    }

    static func told(_ tell: (inout StoryLedger) -> Void) throws -> Absence {
        var story = StoryLedger()
        story.adopt()
        story.quiet(.hours(1))
        let from = story.now
        story.quiet(.hours(2))
        tell(&story)
        story.quiet(.hours(2))
        return try story.absence(from: from, to: story.now)
    }

    private static let newer = StoryLedger.artifact("v1.32.1+k3s1")

    static let covered: [Case] = [
        Case(testDescription: "nothing happens", tell: { _ in }, answer: .holds),
        Case(
            testDescription: "the approved one is started again", tell: { $0.start() }, answer: .holds,
            starts: 1),
        Case(
            testDescription: "the gate puts the approved one back",
            tell: {
                $0.install("v1.32.1+k3s1")
                $0.act(.putBack, "restored")
                $0.install("v1.31.4+k3s1")
                $0.start()
            }, answer: .holds, starts: 1),
        Case(
            testDescription: "the gate refuses a start", tell: { $0.act(.refused, "refused") }, answer: .holds
        ),
        Case(
            testDescription: "there is no binary that could start",
            tell: { $0.act(.letThrough, "binary-missing") },
            answer: .holds),
        Case(
            testDescription: "a step carries a change out, and its start is of what it brings",
            tell: { story in
                let change = Change(
                    id: "c", installation: StoryLedger.id, trigger: .rollout, phase: .offered,
                    from: StoryLedger.artifact("v1.31.4+k3s1"), to: newer, origin: .verified)
                var step = Step(
                    id: "s", change: change, decision: "d", approvals: [], source: "/x",
                    binary: "/usr/local/bin/k3s",
                    since: ClockReading(
                        now: story.now, monotonic: story.monotonic, bootID: story.boot, synchronised: true))
                story.record(.stepBegan(step))
                story.install("v1.32.1+k3s1")
                story.start()
                step.phase = .soaking
                story.record(.stepEnded(StepEnd(step, .done)))
                story.start()
            }, answer: .holds, starts: 2),
        Case(
            testDescription: "the node was restarted, and both ticks ran in time",
            tell: { $0.reboot(after: .minutes(4)) }, answer: .holds),
        Case(
            testDescription: "a tick is late, but not twice its time",
            tell: {
                $0.wait(.minutes(9))
                $0.tick()
            }, answer: .holds),
    ]

    static let violations: [Case] =
        ["last-good", "paused", "warned", "no-proof", "no-replacement", "no-refresh"].map { reason in
            Case(
                testDescription: "the gate let it through: \(reason)", tell: { $0.act(.letThrough, reason) },
                answer: .violated)
        } + [
            Case(
                testDescription: "a look found what was not approved running", tell: { $0.start(newer) },
                answer: .violated),
            Case(
                testDescription: "two looks, one after the other, and the second found it running",
                tell: {
                    $0.start()
                    $0.wait(.minutes(5))
                    $0.start(newer)
                }, answer: .violated),
            Case(
                testDescription: "a look found another version running, whatever its bytes",
                tell: { $0.start(newer, knowsBytes: false) }, answer: .violated),
        ]

    static let gaps: [Case] = [
        Case(
            testDescription: "no tick ran for half an hour",
            tell: {
                $0.wait(.minutes(30))
                $0.tick()
            }, answer: .notProven, kinds: [.unwatched]),
        Case(
            testDescription: "no tick ran between two sealed stretches",
            tell: {
                $0.seal()
                $0.wait(.minutes(30))
                $0.tick()
            }, answer: .notProven, kinds: [.unwatched]),
        // With the five minutes that may pass before the first tick.
        Case(
            testDescription: "the node was off for longer than ticks may lie apart",
            tell: { $0.reboot(after: .minutes(6)) }, answer: .notProven, kinds: [.restart]),
        Case(
            testDescription: "the node was restarted, and its clock was not right at first",
            tell: {
                $0.reboot(after: .minutes(2))
                $0.synchronised = false
                $0.start()
                $0.synchronised = true
                $0.start()
            }, answer: .notProven, kinds: [.restart, .clock], starts: 2),
        Case(
            testDescription: "the node was restarted, and nobody knows whether its clock was right before",
            tell: {
                $0.synchronised = nil
                $0.start()
                $0.reboot(after: .minutes(2))
                $0.synchronised = true
            }, answer: .notProven, kinds: [.restart], starts: 1),
        Case(
            testDescription: "the node was restarted, and its clock went back",
            tell: { $0.reboot(after: .minutes(-20)) }, answer: .notProven, kinds: [.restart]),
        Case(
            testDescription: "the node was restarted twice, and the first time no tick ran",
            tell: {
                $0.reboot(after: .minutes(4))
                $0.say(
                    .denied(
                        Denial(
                            id: "n1", distribution: .k3s, target: newer, deniedAt: $0.now, reason: "r",
                            claimedBy: "ada")))
                $0.reboot(after: .minutes(1))
            }, answer: .notProven, kinds: [.restart]),
        Case(
            testDescription: "the clock was set forward within a stretch",
            tell: { $0.now = $0.now + .hours(1) },
            answer: .notProven, kinds: [.clock]),
        Case(
            testDescription: "the clock was set back between two stretches",
            tell: {
                $0.seal()
                $0.now = $0.now + .minutes(-20)
            }, answer: .notProven, kinds: [.clock]),
        Case(
            testDescription: "the clock was not synchronised for a while",
            tell: {
                $0.synchronised = false
                $0.start()
                $0.quiet(.hours(1))
                $0.synchronised = true
                $0.start()
            }, answer: .notProven, kinds: [.clock], starts: 2),
        Case(
            testDescription: "a person paused the guards",
            tell: {
                $0.say(.paused(Pause(until: $0.now + .hours(1), reason: "by hand")))
                $0.quiet(.minutes(30))
                $0.say(.resumed(Resumption(pause: Pause(until: $0.now, reason: "by hand"), isByTime: false)))
            }, answer: .notProven, kinds: [.paused, .unguarded]),
        Case(
            testDescription: "the guards were released", tell: { $0.say(.released(StoryLedger.id)) },
            answer: .notProven, kinds: [.unguarded]),
        Case(
            testDescription: "the gate's drop-in was taken away by us, as under gate: off",
            tell: {
                $0.carryOut(
                    .removeDropIn(PlacedDropIn(path: StoryLedger.dropIn, text: "x", madeDirectory: true)))
            }, answer: .notProven, kinds: [.unguarded]),
        Case(
            testDescription: "the gate's drop-in was not as it was placed",
            tell: { $0.carryOut(.placeDropIn(path: StoryLedger.dropIn, text: "x"), .reloadUnits) },
            answer: .notProven, kinds: [.unguarded]),
        Case(
            testDescription: "the gate told more than it may leave", tell: { $0.act(.overflow, "overflow") },
            answer: .notProven, kinds: [.unknownStart]),
        Case(
            testDescription: "what the gate left could not be read",
            tell: { $0.act(.unreadable, "unreadable") },
            answer: .notProven, kinds: [.unknownStart]),
        Case(
            testDescription: "the gate could not record a start",
            tell: { $0.act(.unrecorded, "record-failed") },
            answer: .notProven, kinds: [.unknownStart]),
        Case(
            testDescription: "the gate could not tell what started",
            tell: { $0.act(.letThrough, "not-hashed") },
            answer: .notProven, kinds: [.unknownStart]),
        Case(
            testDescription: "the gate said what a later one may say",
            tell: { $0.act(.letThrough, "a-reason-of-tomorrow") }, answer: .notProven, kinds: [.unknownStart]),
        Case(
            testDescription: "a start whose time the gate's clock put before the span",
            tell: { $0.act(.letThrough, "warned", at: Instant(seconds: 1_000_000)) }, answer: .notProven,
            kinds: [.unknownStart]),
        Case(
            testDescription: "what last ran was found unproven",
            tell: {
                var lines = SealedLines(title: "holdfast-last-ran 1")
                lines.add("data", "/var/lib/rancher/k3s")
                lines.add("highest", "v1.31.4+k3s1")
                lines.add("unproven", "something started without the gate")
                lines.add("start", "start-9", "1763452800")
                $0.carryOut(
                    .writeLastRan(
                        StartRecord(path: "/x", text: lines.text, since: StoryLedger.began, marks: [])))
            }, answer: .notProven, kinds: [.unknownStart]),
        Case(
            testDescription: "the approved version was started, and nobody knows its bytes",
            tell: { $0.start(knowsBytes: false) }, answer: .notProven, kinds: [.unknownStart]),
        Case(
            testDescription: "systemd was not asked",
            tell: {
                $0.asksSystemd = false
                $0.start()
            }, answer: .notProven, kinds: [.unknownStart], starts: 1),
        Case(
            testDescription: "an entry cannot be read",
            tell: { $0.damage(.unreadable("its JSON is not valid"), kind: "gate-acted") }, answer: .notProven,
            kinds: [.lost]),
        Case(
            testDescription: "an entry's body was dropped", tell: { $0.damage(.dropped, kind: "gate-acted") },
            answer: .notProven, kinds: [.lost]),
    ]

    @Test("holds where the whole span is covered", arguments: covered)
    func holds(_ row: Case) throws {
        let absence = try Self.told(row.tell)
        #expect(absence.answer == .holds, "\(absence.violations) \(absence.gaps)")
        #expect(absence.approvedStarts == row.starts)
    }

    @Test("is violated by a start on anything else", arguments: violations)
    func violated(_ row: Case) throws {
        let absence = try Self.told(row.tell)
        #expect(absence.answer == .violated)
        #expect(absence.violations.count == 1)
        #expect(absence.gaps == [])
    }

    @Test("is not proven where something is not covered, and names it", arguments: gaps)
    func notProven(_ row: Case) throws {
        let absence = try Self.told(row.tell)
        #expect(absence.answer == .notProven, "\(absence.violations)")
        #expect(Set(absence.gaps.map(\.kind)) == row.kinds, "\(absence.gaps)")
        #expect(
            absence.gaps.allSatisfy { absence.from <= $0.start && $0.end <= absence.to && !$0.text.isEmpty })
        #expect(absence.approvedStarts == row.starts)
    }

    @Test("says nothing of the time after the newest tick, before the first, and before the gate stood")
    func ends() throws {
        var story = StoryLedger()
        story.quiet(.hours(1))
        let from = story.now
        story.adopt()
        story.quiet(.hours(1))
        let last = story.now
        let later = try story.absence(from: last, to: last + .hours(1))
        #expect(later.answer == .notProven && later.gaps.map(\.kind) == [.unwatched])
        let earlier = try story.absence(from: StoryLedger.began + .hours(-1), to: last)
        #expect(earlier.answer == .notProven)
        #expect(Set(earlier.gaps.map(\.kind)) == [.notBegun, .unguarded])
        // Adopted and guarded within the same second that the span begins with.
        #expect(try story.absence(from: from, to: last).answer == .holds)
        #expect(try story.absence(from: from + .seconds(-1), to: last).answer == .notProven)
    }

    @Test("does not take for a start what ran when it was first looked at")
    func firstLook() throws {
        var story = StoryLedger()
        story.installation.running = Running(
            version: Version("v1.30.0+k3s1"), sources: [], invocationID: "before",
            startedFrom: StoryLedger.artifact("v1.30.0+k3s1"))
        story.entries = []
        story.record(.installationFound(story.installation))
        story.adopt()
        let from = story.now
        story.quiet(.hours(1))
        #expect(try story.absence(from: from, to: story.now).answer == .holds)
    }

    @Test("is of one installation, by its unit, its name or its id")
    func named() {
        let chronicle = StoryLedger().chronicle()
        for word in ["k3s", "k3s.service", "k3s/k3s"] {
            #expect(chronicle.installation(named: word)?.id == StoryLedger.id)
        }
        #expect(chronicle.installation(named: "k0scontroller.service") == nil)
    }
}

extension TimeSpan {
    fileprivate static func seconds(_ count: Int64) -> TimeSpan { TimeSpan(seconds: count) }
}

import Model

@testable import Rollout

/// Everything that three nodes, two stages and a person can come to, one step at a time.
///
/// The nodes run the very `nextMove` and transitions of the module. The faults: an abort anywhere, one crash, one put
/// that arrives after its sender has given up on it, one machine replaced under its name, one eviction, one failure.
struct Exploration {
    /// How a node could be wrong; each is a bug that the exploration must find.
    enum Bug: CaseIterable {
        /// The node goes on to its step without looking at the document again.
        case stepsWithoutLooking
        /// A put replaces whatever is there.
        case putsBlindly
        /// The grant's id is not committed before it is asked for.
        case forgetsItsGrant
        /// A grant that has gone is taken for a proof, evicted or not.
        case countsEvictions
    }

    struct Faults: Hashable {
        var aborts: UInt8 = 1
        var crashes: UInt8 = 1
        var latePuts: UInt8 = 1
        var replacements: UInt8 = 1
        var evictions: UInt8 = 1
        var failures: UInt8 = 0
    }

    struct Machine: Hashable {
        /// What the process goes by.
        var seat: Int32
        /// What its ledger has: what a crash leaves.
        var durable: Int32
        var incarnation: UInt8 = 0
        var step: UInt8 = Self.notBegun

        static let notBegun: UInt8 = 0
        static let underWay: UInt8 = 1
        static let soaked: UInt8 = 2
        static let failed: UInt8 = 3
    }

    struct World: Hashable {
        var document: Int32
        var machines: Machines
        var faults: Faults
        /// A put that its sender no longer waits for.
        var lateBase: Int32 = -1
        var latePut: Int32 = -1
        var isQuarantined = false
        /// Machines that have truly run the artifact through its soak, a bit each for machine and incarnation.
        var proven: UInt16 = 0
        /// Who held a grant when the rollout was aborted; nil before.
        var holdersAtAbort: UInt16?
        /// Nodes that nobody waits for any longer.
        var evicted: UInt16 = 0
    }

    /// Three, side by side: worlds are kept by the hundred thousand.
    struct Machines: Hashable {
        var first: Machine
        var second: Machine
        var third: Machine

        var indices: Range<Int> { 0..<3 }

        subscript(index: Int) -> Machine {
            get { index == 0 ? first : index == 1 ? second : third }
            set {
                switch index {
                case 0: first = newValue
                case 1: second = newValue
                default: third = newValue
                }
            }
        }
    }

    struct Violation: Error {
        var text: String
    }

    let bug: Bug?
    private var documents = Table<RolloutDocument>()
    private var seats = Table<Seat>()
    private var moves: [MoveKey: Choice] = [:]
    private var views: [Int32: View] = [:]
    private let stages = ["canary", "rest", "rest"]
    private(set) var states = 0
    /// Worlds in which nothing moves any more.
    private(set) var ends: [String: Int] = [:]

    private let faults: Faults
    private let limit = 4_000_000

    init(bug: Bug?, faults: Faults = Faults()) {
        self.bug = bug
        self.faults = faults
    }

    private func bit(_ machine: Int, _ incarnation: UInt8) -> UInt16 {
        1 << UInt16(machine * 4 + Int(incarnation))
    }

    private func participant(_ machine: Int, _ incarnation: UInt8) -> Participant {
        Sample.node("n\(machine).\(incarnation)", stages[machine])
    }

    /// Goes through every world that can be reached.
    mutating func run() throws {
        let start = try Sample.plan(
            [Sample.stage("canary"), Sample.stage("rest", max: 2)], (0..<3).map { participant($0, 0) })
        let seat = seats.index(of: Seat())
        let world = World(
            document: documents.index(of: start),
            machines: Machines(
                first: Machine(seat: seat, durable: seat), second: Machine(seat: seat, durable: seat),
                third: Machine(seat: seat, durable: seat)), faults: faults)
        var seen: Set<World> = [world]
        var open = [world]
        while let world = open.popLast() {
            if seen.count > limit { throw Violation(text: "more than \(limit) states") }
            let next = try successors(of: world)
            for world in next where seen.insert(world).inserted { open.append(world) }
        }
        states = seen.count
    }

    // MARK: Steps

    private mutating func successors(of world: World) throws -> [World] {
        var next: [World] = []
        for machine in world.machines.indices { try own(machine, world, &next) }
        if next.isEmpty, world.latePut < 0 { try end(world) }
        faults(world, &next)
        for index in next.indices {
            try check(next[index])
            // A late put whose document has gone can replace nothing any more: generations never come back.
            if bug != .putsBlindly, next[index].lateBase != next[index].document {
                (next[index].lateBase, next[index].latePut) = (-1, -1)
            }
        }
        return next.filter { $0 != world }
    }

    /// What a machine does by itself.
    private mutating func own(_ index: Int, _ world: World, _ next: inout [World]) throws {
        var world = world
        switch choice(index, world) {
        case .wait: return
        case .commit(let seat, let isDurable, let begins):
            world.machines[index].seat = seat
            if isDurable { world.machines[index].durable = seat }
            if begins { try begin(index, &world) }
        case .put(let document):
            // A conflict changes nothing, and a reply is never waited for: the sender reads again. So a put either
            // arrives at once, or late.
            if world.faults.latePuts > 0 {
                var late = world
                late.faults.latePuts -= 1
                (late.lateBase, late.latePut) = (world.document, document)
                next.append(late)
            }
            world.document = document
        case .quarantine: world.isQuarantined = true
        case .step:
            if world.faults.failures > 0 {
                var bad = world
                bad.faults.failures -= 1
                bad.machines[index].step = Machine.failed
                next.append(bad)
            }
            world.proven |= bit(index, world.machines[index].incarnation)
            world.machines[index].step = Machine.soaked
        }
        next.append(world)
    }

    private func deliver(base: Int32, put: Int32, _ world: inout World) {
        if world.document == base || bug == .putsBlindly { world.document = put }
    }

    /// Something irreversible begins on a machine: what must be true then.
    private mutating func begin(_ index: Int, _ world: inout World) throws {
        world.machines[index].step = Machine.underWay
        let machine = world.machines[index]
        let holder = bit(index, machine.incarnation)
        if let holders = world.holdersAtAbort, holders & holder == 0 {
            throw Violation(text: "a machine without a grant began after the abort")
        }
        // Invariant 4: the canary was proven, or a person said that nobody waits for it.
        if stages[index] == "rest", (world.proven | world.evicted) & 0b1111 == 0 {
            throw Violation(text: "invariant 4: a later stage began before the canary was proven")
        }
    }

    /// A move, by the numbers of what it commits or puts.
    private enum Choice {
        case wait
        case commit(Int32, isDurable: Bool, begins: Bool)
        case put(Int32)
        case quarantine
        case step
    }

    private mutating func choice(_ index: Int, _ world: World) -> Choice {
        let machine = world.machines[index]
        let key = MoveKey(
            seat: machine.seat, document: world.document, step: machine.step, machine: UInt8(index),
            incarnation: machine.incarnation, isQuarantined: world.isQuarantined)
        if let known = moves[key] { return known }
        let choice: Choice
        switch move(index, world) {
        case .wait: choice = .wait
        case .commit(var seat):
            // Generations matter to a seat where a store goes back in time, which is not explored here.
            seat.highest = 0
            if seat.grantedAt != nil { seat.grantedAt = 0 }
            seat.proven?.generation = 0
            choice = .commit(
                seats.index(of: seat), isDurable: bug != .forgetsItsGrant || seat.phase != .asking,
                begins: seat.phase == .stepping)
        case .put(let document): choice = .put(documents.index(of: document))
        case .quarantine: choice = .quarantine
        case .step: choice = .step
        }
        moves[key] = choice
        return choice
    }

    private func move(_ index: Int, _ world: World) -> Move {
        let machine = world.machines[index]
        let document = documents[world.document]
        var seat = seats[machine.seat]
        // No store goes back in time here, so what a node has seen is told by what is there: one world instead of many.
        seat.highest = document.generation
        let status: SeatSituation.StepStatus =
            switch machine.step {
            case Machine.underWay: .underWay
            case Machine.soaked: .soaked
            case Machine.failed: .failed(reason: "it did not come up")
            default: .notBegun
            }
        if bug == .stepsWithoutLooking, seat.phase == .granted { return .commit(seat.in(.stepping)) }
        if bug == .countsEvictions, seat.phase == .proving,
            document.grant(of: participant(index, machine.incarnation)) == nil
        {
            var left = seat.left()
            left.proven = Seat.Proof(rollout: document.id, generation: document.generation)
            return .commit(left)
        }
        return nextMove(
            seat,
            SeatSituation(
                document: document, storeAnswers: true, node: participant(index, machine.incarnation),
                policy: Sample.policy, obstacle: nil, isQuarantined: world.isQuarantined, step: status,
                freshGrant: seat.grant?.id == "one" ? "another" : "one", now: Sample.now))
    }

    // MARK: Faults and persons

    private mutating func faults(_ world: World, _ next: inout [World]) {
        let view = view(of: world.document)
        if world.faults.aborts > 0, let aborted = view.aborted {
            var world = world
            world.faults.aborts -= 1
            world.holdersAtAbort = view.holders
            world.document = aborted
            next.append(world)
        }
        for index in world.machines.indices {
            let machine = world.machines[index]
            if world.faults.crashes > 0, machine.seat != machine.durable {
                var world = world
                world.faults.crashes -= 1
                world.machines[index].seat = machine.durable
                next.append(world)
            }
            if world.faults.replacements > 0 {
                var world = world
                world.faults.replacements -= 1
                let seat = seats.index(of: Seat())
                world.machines[index] = Machine(
                    seat: seat, durable: seat, incarnation: machine.incarnation + 1)
                next.append(world)
            }
            guard world.faults.evictions > 0 else { continue }
            for incarnation in 0...machine.incarnation {
                guard let evicted = view.evicted[bit(index, incarnation)] else { continue }
                var world = world
                world.faults.evictions -= 1
                world.evicted |= bit(index, incarnation)
                world.document = evicted
                next.append(world)
            }
        }
        if world.latePut >= 0 {
            var world = world
            deliver(base: world.lateBase, put: world.latePut, &world)
            (world.lateBase, world.latePut) = (-1, -1)
            next.append(world)
        }
    }

    /// What the checks and the faults ask of a document, worked out once.
    private struct View {
        var state: RolloutDocument.State
        var holders: UInt16 = 0
        var stages: [(mask: UInt16, granted: Int, max: Int, proven: Int)] = []
        var aborted: Int32?
        var evicted: [UInt16: Int32] = [:]
    }

    private mutating func view(of index: Int32) -> View {
        if let known = views[index] { return known }
        let document = documents[index]
        var view = View(state: document.state)
        view.aborted = (try? document.aborting(reason: "a person")).map { documents.index(of: $0) }
        for machine in 0..<3 {
            for incarnation in UInt8(0)...1 {
                let node = participant(machine, incarnation)
                if document.grant(of: node) != nil { view.holders |= bit(machine, incarnation) }
                view.evicted[bit(machine, incarnation)] = (try? document.evicting(node)).map {
                    documents.index(of: $0)
                }
            }
        }
        view.stages = document.tracks.flatMap(\.stages).map { stage in
            (stage.name == "canary" ? 0xF : 0xFF0, stage.granted.count, stage.max, stage.provenCount)
        }
        views[index] = view
        return view
    }

    // MARK: What must always be true

    /// Nobody moves by himself any more.
    private mutating func end(_ world: World) throws {
        let state = view(of: world.document).state
        ends[state.rawValue, default: 0] += 1
        let isUndisturbed =
            world.faults.aborts == faults.aborts && world.faults.replacements == faults.replacements
            && world.faults.evictions == faults.evictions && world.faults.failures == faults.failures
        if isUndisturbed, state != .done {
            throw Violation(text: "nothing moves any more, and the rollout is \(state.rawValue)")
        }
    }

    private mutating func check(_ world: World) throws {
        let view = view(of: world.document)
        for stage in view.stages {
            guard stage.granted <= stage.max else { throw Violation(text: "more grants than may be at once") }
            guard stage.proven <= (world.proven & stage.mask).nonzeroBitCount else {
                throw Violation(text: "more proofs are counted than machines have made")
            }
        }
        for index in world.machines.indices {
            let machine = world.machines[index]
            let holder = bit(index, machine.incarnation)
            guard seats[machine.seat].proven != nil else { continue }
            guard world.proven & holder != 0 else {
                throw Violation(text: "a machine takes its proof for counted that it never made")
            }
            // What a person no longer waits for is not counted, and its machine must not think so.
            guard
                world.evicted & holder == 0
                    || view.stages.contains(where: { $0.mask & holder != 0 && $0.proven > 0 })
            else { throw Violation(text: "an evicted machine takes its proof for counted") }
        }
    }
}

private struct MoveKey: Hashable {
    var seat: Int32
    var document: Int32
    var step: UInt8
    var machine: UInt8
    var incarnation: UInt8
    var isQuarantined: Bool
}

/// Values by a small number, so that worlds are small.
private struct Table<Value: Hashable> {
    private var values: [Value] = []
    private var indices: [Value: Int32] = [:]

    subscript(index: Int32) -> Value { values[Int(index)] }

    mutating func index(of value: Value) -> Int32 {
        if let known = indices[value] { return known }
        let index = Int32(values.count)
        values.append(value)
        indices[value] = index
        return index
    }
}

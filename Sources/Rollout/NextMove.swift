public import Model

/// What a node sees when it asks what to do next.
public struct SeatSituation: Sendable {
    /// The store's document; nil where there is none.
    public var document: RolloutDocument?
    /// Whether the store answered; where not, `document` says nothing.
    public var storeAnswers: Bool
    /// Where this node stands in that document.
    public var node: Participant
    /// The hash by which this node decides.
    public var policy: Digest
    /// Whether the rules let this node begin now: windows, freezes, skew, quorum, approvals; a reason where not.
    public var obstacle: String?
    /// Whether the artifact is quarantined, by the store or by this node's own memory; while a failure is told, whether
    /// the store knows that what this node has tried failed.
    public var isQuarantined: Bool
    /// How its step stands.
    public var step: StepStatus
    /// An id that was never used, should a grant be asked for.
    public var freshGrant: String
    /// By this node's clock.
    public var now: Instant

    /// How the node's own step stands.
    public enum StepStatus: Hashable, Sendable {
        case notBegun
        case underWay
        /// It runs the artifact and still owes soak.
        case soaking
        /// Its soak is over.
        case soaked
        case failed(reason: String)
    }

    /// Makes a situation.
    public init(
        document: RolloutDocument?, storeAnswers: Bool, node: Participant, policy: Digest, obstacle: String?,
        isQuarantined: Bool, step: StepStatus, freshGrant: String, now: Instant
    ) {
        self.document = document
        self.storeAnswers = storeAnswers
        self.node = node
        self.policy = policy
        self.obstacle = obstacle
        self.isQuarantined = isQuarantined
        self.step = step
        self.freshGrant = freshGrant
        self.now = now
    }
}

/// What a node does next; after it was done, it looks and asks again.
public enum Move: Hashable, Sendable {
    /// Nothing, for a reason that a person is told.
    case wait(String)
    /// Commits a seat in the ledger.
    case commit(Seat)
    /// Puts a document where nobody has put another since it was read; a conflict, or no reply, is looked at again.
    case put(RolloutDocument)
    /// Makes the artifact's quarantine known, create only, before the rollout is halted.
    case quarantine(reason: String)
    /// Goes on with the node's own step, or its soak; that never needs the store.
    case step
}

/// What a node does next in a rollout.
///
/// Pure, and right after a crash at any point: a seat is committed before what it says is done, and whether a put that
/// had no reply counted is told by the document itself (`rollout.md`: grant there, go on; gone and not evicted, counted).
public func nextMove(_ seat: Seat, _ situation: SeatSituation) -> Move {
    // What was begun is finished or undone whatever the store says.
    switch (seat.phase, situation.step) {
    case (.stepping, .underWay), (.soaking, .soaking), (.soaking, .underWay):
        return .step
    case (.stepping, .soaking), (.stepping, .soaked): return .commit(seat.in(.soaking))
    case (.soaking, .soaked): return .commit(seat.in(.proving))
    case (.stepping, .failed(let reason)), (.soaking, .failed(let reason)):
        return .commit(seat.in(.failing(reason: reason)))
    default: break
    }
    guard situation.storeAnswers else { return .wait("the fleet's store does not answer") }
    // What failed is told first, whatever the rollout has become: that is create only, and no rollout's business.
    if case .failing(let reason) = seat.phase, !situation.isQuarantined { return .quarantine(reason: reason) }
    guard let document = situation.document else {
        return seat.phase == .idle ? .wait("no rollout is under way") : .commit(seat.left())
    }
    if let reason = document.reasonToHold(seat) { return .wait(reason) }
    if document.generation > seat.highest {
        var seen = seat
        seen.highest = document.generation
        return .commit(seen)
    }
    return Seating(seat: seat, document: document, situation: situation).next()
}

extension RolloutDocument {
    /// Why a node with this seat begins nothing by this document, and writes none of it: it is of a newer format, or
    /// older than what the node has seen; nil where it goes by it.
    public func reasonToHold(_ seat: Seat) -> String? {
        if format > Self.newestFormat { return Refusal.newerFormat(format).text }
        guard generation < seat.highest else { return nil }
        return
            "the store went back in time (it is at generation \(generation), this node has seen \(seat.highest)); "
            + "look at what was restored, then "
            + (state.hasEnded ? "begin anew with 'holdfast upgrade'" : "'holdfast rollout resume'")
    }
}

extension Seat {
    func `in`(_ phase: Phase) -> Seat {
        var copy = self
        copy.phase = phase
        return copy
    }

    /// Without a part; the last grant is kept, since a put of it may still arrive, and so is what failed.
    func left() -> Seat {
        var copy = self.in(.idle)
        if case .failing = phase { copy.failed = rollout }
        return copy
    }
}

private struct Seating {
    let seat: Seat
    let document: RolloutDocument
    let situation: SeatSituation

    var node: Participant { situation.node }
    var held: Grant? { document.grant(of: node) }
    /// Whether the document still is about what the seat is about.
    var isSame: Bool { document.id == seat.rollout }

    func next() -> Move {
        switch seat.phase {
        case .idle: idle()
        case .asking: asking()
        case .granted: granted()
        case .proving: proving()
        case .failing(let reason): failing(reason)
        case .stepping: stepping()
        case .soaking: soaking()
        }
    }

    private func idle() -> Move {
        if let held {
            guard isSame, held == seat.grant else {
                return .wait(
                    "somebody else holds a grant under this node's id; is its image a clone of another's? Give the "
                        + "clone a machine id of its own ('rm /etc/machine-id; systemd-machine-id-setup'), then "
                        + "'holdfast adopt' there")
            }
            // A put without a reply has arrived after all, or a proof was lost by a restored store.
            if seat.proven?.rollout == document.id { return .commit(seat.in(.proving)) }
            if seat.failed == document.id {
                return .commit(seat.in(.failing(reason: "it failed here before")))
            }
            return .commit(seat.in(.asking))
        }
        if document.state.hasEnded { return .wait("no rollout is under way") }
        if let proven = seat.proven, proven.rollout == document.id,
            document.lost?.contains(proven.generation) != true
        {
            return .wait("this node has proven the artifact")
        }
        if seat.failed == document.id, document.state != .running {
            return .wait("the artifact failed on this node")
        }
        if situation.isQuarantined { return .wait("the artifact is quarantined") }
        if situation.policy != document.policy { return .wait(Refusal.otherPolicy.text) }
        if let obstacle = situation.obstacle { return .wait(obstacle) }
        let grant = Grant(node: node.id, id: situation.freshGrant)
        do throws(Refusal) {
            _ = try document.granting(grant, to: node, policy: situation.policy, now: situation.now)
        } catch {
            return .wait(error.text)
        }
        var asking = seat.in(.asking)
        asking.rollout = document.id
        asking.grant = grant
        asking.bytes = document.artifact.bytes[node.architecture]
        asking.grantedAt = nil
        return .commit(asking)
    }

    private func asking() -> Move {
        guard isSame, let grant = seat.grant, !document.hasEvicted(node) else { return .commit(seat.left()) }
        if held == grant {
            var granted = seat.in(.granted)
            granted.grantedAt = document.generation
            return .commit(granted)
        }
        do throws(Refusal) {
            return .put(
                try document.granting(grant, to: node, policy: situation.policy, now: situation.now))
        } catch {
            return .commit(seat.left())
        }
    }

    /// Before anything irreversible the document and the quarantine are looked at again.
    private func granted() -> Move {
        guard isSame, let grant = seat.grant, held == grant else { return .commit(seat.left()) }
        if document.state.hasEnded || situation.policy != document.policy || situation.isQuarantined
            || document.hasMoved(node)
        {
            guard let without = try? document.givingBack(grant, of: node) else { return .commit(seat.left()) }
            return .put(without)
        }
        guard document.state == .running else { return .wait(document.reason ?? document.state.rawValue) }
        if let obstacle = situation.obstacle { return .wait(obstacle) }
        return .commit(seat.in(.stepping))
    }

    /// Nothing was begun as yet, so all is asked that is asked of a grant; a step that has begun never comes here.
    private func stepping() -> Move {
        switch granted() {
        case .commit(let next) where next.phase == .stepping: .step
        case let other: other
        }
    }

    /// Its step is over without a proof: it was left, or the rollout that it was for has ended and another one began.
    ///
    /// What is still held is given back; else the stage would wait for a proof that nobody works for.
    private func soaking() -> Move {
        guard isSame, let grant = seat.grant, held == grant,
            let without = try? document.givingBack(grant, of: node)
        else { return .commit(seat.left()) }
        return .put(without)
    }

    private func proving() -> Move {
        guard isSame, let grant = seat.grant else { return .commit(seat.left()) }
        if held == grant {
            guard let proven = try? document.proving(grant, by: node) else { return .commit(seat.left()) }
            return .put(proven)
        }
        var left = seat.left()
        let wasLost = seat.grantedAt.map { document.lost?.contains($0) == true } ?? true
        if !document.hasEvicted(node), !wasLost {
            left.proven = Seat.Proof(rollout: document.id, generation: document.generation)
        }
        return .commit(left)
    }

    private func failing(_ reason: String) -> Move {
        if isSame, let grant = seat.grant, held == grant,
            let halted = try? document.failing(grant, of: node, reason: reason)
        {
            return .put(halted)
        }
        return .commit(seat.left())
    }
}

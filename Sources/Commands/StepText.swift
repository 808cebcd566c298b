import Agent
import Model
import Ports

/// What is said of a change that is carried out, or is about to be.
struct StepText {
    let standing: StepStanding
    let now: Instant

    /// What is said where these changes are the ones that a person has asked about.
    func text(ofChanges ids: Set<String>) -> String {
        switch standing {
        case .open(let step), .due(let step): ids.contains(step.change.id) ? "\n" + text() : ""
        case .waits(let waiting):
            waiting.contains { ids.contains($0.change.id) }
                ? "\n"
                    + StepText(standing: .waits(waiting.filter { ids.contains($0.change.id) }), now: now)
                    .text()
                : ""
        case .nothing, .fetch: ""
        }
    }

    /// A few lines for a person; empty where there is nothing to say.
    func text() -> String {
        switch standing {
        case .nothing: ""
        case .open(let step):
            """
            Step: \(step.summary.printable)
              it \(step.phase.summary), since \(relative(step.since.now, to: now))\(because(step))

            """
        case .fetch(let order):
            "Step: \(order.wanted.distribution.displayName) \(order.wanted.version) is fetched with the next tick\n"
                + (order.failure.map { "  the last time it failed: \($0.printable)\n" } ?? "")
        case .due(let step): "Step: \(step.summary.printable)\n  it begins with the next tick\n"
        case .waits(let waiting):
            waiting.map { wait in
                "Step: \(wait.change.installation.name): \(wait.change.to.summary)".printable
                    + "\n  it is allowed, and waits: \(wait.reason.printable)\n"
            }.joined()
        }
    }

    private func because(_ step: Step) -> String { step.failure.map { ": \($0.printable)" } ?? "" }
}

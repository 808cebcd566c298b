import Distributions
import Model
import Ports
import Reports
import Rollout

/// The way to a release, as a person is shown it.
struct UpgradeOutline: Encodable {
    let distribution: Distribution
    let target: Version
    /// The oldest version that runs anywhere: every step counts from it.
    let oldest: Version
    let ladder: Ladder
    /// How many nodes the fleet knows that have the distribution.
    let nodes: Int
    let notes: [String]
    /// What the first step brings of a snap.
    var release: SnapRelease?
    /// What the first step brings.
    var artifacts: [FoundArtifact] = []
    /// The rollout of the first step; nil where there is nothing to do.
    var document: RolloutDocument?

    private enum Key: String, CodingKey {
        case distribution, target, from, steps, nodes, notes, artifacts, revision, channel, rollout
    }
    private enum StepKey: String, CodingKey { case version, why }
    private enum ArtifactKey: String, CodingKey { case architecture, sha256, proof, place, size }

    func encode(to encoder: any Encoder) throws {
        var part = encoder.container(keyedBy: Key.self)
        try part.encode(distribution, forKey: .distribution)
        try part.encode(target, forKey: .target)
        try part.encode(oldest, forKey: .from)
        try part.encode(nodes, forKey: .nodes)
        try part.encode(notes, forKey: .notes)
        var steps = part.nestedUnkeyedContainer(forKey: .steps)
        for step in ladder.steps {
            var one = steps.nestedContainer(keyedBy: StepKey.self)
            try one.encode(step.version, forKey: .version)
            try one.encode(step.why, forKey: .why)
        }
        var list = part.nestedUnkeyedContainer(forKey: .artifacts)
        for artifact in artifacts {
            var one = list.nestedContainer(keyedBy: ArtifactKey.self)
            try one.encode(artifact.wanted.architecture.rawValue, forKey: .architecture)
            try one.encode(artifact.sha256, forKey: .sha256)
            try one.encode(artifact.proof.rawValue, forKey: .proof)
            try one.encode(artifact.place, forKey: .place)
            try one.encode(artifact.size, forKey: .size)
        }
        try part.encodeIfPresent(release?.revision, forKey: .revision)
        try part.encodeIfPresent(release?.channel, forKey: .channel)
        try part.encode(document.map { FleetReport.RolloutPart($0, names: [:]) }, forKey: .rollout)
    }

    func text(_ style: Style, width: Int?) -> String {
        let name = distribution.displayName
        guard !ladder.steps.isEmpty, let document else {
            return "\(name) \(target) runs on every node that is known: there is nothing to do.\n"
        }
        var text = style("\(name) \(oldest) → \(target)", .strong) + "\n"
        var rows: [[Cell]] = []
        for (index, step) in ladder.steps.enumerated() {
            rows.append([
                ("step \(index + 1)", index == 0 ? .strong : nil), (step.version.description, nil),
                (step.why.printable, nil),
            ])
        }
        text += aligned(rows, indent: 2, style: style, width: width)
        text += "\nStep 1 on \(nodes) node\(nodes == 1 ? "" : "s"), in this order:\n"
        rows = []
        for kind in Track.Kind.allCases {
            for track in document.tracks where track.kind == kind {
                for stage in track.stages {
                    rows.append([
                        (track.cluster.printable, nil), (kind.rawValue, nil), (stage.name.printable, nil),
                        (
                            "\(stage.need) to prove it, \(kind == .controlPlane ? 1 : stage.max) at once, within "
                                + stage.deadline.policyText, nil
                        ),
                    ])
                }
            }
        }
        text += aligned(rows, indent: 2, style: style, width: width)
        if let release {
            text +=
                "\nBy snapd: revision \(release.revision.printable) of \(release.channel.printable), "
                + "which the snap follows from then on\n"
        }
        if !artifacts.isEmpty {
            text += "\nBytes:\n"
            text += aligned(
                artifacts.map { artifact in
                    [
                        (artifact.wanted.architecture.rawValue, nil),
                        ("sha256 \(artifact.sha256.short)", nil),
                        ("by \(artifact.proof.rawValue), \(artifact.place.printable)", nil),
                    ]
                }, indent: 2, style: style, width: width)
        }
        if !notes.isEmpty {
            text += "\nTo know:\n"
            text += aligned(
                notes.map { [("·", nil), ($0.printable, nil)] }, indent: 2, style: style, width: width)
        }
        if ladder.steps.count > 1 {
            text += "\nEach step is a rollout of its own: give the command again when one is done.\n"
        }
        return text
    }
}

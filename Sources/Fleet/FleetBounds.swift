import Model
import Ports

/// Numbers of the fleet that others have written, and that are reckoned with here: none may be so large that a sum
/// overflows, nor less than nothing.
enum FleetBounds {
    private static let counts = 0...1_000_000
    private static let generations: ClosedRange<Int64> = 0...(1 << 60)
    /// Three hundred years.
    private static let spans: ClosedRange<Int64> = 0...10_000_000_000

    static func check(_ document: RolloutDocument, at key: FleetKey) throws(FleetFailure) {
        let lost = [document.lost?.after, document.lost?.before].compactMap(\.self)
        let stages = document.tracks.flatMap(\.stages)
        try require(
            ([document.generation] + lost).allSatisfy(generations.contains), "a generation", at: key)
        try require(
            stages.allSatisfy { stage in
                [stage.position, stage.need, stage.max].allSatisfy(counts.contains)
                    && stage.proven.count <= 64 && stage.proven.values.allSatisfy(counts.contains)
            }, "a count of nodes", at: key)
        try require(stages.allSatisfy { spans.contains($0.deadline.seconds) }, "a deadline", at: key)
        try require(document.format >= 1, "the format", at: key)
    }

    static func check(_ record: NodeRecord, at key: FleetKey) throws(FleetFailure) {
        try require(record.format >= 1, "the format", at: key)
        try require(generations.contains(record.sequence), "the sequence", at: key)
        try require(record.parts.allSatisfy { spans.contains($0.soak?.seconds ?? 0) }, "the soak", at: key)
    }

    private static func require(_ isWithin: Bool, _ what: String, at key: FleetKey) throws(FleetFailure) {
        guard !isWithin else { return }
        throw FleetFailure(
            .malformed, "\(key): \(what) is out of bounds; see who wrote it, and take it away")
    }
}

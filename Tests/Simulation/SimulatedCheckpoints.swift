import Model
import Ports

/// Where a simulated node signs its checkpoints.
final class SimulatedCheckpoints: CheckpointPort {
    /// The key, and how often it was asked for.
    var verifier = "holdfast/sim+00000000+AQ=="
    private(set) var questions = 0
    private(set) var signed: [Checkpoint] = []
    /// Why nothing can be signed; nil where it can.
    var trouble: String?

    func key() throws(CheckpointFailure) -> String {
        questions += 1
        if let trouble { throw CheckpointFailure(trouble) }
        return verifier
    }

    func sign(_ checkpoint: Checkpoint) throws(CheckpointFailure) -> String {
        signed.append(checkpoint)
        return "\(checkpoint.text)\n\u{2014} \(verifier)\n"
    }
}

import Agent
import CommandLine
import Host

/// `holdfast adopt`: what is installed is what this node is meant to run, and is guarded from now on.
func adopt(_ invocation: Invocation, on screen: Screen) throws(Failure) -> ExitCode {
    let place = try Place(invocation)
    if place.root.isLive, !isExecutable(place.gateProgram) {
        throw Failure(
            code: .failed,
            message:
                "\(place.gateProgram): the gate is not there, so nothing could be guarded; install Holdfast whole"
        )
    }
    return try change(.adopt, at: place, invocation, on: screen)
}

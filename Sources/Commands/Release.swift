import Agent
import CommandLine

/// `holdfast release`: every guard goes, and what was there before is back.
func release(_ invocation: Invocation, on screen: Screen) throws(Failure) -> ExitCode {
    try change(.release, at: try Place(invocation), invocation, on: screen)
}

/// Something that really happened to somebody, told as changes in order, so that a policy can be tried on it.
public struct Incident: Hashable, Sendable {
    /// What it was, in a few words.
    public var title: String
    /// What happened, in one or two sentences.
    public var happened: String
    /// Where it was told: `owner/repository#number`.
    public var sources: [String]
    /// The shipped policy of a team like the one that it hit: a file's name, beside the folder of incidents.
    public var policy: String
    /// In order of time: what must be stopped, each with the rule that stops it, and what must go in.
    public var steps: [PolicyCase]
}

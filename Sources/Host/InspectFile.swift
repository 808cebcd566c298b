internal import Glibc
public import Model

/// What is to be done about a file that was looked at before.
public enum FileJudgement: Hashable, Sendable {
    /// It is the file that is known: nothing is read.
    case stands
    /// It is to be read and hashed, for this reason.
    case read(Reason)

    /// Why a file is read again.
    public enum Reason: Hashable, Sendable {
        case unknown, identity, noHash, age
    }
}

/// Whether what is known of a file still counts.
///
/// It does while the identity stands and its last full hash is less than a day old: a store through a mapping that
/// was made before can leave every time as it was. A hash from the future is no younger than an old one.
public func judge(known: KnownFile?, identity: FileIdentity, now: Instant) -> FileJudgement {
    guard let known else { return .read(.unknown) }
    guard known.identity == identity else { return .read(.identity) }
    guard known.sha256 != nil else { return .read(.noHash) }
    return hashIsCurrent(hashedAt: known.hashedAt, now: now) ? .stands : .read(.age)
}

/// Whether a hash of a file whose identity stands still counts: for a day, and never one from the future.
public func hashIsCurrent(hashedAt: Instant, now: Instant) -> Bool {
    let age = now - hashedAt
    return age >= .zero && age < .days(1)
}

/// Whether a hash may be kept for the next look.
///
/// The kernel's times move in steps of up to a hundredth of a second: what was changed within the last two could
/// be changed again without another time.
public func mayKeepHash(before: FileIdentity, after: FileIdentity, now: Instant) -> Bool {
    before == after && isOld(before.changed, now: now)
}

/// Whether a change time is so old that no later change can have the same one.
///
/// - Parameter changed: in nanoseconds since the epoch.
func isOld(_ changed: Int64, now: Instant) -> Bool {
    let (limit, overflow) = changed.addingReportingOverflow(2_000_000_000)
    // Saturated times are not old; neither is a time beyond what `now` can be compared with.
    guard !overflow, let nowNanoseconds = now.nanoseconds else { return false }
    return limit < nowNanoseconds
}

extension Instant {
    fileprivate var nanoseconds: Int64? {
        let (nanoseconds, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? nil : nanoseconds
    }
}

/// What one look at a program found.
public struct Inspection: Hashable, Sendable {
    /// What to remember; its hash is nil where the file was too young, or changed meanwhile.
    public var known: KnownFile
    /// The digest of the bytes that were there at this look; nil where they could not be read, or moved.
    public var sha256: Digest?
    /// Whether anything had to be read.
    public var wasRead: Bool
}

/// Learns the version and the digest of a distribution's program, or takes over what is known of it.
///
/// - Parameters:
///   - path: on this machine, already resolved against the root.
///   - now: the start of the look.
/// - Throws: `HostError` where there is no such file, or it cannot be examined or opened.
public func inspect(
    _ path: String, distribution: Distribution, known: KnownFile?, now: Instant
) throws(HostError) -> Inspection {
    let present = try identity(ofFile: path)
    if let known, judge(known: known, identity: present, now: now) == .stands {
        return Inspection(known: known, sha256: known.sha256, wasRead: false)
    }
    return try inspect(path, distribution: distribution, now: now, afterHash: {})
}

/// Reads a file for `inspect`.
///
/// - Parameter afterHash: runs between the hash and the second look at the file's times, so that a test can change
///   the file there.
func inspect(
    _ path: String, distribution: Distribution, now: Instant, afterHash: () throws -> Void
) throws(HostError) -> Inspection {
    let descriptor = try Descriptor.openRegularFile(path)
    let before = FileIdentity(try descriptor.status(path))
    let source = ByteSource(size: Int(before.size)) { (offset, buffer) throws(HostError) in
        try descriptor.read(at: offset, into: buffer, path: path)
    }
    var facts = readArtifact(source, distribution: distribution)
    var digest: Digest?
    do throws(HostError) {
        digest = try hash(descriptor, path: path)
    } catch {
        facts.unreadable = facts.unreadable ?? error.description
    }
    try? afterHash()
    let after = FileIdentity(try descriptor.status(path))
    // What was written to meanwhile is neither the one file nor the other.
    if before != after {
        digest = nil
        facts.version = nil
        facts.evidence = .unreadable
        facts.unreadable = "it was written to while it was read"
    }
    // Another file in its place is seen by the next look, which compares with the identity of this one.
    return Inspection(
        known: KnownFile(
            path: path, identity: before,
            sha256: mayKeepHash(before: before, after: after, now: now) ? digest : nil,
            version: facts.version, evidence: facts.evidence, unreadable: facts.unreadable,
            architecture: facts.architecture, hashedAt: now),
        sha256: digest, wasRead: true)
}

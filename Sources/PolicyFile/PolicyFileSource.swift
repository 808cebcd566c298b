public import Host
public import Model
public import Ports

/// How a file is read: its bytes, or nil where there is none.
///
/// Whoever makes the closure bounds what it reads; a little more than 1 MiB is enough, the parser refuses the rest.
public typealias FileReading = (_ path: String) throws(HostError) -> [UInt8]?

/// The policy of a file.
public struct PolicyFileSource: PolicySource {
    private let path: String
    private let read: FileReading
    private let ownership: ((String) -> String?)?
    private let isZone: (String) -> Bool
    private let identity: (String) -> FileIdentity?
    private let program: FileIdentity?
    private let hash: ([UInt8]) -> Digest

    /// Makes a source.
    ///
    /// - Parameters:
    ///   - path: the file, as `read` takes it and as messages call it.
    ///   - ownership: what is wrong with who can write the file, nil where nothing is; nil where that is not asked
    ///     (a policy given by hand for another root).
    ///   - isZone: whether an IANA name is a time zone that this machine knows.
    ///   - identity: a file's identity; nil where it cannot be had, and the policy is then hashed at each reading.
    ///   - program: the identity of this program; nil where it cannot be had, with the same effect.
    ///   - hash: SHA-256.
    public init(
        path: String, read: @escaping FileReading, ownership: ((String) -> String?)?,
        isZone: @escaping (String) -> Bool, identity: @escaping (String) -> FileIdentity?,
        program: FileIdentity?, hash: @escaping ([UInt8]) -> Digest
    ) {
        self.path = path
        self.read = read
        self.ownership = ownership
        self.isZone = isZone
        self.identity = identity
        self.program = program
        self.hash = hash
    }

    public func load(now: Instant, known: inout KnownPolicy?) -> PolicyReading {
        let before = identity(path)
        switch readOwned(path, read: read, ownership: ownership) {
        case .absent: return .absent(file: path)
        case .refused(let reason): return .invalid(PolicyRejection(file: path, errors: [reason]))
        case .bytes(let bytes):
            let standing = before == identity(path) ? before : nil
            let digest = standing.flatMap { hash(known, of: $0, now: now) }
            switch parsePolicy(bytes, file: path, isZone: isZone, known: digest, hash: hash) {
            case .valid(let policy, warnings: _):
                if digest == nil { known = remembered(policy, as: standing, now: now) }
                return .valid(policy)
            case .invalid(let faults):
                return .invalid(PolicyRejection(file: path, errors: faults.map(\.description)))
            }
        }
    }

    /// The hash that is known of this file; as with every file, for a day at most.
    private func hash(_ known: KnownPolicy?, of identity: FileIdentity, now: Instant) -> Digest? {
        guard let known, known.path == path, known.identity == identity, known.program == program else {
            return nil
        }
        return hashIsCurrent(hashedAt: known.hashedAt, now: now) ? known.sha256 : nil
    }

    private func remembered(
        _ policy: LoadedPolicy, as identity: FileIdentity?, now: Instant
    ) -> KnownPolicy? {
        guard let identity, let program, mayKeepHash(before: identity, after: identity, now: now) else {
            return nil
        }
        return KnownPolicy(
            path: path, identity: identity, program: program, sha256: policy.sha256, hashedAt: now)
    }
}

/// What became of a file that only root may write.
enum OwnedFile {
    case absent
    case bytes([UInt8])
    case refused(String)
}

/// Reads a file and then asks who could have written it; a file that anybody else could write says nothing.
func readOwned(_ path: String, read: FileReading, ownership: ((String) -> String?)?) -> OwnedFile {
    do throws(HostError) {
        guard let bytes = try read(path) else { return .absent }
        if let problem = ownership?(path) { return .refused("\(path): \(problem)") }
        return .bytes(bytes)
    } catch {
        let text = error.description
        return .refused(text.hasPrefix("\(path): ") ? text : "\(path): \(text)")
    }
}

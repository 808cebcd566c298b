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
    private let hash: ([UInt8]) -> Digest

    /// Makes a source.
    ///
    /// - Parameters:
    ///   - path: the file, as `read` takes it and as messages call it.
    ///   - ownership: what is wrong with who can write the file, nil where nothing is; nil where that is not asked
    ///     (a policy given by hand for another root).
    ///   - isZone: whether an IANA name is a time zone that this machine knows.
    ///   - hash: SHA-256.
    public init(
        path: String, read: @escaping FileReading, ownership: ((String) -> String?)?,
        isZone: @escaping (String) -> Bool, hash: @escaping ([UInt8]) -> Digest
    ) {
        self.path = path
        self.read = read
        self.ownership = ownership
        self.isZone = isZone
        self.hash = hash
    }

    public func load() -> PolicyReading {
        switch readOwned(path, read: read, ownership: ownership) {
        case .absent: return .absent(file: path)
        case .refused(let reason): return .invalid(PolicyRejection(file: path, errors: [reason]))
        case .bytes(let bytes):
            switch parsePolicy(bytes, file: path, isZone: isZone, hash: hash) {
            case .valid(let policy, warnings: _): return .valid(policy)
            case .invalid(let faults):
                return .invalid(PolicyRejection(file: path, errors: faults.map(\.description)))
            }
        }
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

public import Host
import FoundationEssentials
public import Model
import Web

/// What the snap store offers of a snap, asked through snapd.
public struct SnapStore: Sendable {
    private let root: Root

    /// Makes a way to the store; nothing is asked yet.
    public init(root: Root) { self.root = root }

    /// Finds what a person has named.
    ///
    /// - Parameters:
    ///   - word: a channel (`1.33/stable`), a revision that a channel of it has, or a version (`v1.33.4`).
    ///   - channel: what the snap follows now; preferred where several offer the same.
    public func release(
        _ word: String, of snap: String, channel: String?
    ) throws(SnapStoreFailure) -> SnapRelease {
        let channels = try channels(of: snap)
        let known = channels.compactMap(\.version)
        func made(_ found: Channel) throws(SnapStoreFailure) -> SnapRelease {
            guard let version = found.version else {
                throw SnapStoreFailure(
                    "\(snap): revision \(found.revision) of \(found.name) says the version \(found.said.printable), "
                        + "which cannot be read")
            }
            return SnapRelease(
                version: version, revision: found.revision, channel: found.name, others: known)
        }
        // As snap itself takes it: a track without a risk is stable.
        for name in [word, "\(word)/stable", "latest/\(word)"] {
            if let found = channels.first(where: { $0.name == name }) { return try made(found) }
        }
        let fits = channels.filter {
            $0.revision == word || ($0.version != nil && $0.version == Version(word))
        }
        if let found = fits.first(where: { $0.name == channel }) ?? fits.first { return try made(found) }
        let names = channels.map(\.name).prefix(12).joined(separator: ", ")
        throw SnapStoreFailure(
            "\(snap): the store has no channel, revision or version \(word.printable) now; it has "
                + (names.isEmpty ? "nothing for this machine" : names) + " ('snap info \(snap)' shows all)")
    }

    private func channels(of snap: String) throws(SnapStoreFailure) -> [Channel] {
        let answers: [Details]
        do {
            let socket = try root.resolve("/run/snapd.socket")
            answers = try SnapdClient(socket: socket, patience: 20_000).details(of: snap)
        } catch {
            throw SnapStoreFailure("\(error)")
        }
        guard let details = answers.first(where: { $0.name == snap }) else {
            throw SnapStoreFailure("\(snap): the store does not know it; see 'snap info \(snap)'")
        }
        return (details.channels ?? [:]).map { name, channel in
            Channel(
                name: name, revision: channel.revision, said: channel.version,
                version: Version(channel.version))
        }.sorted { $0.name < $1.name }
    }

    private struct Channel {
        var name: String
        var revision: String
        var said: String
        var version: Version?
    }

    /// One snap as `GET /v2/find?name=` tells of it.
    struct Details: Decodable {
        struct Channel: Decodable {
            var revision: String
            var version: String
        }
        var name: String
        var channels: [String: Channel]?
    }
}

extension SnapdClient {
    /// What the store has of a snap, all its channels; the store is asked each time.
    fileprivate func details(of snap: String) throws(SnapdError) -> [SnapStore.Details] {
        try ask(
            "/v2/find?name=\(snap)", for: [SnapStore.Details].self, patience: patience, bytes: 16 << 20)
    }
}

/// One revision of a snap that a channel has.
public struct SnapRelease: Hashable, Sendable {
    /// What it says it is.
    public var version: Version
    /// A number.
    public var revision: String
    /// The channel that has it.
    public var channel: String
    /// The versions that all channels have.
    public var others: [Version]
}

/// Why the store did not tell: what happened, and what to do about it.
public struct SnapStoreFailure: Error, Hashable, CustomStringConvertible {
    /// Lower case, no full stop.
    public var description: String

    init(_ description: String) { self.description = description }
}

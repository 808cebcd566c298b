public import Host
import FoundationEssentials
public import Model
import Web

/// What the snap store offers of a snap, asked through snapd.
public struct SnapStore: Sendable {
    private let root: Root

    /// Makes a way to the store; nothing is asked yet.
    public init(root: Root) { self.root = root }

    /// Finds what a person has named, and what a way to it may pass through.
    ///
    /// - Parameters:
    ///   - word: a channel (`1.33/stable`), a revision that a channel of it has, or a version (`v1.33.4`).
    ///   - followed: the channel that the snap follows now; preferred where several offer the same.
    public func find(
        _ word: String, of snap: String, followed: String?
    ) throws(SnapStoreFailure) -> SnapFinding {
        let channels = try channels(of: snap, followed: followed)
        // As snap itself takes it: a track without a risk is stable, a risk without a track is latest.
        let named = [word, "\(word)/stable", "latest/\(word)"].lazy.compactMap { name in
            channels.first { $0.name == name }
        }
        let version = Version(word)
        let wanted =
            named.first
            ?? channels.first { $0.revision == word || ($0.version != nil && $0.version == version) }
        guard let wanted else {
            let names = channels.map(\.name.printable).sorted().prefix(12).joined(separator: ", ")
            throw SnapStoreFailure(
                "\(snap): the store has no channel, revision or version \(word.printable) now; it has "
                    + (names.isEmpty ? "nothing for this machine" : names)
                    + " ('snap info \(snap)' shows all)")
        }
        guard let release = wanted.release else {
            throw SnapStoreFailure(
                "\(snap): revision \(wanted.revision.printable) of \(wanted.name.printable) says the version "
                    + "\(wanted.said.printable), which cannot be read")
        }
        // Nobody asked for a riskier one, or for another kind of the snap.
        let others = channels.filter { $0.flavour == wanted.flavour && $0.risk <= wanted.risk }
        return SnapFinding(release: release, others: others.compactMap(\.release))
    }

    /// All channels: what is followed first, then its kind of the snap before others, and the less risky first.
    private func channels(of snap: String, followed: String?) throws(SnapStoreFailure) -> [Channel] {
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
        let own = followed.map { Channel(name: $0, revision: "", said: "") }
        func rank(_ channel: Channel) -> (Int, Int, Int, String) {
            (
                channel.name == own?.name ? 0 : 1, channel.flavour == (own?.flavour ?? "") ? 0 : 1,
                channel.risk, channel.name
            )
        }
        return (details.channels ?? [:]).map { name, channel in
            Channel(name: name, revision: channel.revision, said: channel.version)
        }.sorted { rank($0) < rank($1) }
    }

    private struct Channel {
        var name: String
        var revision: String
        var said: String

        private static let risks = ["stable", "candidate", "beta", "edge"]

        var version: Version? { Version(said) }
        private var words: [Substring] { name.split(separator: "/", omittingEmptySubsequences: false) }
        /// 0 is stable; a risk that nobody knows, and a branch, come last.
        var risk: Int {
            guard words.count == 2 else { return Self.risks.count }
            return Self.risks.firstIndex(of: String(words[1])) ?? Self.risks.count
        }
        /// Which kind of the snap it is: empty for `1.33/stable`, `strict` for `1.33-strict/stable`.
        var flavour: Substring {
            guard let track = words.first, let dash = track.firstIndex(of: "-") else { return "" }
            return track[track.index(after: dash)...]
        }
        /// Nil where its version cannot be read, or its revision is none.
        var release: SnapRelease? {
            guard let version, !revision.isEmpty, revision.utf8.allSatisfy({ (48...57).contains($0) }) else {
                return nil
            }
            return SnapRelease(version: version, revision: revision, channel: name)
        }
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
}

/// What a person has named, and what else the store has.
public struct SnapFinding: Hashable, Sendable {
    /// What was named.
    public var release: SnapRelease
    /// What channels of the same kind and of no higher risk have, the preferred of equal versions first.
    public var others: [SnapRelease]

    /// The release of a version, by which a step goes to it; nil where no channel has it.
    public func release(of version: Version) -> SnapRelease? {
        version == release.version ? release : others.first { $0.version == version }
    }
}

/// Why the store did not tell: what happened, and what to do about it.
public struct SnapStoreFailure: Error, Hashable, CustomStringConvertible {
    /// Lower case, no full stop.
    public var description: String

    init(_ description: String) { self.description = description }
}

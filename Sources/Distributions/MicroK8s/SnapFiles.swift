import FoundationEssentials
import Host
import Model
import YAML

/// What snapd has left on disk about a snap, for a node whose snapd is not there to be asked.
struct SnapFiles: Hashable {
    /// What `current` leads to, or what snapd's state names.
    var revision: String
    /// From the snap's own description.
    var version: Version?
    /// Why there is none.
    var unreadable: String?
    /// Where the snap is mounted.
    var path: String
    var channel: String?
    /// Whether snapd's state knows it as a snap of the store, whose assertion it checked when it was installed.
    var isFromStore: Bool

    /// Where snaps are mounted: the second on Fedora and its kin, for classic ones without a link from the first.
    static let mounts = ["/snap", "/var/lib/snapd/snap"]

    /// Finds a snap under a root; nil where there is no sign of it.
    init?(snap: String, root: Root) {
        let state = SnapState(snap: snap, root: root)
        let current = Self.currentRevision(of: snap, root: root)
        guard let revision = state?.current ?? current, Self.isRevision(revision) else { return nil }
        self.revision = revision
        channel = state?.channel.flatMap { $0.isEmpty ? nil : $0 }
        isFromStore = revision.utf8.allSatisfy { (48...57).contains($0) } && state?.isFromStore == true
        path = Self.path(of: snap, revision: revision, root: root)
        do throws(HostError) {
            version = try Self.version(at: path, root: root)
            if version == nil { unreadable = "\(path)/meta/snap.yaml names no version of the shape v1.31.4" }
        } catch {
            unreadable = error.description
        }
        if let current, current != revision {
            unreadable =
                "snapd's state says revision \(revision) and the link current says \(current); look again once snapd runs"
            version = nil
        }
    }

    /// Where a revision is mounted; the usual place where it is mounted nowhere.
    static func path(of snap: String, revision: String, root: Root) -> String {
        let places = mounts.map { "\($0)/\(snap)/\(revision)" }
        let mounted = places.first { place in
            guard let path = try? root.resolve(place) else { return false }
            return (try? identity(ofFile: path)) != nil
        }
        return mounted ?? places[0]
    }

    /// The version in a mounted snap's description.
    ///
    /// - Throws: `HostError` where there is none, or it cannot be read.
    static func version(at path: String, root: Root) throws(HostError) -> Version? {
        let bytes = try readFile(root.resolve("\(path)/meta/snap.yaml"), limit: 1 << 20)
        guard let document = try? parseYAML(bytes) else { return nil }
        let text = document.mapping?.first { $0.key.scalar?.text == "version" }?.value.scalar?.text
        return text.flatMap { Version($0) }
    }

    /// What the link `current` says; it names a directory beside it.
    private static func currentRevision(of snap: String, root: Root) -> String? {
        for mount in mounts {
            guard let directory = try? root.resolve("\(mount)/\(snap)"),
                let target = try? readLink("\(directory)/current")
            else { continue }
            let name = target.split(separator: "/").last.map(String.init) ?? ""
            if isRevision(name) { return name }
        }
        return nil
    }

    /// A number, or `x` and a number for what was sideloaded.
    static func isRevision(_ text: String) -> Bool {
        let digits = text.hasPrefix("x") ? text.dropFirst() : Substring(text)
        return (1...18).contains(digits.utf8.count) && digits.utf8.allSatisfy { (48...57).contains($0) }
    }
}

/// A snap in snapd's own state.
private struct SnapState {
    var current: String?
    var channel: String?
    var isFromStore: Bool

    init?(snap: String, root: Root) {
        struct File: Decodable {
            var data: Content
        }
        struct Content: Decodable {
            var snaps: [String: Entry]?
        }
        struct Entry: Decodable {
            var current: String?
            var channel: String?
            var sequence: [Revision]?
        }
        struct Revision: Decodable {
            var revision: String?
            var id: String?

            enum CodingKeys: String, CodingKey {
                case revision
                case id = "snap-id"
            }
        }
        guard let path = try? root.resolve("/var/lib/snapd/state.json"),
            // Of a busy machine it has some megabytes.
            let bytes = try? readFile(path, limit: 32 << 20),
            let file = try? JSONDecoder().decode(File.self, from: Data(bytes)),
            let entry = file.data.snaps?[snap]
        else { return nil }
        current = entry.current
        channel = entry.channel
        isFromStore =
            entry.sequence?.contains { $0.revision == entry.current && $0.id?.isEmpty == false } ?? false
    }
}

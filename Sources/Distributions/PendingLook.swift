import Host
import Model
import Ports

extension BinaryLook {
    /// The gate keeps no more than this; further ones are not ours to read.
    private static let mostPending = 8

    /// Artifacts that were turned away and are kept beside a binary, the newest first: offers whose bytes are at hand.
    ///
    /// Where nothing is kept, one question of the file system is all that is asked. Of files with the same bytes the
    /// newest counts. What cannot be read now is told as a problem: it may be there all the same.
    mutating func pending(beside binary: String, _ memory: inout ObserverMemory) -> [Offer] {
        let directory = PendingNames.directory(beside: binary)
        guard let place = try? site.root.resolve(directory) else { return [] }
        let own = binary.split(separator: "/").last.map(String.init) ?? binary
        var ours: [String] = []
        do {
            ours = try listDirectory(place).filter { PendingNames.isName($0, of: own) }
        } catch {
            report(unread: error, beside: binary)
        }
        forget(place, own, allBut: ours, &memory)
        var files: [(name: String, identity: FileIdentity)] = []
        for name in ours {
            let path = "\(place)/\(name)"
            do {
                // A link would lead to a file that is not kept.
                guard let there = try identityIfPresent(ofFile: path), there == (try identity(ofFile: path))
                else { continue }
                files.append((name, there))
            } catch {
                report(unread: error, beside: binary)
            }
        }
        files.sort { ($0.identity.changed, $0.name) > ($1.identity.changed, $1.name) }
        var offers: [Offer] = []
        for file in files.prefix(Self.mostPending) {
            let path = "\(place)/\(file.name)"
            let found: Inspection
            do {
                found = try inspect(
                    path, distribution: distribution, known: memory.files[path], now: reading.now)
            } catch {
                report(unread: error, beside: binary)
                continue
            }
            memory.files[path] = found.known
            guard let digest = found.sha256, !offers.contains(where: { $0.artifact.sha256 == digest }) else {
                continue
            }
            offers.append(
                Offer(
                    artifact: Artifact(version: found.known.version, sha256: digest), trigger: .fileReplaced,
                    published: nil, origin: found.known.version == nil ? .unknown : .claimed,
                    path: "\(directory)/\(file.name)"))
        }
        return offers
    }

    private mutating func report(unread error: HostError, beside binary: String) {
        guard error.isInconclusive else { return }
        let problem = Problem(
            code: Problem.pendingUnreadable,
            text: "\(error.description), so what the gate has kept aside may not all be listed", about: binary
        )
        if !problems.contains(where: { $0.code == problem.code && $0.about == binary }) {
            problems.append(problem)
        }
    }

    private func forget(
        _ place: String, _ binary: String, allBut names: [String], _ memory: inout ObserverMemory
    ) {
        for path in memory.files.keys where path.hasPrefix("\(place)/") {
            let name = String(path.dropFirst(place.count + 1))
            if PendingNames.isName(name, of: binary), !names.contains(name) { memory.files[path] = nil }
        }
    }
}

import Model
import Ports

/// A snapd that refreshes one snap: it goes on by itself, whoever dies meanwhile.
final class SimulatedSnapd {
    /// Revisions that it was asked for, each time.
    private(set) var asked: [String] = []
    /// Revisions that it takes back by itself.
    var fates: [String: SnapdUndo] = [:]
    /// Why it takes nothing; nil while it does.
    var refusal: String?
    /// How many waits a refresh takes.
    var length = 3
    private var atWork: (refresh: RevisionRefresh, left: Int)?
    private var undone: [String: SnapdUndo] = [:]

    func refresh(_ refresh: RevisionRefresh, from installed: String?) throws(EffectFailure) {
        if let refusal { throw EffectFailure(refusal) }
        guard installed == refresh.from, atWork == nil else {
            throw EffectFailure("the snap has a change in progress, or another revision")
        }
        asked.append(refresh.revision)
        undone[refresh.revision] = nil
        atWork = (refresh, length)
    }

    /// Time passes; the revision that is now installed and started, where one is.
    func goOn() -> String? {
        guard var work = atWork else { return nil }
        work.left -= 1
        atWork = work.left > 0 ? work : nil
        guard work.left <= 0 else { return nil }
        if let fate = fates[work.refresh.revision] {
            undone[work.refresh.revision] = fate
            return fate.hadStopped ? work.refresh.from : nil
        }
        return work.refresh.revision
    }

    func probe(_ refresh: RevisionRefresh, installed: String?) -> EffectProbe {
        if atWork != nil { return .underWay }
        if installed == refresh.revision { return .done(nil) }
        return undone[refresh.revision].map { .takenBack($0) } ?? .notDone
    }
}

extension World {
    var installedRevision: String? { installations.first?.installed?.artifact.revision }

    /// snapd has put a revision in place and started its services.
    func refreshed(to revision: String) {
        guard let artifact = revisions[revision] else { return }
        starts += 1
        installations[0].installed?.artifact = artifact
        installations[0].installed?.path = "/snap/microk8s/\(revision)"
        installations[0].offers.removeAll { $0.artifact.revision == revision }
        for index in installations[0].units.indices {
            installations[0].units[index].invocationID = "start-\(starts)"
        }
        installations[0].running = Running(
            version: artifact.version, sources: [.init(source: .snapd, version: artifact.version)],
            invocationID: "start-\(starts)", restartPending: false, startedFrom: artifact)
    }

    private var revisions: [String: Artifact] {
        [snapOld, snapPatch, snapMinor].reduce(into: [:]) { $0[$1.revision ?? ""] = $1 }
    }
}

import Model
import Ports

// How bytes come to the node before its turn.
extension StepRun.Run {
    /// Fetches one artifact; what is proven is known to the ledger from then on, and so is what failed.
    mutating func fetch(_ order: FetchOrder, _ judgement: Judgement) throws(LedgerFailure) -> Bool {
        guard let care = world.care, let source = care.source(order.source) else { return false }
        var wanted = order.wanted
        let hex = wanted.pinned?.hex ?? ""
        wanted.imported = try world.ledger.catalogEntries(of: wanted.version, for: wanted.distribution)
            .first { $0.architecture == wanted.architecture }?.sha256
        let memory = try world.ledger.load().memory
        var downloads = memory.downloads ?? KnownDownloads()
        let path = "\(care.downloads)/\(wanted.fileName)"
        do throws(SourceFailure) {
            let found = try source.find(wanted)
            care.tidy(Set([wanted.fileName]))
            let fetched = try source.fetch(found, to: care.place(path)) { progress in
                care.progress(progress)
                return true
            }
            care.progress(FetchProgress(done: fetched.size, total: fetched.size))
            downloads.done = [fetched.sha256.hex: path]
            downloads.failed[hex] = nil
            if found.proof == .release || found.proof == .imported {
                proven = found
            }
        } catch {
            let count = (downloads.failed[hex]?.count ?? 0) + 1
            let failure = KnownDownloads.Failure(
                reason: error.description, at: world.clock.read().now, count: count,
                lacksRoom: error.code == .space)
            downloads.failed = [hex: failure]
            report.trouble = "\(wanted.fileName) is not fetched: \(error.description)"
        }
        try world.ledger.remember { $0.downloads = downloads }
        if let found = proven {
            proven = nil
            let known = try world.ledger.catalogEntries(for: found.sha256)
            if !known.contains(where: { $0.version == found.wanted.version }) {
                try append(
                    [catalogImport(of: [found], at: world.clock.read().now, label: care.digest)],
                    judgement.state)
            }
        }
        return downloads.done[hex] != nil
    }
}

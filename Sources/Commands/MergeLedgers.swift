import Host
import Ledger
import Model
import Ports

/// A ledger that a merge was given.
struct MergedLedger {
    /// The database's file.
    var file: String
    /// The one state of it that was checked, and that everything is read from; nil where nothing is to be read.
    var ledger: Ledger?
    /// Copies of it that may still have what retention dropped in it.
    var older: [Ledger] = []
    /// What its chain is worth; nil where it could not be read.
    var report: VerifyReport?
    /// Why it does not count, or not alone; nil where nothing is wrong.
    var trouble: String?
    /// The file of which this one is a shorter copy; nil where it is none.
    var copyOf: String?

    /// Whether it is whole, and agrees with every other copy of it.
    var isSound: Bool { trouble == nil }
}

/// Finds the ledgers that a merge is given, checks each, and compares copies of one.
struct MergeLedgers {
    /// The most ledgers of one merge.
    static let most = 20_000

    /// The files of ledgers among paths: a file itself; of a directory its `ledger.db`, else what its own directories and
    /// it hold of `ledger.db` and `*.db`.
    static func files(_ paths: [String]) throws(Failure) -> [String] {
        var files: [String] = []
        for path in paths {
            guard isDirectory(path) else {
                files.append(path)
                continue
            }
            if isFile("\(path)/ledger.db") {
                files.append("\(path)/ledger.db")
                continue
            }
            let found = try names(in: path).flatMap { name -> [String] in
                let inside = "\(path)/\(name)"
                if isFile("\(inside)/ledger.db") { return ["\(inside)/ledger.db"] }
                return name.hasSuffix(".db") && isFile(inside) ? [inside] : []
            }
            guard !found.isEmpty else {
                throw Failure(
                    code: .failed,
                    message:
                        "\(path.printable): no ledger.db in it, nor in a directory of it; copy ledgers there")
            }
            files += found
        }
        guard files.count <= most else {
            throw Failure(
                code: .failed, message: "\(files.count) ledgers are more than \(most); merge them in parts")
        }
        return files
    }

    private static func names(in path: String) throws(Failure) -> [String] {
        do throws(HostError) { return try listDirectory(path, limit: most) } catch {
            throw Failure(code: .failed, message: error.description)
        }
    }

    private static func isFile(_ path: String) -> Bool {
        !isDirectory(path) && (try? identity(ofFile: path)) != nil
    }

    /// Checks each ledger, and keeps the state that was checked, with the checkpoints beside it: `checkpoints`, or for a file of another name that name with
    /// `.checkpoints`.
    static func check(_ files: [String], on screen: Screen) -> [MergedLedger] {
        // Each ledger is up to three files.
        Machine.raiseOpenFiles(to: files.count * 3 + 64)
        var ledgers = files.map { file in
            do throws(LedgerFailure) {
                let ledger = try Ledger.openForReading(file: file)
                // What is written from here on was not checked, and is no part of it.
                try ledger.holdState()
                let progress = ProgressText("\(file.printable): checked", of: .entries, on: screen)
                defer { progress.end() }
                let report = try ledger.verify(
                    against: try checkpoints(beside: checkpointFile(of: file)), progress: progress.show)
                let first = report.findings.first
                return MergedLedger(
                    file: file, ledger: ledger, report: report,
                    trouble: first.map { "entry \($0.seq): \($0.kind.rawValue): \($0.text)" })
            } catch {
                return MergedLedger(file: file, trouble: error.description)
            }
        }
        compareCopies(&ledgers)
        return ledgers
    }

    private static func checkpointFile(of file: String) -> String {
        let slash = file.lastIndex(of: "/")
        let name = slash.map { String(file[file.index(after: $0)...]) } ?? file
        return name == "ledger.db" ? String(file.dropLast(name.count)) + "checkpoints" : file + ".checkpoints"
    }

    /// Of several copies of one ledger the longest counts: a shorter one is the beginning of it, or they fork.
    ///
    /// A beginning is read only where retention dropped bodies of the longest since.
    private static func compareCopies(_ ledgers: inout [MergedLedger]) {
        let sound = ledgers.indices.filter { ledgers[$0].isSound }
        for (origin, copies) in Dictionary(grouping: sound, by: { ledgers[$0].report?.origin ?? "" })
        where copies.count > 1 {
            let longest = copies.max {
                (ledgers[$0].report?.headSeq ?? 0) < (ledgers[$1].report?.headSeq ?? 0)
            }
            guard let longest, let ledger = ledgers[longest].ledger else { continue }
            for copy in copies where copy != longest {
                guard let report = ledgers[copy].report else { continue }
                let hash = try? ledger.hash(ofEntry: report.headSeq)
                if hash?.hex == report.headHash {
                    ledgers[copy].copyOf = ledgers[longest].file
                    if let older = ledgers[copy].ledger, (ledgers[longest].report?.droppedBodies ?? 0) > 0 {
                        ledgers[longest].older.append(older)
                    }
                    ledgers[copy].ledger = nil
                } else {
                    let text =
                        "two ledgers of origin \(origin) say different things of entry \(report.headSeq) or before"
                    ledgers[copy].trouble = "\(text): the other is \(ledgers[longest].file)"
                    ledgers[longest].trouble = "\(text): the other is \(ledgers[copy].file)"
                }
            }
        }
    }
}

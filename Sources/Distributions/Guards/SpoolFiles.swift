import Host
import Model
public import Ports

/// The spool as files of the state directory.
extension NodeGuards {
    private var spoolDirectory: String { "\(state)/spool" }
    private var asideDirectory: String { "\(state)/spool-unreadable" }

    /// What lies in the spool; where nobody may look, nothing.
    public func spool(most: Int, largest: Int) -> SpoolFinding {
        var finding = SpoolFinding()
        finding.aside = asideDirectory
        do throws(HostError) {
            let directory = try place(spoolDirectory)
            for name in try listDirectory(directory).prefix(most) {
                do throws(HostError) {
                    if let file = try spooled(name, in: directory, largest: largest) {
                        finding.files.append(file)
                    }
                } catch {
                    // What the disk does not give now it may give to the next tick, so it stays where it is; the others do
                    // not wait for it.
                    finding.problem = finding.problem ?? problem(error)
                }
            }
            if !finding.files.isEmpty {
                finding.keptAside = (try? listDirectory(place(asideDirectory)))?.count ?? 0
            }
        } catch {
            finding.problem = problem(error)
        }
        return finding
    }

    private func spooled(
        _ name: String, in directory: String, largest: Int
    ) throws(HostError) -> SpooledFile? {
        let path = "\(directory)/\(name)"
        guard let identity = try identityIfPresent(ofFile: path) else { return nil }
        let content: GuardPresence.FileContent
        do throws(HostError) {
            content = .bytes(try readFile(path, limit: largest))
        } catch {
            if error.isInconclusive { throw error }
            content = .unusable(error.description)
        }
        return SpooledFile(name: name, changed: identity.changed, content: content)
    }

    /// Nil where there is nothing, or it is for others than this user to look at.
    private func problem(_ error: HostError) -> Problem? {
        guard error.isInconclusive || (!error.isAbsence && !error.isDenial) else { return nil }
        return Problem(
            code: "spool-unreadable",
            text: "\(error.description): what the start gate left cannot be taken into the ledger")
    }

    /// Takes a file of the spool away.
    public func remove(spooled name: String) throws(EffectFailure) {
        try failing { () throws(HostError) in try removeFile(try place("\(spoolDirectory)/\(name)")) }
    }

    /// Moves a file of the spool to where what is no record is kept.
    public func setAside(spooled name: String) throws(EffectFailure) {
        try failing { () throws(HostError) in
            let directory = try place(asideDirectory)
            try makeDirectories(directory, mode: 0o700)
            try moveFile(try place("\(spoolDirectory)/\(name)"), to: "\(directory)/\(name)")
        }
    }
}

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
                let path = "\(directory)/\(name)"
                guard let identity = try identityIfPresent(ofFile: path) else { continue }
                let content: GuardPresence.FileContent
                do throws(HostError) {
                    content = .bytes(try readFile(path, limit: largest))
                } catch {
                    // What the disk does not give now it may give to the next tick, so it stays where it is.
                    if error.isInconclusive { throw error }
                    content = .unusable(error.description)
                }
                finding.files.append(SpooledFile(name: name, changed: identity.changed, content: content))
            }
            if !finding.files.isEmpty {
                finding.keptAside = (try? listDirectory(place(asideDirectory)))?.count ?? 0
            }
        } catch {
            if !error.isAbsence, !error.isDenial {
                finding.problem = Problem(
                    code: "spool-unreadable",
                    text: "\(error.description): what the start gate left cannot be taken into the ledger")
            }
        }
        return finding
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

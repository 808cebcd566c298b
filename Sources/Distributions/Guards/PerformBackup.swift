import Host
import Model
import Ports

extension NodeGuards {
    private func making(_ backUp: BackUp) -> MakeBackup {
        MakeBackup(root: root, units: transientUnits, backUp: backUp)
    }

    /// Makes a backup, or goes on making it.
    func perform(_ backUp: BackUp) throws(HostError) {
        // Its names become paths, and the name of a unit.
        let safe = backUp.label.utf8.allSatisfy {
            (48...57).contains($0) || (97...122).contains($0) || $0 == UInt8(ascii: "-")
        }
        guard safe, !backUp.label.isEmpty,
            backUp.directory == "\(state)/backups/\(backUp.installation.name)/\(backUp.label)",
            !backUp.installation.name.contains("/"), !backUp.installation.name.hasPrefix(".")
        else { throw HostError(description: "\(backUp.directory): no place for a backup of this node") }
        try making(backUp).perform()
    }

    /// Whether a backup is there; while its program runs it is under way.
    func probe(_ backUp: BackUp) throws(HostError) -> EffectProbe {
        let making = making(backUp)
        if try making.isThere() { return .done(nil) }
        return try making.state() == .running ? .underWay : .notDone
    }

    /// Takes away what a program left that is gone.
    func undo(_ backUp: BackUp) throws(HostError) { try making(backUp).undo() }

    /// Takes a backup away: from its name first, so that none that is half gone is ever taken for one.
    func remove(_ backup: KeptBackup) throws(HostError) {
        let path = try place(backup.directory)
        let (parent, name) = (
            path[..<(path.lastIndex(of: "/") ?? path.startIndex)], path.split(separator: "/").last ?? ""
        )
        let gone = "\(parent)/.\(name).gone"
        try removeTree(gone)
        guard try identityIfPresent(ofFile: path) != nil else { return }
        guard try BackupManifest.read(path)?.step == backup.step else {
            throw HostError(
                description: "\(backup.directory): another backup is there now, so it is left alone")
        }
        try moveFile(path, to: gone)
        try removeTree(gone)
    }
}

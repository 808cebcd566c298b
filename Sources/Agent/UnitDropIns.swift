import Model
import Ports

/// Units of ours, and what each knows of a node before it was told more.
///
/// `make install` puts the same units on every node. What a node has elsewhere goes into drop-ins, which are ours
/// like the gate's and are placed, recorded and taken away like it.
enum OwnUnit: String, CaseIterable {
    case tick = "holdfast.service"
    case step = "holdfast-step.service"
    case watch = "holdfast.path"
    case settle = "holdfast-settle.path"

    /// Where `make install` may have put it.
    var places: [String] {
        ["/usr/local/lib/systemd/system", "/usr/lib/systemd/system"].map { "\($0)/\(rawValue)" }
    }

    /// Its drop-in, of a name that says what it is for.
    var dropIn: String { "/etc/systemd/system/\(rawValue).d/paths.conf" }

    /// Whether a drop-in is of one of these.
    static func isDropIn(_ path: String) -> Bool { allCases.contains { $0.dropIn == path } }

    /// Directories that both services may write to by their own files.
    private static let written = ["/etc/systemd/system", "/usr/local/bin", "/opt/bin", "/var/lib/holdfast"]
    /// Directories that both path units watch by their own files.
    private static let watched = ["/usr/local/bin", "/opt/bin", "/snap/microk8s", "/etc/holdfast"]
    /// Where so much happens that a watch of the whole directory would never be quiet: the file itself is named there.
    private static let busy: Set<String> = ["/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/local/sbin"]

    /// What the drop-in says; nil where the unit knows all of it.
    ///
    /// - Parameters:
    ///   - binaries: those that are guarded.
    ///   - state: the state directory.
    ///   - seals: whether immutable flags are set and cleared.
    ///   - holdsSnaps: whether a refresh of a snap is given up while it is still at its download.
    func text(binaries: [String], state: String, seals: Bool, holdsSnaps: Bool) -> String? {
        var lines: [String] = []
        switch self {
        case .tick, .step:
            let directories = Set(binaries.map(directory) + [state]).subtracting(Self.written).sorted()
            lines += directories.compactMap { Self.quoted($0).map { "ReadWritePaths=\($0)" } }
            // FS_IOC_SETFLAGS asks for it; the units themselves go without.
            if seals { lines.append("CapabilityBoundingSet=CAP_LINUX_IMMUTABLE") }
            if !lines.isEmpty { lines.insert("[Service]", at: 0) }
        case .watch, .settle:
            let paths = Set(
                binaries.map { binary in
                    let directory = directory(of: binary)
                    return Self.busy.contains(directory) ? binary : directory
                })
            // One that is missing would make systemd lose what happens to its neighbours (see holdfast.path): these
            // are where a binary was seen.
            // Where a download begins; what comes later is seen below /snap.
            let downloads: Set<String> = holdsSnaps && self == .watch ? ["/var/lib/snapd/snaps"] : []
            lines += paths.subtracting(Self.watched).union(downloads).sorted().compactMap { path in
                Self.escaped(path).map { "PathChanged=\($0)" }
            }
            if !lines.isEmpty { lines.insert("[Path]", at: 0) }
        }
        guard !lines.isEmpty else { return nil }
        return
            "# Written by 'holdfast adopt' for what this node has elsewhere; 'holdfast release' takes it away.\n"
            + lines.joined(separator: "\n") + "\n"
    }

    /// A path as a unit file has it, where each may stand on a line with others; nil for one that no unit file can name.
    private static func quoted(_ path: String) -> String? {
        escaped(path).map { $0.contains(" ") ? "\"-\($0)\"" : "-\($0)" }
    }

    private static func escaped(_ path: String) -> String? {
        guard path.hasPrefix("/"),
            path.utf8.allSatisfy({
                $0 >= 32 && $0 != 127 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
            })
        else { return nil }
        return path.reduce(into: "") { $0 += $1 == "%" ? "%%" : String($1) }
    }
}

private func directory(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
    return String(path[..<slash])
}

extension GuardSituation {
    /// Files of our own units, of which it counts whether they are there; none where nothing is adopted.
    var ownUnitPlaces: [String] {
        adoptedBinaries.isEmpty && !holdsSnaps ? [] : OwnUnit.allCases.flatMap(\.places)
    }

    /// The drop-ins that our own units need on this node, where they are installed.
    func wantedUnitDropIns(_ presence: GuardPresence) -> [(path: String, text: String)] {
        let binaries = adoptedBinaries
        guard !binaries.isEmpty || holdsSnaps else { return [] }
        let seals = wantsSeal || records.settings.contains { $0.setting.kind == .seal }
        return OwnUnit.allCases.compactMap { unit in
            guard unit.places.contains(where: { presence.identities[$0] != nil }),
                let text = unit.text(
                    binaries: binaries, state: site.state, seals: seals, holdsSnaps: holdsSnaps)
            else { return nil }
            return (unit.dropIn, text)
        }
    }

    /// Whether a snap is kept from being refreshed.
    private var holdsSnaps: Bool { guardedSnaps.contains { $0.enforce.hold == .general || $0.enforce.veto } }

    /// Binaries of what is adopted; a snap has none that is replaced in its place.
    private var adoptedBinaries: [String] {
        guard policy != nil || hasLostPolicy else { return [] }
        return state.installations.sorted { $0.key < $1.key }.compactMap { _, known in
            guard known.adoption != nil, known.installation.id.distribution != .microk8s else { return nil }
            let seen = observation.installations.first { $0.id == known.installation.id }
            return (seen ?? known.installation).installed?.path
        }
    }
}

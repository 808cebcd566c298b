public import Host
public import Model
public import Ports

/// The backups of a node.
public struct NodeBackups: BackupPort {
    private let root: Root
    /// The state directory, as the node has it.
    private let state: String
    private let units: any TransientUnits

    /// Makes the port of a node.
    ///
    /// - Parameters:
    ///   - state: the state directory, as the node has it.
    ///   - units: who runs programs in units of their own.
    public init(root: Root, state: String, units: any TransientUnits = SystemdTransientUnits()) {
        self.root = root
        self.state = state
        self.units = units
    }

    /// Those that have a manifest; a draft is none.
    public func backups(of installation: InstallationID) throws(EffectFailure) -> [KeptBackup] {
        do throws(HostError) {
            let directory = "\(state)/backups/\(installation.name)"
            let place = try root.resolve(directory)
            guard isDirectory(place) else { return [] }
            var found: [KeptBackup] = []
            for name in try listDirectory(place, limit: 1000) where !name.hasPrefix(".") {
                guard var backup = try BackupManifest.read("\(place)/\(name)"),
                    backup.installation == installation
                else { continue }
                // Where it lies counts, not what it says.
                backup.directory = "\(directory)/\(name)"
                found.append(backup)
            }
            return found.sorted { ($0.at, $0.directory) < ($1.at, $1.directory) }
        } catch {
            throw EffectFailure(error.description)
        }
    }

    /// Every file by its size and digest, which were taken right after what it holds was found to be whole.
    public func verify(_ backup: KeptBackup) throws(EffectFailure) {
        do throws(HostError) {
            let directory = try root.resolve(backup.directory)
            for file in backup.files {
                guard !file.name.split(separator: "/").contains(".."),
                    try examinePrivateFile("\(directory)/\(file.name)", named: file.name) == file
                else {
                    throw HostError(
                        description:
                            "\(backup.directory)/\(file.name): it is not what was saved there; take this backup "
                            + "away, so that another is made")
                }
            }
        } catch {
            throw EffectFailure(error.description)
        }
    }

    /// Begins an owner's program, or joins it.
    public func run(_ command: OwnersCommand) -> OwnersCommand.Standing {
        guard let program = command.arguments.first, program.hasPrefix("/") else {
            return .unknown("the command does not name a program by its absolute path")
        }
        let unit = "holdfast-\(command.label).service"
        do throws(HostError) {
            switch try units.state(of: unit) {
            case .absent:
                try units.start(
                    TransientTask(
                        unit: unit, purpose: "Holdfast runs \(program)", arguments: command.arguments,
                        timeout: command.timeout.seconds))
                return .running
            case .running: return .running
            case .ended:
                try units.forget(unit)
                return .passed
            case .failed(let reason):
                try units.forget(unit)
                // Not the arguments: they can carry tokens (invariant 13).
                return .failed("\(program): \(reason)")
            }
        } catch {
            return .unknown(error.description)
        }
    }
}

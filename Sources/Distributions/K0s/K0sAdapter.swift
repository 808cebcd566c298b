import Host
public import Model
public import Ports
import YAML

/// Finds k0s controllers, workers and single nodes by their units.
public struct K0sAdapter: DistributionAdapter {
    public var distribution: Distribution { .k0s }

    /// Makes an adapter.
    public init() {}

    /// Looks at every unit that runs `k0s controller` or `k0s worker`, under whatever name.
    public func look(at site: Site, reading: ClockReading, memory: inout ObserverMemory) -> Findings {
        var look = BinaryLook(distribution: .k0s, site: site, reading: reading)
        let units = look.services(named: K0sService.name, subcommands: K0sService.subcommands, memory)
        var installations: [Installation] = []
        var access: ClusterAccess?
        for unit in units {
            let service = K0sService(unit.program)
            guard let installation = installation(of: unit, service, &look, &memory) else { continue }
            installations.append(installation)
            access = access ?? service.access
        }
        return Findings(installations: installations, problems: look.problems, access: access)
    }

    private func installation(
        of unit: RecognisedUnit, _ service: K0sService, _ look: inout BinaryLook,
        _ memory: inout ObserverMemory
    ) -> Installation? {
        guard look.isPresent(unit, dataDirectory: service.dataDirectory) else { return nil }
        let installed = look.installed(at: unit.location, &memory)
        let state = look.state(of: unit)
        return Installation(
            id: unit.id, role: service.role, units: [state], dataDirectory: service.dataDirectory,
            dataStore: service.dataStore(storage(of: service, &look)), installed: installed,
            running: look.running(
                state, installed, of: unit.id,
                answers: answers(of: unit, service, state, installed, &look, &memory), &memory),
            offers: look.pending(beside: unit.location, &memory))
    }

    private func storage(of service: K0sService, _ look: inout BinaryLook) -> K0sStorage? {
        guard let path = service.configurationFile, let file = look.files([path]).first else { return nil }
        do {
            return try k0sStorage(file.content)
        } catch {
            look.problems.append(.configuration(path, error.description))
            return .other
        }
    }

    /// What k0s itself says: its status socket, and only where that is silent the API.
    private func answers(
        of unit: RecognisedUnit, _ service: K0sService, _ state: UnitObservation, _ installed: Installed,
        _ look: inout BinaryLook, _ memory: inout ObserverMemory
    ) -> [Running.Source] {
        guard !look.site.root.isLive || state.mainPID > 0 else { return [] }
        let said = look.remembered("\(unit.id) status", state, installed, &memory) {
            k0sStatusVersion(socket: service.statusSocket, root: look.site.root, patience: look.site.patience)
        }
        if let said { return [Running.Source(source: .k0sStatus, version: said)] }
        guard look.site.root.isLive, service.role?.isControlPlane == true else { return [] }
        let version = look.remembered("\(unit.id) api", state, installed, &memory) {
            // k0s builds its API server as `v1.31.4+k0s`, which names no release of k0s.
            look.apiVersion(kubeconfig: service.kubeconfig).flatMap { $0.build.hasPrefix("k0s.") ? $0 : nil }
        }
        return version.map { [Running.Source(source: .api, version: $0)] } ?? []
    }
}

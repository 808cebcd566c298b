import Host
public import Model
public import Ports
import YAML

/// Finds K3s servers and agents by their units.
public struct K3sAdapter: DistributionAdapter {
    public var distribution: Distribution { .k3s }

    /// Makes an adapter.
    public init() {}

    /// Looks at every unit that runs `k3s server` or `k3s agent`, under whatever name.
    public func look(at site: Site, reading: ClockReading, memory: inout ObserverMemory) -> Findings {
        var look = BinaryLook(distribution: .k3s, site: site, reading: reading)
        let units = look.services(named: K3sService.name, subcommands: K3sService.subcommands, memory)
        var installations: [Installation] = []
        var access: ClusterAccess?
        for unit in units {
            let configuration = configuration(of: unit, &look)
            let service = K3sService(
                unit.program, environment: unit.environment, configuration: configuration)
            if let installation = installation(of: unit, service, &look, &memory) {
                installations.append(installation)
                access = access ?? service.access
            }
        }
        return Findings(installations: installations, problems: look.problems, access: access)
    }

    /// What the configuration file of a unit and its additions set; what comes later wins.
    ///
    /// Nil where not all of it can be read.
    private func configuration(of unit: RecognisedUnit, _ look: inout BinaryLook) -> [String: String]? {
        let main = K3sService.configurationFile(unit.program, environment: unit.environment)
        var settings: [String: String] = [:]
        let problemsBefore = look.problems.count
        for file in look.files([main] + look.dropIns(of: main)) {
            do throws(YAMLError) {
                settings.merge(try k3sConfiguration(file.content)) { $1 }
            } catch {
                look.problems.append(.configuration(file.path, error.description))
            }
        }
        return look.problems.count == problemsBefore ? settings : nil
    }

    private func installation(
        of unit: RecognisedUnit, _ service: K3sService, _ look: inout BinaryLook,
        _ memory: inout ObserverMemory
    ) -> Installation? {
        guard look.isPresent(unit, dataDirectory: service.dataDirectory) else { return nil }
        let installed = look.installed(at: unit.location, &memory)
        let state = look.state(of: unit)
        var answers: [Running.Source] = []
        if look.site.root.isLive, service.role == .server, state.mainPID > 0 {
            let version = look.remembered("\(unit.id) api", state, installed, &memory) {
                look.apiVersion(kubeconfig: service.kubeconfig)
            }
            if let version { answers.append(Running.Source(source: .api, version: version)) }
        }
        return Installation(
            id: unit.id, role: service.role, units: [state], dataDirectory: service.dataDirectory,
            dataStore: service.dataStore(hasEtcd: look.site.root.exists(service.etcdDirectory)),
            installed: installed,
            running: look.running(state, installed, of: unit.id, answers: answers, &memory),
            offers: look.pending(beside: unit.location, &memory))
    }
}

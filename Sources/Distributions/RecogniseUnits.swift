import Host
import Model
import Ports

/// A unit that runs a distribution's program.
struct RecognisedUnit {
    var id: InstallationID
    var program: ServiceProgram
    /// Where the program is on the node.
    var location: String
    /// It can hold secrets; it is read, never kept.
    var environment: [String: String]
    var service: String
    var fragmentPath: String
}

extension BinaryLook {
    /// Programs of other names that are opened in one look to see what they are; a node has a few at most.
    private static let mostStrangers = 64

    /// The units that run this distribution: by the shape of their command, and by the bytes where the name is another.
    mutating func services(
        named name: String, subcommands: Set<String>, _ memory: ObserverMemory
    ) -> [RecognisedUnit] {
        let extra = Set(site.extraUnits)
        func program(of service: ServiceDefinition) -> ServiceProgram? {
            ServiceProgram(
                command: service.command, named: name, subcommands: subcommands,
                anyShape: extra.contains(service.name))
        }
        let services: [ServiceDefinition]
        do {
            services = try site.units.services { program(of: $0) != nil }
        } catch {
            problems.append(Problem(code: Problem.unitsUnreadable, text: error.description))
            return []
        }
        if let unread = site.units.unread {
            problems.append(Problem(code: Problem.unitsUnreadable, text: unread.description))
        }
        var strangers = 0
        var units: [RecognisedUnit] = []
        for service in services {
            guard let program = program(of: service) else { continue }
            let location = program.location(in: site.root)
            if program.name != .exact {
                strangers += 1
                guard strangers <= Self.mostStrangers,
                    isOurs(program, at: location, isNamed: extra.contains(service.name), memory)
                else { continue }
            }
            units.append(
                RecognisedUnit(
                    id: InstallationID(
                        distribution: distribution, name: String(service.name.dropLast(".service".count))),
                    program: program, location: location, environment: service.environment,
                    service: service.name,
                    fragmentPath: service.fragmentPath))
        }
        return units
    }

    /// Whether a program under another name is the distribution, by the module that it is built from.
    ///
    /// Where it says none (builds before Go's modules), one that begins as the releases' names do, or that node.yaml
    /// names, is taken for it where its bytes hold a version of the right shape. A file that has gone can only be
    /// judged by its name.
    private func isOurs(
        _ program: ServiceProgram, at location: String, isNamed: Bool, _ memory: ObserverMemory
    ) -> Bool {
        guard let path = try? site.root.resolve(location), let identity = try? identity(ofFile: path) else {
            return program.name == .similar
        }
        if let known = memory.files[path], known.identity == identity,
            known.version?.distribution == distribution
        {
            return true
        }
        if let found = distributionOfProgram(at: path) { return found == distribution }
        guard program.name == .similar || isNamed else { return false }
        return readArtifact(at: path, distribution: distribution).version != nil
    }

    /// Whether a unit is of an installation, and not what was left of one: its program is there, or at least its data.
    func isPresent(_ unit: RecognisedUnit, dataDirectory: String) -> Bool {
        !site.root.lacks(unit.location) || !site.root.lacks(dataDirectory)
    }

    /// How a unit stands; where systemd is silent that is a problem, since what it does not tell is not gone.
    mutating func state(of unit: RecognisedUnit) -> UnitObservation {
        var state = site.units.state(of: unit.service)
        if state.fragmentPath == nil { state.fragmentPath = unit.fragmentPath }
        if let silence = site.units.silence {
            problems.append(Problem(code: "systemd-silent", text: silence.description))
        }
        return state
    }
}

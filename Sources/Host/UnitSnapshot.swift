internal import Model
internal import Ports

/// Unit files as they were at one moment, for all who ask about them during one look.
final class UnitSnapshot: UnitSource {
    private let root: Root
    private let limits: UnitTree.Limits
    private let earlier: KnownUnits?
    private let question: String?
    private let now: Instant
    private var scan: Result<UnitScan, HostError>?
    /// What earlier looks learnt, once it was found to stand.
    private(set) var standing: KnownUnits?
    private var wanted: Set<String> = []
    /// Why a service was left out where all were read again.
    private var unreadAnew: HostError?

    init(root: Root, limits: UnitTree.Limits, earlier: KnownUnits?, question: String?, now: Instant) {
        self.root = root
        self.limits = limits
        self.earlier = earlier
        self.question = question
        self.now = now
    }

    func services(where isWanted: (ServiceDefinition) -> Bool) throws(HostError) -> [ServiceDefinition] {
        if scan == nil { scan = Result { () throws(HostError) in try begin() } }
        guard var current = try scan?.get() else { return [] }
        defer { scan = .success(current) }
        let services = try current.services(where: isWanted)
        wanted.formUnion(services.lazy.map(\.name))
        return services
    }

    func servicesAnew(
        where isWanted: (ServiceDefinition) -> Bool
    ) throws(HostError) -> [ServiceDefinition] {
        // What an earlier look left out because nobody wanted it is read again.
        var anew = try UnitScan(root: root, limits: limits)
        let services = try anew.services(where: isWanted)
        unreadAnew = anew.unread
        return services
    }

    var unread: HostError? {
        if case .success(let scan) = scan, let unread = scan.unread { return unread }
        return unreadAnew
    }

    func state(of unit: String) -> UnitObservation { UnitObservation(name: unit) }

    var known: KnownUnits? {
        if let standing { return standing }
        guard let question, case .success(let scan) = scan, scan.unread == nil else { return nil }
        let marks = Set(scan.directories).sorted().map { DirectoryMark(of: $0, in: root) }
        // They are taken after the directories were listed: one that moved meanwhile is younger than the look.
        guard marks.allSatisfy({ isOld($0.changed, now: now) }) else { return nil }
        return KnownUnits(
            question: question, directories: marks.map(\.text), services: scan.files(of: wanted), readAt: now)
    }

    private func begin() throws(HostError) -> UnitScan {
        if let earlier, stands(earlier),
            let scan = try UnitScan(root: root, limits: limits, services: earlier.services)
        {
            standing = earlier
            return scan
        }
        return try UnitScan(root: root, limits: limits)
    }

    /// Whether no service can have come, gone or changed its drop-ins.
    ///
    /// A unit file that nobody wanted can have been written to in place, which moves no directory: after an hour all
    /// are read again.
    private func stands(_ known: KnownUnits) -> Bool {
        let age = now - known.readAt
        return known.question == question && age >= .zero && age < .hours(1)
            && known.directories.allSatisfy { DirectoryMark.stands($0, in: root) }
    }
}

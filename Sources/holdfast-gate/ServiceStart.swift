import Gate
import Glibc
import Model

/// One start of a service of a snap, before which a refresh can be vetoed.
struct ServiceStart {
    let report: Report
    let guarded: GuardedInstallation
    let pausedUntil: Instant?

    func run() -> Gatekeeper.Status {
        let link = report.path(guarded.binary ?? "/snap/\(guarded.id.name)/current")
        let revision = target(of: link)
        var seen = VetoObservation(
            revision: revision, ranBefore: ranBefore(mounts: split(link).directory),
            lastRan: report.lastRan(of: guarded))
        while true {
            switch decideVeto(guarded, pausedUntil: pausedUntil, seen: seen, now: report.now) {
            case .allow(let reason, let artifact, let text):
                if reason.isTold { report.tell(reason, text, installation: guarded.id) }
                report.recordStart(of: artifact, guarded, seen.lastRan, isLocked: false)
                return .start
            case .ask:
                seen.answer = askSnapd(socket: report.path("/run/snapd.socket"), snap: guarded.id.name)
                // What moved while snapd answered is not what it answered about.
                if target(of: link) != revision { seen.answer = .failed("the revision changed meanwhile") }
            case .refuse(let text):
                report.tell(.vetoed, text, installation: guarded.id)
                return .refuse
            }
        }
    }

    /// The last name of what a link stands for: `current` is a link to the revision's mount.
    private func target(of link: String) -> String? {
        var name = [CChar](repeating: 0, count: 1024)
        let count = readlink(link, &name, name.count)
        guard count > 0, count < name.count,
            let text = String(validating: name[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        else { return nil }
        return text.split(separator: "/").last.map(String.init)
    }

    /// The revision of this unit's last start, where that was in this boot and its mount is still there.
    ///
    /// A service that has not started since the gate stands before it has none; what a tick saw running counts then.
    private func ranBefore(mounts: String) -> String? {
        guard let boot = report.bootID() else { return nil }
        var revision: String?
        let since = guarded.ran?.since.seconds ?? .min
        let last = report.listedStarts().last { start in
            start.count == 5 && start[4] == boot && (Int64(start[1]) ?? .min) >= since
        }
        if let last {
            revision = last[3] == "-" ? nil : last[3]
        } else if let ran = guarded.ran, ran.bootID == boot {
            revision = ran.revision
        }
        guard let revision else { return nil }
        var status = stat()
        return stat("\(mounts)/\(revision)", &status) == 0 ? revision : nil
    }
}

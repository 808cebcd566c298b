import Model

// What of a node itself stands in the way, whatever guards are in place.
extension Examination {
    // MARK: Competing updaters

    /// What may bring another version behind our back.
    var updaterFindings: [Finding] {
        var findings: [Finding] = []
        for (id, owner) in guards.owners.sorted(by: { $0.key < $1.key }) {
            guard case .dpkg(let package) = owner, let place = updaters.unattendedUpgrades else { continue }
            findings.append(
                Finding(
                    "unattended-upgrades", about: place,
                    "unattended-upgrades is on, and the package \(package) owns the binary of \(id)",
                    mend: "apt-mark hold \(package)"))
        }
        for line in updaters.lines {
            findings.append(
                Finding(
                    "installer-scheduled", about: line.place,
                    "cron runs an installer from time to time: \(line.installer)",
                    mend: "take the line out of \(line.place)"))
        }
        for service in updaters.services {
            findings.append(
                Finding(
                    "installer-scheduled", about: service.unit,
                    "a unit runs an installer: \(service.installer)",
                    mend: "systemctl disable --now \(service.unit), and its timer"))
        }
        let labels = records.settings.filter { $0.setting.kind == .planLabel }.map(\.setting.subject)
        let kept = observation.cluster.map { cluster in
            cluster.plans.filter { $0.selectsNode && cluster.isKeptOff($0) }.map(\.path)
        }
        let free = observation.cluster.map { cluster in
            cluster.plans.filter { $0.selectsNode && !cluster.isKeptOff($0) }.map(\.path)
        }
        if let free, !free.isEmpty {
            findings.append(
                Finding(
                    "suc-plan", .warning, about: "system-upgrade-controller",
                    "nothing keeps these plans from this node: \(free.joined(separator: ", "))",
                    mend: "enforce: {plans: block} in the policy, which labels those that it does not allow"))
        }
        let off = kept ?? labels
        if !off.isEmpty {
            findings.append(
                Finding(
                    "suc", .warning, about: "system-upgrade-controller",
                    "it is at work in this cluster; a label keeps these plans from this node: "
                        + off.joined(separator: ", "),
                    mend: "kubectl get plans.upgrade.cattle.io -A, and take away those that nobody wants"))
        }
        for installation in observation.installations
        where installation.id.distribution == .k0s
            && !guards.withoutAutopilot.contains(installation.id.description)
        {
            findings.append(
                Finding(
                    "autopilot", .warning, about: installation.id.name,
                    "k0s's autopilot is on: a plan drains this node before it replaces the binary, which no guard can stop",
                    mend: "start the controllers with --disable-components autopilot"))
        }
        return findings
    }

    // MARK: Clock

    var clockFindings: [Finding] {
        guard isLive, !trustsClock, observation.clock.synchronised != true else { return [] }
        guard observation.clock.synchronised == false else {
            return [
                Finding(
                    "clock-unknown", .warning, about: "clock",
                    "the kernel does not tell whether the clock is synchronised, so windows, freezes and ages hold",
                    mend: "timedatectl status")
            ]
        }
        if let chrony, !chrony.tellsKernel {
            return [
                Finding(
                    "clock-untold", about: chrony.file,
                    "chrony keeps the clock, but without rtcsync it never tells the kernel, so windows, freezes and "
                        + "ages hold for ever",
                    mend: "echo rtcsync >> \(chrony.file) && systemctl restart chrony")
            ]
        }
        return [
            Finding(
                "clock", about: "clock",
                "the clock is not synchronised, so windows, freezes and ages hold until it is",
                mend: "timedatectl set-ntp true, or 'clock: trusted' in the policy")
        ]
    }

    // MARK: Disks

    var diskFindings: [Finding] {
        disks.flatMap { disk -> [Finding] in
            var findings: [Finding] = []
            if disk.isReadOnly {
                findings.append(
                    Finding(
                        "disk-read-only", about: disk.path, "its file system is mounted read-only",
                        mend:
                            "findmnt -T \(disk.path); mount -o remount,rw its mount point, once you know why")
                )
            }
            // A tick's ledger and guard file need little; an artifact that is put back by a copy has up to 250 MB.
            let needed: Int64 = 512 << 20
            if disk.free < 16 << 20 {
                findings.append(
                    Finding(
                        "disk-full", about: disk.path, "its file system has \(disk.free >> 20) MiB left",
                        mend: "df -h \(disk.path); free some space"))
            } else if disk.free < needed {
                findings.append(
                    Finding(
                        "disk-nearly-full", .warning, about: disk.path,
                        "its file system has \(disk.free >> 20) MiB left, and one artifact can take \(needed >> 21)",
                        mend: "df -h \(disk.path); free some space"))
            }
            if disk.inodes > 0, disk.freeInodes < 256 {
                findings.append(
                    Finding(
                        "disk-no-inodes", about: disk.path,
                        "its file system has \(disk.freeInodes) inodes left of \(disk.inodes)",
                        mend: "df -i \(disk.path); take small files away"))
            }
            return findings
        }
    }

    // MARK: Policy

    /// Who may write policy and node file, and the policy together with this node and its fleet.
    var policyFindings: [Finding] {
        var findings = ownership.map { file, problem in
            // What is wrong, a colon, what to do.
            let parts = problem.split(separator: ": ", maxSplits: 1).map(String.init)
            return Finding(
                "ownership", about: file, parts.first ?? problem,
                mend: parts.dropFirst().first ?? "ls -l \(file)")
        }
        let own = stages.firstIndex(where: \.takesThisNode)
        if !stages.isEmpty, own == nil {
            findings.append(
                Finding(
                    "stage-none", about: observation.node.name,
                    "no stage of the policy takes this node in, so nothing is ever allowed to it",
                    mend: "stages in the policy, or name, cluster and labels in /etc/holdfast/node.yaml"))
        }
        guard isAlone else { return findings }
        for (index, stage) in stages.enumerated() where !stage.takesThisNode {
            let waits = own.map { index < $0 } ?? false
            findings.append(
                Finding(
                    waits ? "stage-elsewhere" : "stage-nobody", waits ? .fault : .warning,
                    about: "stage \(stage.name)",
                    "it names other machines, and the fleet's store in node.yaml (sqlite) knows this one alone"
                        + (waits
                            ? ": nobody ever proves an artifact there, so every change waits"
                            : ": it matches nobody"),
                    mend:
                        "a store that all machines reach (fleet: in /etc/holdfast/node.yaml), or one stage for all"
                ))
        }
        return findings
    }

    /// The name by which other servers look for this one's health in what their cluster tells.
    ///
    /// Under another name than that of its Node nobody ever knows it to be healthy, so they hold for ever.
    var nameFindings: [Finding] {
        guard !isAlone, let controlPlane, !controlPlane.members.isEmpty,
            observation.installations.contains(where: { $0.role?.isControlPlane == true })
        else { return [] }
        let name = observation.node.name
        let names = controlPlane.members.map(\.name)
        guard !names.contains(name) else { return [] }
        let own = controlPlane.own?.name ?? observation.cluster?.node?.name
        // Alone, and known by its machine: nobody else looks for it.
        if own != nil, controlPlane.others.isEmpty { return [] }
        let node =
            own.map { "its Kubernetes Node is \($0)" }
            ?? "the cluster has \(names.prefix(5).joined(separator: ", "))"
        return [
            Finding(
                "node-name", about: name,
                "no server of the cluster is found under this name (\(node)), so the servers of its control plane hold "
                    + "every change",
                mend:
                    "name: \(own ?? "NODE, as 'kubectl get nodes' shows it,") in /etc/holdfast/node.yaml, and the same "
                    + "where stages of the policy name it")
        ]
    }

    // MARK: Seal

    var sealFindings: [Finding] {
        enforcement.filter { $0.value.seal }.sorted { $0.key < $1.key }.compactMap { id, _ in
            guard let known = state.installations[id], known.installation.id.distribution != .microk8s else {
                return nil
            }
            return Finding(
                "seal", .warning, about: known.installation.installed?.path ?? id, Enforcement.sealWarning,
                mend:
                    "leave seal out and rely on the gate, or disable system-upgrade-controller and autopilot")
        }
    }
}

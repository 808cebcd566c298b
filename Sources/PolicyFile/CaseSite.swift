import Model

/// The installation that a case is about.
struct CaseSite {
    let distribution: Distribution
    let role: Role
    let dataStore: DataStore

    /// Named as the distribution names its unit or snap.
    var id: InstallationID {
        let name =
            switch (distribution, role) {
            case (.k3s, .agent): "k3s-agent"
            case (.k3s, _): "k3s"
            case (.microk8s, _): "microk8s"
            case (.k0s, .worker): "k0sworker"
            case (.k0s, _): "k0scontroller"
            }
        return InstallationID(distribution: distribution, name: name)
    }

    /// An artifact whose bytes a case does not care about: the same for the same version, else different ones.
    func artifact(version: Version?) -> Artifact {
        let text = version.map(\.description) ?? "unknown"
        var bytes: [UInt8] = []
        for round: UInt64 in 1...4 {
            // FNV-1a; nothing depends on it but that different versions differ.
            var sum = 0xcbf2_9ce4_8422_2325 &+ round
            for byte in text.utf8 { sum = (sum ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
            bytes += (0..<8).map { UInt8(truncatingIfNeeded: sum >> ($0 * 8)) }
        }
        guard distribution == .microk8s else {
            return Artifact(version: version, sha256: Digest(bytes: bytes))
        }
        let number = 1000 + (Int(bytes[0]) << 8 | Int(bytes[1])) % 9000
        return Artifact(version: version, revision: String(number))
    }

    /// What a node looks like on which a change has come as far as its phase says.
    func installation(with change: Change, architecture: Architecture?) -> Installation {
        let installed = change.phase == .offered ? change.from : change.to
        let running = (change.phase == .running ? change.to : change.from).version
        return Installation(
            id: id, role: role, units: [], dataStore: dataStore,
            installed: Installed(
                artifact: installed,
                path: distribution == .microk8s
                    ? "/snap/microk8s" : "/usr/local/bin/\(distribution.rawValue)",
                evidence: distribution == .microk8s ? .snapd : .goBuildInfo, origin: change.origin,
                architecture: architecture, cause: change.trigger),
            running: Running(
                version: running, sources: [Running.Source(source: .processExecutable, version: running)],
                restartPending: change.phase == .onDisk))
    }
}

extension Distribution {
    /// The roles that its nodes can have.
    var roles: [Role] {
        switch self {
        case .k3s: [.server, .agent]
        case .microk8s: [.node, .worker]
        case .k0s: [.controller, .worker, .controllerAndWorker, .single]
        }
    }
}

import Host
import Model

/// What MicroK8s' main process was started from.
enum SnapRunning {
    /// The service that is Kubernetes.
    static func main(of units: [UnitObservation]) -> UnitObservation? {
        Installation.mainUnit(ofSnap: MicroK8sAdapter.snap, units)
    }

    /// Puts together what the executable of the main process and snapd say; nil where nothing runs, or nobody knows.
    ///
    /// - Parameter snapd: whether snapd says that the service runs; nil where it was not asked.
    static func observe(
        artifact: Artifact, main: UnitObservation?, snapd: Bool?, root: Root
    ) -> Running? {
        var sources: [Running.Source] = []
        var restartPending: Bool?
        var startedFrom: Artifact?
        if root.isLive, let main, main.mainPID > 0, let revision = revision(ofProcess: main.mainPID) {
            restartPending = revision != artifact.revision
            let version =
                revision == artifact.revision
                ? artifact.version
                : (try? SnapFiles.version(
                    at: SnapFiles.path(of: MicroK8sAdapter.snap, revision: revision, root: root), root: root))
                    ?? nil
            sources.append(.init(source: .processExecutable, version: version))
            startedFrom = Artifact(version: version, revision: revision)
        }
        if snapd == true {
            sources.append(.init(source: .snapd, version: artifact.version))
            // A refresh starts the services from the new revision before it is done.
            restartPending = restartPending ?? false
        }
        guard !sources.isEmpty else { return nil }
        return Running(
            version: sources.lazy.compactMap(\.version).first, sources: sources,
            invocationID: main?.invocationID, restartPending: restartPending, startedFrom: startedFrom)
    }

    /// The revision that a process was started from: its executable is `/snap/microk8s/7731/kubelite`.
    private static func revision(ofProcess number: Int32) -> String? {
        guard let path = try? readLink("/proc/\(number)/exe") else { return nil }
        return revision(ofExecutable: path)
    }

    /// The revision in the path of an executable; nil for what is no part of the snap, such as a shell.
    static func revision(ofExecutable path: String) -> String? {
        for mount in SnapFiles.mounts {
            let prefix = "\(mount)/\(MicroK8sAdapter.snap)/"
            if path.hasPrefix(prefix) {
                let name = path.dropFirst(prefix.count).prefix { $0 != "/" }
                return SnapFiles.isRevision(String(name)) ? String(name) : nil
            }
        }
        return nil
    }
}

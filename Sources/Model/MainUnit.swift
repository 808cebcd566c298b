extension Installation {
    /// The unit that is Kubernetes: the only one of K3s and k0s, and one of a snap's several.
    public var mainUnit: UnitObservation? {
        id.distribution == .microk8s ? Self.mainUnit(ofSnap: id.name, units) : units.first
    }

    /// The service of a snap that is Kubernetes: one since 1.21, an API server or a kubelet before.
    public static func mainUnit(ofSnap snap: String, _ units: [UnitObservation]) -> UnitObservation? {
        for name in ["daemon-kubelite", "daemon-apiserver", "daemon-kubelet"] {
            if let unit = units.first(where: { $0.name == "snap.\(snap).\(name).service" }) { return unit }
        }
        return units.first
    }
}

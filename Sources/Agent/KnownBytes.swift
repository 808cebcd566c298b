import Model

/// What imported checksums and approvals say of the bytes of a release.
struct KnownBytes {
    var entries: [CatalogEntry] = []
    let approvals: [Approval]
    let architecture: Architecture?

    init(approvals: [Approval], architecture: Architecture?) {
        self.approvals = approvals
        self.architecture = architecture
    }

    /// The digest of a version for this machine; nil where nobody says one, or two are said.
    func of(_ version: Version, _ distribution: Distribution) -> (digest: Digest, origin: Origin)? {
        guard let architecture else { return nil }
        let published = Set(
            entries.filter {
                $0.version == version && $0.distribution == distribution && $0.architecture == architecture
            }.map(\.sha256))
        if let digest = published.first { return published.count == 1 ? (digest, .verified) : nil }
        let approved = Set(
            approvals.filter { $0.version == version && $0.distribution == distribution }
                .compactMap { $0.digests[architecture.rawValue] })
        return approved.count == 1 ? approved.first.map { ($0, .claimed) } : nil
    }
}

extension Event {
    /// Whether a label of our Node is about to be set or taken away.
    var setsLabel: Bool {
        guard case .intended(let intent) = self else { return false }
        return intent.effect.lane == .cluster
    }
}

import Model

// What the target is, and how far that is certain.
extension Question {
    func origin() -> Reason {
        let source = line("origin")
        let lever =
            distribution == .microk8s
            ? "install it from the snap store, which vouches for it"
            : "import the release's checksums: \(catalogCommand)"
        switch (policy.origin, change.origin) {
        case (_, .verified):
            return met(.origin, "the target is known to be the release it says it is", from: source)
        case (.claimed, .claimed):
            return met(
                .origin, "the target's own word is taken for its version (origin: claimed)", from: source)
        case (.verified, .claimed):
            // A person's approval of exactly this digest says what it is as well as a checksum does.
            if let approval = approvalsInForce.first(where: { $0.version == to && to != nil }) {
                return met(.origin, "approval \(approval.id) names exactly these bytes", from: source)
            }
            return hold(
                .origin, "\(toText) is only what the target says of itself; no checksum backs it",
                from: source, lever: lever)
        case (_, .unknown):
            return unknown(.origin, "nobody says what the target is", from: source, lever: lever)
        }
    }

    /// The target must be one artifact, for this machine, and not two things at once.
    func identity() -> Reason {
        let target = change.to
        guard target.sha256 != nil || target.revision != nil else {
            return unknown(
                .identity, "the target has neither a digest nor a revision", from: builtIn,
                lever: "let Holdfast read the file (holdfast check), or name the revision")
        }
        if let installed = subject.installation.installed, let built = installed.architecture,
            let here = node.architecture, built != here,
            target.isSameBytes(as: installed.artifact) == true
        {
            return unknown(
                .identity, "\(installed.path) is built for \(built.rawValue), this node is \(here.rawValue)",
                from: builtIn, lever: "install the \(here.rawValue) build")
        }
        if change.origin == .unknown, target.version != nil {
            return unknown(
                .identity, "what the target says of itself and what is known of its bytes do not agree",
                from: builtIn, lever: "import the release's checksums: holdfast catalog import FILE")
        }
        let name = target.revision.map { "revision \($0)" } ?? target.sha256.map { "sha256 \($0.short)" }
        return met(.identity, "the target is \(name ?? "known")", from: builtIn)
    }
}

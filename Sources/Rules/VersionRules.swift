import Model

// Rules that look at nothing but the versions and the artifact.
extension Question {
    func allowedVersions() -> Reason {
        let range = policy.allowedVersions
        let source = line("allowedVersions")
        guard range != .any else { return met(.allowedVersions, "any version is allowed", from: source) }
        guard let to else {
            return unknown(
                .allowedVersions, "the target's version is not known, and only \(range.text) is allowed",
                from: source, lever: "make the version known: holdfast catalog import FILE")
        }
        return range.contains(to)
            ? met(.allowedVersions, "\(to) is in \(range.text)", from: source)
            : deny(
                .allowedVersions, "\(to) is not in \(range.text)", from: source,
                lever: "allowedVersions in the policy")
    }

    func deniedVersion() -> Reason {
        if let denial {
            return deny(
                .deniedVersion,
                "exactly these bytes are denied by \(denial.claimedBy): \(denial.reason) (denial \(denial.id))",
                from: denialSource, lever: "holdfast revoke \(denial.id)")
        }
        guard !policy.deny.isEmpty else {
            return met(.deniedVersion, "no version is denied", from: line("deny"))
        }
        guard let to else {
            return unknown(
                .deniedVersion, "the target's version is not known, and some are denied", from: line("deny"),
                lever: "make the version known: holdfast catalog import FILE")
        }
        for (index, entry) in policy.deny.enumerated() where entry.versions.contains(to) {
            let place = entry.url.isEmpty ? "" : " (\(entry.url))"
            return deny(
                .deniedVersion, "\(to) is denied by \(entry.versions.text): \(entry.reason)\(place)",
                from: line("deny[\(index)]"), lever: "take the entry out of deny in the policy")
        }
        return met(.deniedVersion, "\(to) is not among the denied versions", from: line("deny"))
    }

    /// Every part of the pin that is set must match.
    func pin() -> Reason {
        let pin = policy.pin
        let source = line("pin")
        guard !pin.isEmpty else { return met(.pin, "nothing is pinned", from: source) }
        var unknowns: [String] = []
        var differing: [String] = []
        func compare<Value: Equatable>(
            _ name: String, _ wanted: Value?, _ found: Value?, _ text: (Value) -> String
        ) {
            guard let wanted else { return }
            guard let found else { return unknowns.append("the target's \(name) is not known") }
            if wanted != found {
                differing.append("the pinned \(name) is \(text(wanted)), not \(text(found))")
            }
        }
        if let wanted = pin.version, let to, wanted.build.isEmpty, wanted.withoutBuild == to.withoutBuild {
            // A version without a build pins every build of it, as in ranges.
        } else {
            compare("version", pin.version, to) { $0.description }
        }
        compare("channel", pin.channel, change.to.channel) { $0 }
        compare("revision", pin.revision, change.to.revision) { $0 }
        if !pin.digest.isEmpty {
            if let architecture = node.architecture {
                if let wanted = pin.digest[architecture.rawValue] {
                    compare("digest", wanted, change.to.sha256) { $0.short }
                } else {
                    // A pin that lists digests is complete: what it does not list is not wanted.
                    differing.append("no digest is pinned for \(architecture.rawValue)")
                }
            } else {
                unknowns.append("this node's architecture is not known")
            }
        }
        let lever = "pin in the policy"
        if !differing.isEmpty {
            return deny(.pin, differing.joined(separator: "; "), from: source, lever: lever)
        }
        if !unknowns.isEmpty {
            return unknown(.pin, unknowns.joined(separator: "; "), from: source, lever: lever)
        }
        return met(.pin, "the target is the pinned one", from: source)
    }

    /// Never skip a minor (invariant 9; version-skew policy: an API server never does, alone or not).
    func skipMinor() -> Reason {
        guard updateType != .unknown, let to else { return typeUnknown(.skipMinor) }
        guard
            let from = starts.compactMap(\.self).first(where: { UpdateType.skipsMinor(from: $0, to: to) })
        else { return met(.skipMinor, "no minor is skipped", from: builtIn) }
        return deny(
            .skipMinor,
            "from \(from.minorText)\(whichRuns(from)) to \(to.minorText) skips a minor; take one at a time",
            from: builtIn, lever: overrideLever(.skipMinor))
    }

    /// Never go back (invariant 9): only a restored data store does.
    func downgrade() -> Reason {
        guard updateType != .unknown, let to else { return typeUnknown(.downgrade) }
        guard
            let from = starts.compactMap(\.self).first(where: {
                UpdateType(from: $0, to: to) == .downgrade
            })
        else { return met(.downgrade, "\(to) is not older", from: builtIn) }
        return deny(
            .downgrade, "\(to) is older than \(from)\(whichRuns(from))", from: builtIn,
            lever: overrideLever(.downgrade))
    }

    func major() -> Reason {
        guard updateType != .unknown, let to else { return typeUnknown(.major) }
        guard let from = starts.compactMap(\.self).first(where: { $0.major != to.major }) else {
            return met(.major, "the major stays \(to.major)", from: builtIn)
        }
        return deny(
            .major, "from major \(from.major)\(whichRuns(from)) to \(to.major)", from: builtIn,
            lever: overrideLever(.major))
    }

    private func typeUnknown(_ rule: RuleName) -> Reason {
        unknown(
            rule, "the two versions cannot be compared", from: builtIn,
            lever: "make the version known: holdfast catalog import FILE")
    }
}

public import Model
import Ports

/// How the releases of a distribution are laid out, on its makers' site and on every mirror of it.
public enum ReleaseLayout {
    /// The address below which the makers' releases lie, `VERSION/FILE` each; nil for MicroK8s, which comes from snapd.
    public static func publicReleases(of distribution: Distribution) -> String? {
        switch distribution {
        case .k3s: "https://github.com/k3s-io/k3s/releases/download"
        case .k0s: "https://github.com/k0sproject/k0s/releases/download"
        case .microk8s: nil
        }
    }

    /// The address that answers one version for a channel of the makers' own; nil for MicroK8s.
    static func publicChannel(_ name: String, of distribution: Distribution) -> String? {
        switch distribution {
        case .k3s: "https://update.k3s.io/v1-release/channels/\(percentEncoded(name))"
        case .k0s: "https://docs.k0sproject.io/\(percentEncoded(name)).txt"
        case .microk8s: nil
        }
    }

    /// What the binary is called; nil where none is built for that architecture.
    static func binary(_ wanted: WantedArtifact) -> String? {
        switch (wanted.distribution, wanted.architecture) {
        case (.k3s, .amd64): "k3s"
        case (.k3s, .arm): "k3s-armhf"
        case (.k3s, .arm64), (.k3s, .s390x), (.k3s, .riscv64): "k3s-\(wanted.architecture.rawValue)"
        case (.k0s, .amd64), (.k0s, .arm64), (.k0s, .arm), (.k0s, .riscv64):
            "k0s-\(wanted.version)-\(wanted.architecture.rawValue)"
        case (.k3s, _), (.k0s, _), (.microk8s, _): nil
        }
    }

    /// What the file with the checksums of a release is called.
    static func checksums(_ distribution: Distribution, _ architecture: Architecture) -> String {
        distribution == .k3s ? "sha256sum-\(architecture.rawValue).txt" : "sha256sums.txt"
    }

    /// The URL of a file of a release.
    ///
    /// `{version}`, `{arch}` (`amd64`, `arm64`, `arm`) and `{file}` are replaced, percent-encoded. Without `{file}` the
    /// template is the binary's own, and the checksums lie beside it; without any of them it is what every release lies
    /// below, `VERSION/FILE` each.
    static func url(
        _ template: String, file: String, isBinary: Bool, _ wanted: WantedArtifact
    ) throws(SourceFailure) -> SourceURL {
        guard try !SourceURL(template).origin.contains("{") else {
            throw SourceFailure(
                .configuration, "the address of the releases has a placeholder for its host; name the host")
        }
        let (path, query) = split(template)
        let base = path.hasSuffix("/") ? String(path.dropLast()) : path
        let names = ["{version}", "{arch}", "{file}"]
        var full = names.contains { template.contains($0) } ? path : base + "/{version}/{file}"
        if !template.contains("{file}"), full == path, !isBinary, let slash = full.lastIndex(of: "/") {
            full = full[...slash] + "{file}"
        }
        full += query
        for (name, value) in [
            ("{version}", wanted.version.description), ("{arch}", wanted.architecture.rawValue),
            ("{file}", file),
        ] {
            full = full.split(separator: name, omittingEmptySubsequences: false).joined(
                separator: percentEncoded(value))
        }
        guard !full.contains("{"), !full.contains("}") else {
            throw SourceFailure(
                .configuration,
                "the address of the releases holds a placeholder that is none; there are {version}, {arch} and {file}"
            )
        }
        return try SourceURL(full)
    }

    /// What a template has before its first placeholder, up to a slash; where a mirror keeps its channels.
    static func base(of template: String) -> String {
        let path = split(template).path
        guard let brace = path.firstIndex(of: "{") else {
            return path.hasSuffix("/") ? String(path.dropLast()) : path
        }
        return String(path[..<(path[..<brace].lastIndex(of: "/") ?? path.startIndex)])
    }

    /// The query of a template, from its question mark on.
    static func query(of template: String) -> String { split(template).query }

    private static func split(_ template: String) -> (path: String, query: String) {
        let path = template.prefix { $0 != "?" }
        return (String(path), String(template.dropFirst(path.count)))
    }
}

extension WantedArtifact {
    /// The name of the binary.
    ///
    /// - Throws: `SourceFailure` where there can be no such release.
    func binaryName() throws(SourceFailure) -> String {
        try checkDistribution(distribution)
        guard version.distribution == distribution else {
            throw SourceFailure(
                .notFound,
                "\(version) is no version of \(distribution.displayName); name one such as "
                    + (distribution == .k3s ? "v1.31.4+k3s1" : "v1.31.4+k0s.0"))
        }
        guard let name = ReleaseLayout.binary(self) else {
            throw SourceFailure(
                .notFound, "there is no release of \(distribution.displayName) for \(architecture.rawValue)")
        }
        return name
    }
}

/// Refuses what comes from elsewhere.
func checkDistribution(_ distribution: Distribution) throws(SourceFailure) {
    guard distribution != .microk8s else {
        throw SourceFailure(
            .configuration, "MicroK8s comes from snapd, by channel and revision, and from no other source")
    }
}

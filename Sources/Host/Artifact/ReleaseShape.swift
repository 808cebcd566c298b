import Model

/// What the versions of a distribution look like in its own binaries.
struct ReleaseShape {
    /// What stands in every version and in little else.
    let needle: [UInt8]
    /// The variables that the linker gives the version to.
    let variables: [String]
    let distribution: Distribution

    /// Nil for MicroK8s, which is a snap: its version is not in a binary.
    init?(_ distribution: Distribution) {
        self.distribution = distribution
        switch distribution {
        case .k3s:
            needle = Array("+k3s".utf8)
            variables = [
                "github.com/k3s-io/k3s/pkg/version.Version", "github.com/rancher/k3s/pkg/version.Version",
            ]
        case .k0s:
            needle = Array("+k0s".utf8)
            variables = ["github.com/k0sproject/k0s/pkg/build.Version"]
        case .microk8s: return nil
        }
    }

    /// Reads `v1.31.4-rc1+k3s1` or `v1.31.4+k0s.0` (with a vendor's suffix); nil for everything else.
    func version(_ text: some StringProtocol) -> Version? {
        guard text.utf8.first == UInt8(ascii: "v"), let version = Version(text),
            version.distribution == distribution
        else { return nil }
        var rest = Substring(version.build).utf8.dropFirst(3)
        if distribution == .k0s {
            guard rest.popFirst() == UInt8(ascii: ".") else { return nil }
        }
        let digits = rest.prefix { (48...57).contains($0) }
        guard (1...6).contains(digits.count), distribution == .k0s || digits.count == rest.count else {
            return nil
        }
        return version
    }
}

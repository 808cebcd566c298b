import FoundationEssentials

extension LabNode {
    /// Installs Holdfast on the node as `make install` does it; nothing is enabled.
    func installHoldfast() async throws {
        let binaries = URL(filePath: Lab.program ?? "").deletingLastPathComponent().path
        for part in [
            "Packaging/scripts", "Packaging/systemd", "Packaging/man", "Packaging/prometheus",
            "Packaging/kubernetes", "Policies", "Docs",
        ] {
            try await put(Lab.repository + "/" + part, at: "/root/repository/\(part)")
        }
        for program in ["holdfast", "holdfast-gate"] {
            try await put("\(binaries)/\(program)", at: "/root/repository/built/\(program)")
        }
        try await script("install")
    }

    /// Runs something on the node while Holdfast is installed there.
    func withHoldfastInstalled(_ body: (LabNode) async throws -> Void) async throws {
        try await installHoldfast()
        do {
            try await body(self)
        } catch {
            _ = try? await script("uninstall")
            throw error
        }
        try await script("uninstall")
        try await run(
            "rm -rf /etc/systemd/system/holdfast*.path.d; rm -f /etc/holdfast/policy.yaml; systemctl daemon-reload"
        )
    }

    /// Runs one of the repository's scripts in the node.
    @discardableResult
    func script(_ name: String) async throws -> String {
        try await run(
            "cd /root/repository; HOLDFAST_BUILD=/root/repository/cache BINARIES=/root/repository/built Packaging/scripts/\(name)"
        )
    }
}

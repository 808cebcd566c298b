import FoundationEssentials
import Glibc
import Host
import Model
import Testing

private let go: String? = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    .map { "\($0)/go" }.first { access($0, X_OK) == 0 }

/// Where Go keeps what it compiled, unless the environment says: beside the tests.
///
/// Go itself looks for a place below HOME, which CI need not have.
private let cache =
    URL(filePath: ProcessInfo.processInfo.arguments[0]).deletingLastPathComponent().path + "/go-cache"

/// What the ELF writer of these tests believes about Go, held against Go itself.
@Suite(.enabled(if: go != nil, "NOT TESTED: no go on the PATH, so that no real Go program is read"))
struct GoProgramTests {
    struct Build: Sendable, CustomTestStringConvertible {
        var name: String
        var module: String
        var arguments: [String]
        var facts: ArtifactFacts
        var distribution: Distribution
        var testDescription: String { name }
    }

    static let builds = [
        Build(
            name: "as K3s is built", module: "github.com/k3s-io/k3s",
            arguments: ["-ldflags", "-X github.com/k3s-io/k3s/pkg/version.Version=v1.31.4+k3s1 -w -s"],
            facts: ArtifactFacts(
                version: Version("v1.31.4+k3s1"), evidence: .goBuildInfo, architecture: Machine.architecture,
                mainModule: "github.com/k3s-io/k3s"), distribution: .k3s),
        Build(
            name: "as k0s is built", module: "github.com/k0sproject/k0s",
            arguments: [
                "-trimpath", "-buildvcs=false", "-ldflags",
                "-w -s -X github.com/k0sproject/k0s/pkg/build.Version=v1.36.3+k0s.2",
            ],
            facts: ArtifactFacts(
                version: Version("v1.36.3+k0s.2"), evidence: .embeddedString,
                architecture: Machine.architecture,
                mainModule: "github.com/k0sproject/k0s"), distribution: .k0s),
        Build(
            name: "without a version", module: "github.com/k0sproject/k0s", arguments: ["-trimpath"],
            facts: ArtifactFacts(
                evidence: .unreadable, unreadable: "no version of k0s in its read-only data",
                architecture: Machine.architecture, mainModule: "github.com/k0sproject/k0s"),
            distribution: .k0s),
    ]

    @Test("invariant 11: a real Go program's version is read and the program never run", arguments: builds)
    func built(example: Build) throws {
        let scratch = try Scratch()
        let package = example.distribution == .k3s ? "version" : "build"
        try scratch.makeDirectory("pkg/\(package)")
        try scratch.write("go.mod", "module \(example.module)\n\ngo 1.18\n")
        try scratch.write("pkg/\(package)/v.go", "package \(package)\n\nvar Version string\n")
        // Decoys among the constants, and a mark where the program would leave it if it ran.
        try scratch.write(
            "main.go",
            """
            package main

            import (
            \t"os"

            \t"\(example.module)/pkg/\(package)"
            )

            func main() {
            \tos.WriteFile("\(scratch("ran"))", []byte("v1.20.0-k3s1 "+\(package).Version), 0644)
            }
            """)
        let environment = ["GOCACHE": cache].merging(ProcessInfo.processInfo.environment) { $1 }
            .merging(["CGO_ENABLED": "0", "GOFLAGS": ""]) { $1 }
        let outcome = try runProcess(
            [
                "/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", scratch.path, try #require(go), "build", "-o",
                scratch("program"),
            ] + example.arguments + ["."], environment: environment, timeout: 600_000)
        try #require(outcome.succeeded, "\(String(decoding: outcome.errors, as: UTF8.self))")
        let facts = readArtifact(at: scratch("program"), distribution: example.distribution)
        #expect(facts == example.facts)
        #expect(access(scratch("ran"), F_OK) != 0)
    }
}

// swift-tools-version: 6.2
import PackageDescription

/// What every Swift target is compiled with; a warning is an error so that none is ever left behind.
let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// What the simulation runs a hundred thousand times is optimised in debug builds too.
let simulated: [SwiftSetting] = [.unsafeFlags(["-O"], .when(configuration: .debug))]

func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    let isSimulated = ["Model", "Rules", "Rollout", "Gate", "Ports", "Agent"].contains(name)
    return .target(
        name: name, dependencies: dependencies, swiftSettings: isSimulated ? strict + simulated : strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: dependencies, path: "Tests/\(name)",
        swiftSettings: name == "Simulation" || name == "Rollout" ? strict + simulated : strict)
}

/// What several test targets share.
func testSupport(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, path: "Tests/\(name)", swiftSettings: strict)
}

// No outside package: C libraries come from the system, each behind a module map
// and one thin Swift wrapper. Tests/Architecture keeps these arrows as they are.
let package = Package(
    name: "holdfast",
    products: [
        .executable(name: "holdfast", targets: ["holdfast"]),
        .executable(name: "holdfast-gate", targets: ["holdfast-gate"]),
    ],
    targets: [
        .systemLibrary(
            name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
        .systemLibrary(
            name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(
            name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        // The first two are loaded when first used, by a C shim that needs the headers alone.
        .target(name: "CCurl"),
        .target(name: "CCrypto"),
        .target(name: "CLinux"),
        .target(name: "CGate"),

        module("Model"),
        module("Rules", ["Model"]),
        module("Rollout", ["Model"]),
        module("CommandLine"),
        module("Ports", ["Model"]),
        module("Gate", ["Model"]),

        module("SQLite", ["CSQLite"]),
        module("YAML", ["CYAML"]),
        module("Crypto", ["CCrypto"]),
        module("Host", ["CLinux", "CSystemd", "Crypto", "Gate", "Model", "Ports"]),
        module("Web", ["CCurl"]),
        module("Kubernetes", ["Web", "YAML"]),

        module("Artifacts", ["Host", "Model", "Ports", "Web"]),
        module("PolicyFile", ["Host", "Model", "Ports", "YAML"]),
        module("Ledger", ["Crypto", "Host", "Model", "Ports", "SQLite"]),
        module("Distributions", ["Host", "Kubernetes", "Model", "Ports", "SQLite", "Web", "YAML"]),

        module("Fleet", ["Crypto", "Host", "Kubernetes", "Model", "Ports", "SQLite", "Web"]),

        module("Agent", ["Gate", "Model", "Ports", "Rollout", "Rules"]),
        module("Reports", ["Model"]),
        module(
            "Commands",
            [
                "Agent", "Artifacts", "CommandLine", "Crypto", "Distributions", "Fleet", "Gate", "Host",
                "Kubernetes", "Ledger", "Model", "PolicyFile", "Ports", "Reports", "Rollout", "Rules", "Web",
            ]),
        .executableTarget(name: "holdfast", dependencies: ["Commands"], swiftSettings: strict),
        // Stands before every start of a unit: the standard library, a few calls, and nothing that it could do without.
        .executableTarget(
            name: "holdfast-gate", dependencies: ["CGate", "Crypto", "Gate", "Model"], swiftSettings: strict),

        .target(
            name: "TLSServer", path: "Tests/TLSServer",
            linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]),
        // Ticks many times in one process, by a clock that is moved on; it is run by tests, which it is built beside.
        .target(name: "TickClock", path: "Tests/TickClock"),
        .executableTarget(
            name: "tick-load", dependencies: ["Commands", "Host", "TickClock"], path: "Tests/TickLoad",
            swiftSettings: strict),
        testSupport("ScriptedServer", ["TLSServer"]),
        testSupport("KubernetesServer", ["ScriptedServer"]),
        testSupport("Threads", []),
        testSupport("GoPrograms", ["Model"]),
        tests("Architecture", []),
        tests("Model", ["Model"]),
        // The program is run, not imported: it has to be built beside the tests.
        tests("Gate", ["Crypto", "Gate", "Model", "holdfast-gate"]),
        tests("Rules", ["Rules", "Model"]),
        tests("Rollout", ["Rollout", "Model"]),
        tests("CommandLine", ["CommandLine"]),
        tests("SQLite", ["SQLite"]),
        tests("YAML", ["YAML"]),
        tests("Crypto", ["Crypto"]),
        tests("Host", ["GoPrograms", "Host", "Model", "Ports", "Threads"]),
        tests("Web", ["ScriptedServer", "Web"]),
        tests("Kubernetes", ["Kubernetes", "KubernetesServer", "ScriptedServer", "Web"]),
        tests("Artifacts", ["Artifacts", "GoPrograms", "Host", "Model", "Ports", "ScriptedServer", "Web"]),
        tests("PolicyFile", ["PolicyFile", "Host", "Model", "Ports", "Rules"]),
        testSupport("LedgerSuite", ["Model", "Ports"]),
        tests("Ledger", ["Ledger", "LedgerSuite", "Model", "Ports", "Reports", "SQLite"]),
        tests(
            "Distributions",
            [
                "Distributions", "Host", "KubernetesServer", "Model", "Ports", "ScriptedServer", "SQLite",
                "Web", "YAML",
            ]),
        testSupport("FleetSuite", ["Ports", "Threads"]),
        tests(
            "Fleet",
            [
                "Fleet", "FleetSuite", "Host", "Kubernetes", "KubernetesServer", "Model", "Ports",
                "ScriptedServer", "SQLite", "Web",
            ]),
        tests("Agent", ["Agent", "Model", "Ports", "Rules"]),
        tests("Reports", ["Crypto", "Reports", "Model"]),
        tests(
            "Commands",
            [
                "Agent", "Commands", "CommandLine", "Fleet", "GoPrograms", "Host", "KubernetesServer",
                "Ledger", "Model", "PolicyFile", "Ports", "Reports", "ScriptedServer", "Threads",
                "holdfast-gate",
            ]),
        tests(
            "Simulation",
            [
                "Agent", "Fleet", "FleetSuite", "Gate", "LedgerSuite", "Model", "Ports", "Rollout", "Rules",
            ]),
        tests("Lab", ["Host", "Model", "SQLite", "Threads"]),
        tests("Packaging", ["Host"]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .gnu11
)

// What `make bench` loads a fleet's store with; nothing else needs it, so nothing else builds it.
if Context.environment["HOLDFAST_BENCH"] != nil {
    package.targets.append(
        .executableTarget(
            name: "fleet-load", dependencies: ["Fleet", "Model", "Ports", "Rollout"], path: "Tests/FleetLoad",
            swiftSettings: strict))
}

// What `make fuzz` feeds hostile bytes to; it is built with libFuzzer, so nothing else builds it.
if Context.environment["HOLDFAST_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(
            name: "fuzz",
            dependencies: [
                "Artifacts", "Crypto", "Distributions", "Fleet", "Gate", "GoPrograms", "Host", "Kubernetes",
                "Ledger", "Model", "PolicyFile", "Ports", "Rollout", "Rules", "Web",
            ],
            path: "Tests/Fuzz", exclude: ["Corpora", "README.md"], swiftSettings: strict))
}

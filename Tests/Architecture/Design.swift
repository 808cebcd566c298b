/// The design's dependency rules as tables: what each module may use.
///
/// A new module gets its lines here first.
enum Design {
    /// Modules that decide: values in, values out; no C, no clock, no environment, no file.
    static let pure: Set<String> = ["Model", "Rules", "Rollout", "CommandLine", "Gate"]

    /// The modules of this package that each may depend on; Package.swift may use less, never more.
    static let arrows: [String: Set<String>] = [
        "Model": [],
        "Rules": ["Model"],
        "Rollout": ["Model"],
        "CommandLine": [],
        "Gate": ["Model"],
        "Ports": ["Model"],
        "SQLite": ["CSQLite"],
        "YAML": ["CYAML"],
        "Crypto": ["CCrypto"],
        "Web": ["CCurl"],
        "Host": ["CLinux", "CSystemd", "Crypto", "Gate", "Model", "Ports"],
        "Kubernetes": ["Web", "YAML"],
        "Artifacts": ["Crypto", "Host", "Model", "Ports", "Web"],
        "PolicyFile": ["Crypto", "Host", "Model", "Ports", "YAML"],
        "Ledger": ["Crypto", "Host", "Model", "Ports", "SQLite"],
        // SQLite: K3s's database is saved by SQLite's own backup.
        "Distributions": ["Host", "Kubernetes", "Model", "Ports", "SQLite", "Web", "YAML"],
        "Fleet": ["Crypto", "Host", "Kubernetes", "Model", "Ports", "SQLite", "Web", "YAML"],
        // Never Host: what the tick does to a node goes through Ports, so that a simulation can stand there.
        "Agent": ["Gate", "Model", "Ports", "Rules", "Rollout"],
        "Reports": ["Model"],
        "Commands": [
            "Agent", "Artifacts", "CommandLine", "Crypto", "Distributions", "Fleet", "Gate", "Host",
            "Kubernetes",
            "Ledger",
            "Model",
            "PolicyFile", "Ports", "Reports", "Rollout", "Rules", "SQLite", "Web", "YAML",
        ],
        "holdfast": ["Commands"],
        "holdfast-gate": ["CGate", "Crypto", "Gate", "Model"],
    ]

    /// The one program that stands alone: it must stay tiny, so it does for itself what Host, Web and Commands do.
    static let alone = "holdfast-gate"

    /// Modules of the toolchain that each may import, and what for; the others import none.
    static let toolchain: [String: [String: String]] = [
        "Host": ["Glibc": "files, processes and clocks are its purpose"],
        "Web": ["Glibc": "sockets, and the deadline of an exchange"],
        "Kubernetes": ["FoundationEssentials": "JSON of the API, base64 of a kubeconfig"],
        "Artifacts": ["FoundationEssentials": "JSON of K3s's channel server"],
        "Ledger": [
            "FoundationEssentials": "JSON of bodies",
            "Glibc": "the directory that SQLite's files lie in, and errno",
        ],
        "Fleet": ["FoundationEssentials": "JSON of the stores' values and of etcd, Base64"],
        "Distributions": ["FoundationEssentials": "JSON of snapd and of the k0s status socket"],
        "Commands": [
            "Glibc": "standard output",
            "FoundationEssentials": "the environment",
        ],
        "holdfast": ["Glibc": "exit"],
        "holdfast-gate": ["Glibc": "files, a lock, a deadline, and a socket"],
    ]

    /// Calls of the operating system that a module other than Host may make all the same, and why.
    static let hostCallsElsewhere: [String: [String: String]] = [
        "Commands": ["write": "standard output in large pieces"],
        // SQLite opens its files by name; what is done around them is all in StateDirectory.swift.
        "Ledger": [
            "mkdir": "the state directory",
            "open": "an empty database with a mode of our own, and small files",
            "close": "what it opened", "write": "small files", "stat": "sizes", "lstat": "what is there",
            "faccessat": "why SQLite was refused", "rename": "a damaged database is set aside",
            "unlink": "drafts and notes of its own", "flock": "one process at a time opens it",
            "usleep": "until then",
            "fstat": "who else may write in the directory", "geteuid": "whether it is ours",
        ],
        "Web": [
            "open": "the directory of a socket whose path is too long for an address",
            "close": "its own sockets", "geteuid": "whether who listens is us",
            "poll": "an answer, or the deadline",
            "clock_gettime":
                "the monotonic clock, for the deadline of one exchange and nothing that is decided on",
        ],
        "holdfast": ["exit": "ends the program"],
    ]

    /// Folders of Tests that mirror no module.
    static let testsOfTheirOwn: Set<String> = [
        "Architecture", "Simulation", "Lab", "Fixtures",
        // A server on a real socket that says what a test tells it to, its TLS, and an API server made of it.
        "ScriptedServer", "TLSServer", "KubernetesServer",
        // Threads, for whoever blocks.
        "Threads",
        // Programs as a linker makes them, none of which can be run.
        "GoPrograms",
        // What every store of a fleet has to do, for each of them and for a simulated one.
        "FleetSuite",
        // The same of every ledger.
        "LedgerSuite",
        // What is installed, as systemd judges it.
        "Packaging",
        // What loads a fleet's store where `make bench` asks for it.
        "FleetLoad",
        // What libFuzzer runs where `make fuzz` asks for it.
        "Fuzz",
        // A program that ticks many times, and the clock that it moves on.
        "TickLoad", "TickClock",
    ]

    /// Modules without a folder of tests, and why.
    static let untested: [String: String] = [
        "Ports": "protocols and values alone",
        "holdfast": "main: one call into Commands",
        "holdfast-gate": "run as a program by Tests/Gate",
    ]

    /// Lines after which a file holds more than one idea.
    static let longestFile = 450
}

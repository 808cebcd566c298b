import Testing

/// A text that breaks a rule, or just does not, and how often the rule must find it.
private struct Planted: Sendable, CustomTestStringConvertible {
    let module: String
    let text: String
    let findings: Int
    let why: String

    init(_ module: String, _ text: String, _ findings: Int, _ why: String) {
        self.module = module
        self.text = text
        self.findings = findings
        self.why = why
    }

    var source: SourceText { SourceText(module: module, path: "Planted.swift", text: text) }
    var testDescription: String { why }
}

@Suite("Each rule finds what it is for, and nothing else")
struct PlantedTests {
    @Test(
        "imports",
        arguments: [
            Planted("Rules", "import Model", 0, "an arrow of the design"),
            Planted(
                "Rules", "import FoundationEssentials", 1, "pure modules import nothing of the toolchain"),
            Planted("Model", "public import Synchronization", 1, "an import with an access level"),
            Planted("Model", "@preconcurrency import Glibc", 1, "an import with an attribute"),
            Planted("Host", "import Foundation", 1, "nobody imports Foundation"),
            Planted("Commands", "import struct Foundation.Date", 1, "a part of it neither"),
            Planted("Agent", "import Host", 1, "the tick knows the world by Ports alone"),
            Planted(
                "Rules", "// import Host\nlet text = \"import Host\"", 0,
                "comments and strings import nothing"),
            Planted("Novel", "import Model", 1, "a module that the design does not know"),
        ])
    fileprivate func imports(planted: Planted) {
        #expect(DependencyRules.imports(of: planted.source).count == planted.findings)
    }

    @Test(
        "purity",
        arguments: [
            Planted("Rules", "let now = ContinuousClock().now", 1, "a clock that needs no import"),
            Planted("Model", "let line = readLine()", 1, "standard input"),
            Planted("CommandLine", "let words = Swift.CommandLine.arguments", 2, "the process's arguments"),
            Planted(
                "CommandLine", "let words = CommandLine.arguments", 1, "the same without the module's name"),
            Planted("CommandLine", "for argument in command.arguments {}", 0, "arguments of our own"),
            Planted("Model", "let here = #filePath", 1, "where it was built"),
            Planted("Rules", "try await Task.sleep(for: .seconds(1))", 2, "sleep"),
            Planted("Rules", "let pick = Int.random(in: 0..<4)", 1, "randomness"),
            Planted("Rules", "let order = value.hashValue", 1, "a hash that differs in every process"),
            Planted("Rules", "let text = \"at \\(ContinuousClock.now)\"", 1, "inside an interpolation"),
            Planted(
                "Rules", "let text = #\"\\(ContinuousClock.now)\"#", 0, "no interpolation in a raw string"),
            Planted("Rules", "let text = \"ContinuousClock\" // readLine()", 0, "strings and comments"),
            Planted("Rules", "/* /* readLine() */ readLine() */ let a = 1", 0, "nested comments"),
            Planted(
                "Rules", "let text = \"\"\"\n  a \"quoted\" readLine()\n  \"\"\"\nreadLine()", 1,
                "several lines"),
            Planted("Host", "let now = ContinuousClock().now", 0, "Host is where the clock is"),
        ])
    fileprivate func purity(planted: Planted) {
        #expect(NameRules.impurity(in: planted.source).count == planted.findings)
    }

    @Test(
        "printing",
        arguments: [
            Planted("Ledger", "print(\"done\")", 1, "print"),
            Planted("Ledger", "Swift.print(\"done\")", 1, "print by its full name"),
            Planted("Web", "fputs(text, stderr)", 2, "the C library's way"),
            Planted("Reports", "FileHandle.standardOutput.write(data)", 1, "Foundation's way"),
            Planted("Commands", "print(\"done\")", 0, "Commands prints"),
            Planted("Reports", "func print(_ row: Row) {}\nprinter.print(row)", 0, "a method of that name"),
        ])
    fileprivate func printing(planted: Planted) {
        #expect(NameRules.printing(in: planted.source).count == planted.findings)
    }

    @Test(
        "files, processes and clocks",
        arguments: [
            Planted("Kubernetes", "import Glibc\nlet file = open(path, O_RDONLY)", 1, "a file"),
            Planted("Ledger", "import CSQLite\nlet now = Glibc.time(nil)", 1, "a clock, by its full name"),
            Planted(
                "Web", "import Glibc\nvar id = pid_t()\nposix_spawn(&id, path, nil, nil, nil, nil)", 1,
                "a process"),
            Planted("Agent", "let home = ProcessInfo.processInfo.environment", 1, "the environment"),
            Planted("Reports", "let data = try Data(contentsOf: url)", 1, "a file by way of Foundation"),
            Planted("Reports", "let now = Date.now", 1, "a clock by way of Foundation"),
            Planted("Reports", "try FileManager.default.removeItem(atPath: path)", 1, "Foundation's files"),
            Planted("PolicyFile", "let value = read(key)", 0, "a function of our own, with no C in sight"),
            Planted(
                "Ledger", "import Glibc\nlet statement = connection.open(path)", 0, "a method of that name"),
            Planted("holdfast", "import Glibc\nexit(0)", 0, "an exception that the table names"),
            Planted("holdfast", "import Glibc\nunlink(path)", 1, "an exception holds for its name alone"),
            Planted("Host", "import Glibc\nlet file = open(path, O_RDONLY)", 0, "Host is where files are"),
        ])
    fileprivate func hostCalls(planted: Planted) {
        #expect(NameRules.hostCalls(in: planted.source).count == planted.findings)
    }

    @Test(
        "sockets",
        arguments: [
            Planted("Host", "import Glibc\nlet link = socket(AF_UNIX, SOCK_STREAM, 0)", 1, "Host opens none"),
            Planted("Distributions", "import Glibc\nconnect(link, address, size)", 1, "nor do distributions"),
            Planted("Web", "import Glibc\nlet link = socket(AF_UNIX, SOCK_STREAM, 0)", 0, "Web does"),
            Planted("Host", "import Glibc\nbus.send(message)", 0, "a method of that name"),
        ])
    fileprivate func sockets(planted: Planted) {
        #expect(NameRules.sockets(in: planted.source).count == planted.findings)
    }

    @Test(
        "documentation",
        arguments: [
            Planted(
                "Model", "public struct Node {\n    public var name: String\n}", 2, "a type and its property"),
            Planted("Model", "/// A node.\npublic struct Node {}", 0, "a comment above"),
            Planted("Model", "/// A node.\n@frozen\npublic struct Node {}", 0, "an attribute between"),
            Planted("Model", "/// A node.\n\npublic struct Node {}", 1, "a comment that belongs to nothing"),
            Planted(
                "Model", "// A node.\npublic struct Node {}", 1, "a comment for readers of the source alone"),
            Planted(
                "Model", "public static func == (a: Node, b: Node) -> Bool { true }", 0, "what Equatable says"
            ),
            Planted("Model", "public init(from decoder: any Decoder) throws {}", 0, "what Decodable says"),
            Planted("Model", "public init(fromNothing: Int) {}", 1, "an initialiser of our own"),
            Planted("Model", "public import Glibc\nstruct Node { var name = 1 }", 0, "nothing public"),
            Planted("Model", "    public private(set) var count = 0", 1, "a property that others may read"),
            Planted(
                "Model",
                "/// Keys. Names and\n/// meanings are those of `Policy`.\npublic struct Keys {\n    public var pin: Pin?\n}\n"
                    + "public struct Other {\n    public var pin: Pin?\n}",
                2, "a type that borrows its meanings, and one after it that does not"),
            Planted(
                "Ports", "/// A clock.\npublic protocol Clock {\n    func now() -> Int\n}\nfunc own() {}", 1,
                "a requirement of a public protocol"),
        ])
    fileprivate func documentation(planted: Planted) {
        #expect(DocumentationRules.undocumented(in: planted.source).count == planted.findings)
    }

    @Test("what a protocol of ours has said need not be said again by those that conform to it")
    func promises() {
        let port = SourceText(
            module: "Ports", path: "Port.swift",
            text: "/// A port.\npublic protocol Port {\n    /// Loads.\n    func load() -> Int\n}")
        let promises = DocumentationRules.promises(in: [port])
        #expect(promises == ["Port": ["load"]])
        func findings(_ text: String) -> Int {
            let source = SourceText(module: "Ledger", path: "Planted.swift", text: text)
            return DocumentationRules.undocumented(in: source, promises: promises).count
        }
        #expect(findings("extension Store: Port {\n    public func load() -> Int { 1 }\n}") == 0)
        #expect(findings("extension Store: Port {\n    public func unload() -> Int { 1 }\n}") == 1)
        #expect(findings("extension Store {\n    public func load() -> Int { 1 }\n}") == 1)
    }

    private static let package = """
        func module(_ name: String) -> Target { .target(name: name) }
        module("Model"),
        module("Agent", [
            "Model", "Ports"
        ]),
        .target(name: "CCurl"),
        .target(name: "Scenery", path: "Tests/Scenery"),
        .executableTarget(name: "holdfast", dependencies: ["Commands"], swiftSettings: strict),
        """

    @Test("Package.swift is read as it is written")
    func package() {
        #expect(
            DependencyRules.targets(inPackage: Self.package)
                == ["Model": [], "Agent": ["Model", "Ports"], "holdfast": ["Commands"]])
    }

    @Test("an arrow that is unused, undeclared or against the design is found")
    func arrows() {
        let declared: [String: Set<String>] = ["Model": [], "Rules": ["Model"], "Web": ["CCurl"]]
        func findings(_ imported: [String: Set<String>]) -> [String] {
            DependencyRules.arrows(declared: declared, imported: imported)
        }
        #expect(findings(["Rules": ["Model"], "Web": ["CCurl", "Glibc"]]) == [])
        #expect(findings(["Rules": [], "Web": ["CCurl"]]).count == 1)
        #expect(findings(["Model": ["Rules"], "Rules": ["Model"], "Web": ["CCurl"]]).count == 1)
        let backwards: [String: Set<String>] = ["Model": ["Rules"], "Rules": []]
        #expect(DependencyRules.arrows(declared: backwards, imported: ["Model": ["Rules"]]).count == 1)
        #expect(DependencyRules.arrows(declared: ["Novel": []], imported: [:]).count == 1)
    }

    @Test("a C library with two owners is found")
    func ownersOfC() {
        #expect(
            DependencyRules.ownersOfC(imported: ["SQLite": ["CSQLite"], "Ledger": ["SQLite", "Commands"]])
                == [])
        #expect(
            DependencyRules.ownersOfC(imported: ["SQLite": ["CSQLite"], "Ledger": ["CSQLite"]]).count == 1)
    }

    @Test("a module without tests, and tests without a module, are found")
    func mirror() {
        #expect(DependencyRules.mirror(modules: ["Model", "Ports"], tests: ["Model", "Lab"]) == [])
        #expect(DependencyRules.mirror(modules: ["Model", "Web"], tests: ["Model", "Wbe"]).count == 2)
    }

    @Test("a long file is found, one at the limit is not")
    func lengths() {
        let most = String(repeating: "\n", count: Design.longestFile)
        #expect(FileRules.length(path: "Planted.swift", text: most) == [])
        #expect(FileRules.length(path: "Planted.swift", text: most + "\n").count == 1)
    }

    @Test("a developer's path is found, a node's is not")
    func privatePaths() {
        let home = "/" + "home/jo/holdfast"
        #expect(FileRules.privatePaths(path: "README.md", text: "cd \(home)\n").count == 1)
        #expect(
            FileRules.privatePaths(path: "README.md", text: "/usr/local/bin/k3s\n/var/lib/holdfast") == [])
    }

    @Test("fixtures of unknown origin are found")
    func origins() {
        #expect(
            FileRules.origins(files: ["snapd/README.md": "Recorded from snapd 2.68.3.", "snapd/a.json": ""])
                == [])
        #expect(FileRules.origins(files: ["snapd/deep/a.json": ""]).count == 1)
        #expect(FileRules.origins(files: ["snapd/README.md": "Files.", "snapd/a.json": ""]).count == 1)
    }

    @Test("a guarantee without a test that names it")
    func guarantees() {
        let tests = [("a.swift", #"@Test("invariants 1, 2 and 19: all")"#), ("b.swift", "(invariant 12)")]
        #expect(FileRules.guarantee(2, tests: [tests[0]]) == [])
        #expect(FileRules.guarantee(19, tests: [tests[0]]) == [])
        #expect(FileRules.guarantee(9, tests: [tests[0]]).count == 1)
        #expect(FileRules.guarantee(12, tests: tests).count == 1)
        #expect(FileRules.guarantee(1, tests: []).count == 1)
    }
}

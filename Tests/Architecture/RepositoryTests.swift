import Testing

/// The rules, held against this repository.
///
/// What each can find is shown beside it, in the tests of planted texts.
@Suite("The repository keeps its own rules")
struct RepositoryTests {
    @Test("modules import what the design gives them")
    func imports() throws {
        expectNone(try Repository.sources.flatMap(DependencyRules.imports))
    }

    @Test("the arrows of Package.swift are those of the sources, and within the design")
    func arrows() throws {
        let package = try #require(try Repository.text("Package.swift"))
        let declared = DependencyRules.targets(inPackage: package)
        #expect(declared.count > 10)
        expectNone(DependencyRules.arrows(declared: declared, imported: try imported()))
    }

    @Test("each C library has one Swift module in front of it")
    func ownersOfC() throws {
        expectNone(DependencyRules.ownersOfC(imported: try imported()))
    }

    @Test("invariant 5: the pure modules name nothing but their arguments")
    func purity() throws {
        expectNone(try Repository.sources.flatMap(NameRules.impurity))
    }

    @Test("only Commands prints")
    func printing() throws {
        expectNone(try Repository.sources.flatMap(NameRules.printing))
    }

    @Test("only Host touches files, processes and clocks")
    func hostCalls() throws {
        expectNone(try Repository.sources.flatMap(NameRules.hostCalls))
    }

    @Test("only Web opens sockets")
    func sockets() throws {
        expectNone(try Repository.sources.flatMap(NameRules.sockets))
    }

    @Test("the design's table lets nobody do what nobody does")
    func staleExceptions() throws {
        let sources = try Repository.sources
        for (module, imports) in Design.toolchain.sorted(by: { $0.key < $1.key }) {
            let used = Set(sources.filter { $0.module == module }.flatMap { $0.imports.map(\.module) })
            expectNone(
                imports.keys.filter { !used.contains($0) }.sorted().map { "\(module) never imports \($0)" })
        }
        for (module, names) in Design.hostCallsElsewhere.sorted(by: { $0.key < $1.key }) {
            let used = Set(
                sources.filter { $0.module == module }.flatMap { $0.words.map { String($0.text) } })
            expectNone(
                names.keys.filter { !used.contains($0) }.sorted().map { "\(module) never calls \($0)" })
        }
    }

    @Test("the tests mirror the modules")
    func mirror() throws {
        let modules = try Repository.folders(below: "Sources").filter { !DependencyRules.isC($0) }
        #expect(modules.count > 10)
        expectNone(DependencyRules.mirror(modules: modules, tests: try Repository.folders(below: "Tests")))
    }

    @Test("no source file holds more than one idea's worth of lines")
    func lengths() throws {
        let paths = try ["Sources", "Tests"].flatMap { try Repository.files(below: $0) }
        let swift = paths.filter { $0.hasSuffix(".swift") }
        expectNone(try swift.flatMap { FileRules.length(path: $0, text: try Repository.text($0) ?? "") })
    }

    @Test("no file names a place on somebody's own machine")
    func privatePaths() throws {
        let folders = ["Sources", "Tests", "Docs", "Policies", "Packaging", ".ci"]
        let paths = try Repository.topFiles() + folders.flatMap { try Repository.files(below: $0) }
        expectNone(
            try paths.flatMap { FileRules.privatePaths(path: $0, text: try Repository.text($0) ?? "") })
    }

    @Test("every folder of fixtures says where its files come from")
    func origins() throws {
        var files: [String: String] = [:]
        for path in try Repository.files(below: "Tests/Fixtures") {
            let name = path.split(separator: "/").dropFirst(2).joined(separator: "/")
            files[name] = path.hasSuffix("README.md") ? try Repository.text(path) ?? "" : ""
        }
        expectNone(FileRules.origins(files: files))
    }

    @Test("every public declaration says what it is for")
    func documentation() throws {
        let sources = try Repository.sources
        let promises = DocumentationRules.promises(in: sources)
        let findings = sources.flatMap { DocumentationRules.undocumented(in: $0, promises: promises) }
        expectNone(findings)
    }

    @Test("the page of guarantees has every invariant, each with tests that name it")
    func guarantees() throws {
        let page = try #require(try Repository.text("Docs/guarantees.md"))
        expectNone(
            try (1...13).flatMap { number in
                let row = page.split(separator: "\n").first { $0.hasPrefix("| \(number) |") } ?? ""
                // `Rules/PropertyTests`, and no other text in backticks has a slash.
                let files = row.split(separator: "`").filter { $0.contains("/") && !$0.contains(" ") }
                    .map { "Tests/\($0).swift" }
                let texts = try files.map { ($0, try Repository.text($0) ?? "") }
                return FileRules.guarantee(number, tests: texts)
            })
    }

    /// Fails with all findings, one a line.
    private func expectNone(_ findings: [String]) {
        if !findings.isEmpty { Issue.record("\(findings.count) found:\n\(findings.joined(separator: "\n"))") }
    }

    /// What each Swift module imports, all its files together.
    private func imported() throws -> [String: Set<String>] {
        var imported: [String: Set<String>] = [:]
        for source in try Repository.sources {
            imported[source.module, default: []].formUnion(source.imports.map(\.module))
        }
        return imported
    }
}

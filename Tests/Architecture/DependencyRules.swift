/// Rules about who may depend on whom.
///
/// Each returns what it finds wrong, one line each; nothing is good.
enum DependencyRules {
    /// Imports that the design does not give to this module.
    static func imports(of source: SourceText) -> [String] {
        let own = Design.arrows[source.module] ?? []
        let toolchain = Design.toolchain[source.module] ?? [:]
        return source.imports.compactMap { found in
            if own.contains(found.module) || toolchain[found.module] != nil { return nil }
            return "\(source.place(found.line)): \(source.module) may not import \(found.module)"
        }
    }

    /// Dependencies in Package.swift that differ from what the sources import, or go beyond the design.
    static func arrows(declared: [String: Set<String>], imported: [String: Set<String>]) -> [String] {
        var findings: [String] = []
        for (module, declaration) in declared.sorted(by: { $0.key < $1.key }) {
            guard let allowed = Design.arrows[module] else {
                findings.append("\(module) has no line in the design's table of arrows")
                continue
            }
            let used = (imported[module] ?? []).intersection(declared.keys).union(
                (imported[module] ?? []).filter(isC))
            for name in declaration.subtracting(allowed).sorted() {
                findings.append("Package.swift lets \(module) depend on \(name), the design does not")
            }
            for name in declaration.subtracting(used).sorted() {
                findings.append("Package.swift lets \(module) depend on \(name), which it never imports")
            }
            for name in used.subtracting(declaration).sorted() {
                findings.append("\(module) imports \(name) but Package.swift does not say so")
            }
        }
        return findings
    }

    /// C modules that more than one Swift module imports, so that their pointers have no single owner.
    static func ownersOfC(imported: [String: Set<String>]) -> [String] {
        var owners: [String: [String]] = [:]
        for (module, names) in imported {
            for name in names where isC(name) { owners[name, default: []].append(module) }
        }
        return owners.sorted { $0.key < $1.key }.compactMap { name, modules in
            modules.count == 1 ? nil : "\(name) is imported by \(modules.sorted().joined(separator: " and "))"
        }
    }

    /// Folders of tests that mirror no module, and modules without one.
    static func mirror(modules: Set<String>, tests: Set<String>) -> [String] {
        let strangers = tests.subtracting(modules).subtracting(Design.testsOfTheirOwn).sorted()
        let without = modules.subtracting(tests).subtracting(Design.untested.keys).sorted()
        return strangers.map { "Tests/\($0) mirrors no module" }
            + without.map { "Sources/\($0) has no tests" }
    }

    /// Whether a name is that of a C library's module: `CSQLite`, but not `Commands`.
    static func isC(_ name: String) -> Bool {
        let start = name.prefix(2)
        return start.first == "C" && start.count == 2 && start.last?.isUppercase == true
    }

    /// The targets of a Package.swift and their dependencies, read from its calls of `module(…)` and `.…arget(…)`.
    ///
    /// C targets are left out, which depend on the system alone, and so are those that lie in Tests.
    static func targets(inPackage text: String) -> [String: Set<String>] {
        var targets: [String: Set<String>] = [:]
        // Whole calls, whatever way they are broken over lines.
        for call in calls(in: text, named: ["module(", ".executableTarget(", ".target("]) {
            let names = call.split(separator: "\"", omittingEmptySubsequences: false)
                .enumerated().filter { $0.offset % 2 == 1 }.map { String($0.element) }
            guard let name = names.first, !isC(name), !call.contains("path: \"Tests/") else { continue }
            targets[name] = Set(names.dropFirst())
        }
        return targets
    }

    private static func calls(in text: String, named starts: [String]) -> [Substring] {
        var calls: [Substring] = []
        for start in starts {
            var rest = text[...]
            while let found = rest.firstRange(of: start) {
                let arguments = rest[found.upperBound...]
                // A declaration, or a call that hands a variable on, names no target.
                rest = arguments
                guard
                    arguments.drop(while: { $0.isWhitespace }).first == "\""
                        || arguments.hasPrefix("name: \"")
                else { continue }
                var depth = 1
                let end = arguments.firstIndex { character in
                    if character == "(" { depth += 1 }
                    if character == ")" { depth -= 1 }
                    return depth == 0
                }
                calls.append(arguments[..<(end ?? arguments.endIndex)])
            }
        }
        return calls
    }
}

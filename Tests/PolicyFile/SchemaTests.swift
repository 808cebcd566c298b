import Model
import Testing

@testable import PolicyFile

@Suite("The schema's tables")
struct SchemaTests {
    /// `{a: 1, b: {c: 2}}` of all keys that have a default, as the tables say it.
    private func defaults(_ keys: [SchemaKey], besides given: String = "") -> String {
        let parts = keys.compactMap { key -> String? in
            if let value = key.defaultValue { return "\(key.name): \(value)" }
            guard key.form == "mapping", key.keys.contains(where: { $0.defaultValue != nil }) else {
                return nil
            }
            return "\(key.name): \(defaults(key.keys))"
        }
        return "{\(([given] + parts).filter { !$0.isEmpty }.joined(separator: ", "))}"
    }

    @Test("say the defaults that count: a policy that writes them all out is the one that writes none")
    func policyDefaults() throws {
        let written = defaults(Schema.policy, besides: "apiVersion: holdfast/v1")
        #expect(written.contains("approvable: minor") && written.contains("keep: 400d"))
        #expect(try read(written).value.document == keys("").value.document)
        #expect(
            try keys("stages: [\(defaults(Schema.stage, besides: "name: a"))]").value.document
                == keys("stages: [{name: a}]").value.document)
        #expect(
            try keys("freezes: [{from: 2026-12-18, until: 2027-01-04, reason: r, scope: all}]").value.document
                == keys("freezes: [{from: 2026-12-18, until: 2027-01-04, reason: r}]").value.document)
    }

    @Test("say the defaults of node.yaml that count")
    func nodeDefaults() throws {
        let written = parseNodeFile(Array(defaults(Schema.node).utf8), file: "node.yaml")
        #expect(try written.value == NodeFile())
    }

    /// Each key of the tables, as a file in which a list of a list stands behind it, which no key takes.
    private static func wrong(_ keys: [SchemaKey], path: String = "", _ wrap: (String) -> String) -> [(
        path: String, text: String
    )] {
        keys.flatMap { key -> [(path: String, text: String)] in
            // What stands below a rule is what stands at the top.
            let inner = key.name == "rules" ? Array(key.keys.prefix(1)) : key.keys
            let isList = key.form.contains("list of mappings")
            let place = isList ? "\(path)\(key.name)[0]." : "\(path)\(key.name)."
            let here = key.form == "holdfast/v1" ? [] : [(path + key.name, wrap("{\(key.name): [[]]}"))]
            return here
                + wrong(inner, path: place) {
                    wrap(isList ? "{\(key.name): [\($0)]}" : "{\(key.name): \($0)}")
                }
        }
    }

    @Test("list no key that nobody reads", arguments: wrong(Schema.policy) { $0 }.map(\.text))
    func policyKeys(_ text: String) {
        let path = Self.wrong(Schema.policy) { $0 }.first { $0.text == text }?.path ?? ""
        let faults = read(text).faults.filter { !$0.message.contains("is missing") }
        #expect(faults.contains { $0.message.hasPrefix(path) }, "\(path): \(faults)")
    }

    @Test("list no key of node.yaml that nobody reads", arguments: Schema.node.map(\.name))
    func nodeKeys(_ name: String) {
        let faults = parseNodeFile(Array("\(name): [[]]".utf8), file: "node.yaml").faults
        #expect(faults.contains { $0.message.hasPrefix(name) }, "\(faults)")
    }
}

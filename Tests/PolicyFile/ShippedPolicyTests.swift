import FoundationEssentials
import Model
import PolicyFile
import Rules
import Testing

/// The directory of the shipped policies, and what is in it.
enum Shipped {
    static let directory =
        #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" } + "/Policies"

    static let names: [String] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return files.filter { $0.hasSuffix(".yaml") && !$0.hasSuffix(".cases.yaml") }
            .map { String($0.dropLast(5)) }.sorted()
    }()

    static func bytes(of name: String) throws -> [UInt8] {
        Array(
            try #require(
                FileManager.default.contents(atPath: "\(directory)/\(name)"), "\(name) cannot be read"))
    }

    static func policy(_ name: String) throws -> PolicyParse {
        parsePolicy(try bytes(of: name), file: name, isZone: { zone($0) != nil }, hash: sum)
    }

    static func cases(_ name: String) throws -> PolicyCases {
        try parsePolicyCases(try bytes(of: name), file: name).value
    }

    /// From the machine's own tzdata.
    static func zone(_ name: String) -> Zone? {
        if name == "UTC" { return .utc }
        let data = FileManager.default.contents(atPath: "/usr/share/zoneinfo/\(name)")
        return data.flatMap { try? Zone(name: name, tzif: Array($0)) }
    }
}

@Suite("the shipped policies")
struct ShippedPolicies {
    struct Case: Sendable, CustomTestStringConvertible {
        var policy: String
        var one: PolicyCase
        var testDescription: String { "\(policy): \(one.name)" }
    }

    static let cases: [Case] = Shipped.names.flatMap { name in
        ((try? Shipped.cases("\(name).cases.yaml"))?.cases ?? []).map { Case(policy: name, one: $0) }
    }

    @Test("all eight are there")
    func names() {
        #expect(
            Shipped.names == [
                "frozen", "homelab", "k0s-fleet", "microk8s-laptops", "microk8s-one-track", "observe",
                "offline-edge", "saas-k3s",
            ])
    }

    @Test(
        "each is valid, and warned about for nothing but what its comments answer for",
        arguments: Shipped.names)
    func valid(_ name: String) throws {
        let parse = try Shipped.policy("\(name).yaml")
        _ = try parse.value
        #expect(parse.warnings.map(\.message).allSatisfy { $0.hasPrefix("clock:") }, "\(parse.warnings)")
        #expect(parse.warnings.isEmpty == (name != "offline-edge"))
    }

    @Test(
        "each has a table of cases that shows both what is stopped and what is let through",
        arguments: Shipped.names)
    func tables(_ name: String) throws {
        let table = try Shipped.cases("\(name).cases.yaml")
        #expect(table.policy == "\(name).yaml")
        #expect((5...12).contains(table.cases.count))
        #expect(table.cases.contains { $0.expected.verdict == .allow })
        #expect(table.cases.contains { $0.expected.verdict != .allow })
    }

    @Test("decides each of its cases as expected", arguments: cases)
    func decides(_ row: Case) throws {
        let loaded = try Shipped.policy("\(row.policy).yaml").value
        var subject = row.one.subject
        let resolved = resolve(
            loaded, isCurrent: true, node: subject.node, distribution: subject.installation.id.distribution,
            role: subject.installation.role)
        subject.zone = Shipped.zone(resolved.policy.timezone)
        let decision = evaluate(
            policy: resolved, subject: subject, fleet: row.one.fleet, approvals: row.one.approvals,
            denials: [], now: row.one.now)
        #expect(row.one.differences(from: decision) == [], "\(row.policy).cases.yaml:\(row.one.line)")
    }

    @Test("every prefix of one, cut anywhere, gives a policy or faults")
    func prefixes() throws {
        let whole = try Shipped.bytes(of: "k0s-fleet.yaml")
        for length in 0..<whole.count {
            switch parsePolicy(Array(whole[..<length]), file: "p", isZone: isZone, hash: sum) {
            case .valid: break
            case .invalid(let faults): #expect(!faults.isEmpty)
            }
        }
    }
}

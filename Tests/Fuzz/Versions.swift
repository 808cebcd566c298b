import Model

/// Versions and ranges: up to three versions, and a range in the last line.
let versions = [Target(name: "versions", look: lookAtVersions)]

private func lookAtVersions(_ bytes: [UInt8]) {
    let lines = bytes.lines(atMost: 4).map(\.text)
    let found = lines.prefix(3).compactMap { Version($0) }
    for version in found { expectReadsBack(version) }
    for a in found {
        for b in found { expectOrder(a, b, found) }
    }
    guard let range = range(lines[lines.count - 1]) else { return }
    guard let again = self(range.text) else { fatalError("\(range.text) is no range any longer") }
    expect(again == range && areSame(again.text, range.text), "a range that reads back as another one")
    for version in found {
        expect(again.contains(version) == range.contains(version), "two answers about \(version)")
        expect(VersionRange.any.contains(version), "any version is not \(version)")
    }
}

private func `self`(_ text: String) -> VersionRange? { range(text) }

private func range(_ text: String) -> VersionRange? {
    do throws(VersionRangeError) { return try VersionRange(text) } catch {
        expectShowable(error.description)
        return nil
    }
}

private func expectReadsBack(_ version: Version) {
    let text = version.description
    expect(text.utf8.count <= 129, "a version of \(text.utf8.count) bytes")
    expectShowable(text)
    expect(Version(text) == version, "\(text) reads back as another one")
    expect(Version(text.dropFirst()) == version, "\(text) is another one without its v")
    // A range of one version has that version in it, and nothing on either side.
    for (relation, isIn) in [
        ("", true), ("=", true), (">=", true), ("<=", true), ("<", false), (">", false), ("!=", false),
    ] {
        expect(range(relation + text)?.contains(version) == isIn, "\(version) and \(relation)\(text)")
    }
}

/// The order is total: exactly one of <, == and > holds, and it is transitive.
private func expectOrder(_ a: Version, _ b: Version, _ all: [Version]) {
    expect([a < b, a == b, b < a].filter { $0 }.count == 1, "\(a) and \(b) have no order")
    for c in all where a < b && b < c { expect(a < c, "\(a) < \(b) < \(c), and not \(a) < \(c)") }
    guard a < b, a.prerelease.isEmpty, b.prerelease.isEmpty else { return }
    // A bound and its opposite part all versions between them.
    expect(
        range("<\(b)")?.contains(a) == !(range(">=\(b)")?.contains(a) ?? true), "\(a) on both sides of \(b)")
}

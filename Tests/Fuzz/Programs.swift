import GoPrograms
@testable import Host
import Model

/// ELF programs and the build information in them.
let programs = [
    Target(name: "elf", look: lookAtProgram, seeds: madePrograms),
    Target(name: "buildinfo", look: lookAtBuildInformation),
]

private func facts(_ bytes: [UInt8], _ distribution: Distribution) -> ArtifactFacts {
    let source = ByteSource(size: bytes.count) { (offset, buffer) throws(HostError) in
        expect(
            offset >= 0 && offset <= bytes.count && buffer.count <= bytes.count - offset,
            "read outside the file")
        bytes[offset..<offset + buffer.count].withUnsafeBytes { buffer.copyMemory(from: $0) }
        return buffer.count
    }
    return readArtifact(source, distribution: distribution)
}

private func lookAtProgram(_ bytes: [UInt8]) {
    for distribution in [Distribution.k3s, .k0s] {
        let found = facts(bytes, distribution)
        expect(found == facts(bytes, distribution), "two looks at the same bytes")
        expect((found.version == nil) == (found.evidence == .unreadable), "a version without evidence")
        expect((found.version == nil) == (found.unreadable != nil), "no version, and no reason why")
        expect(
            found.version?.distribution ?? distribution == distribution, "a version of another distribution")
        if let reason = found.unreadable { expectShowable(reason) }
    }
}

/// The text is what the linker was given.
private func lookAtBuildInformation(_ bytes: [UInt8]) {
    let flags = bytes.text
    guard let shape = ReleaseShape(.k3s) else { return }
    let values = linkerValues(of: shape.variables, in: flags)
    expect(values.allSatisfy { $0.utf8.count <= flags.utf8.count }, "a value that is longer than its text")
    let whole = goModules(module: "github.com/k3s-io/k3s", flags: flags)
    // One of six forms, or this would take all the time.
    let forms: [ELFWriter.BuildInfo] = [
        .inline(modules: whole), .pointers(modules: whole), .inline(modules: flags),
    ]
    lookAtProgram(
        ELFWriter(hasSections: bytes.count.isMultiple(of: 2), buildInfo: forms[bytes.count % 3]).bytes())
    // Go quotes control characters in other ways, which are not read.
    guard flags.utf8.allSatisfy({ $0 >= 32 || $0 == 9 || $0 == 10 }), Set(values).count == 1,
        let version = shape.version(values[0])
    else { return }
    let found = facts(ELFWriter(buildInfo: .inline(modules: whole)).bytes(), .k3s)
    expect(found.version == version && found.evidence == .goBuildInfo, "\(version) became \(found)")
}

private func madePrograms() -> [[UInt8]] {
    let modules = goModules(
        module: "github.com/k3s-io/k3s",
        flags: "-X github.com/k3s-io/k3s/pkg/version.Version=v1.31.4+k3s1 -w -s")
    let text = linked("v1.36.3+k0s.2") + Array("see v1.30.0+k3s1 too".utf8)
    var programs: [[UInt8]] = []
    for architecture in [Architecture.amd64, .arm, .s390x] {
        for info in [ELFWriter.BuildInfo.none, .inline(modules: modules), .pointers(modules: modules)] {
            programs.append(
                ELFWriter(architecture: architecture, readOnlyData: text, buildInfo: info).bytes())
        }
    }
    programs.append(
        ELFWriter(hasSections: false, readOnlyData: text, buildInfo: .inline(modules: modules)).bytes())
    return programs
}

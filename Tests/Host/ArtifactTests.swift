import GoPrograms
import Model
import Testing

@testable import Host

private func read(_ bytes: [UInt8], _ distribution: Distribution = .k3s) -> ArtifactFacts {
    let source = ByteSource(size: bytes.count) { (offset, buffer) throws(HostError) in
        buffer.copyBytes(from: bytes[offset..<min(offset + buffer.count, bytes.count)])
        return min(buffer.count, bytes.count - offset)
    }
    return readArtifact(source, distribution: distribution)
}

private let k3sFlags = "-X github.com/k3s-io/k3s/pkg/version.Version=v1.31.4+k3s1 -w -s"

@Suite struct ArtifactTests {
    @Test(
        "invariant 11: linker flags give the version on every architecture, with and without section headers",
        arguments: Architecture.allCases, [true, false])
    func buildInfo(architecture: Architecture, hasSections: Bool) {
        let modules = goModules(module: "github.com/k3s-io/k3s", flags: k3sFlags)
        for buildInfo in [ELFWriter.BuildInfo.inline(modules: modules), .pointers(modules: modules)] {
            let program = ELFWriter(
                architecture: architecture, hasSections: hasSections, buildInfo: buildInfo)
            let facts = read(program.bytes())
            #expect(facts.version == Version("v1.31.4+k3s1"))
            #expect(facts.evidence == .goBuildInfo)
            #expect(facts.unreadable == nil)
            #expect(facts.architecture == architecture)
            #expect(facts.mainModule == "github.com/k3s-io/k3s")
            #expect(facts.distribution == .k3s)
        }
    }

    @Test(
        "invariant 11: without flags the one string of the right shape gives the version, on every architecture",
        arguments: Architecture.allCases, [true, false])
    func embedded(architecture: Architecture, hasSections: Bool) {
        let trimmed = goModules(module: "github.com/k0sproject/k0s", flags: nil)
        for buildInfo in [ELFWriter.BuildInfo.none, .inline(modules: trimmed), .pointers(modules: nil)] {
            let program = ELFWriter(
                architecture: architecture, hasSections: hasSections, readOnlyData: linked("v1.36.3+k0s.2"),
                buildInfo: buildInfo)
            let facts = read(program.bytes(), .k0s)
            #expect(facts.version == Version("v1.36.3+k0s.2"))
            #expect(facts.evidence == .embeddedString)
            #expect(facts.architecture == architecture)
        }
    }

    struct Flags: Sendable, CustomTestStringConvertible {
        var text: String
        /// Nil where the flags set no version.
        var version: String?
        var distribution = Distribution.k3s
        var testDescription: String { text }
    }

    static let flags = [
        Flags(text: k3sFlags, version: "v1.31.4+k3s1"),
        Flags(text: "-X 'github.com/k3s-io/k3s/pkg/version.Version=v1.31.4+k3s1'", version: "v1.31.4+k3s1"),
        Flags(text: "-X \"github.com/k3s-io/k3s/pkg/version.Version=v1.31.4+k3s1\"", version: "v1.31.4+k3s1"),
        Flags(text: "-X=github.com/k3s-io/k3s/pkg/version.Version=v1.31.4+k3s1", version: "v1.31.4+k3s1"),
        Flags(text: "'-X=github.com/k3s-io/k3s/pkg/version.Version=v1.31.4+k3s1'", version: "v1.31.4+k3s1"),
        Flags(
            text: "--X\t github.com/k3s-io/k3s/pkg/version.Version=v1.31.4+k3s1\n", version: "v1.31.4+k3s1"),
        Flags(text: "all=-X github.com/k3s-io/k3s/pkg/version.Version=v1.31.4+k3s1", version: "v1.31.4+k3s1"),
        Flags(
            text: "-w -X github.com/rancher/k3s/pkg/version.Version=v1.19.12+k3s1", version: "v1.19.12+k3s1"),
        Flags(
            text: "-extldflags '-static -X' -X github.com/k3s-io/k3s/pkg/version.Version=v1.31.4-rc1+k3s1",
            version: "v1.31.4-rc1+k3s1"),
        Flags(
            text: "-X github.com/k0sproject/k0s/pkg/build.Version=v1.31.4+k0s.0.vendor1",
            version: "v1.31.4+k0s.0.vendor1",
            distribution: .k0s),
        Flags(text: "-X github.com/k3s-io/k3s/pkg/version.GitCommit=v1.31.4+k3s1", version: nil),
        Flags(text: "-X github.com/k3s-io/k3s/pkg/version.Versions=v1.31.4+k3s1", version: nil),
        Flags(text: "github.com/k3s-io/k3s/pkg/version.Version=v1.31.4+k3s1", version: nil),
        Flags(text: "-X", version: nil),
        Flags(text: "-X '", version: nil),
    ]

    @Test("the linker's flags are split and quoted as Go's command does", arguments: flags)
    func quoting(example: Flags) {
        let modules = goModules(module: "example.com/any", flags: example.text)
        let facts = read(ELFWriter(buildInfo: .inline(modules: modules)).bytes(), example.distribution)
        #expect(facts.version?.description == example.version)
        #expect(facts.evidence == (example.version == nil ? .unreadable : .goBuildInfo))
    }

    struct Data: Sendable, CustomTestStringConvertible {
        var what: String
        var bytes: [UInt8]
        var version: String?
        /// What the reason says where there is no version.
        var reason = ""
        var distribution = Distribution.k3s
        var testDescription: String { what }
    }

    static let noise: [UInt8] = Array(
        "errors.go\0v1.20.0-k3s1\0v1.4.4-k3s1\0k3s\0+k3s\0v1.20.8+k3s\0v1.20+k3s1\0".utf8)
    static let data = [
        Data(
            what: "decoys with a dash, or with a part missing", bytes: noise,
            reason: "no version of K3s in its read-only data"),
        Data(
            what: "the version among decoys", bytes: noise + linked("v1.20.8+k3s1") + noise,
            version: "v1.20.8+k3s1"),
        Data(
            what: "the same version three times",
            bytes: linked("v1.20.8+k3s1") + linked("v1.20.8+k3s1") + noise + linked("v1.20.8+k3s1"),
            version: "v1.20.8+k3s1"),
        Data(
            what: "two versions", bytes: linked("v1.20.8+k3s1") + linked("v1.21.1+k3s1"),
            reason: "ambiguous: it holds v1.20.8+k3s1, v1.21.1+k3s1"),
        Data(
            what: "one at the start of the data", bytes: Array("v1.20.8+k3s1\0".utf8), version: "v1.20.8+k3s1"
        ),
        Data(what: "one that is all the data", bytes: Array("v1.20.8+k3s1".utf8), version: "v1.20.8+k3s1"),
        Data(
            what: "one among constants, where it could go on",
            bytes: Array("\0no routev1.20.8+k3s10 pods\0".utf8),
            reason: "no version of K3s"),
        Data(
            what: "one inside a sentence", bytes: Array("\0use v1.20.8+k3s1 or later\0".utf8),
            reason: "only v1.20.8+k3s1 inside other text"),
        Data(
            what: "one at the end of a sentence", bytes: Array("\0fixed in v1.20.8+k3s1\0".utf8),
            reason: "only v1.20.8+k3s1 inside other text"),
        Data(
            what: "an image's name beside the version",
            bytes: Array("\0rancher/k3s:v1.19.1+k3s1\0".utf8) + linked("v1.20.8+k3s1"),
            version: "v1.20.8+k3s1"),
        Data(
            what: "one right after a table of numbers", bytes: [1, 0xfe] + Array("v1.20.8+k3s1\0".utf8),
            version: "v1.20.8+k3s1"),
        Data(
            what: "one that is better marked than another",
            bytes: [1, 0xfe] + Array("v1.19.1+k3s1\0".utf8)
                + linked("v1.20.8+k3s1"), version: "v1.20.8+k3s1"),
        Data(
            what: "one with a second build", bytes: linked("v1.20.8+k3s1+k3s2") + linked("x+v1.20.8+k3s1"),
            reason: "no version of K3s"),
        Data(what: "a longer name", bytes: linked("rv1.20.8+k3s1"), reason: "no version of K3s"),
        Data(what: "a development build", bytes: linked("v1.20.8+k3s-5d0a12a6"), reason: "no version of K3s"),
        Data(
            what: "K3s's version in a program of k0s", bytes: linked("v1.20.8+k3s1"),
            reason: "no version of k0s", distribution: .k0s),
        Data(
            what: "k0s's version beside its Kubernetes",
            bytes: linked("v1.36.3+k0s") + linked("v1.36.3+k0s.2") + linked("v1.36.3"),
            version: "v1.36.3+k0s.2",
            distribution: .k0s),
        Data(
            what: "a very long run without an end",
            bytes: [UInt8](repeating: UInt8(ascii: "1"), count: 5000) + Array("+k3s1".utf8),
            reason: "no version"),
        Data(
            what: "MicroK8s, which has none", bytes: linked("v1.31.4"), reason: "in its snap",
            distribution: .microk8s),
    ]

    @Test("only a string of the right shape that stands alone is taken for the version", arguments: data)
    func strings(example: Data) {
        for hasSections in [true, false] {
            let program = ELFWriter(hasSections: hasSections, readOnlyData: example.bytes)
            let facts = read(program.bytes(), example.distribution)
            #expect(facts.version?.description == example.version)
            #expect(facts.unreadable?.contains(example.reason) ?? (example.version != nil), "\(facts)")
        }
    }

    @Test("a version is found wherever it lies about the edge of a window, once")
    func windows() {
        for before in (1 << 20) - 200..<(1 << 20) + 20 {
            let data =
                [UInt8](repeating: 7, count: before) + linked("v1.20.8+k3s1")
                + [UInt8](repeating: 9, count: 300)
            #expect(
                read(ELFWriter(readOnlyData: data).bytes()).version == Version("v1.20.8+k3s1"), "\(before)")
        }
    }

    @Test("flags that contradict each other, or name no release, are no reason to look further")
    func contradiction() {
        func facts(_ flags: String) -> ArtifactFacts {
            read(
                ELFWriter(
                    readOnlyData: linked("v1.31.4+k3s1"),
                    buildInfo: .inline(modules: goModules(module: "github.com/k3s-io/k3s", flags: flags))
                ).bytes())
        }
        let name = "github.com/k3s-io/k3s/pkg/version.Version"
        let two = facts("-X \(name)=v1.31.4+k3s1 -X \(name)=v1.32.0+k3s1")
        #expect(two.version == nil)
        #expect(two.unreadable == "ambiguous: its linker flags say v1.31.4+k3s1, v1.32.0+k3s1")
        let development = facts("-X \(name)=dev\u{1b}[2J")
        #expect(development.version == nil)
        #expect(development.unreadable == "its linker flags say \"dev?[2J\", which is no release of K3s")
    }
}

@Suite struct HostileArtifactTests {
    static let programs: [(String, ELFWriter)] = {
        let modules = goModules(module: "github.com/k3s-io/k3s", flags: k3sFlags)
        return [
            ("inline", ELFWriter(buildInfo: .inline(modules: modules))),
            ("inline, no sections", ELFWriter(hasSections: false, buildInfo: .inline(modules: modules))),
            ("pointers, 32 bits", ELFWriter(architecture: .arm, buildInfo: .pointers(modules: modules))),
            ("pointers, big endian", ELFWriter(architecture: .s390x, buildInfo: .pointers(modules: modules))),
            ("string", ELFWriter(readOnlyData: ArtifactTests.noise + linked("v1.31.4+k3s1"))),
            ("string, no sections", ELFWriter(hasSections: false, readOnlyData: linked("v1.31.4+k3s1"))),
        ]
    }()

    @Test(
        "a program cut off at any length is unreadable, and never its version or another", arguments: programs
    )
    func truncation(name: String, program: ELFWriter) {
        var bytes = program.bytes()
        #expect(read(bytes).version == Version("v1.31.4+k3s1"))
        // The last data of a program without sections may be followed by nothing else.
        while bytes.popLast() != nil {
            let facts = read(bytes)
            #expect(facts.version == nil, "\(bytes.count)")
            #expect(facts.unreadable?.isEmpty == false)
        }
    }

    @Test("no changed byte outside the version makes another version of it", arguments: programs)
    func flips(name: String, program: ELFWriter) {
        let version = "v1.31.4+k3s1"
        let original = program.bytes()
        // The version, and the bytes that end it on both sides.
        let protected = original.indices.filter { original[$0...].starts(with: version.utf8) }
            .map { $0 - 1...$0 + version.utf8.count }
        for index in original.indices {
            for mask: UInt8 in [0x01, 0x80, 0xff, 0x10] {
                var bytes = original
                bytes[index] ^= mask
                let found = read(bytes).version
                guard let found, found.description != version else { continue }
                // What was changed to another version is one; it must be what the file says.
                #expect(protected.contains { $0.contains(index) }, "\(index) \(mask) \(found)")
                let text = Array(found.description.utf8)
                #expect(
                    bytes.indices.contains { bytes[$0...].starts(with: text) }, "\(index) \(mask) \(found)")
            }
        }
    }

    @Test("random bytes after a good header never trap")
    func noise() {
        var random = SplitMix(state: 20_260_101)
        let original = ELFWriter(buildInfo: .inline(modules: "x")).bytes()
        for _ in 0..<3000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...12, using: &random) {
                bytes[Int.random(in: 16..<bytes.count, using: &random)] =
                    [0, 1, 0x7f, 0x80, 0xff]
                    .randomElement(using: &random) ?? 0
            }
            #expect(read(bytes).version == nil)
        }
    }

    @Test("what is no program says what it is")
    func others() {
        #expect(read([]).unreadable == "empty")
        #expect(read(Array("#!/bin/sh\nexec k3s\n".utf8)).unreadable == "a script, not a program")
        #expect(read(Array("v1.31.4+k3s1".utf8)).unreadable == "not an ELF file")
        #expect(read(ELFWriter(type: 1).bytes()).unreadable == "an ELF file, but no program (type 1)")
        #expect(read(ELFWriter().bytes()).unreadable == "no version of K3s in its read-only data")
    }

    @Test("a file of a terabyte is refused before it is read")
    func huge() {
        let source = ByteSource(size: 1 << 40) { (_, _) throws(HostError) in
            Issue.record("it was read")
            return 0
        }
        #expect(
            readArtifact(source, distribution: .k3s).unreadable
                == "larger than any release: 1099511627776 bytes")
    }

    @Test("a file made of almost-versions is given up, not judged to its end")
    func crowded() {
        let data = (0..<100_001).flatMap { _ in Array("\0v1+k3s1".utf8) } + linked("v1.31.4+k3s1")
        let facts = read(ELFWriter(readOnlyData: data).bytes())
        #expect(facts.unreadable == "more than 100000 strings that look like a version")
    }

    @Test("a file that shrinks while it is read is unreadable")
    func shrinking() {
        let bytes = ELFWriter(readOnlyData: linked("v1.31.4+k3s1")).bytes()
        let source = ByteSource(size: bytes.count) { (offset, buffer) throws(HostError) in
            let end = min(offset + buffer.count, bytes.count - 200)
            guard offset < end else { return 0 }
            buffer.copyBytes(from: bytes[offset..<end])
            return end - offset
        }
        #expect(readArtifact(source, distribution: .k3s).unreadable == "it shrank while it was read")
    }
}

/// A generator whose numbers are the same on every run (Steele, Lea, Flood: SplitMix64).
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

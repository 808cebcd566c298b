import FoundationEssentials
import Glibc
import Host
import Model
import Testing

@Suite("A file that is filled piece by piece")
struct PartialFileTests {
    private let bytes = (0..<2_500_000).map { UInt8(truncatingIfNeeded: $0 &* 7 >> 2) }

    private func append(_ bytes: some Collection<UInt8>, to file: PartialFile) throws {
        try Array(bytes).withUnsafeBytes { try file.append($0) }
    }

    @Test("what earlier attempts left counts into size and digest")
    func goesOn() throws {
        let scratch = try Scratch()
        for end in [1, 700_000, 1_048_576, 2_000_001, 2_500_000] {
            let file = try PartialFile.open(scratch("k3s.part"))
            try append(bytes[Int(file.size)..<end], to: file)
            #expect(file.size == Int64(end))
        }
        let file = try PartialFile.open(scratch("k3s.part"))
        #expect(file.size == Int64(bytes.count))
        #expect(try file.finish() == hashBytes(bytes))
        #expect(try readFile(scratch("k3s.part"), limit: 1 << 24) == bytes)
        var status = stat()
        #expect(stat(scratch("k3s.part"), &status) == 0 && status.st_mode & 0o7777 == 0o600)
    }

    @Test("what was begun anew has nothing of before in it")
    func restarts() throws {
        let scratch = try Scratch()
        let file = try PartialFile.open(scratch("k3s.part"))
        try append(bytes, to: file)
        try file.restart()
        try append(bytes.prefix(10), to: file)
        #expect(try file.finish() == hashBytes(Array(bytes.prefix(10))))
        #expect(try readFile(scratch("k3s.part"), limit: 100) == Array(bytes.prefix(10)))
    }

    @Test("another file is copied whole, or not to its end where nobody wants more")
    func copies() throws {
        let scratch = try Scratch()
        let source = try scratch.write("k3s", bytes)
        let file = try PartialFile.open(scratch("k3s.part"))
        #expect(try file.append(contentsOf: source) { true })
        #expect(try file.finish() == hashBytes(bytes))
        let other = try PartialFile.open(scratch("other.part"))
        #expect(try !other.append(contentsOf: source) { other.size == 0 })
        #expect(other.size == 1 << 20)
    }

    @Test("one process at a time has it, until it lets it go")
    func busy() throws {
        let scratch = try Scratch()
        var first: PartialFile? = try PartialFile.open(scratch("k3s.part"))
        let error = try #require(throws: HostError.self) { try PartialFile.open(scratch("k3s.part")) }
        #expect(error.isBusy)
        withExtendedLifetime(first) {}
        first = nil
        _ = try PartialFile.open(scratch("k3s.part"))
    }

    @Test("a link, a second name, a directory and a pipe are no files of our own", arguments: 0..<4)
    func foreign(kind: Int) throws {
        let scratch = try Scratch()
        let victim = try scratch.write("victim", "precious")
        switch kind {
        case 0: try scratch.link("k3s.part", to: victim)
        case 1: #expect(link(victim, scratch("k3s.part")) == 0)
        case 2: try scratch.makeDirectory("k3s.part")
        default: #expect(mkfifo(scratch("k3s.part"), 0o600) == 0)
        }
        #expect(throws: HostError.self) { try PartialFile.open(scratch("k3s.part")) }
        #expect(try readFile(victim, limit: 100) == Array("precious".utf8))
    }

    @Test("what is larger than any release is begun anew, not read")
    func huge() throws {
        let scratch = try Scratch()
        let path = try scratch.write("k3s.part", "x")
        #expect(truncate(path, off_t(largestArtifact) + 1) == 0)
        let file = try PartialFile.open(path)
        #expect(file.size == 0)
    }
}

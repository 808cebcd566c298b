import Distributions
import Host
import Model
import Ports
import ScriptedServer
import Testing

@Suite("What was turned away is seen")
struct PendingLookTests {
    private let folder = "usr/local/bin/.holdfast-pending"

    private func node() throws -> NodeRoot {
        let node = try NodeRoot()
        try node.program(StandInProgram.k3s("v1.31.4+k3s1"), at: "usr/local/bin/k3s")
        try node.unit("k3s.service", "/usr/local/bin/k3s server")
        try node.program(StandInProgram.k0s("v1.31.4+k0s.0"), at: "usr/local/bin/k0s")
        try node.unit("k0scontroller.service", "/usr/local/bin/k0s controller")
        return node
    }

    @Test("as offers with version, digest and place, each to the installation that it was taken from")
    func offers() throws {
        let node = try node()
        var memory = ObserverMemory()
        #expect(node.look(K3sAdapter(), memory: &memory).installations.first?.offers == [])
        try node.program(StandInProgram.k3s("v1.32.1+k3s1"), at: "\(folder)/k3s.7-100-1790000000")
        try node.program(StandInProgram.k3s("v1.32.1+k3s1"), at: "\(folder)/k3s.8-100-1790000000")
        try node.program(StandInProgram.k0s("v1.32.1+k0s.0"), at: "\(folder)/k0s.9-100-1790000000.3")
        try node.program(Array("unreadable".utf8), at: "\(folder)/k3s.9-10-1790000000")
        try node.program(Array("somebody else's".utf8), at: "\(folder)/notes.txt")
        let offers = try #require(node.look(K3sAdapter(), memory: &memory).installations.first).offers
        // The same bytes twice are one offer.
        #expect(Set(offers.map(\.artifact.version)) == [Version("v1.32.1+k3s1"), nil])
        let offer = try #require(offers.first { $0.artifact.version != nil })
        #expect(offer.path?.hasPrefix("/\(folder)/k3s.") == true && offer.trigger == .fileReplaced)
        #expect(offer.artifact.sha256 == (try hashFile(node.directory.path + (offer.path ?? ""))))
        #expect(offer.origin == .claimed && offers.first { $0 != offer }?.origin == .unknown)
        let other = try #require(node.look(K0sAdapter(), memory: &memory).installations.first).offers
        #expect(other.map(\.artifact.version) == [Version("v1.32.1+k0s.0")])
    }

    @Test("hashed once, and forgotten when it is gone; a link there is not followed")
    func remembered() throws {
        let node = try node()
        var memory = ObserverMemory()
        let name = "\(folder)/k3s.7-100-1790000000"
        let path = node.directory.path + "/" + name
        try node.program(StandInProgram.k3s("v1.32.1+k3s1"), at: name)
        _ = node.look(K3sAdapter(), memory: &memory)
        // What is remembered of it counts, and not its bytes, while the file is the same one.
        let planted = Digest(String(repeating: "9", count: 64))
        memory.files[path]?.sha256 = planted
        #expect(
            node.look(K3sAdapter(), memory: &memory).installations.first?.offers.first?.artifact.sha256
                == planted)
        try removeFile(path)
        try node.directory.link(name, to: "../k3s")
        #expect(node.look(K3sAdapter(), memory: &memory).installations.first?.offers == [])
        try removeFile(path)
        _ = node.look(K3sAdapter(), memory: &memory)
        #expect(memory.files[path] == nil)
    }
}

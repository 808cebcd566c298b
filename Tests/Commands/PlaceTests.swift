import CommandLine
import FoundationEssentials
import Host
import Testing

@testable import Commands

@Suite("The journal is told of the node's own ledger, not of one for a try")
struct PlaceTests {
    private func place(_ words: String...) throws -> Place {
        guard case .run(let invocation) = Interface.program.parse(words) else {
            throw Failure(code: .usage, message: words.joined(separator: " "))
        }
        return try Place(invocation)
    }

    @Test("an import into another ledger is no event of this node, though what a tick finds is")
    func otherLedger() throws {
        let node = try SampleNode()
        let place = try place("catalog", "import", "sums", "--state", node.state)
        #expect(!(place.ledgerJournal is JournalWriter))
        #expect(place.journal is JournalWriter)
    }

    @Test("an import into the node's own ledger is an event of this node")
    func ownLedger() throws {
        #expect(try place("catalog", "import", "sums").ledgerJournal is JournalWriter)
    }

    @Test("the node's own ledger is known by the directory, not by how it is written")
    func spelling() throws {
        let node = try SampleNode()
        let own = node.root + "/srv/ledger"
        let link = node.directory + "/link"
        func isNodes(_ state: String) throws -> Bool {
            try place("check", "--root", node.root, "--state", state).isNodesLedger
        }
        try node.name(stateDirectory: "/srv/ledger")
        // Nothing is there before the ledger is begun.
        #expect(try isNodes(own))
        #expect(try !isNodes(node.state))
        for path in [own, node.state] {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: own)
        for state in [own, own + "/", node.root + "/srv/../srv/ledger", link] {
            #expect(try isNodes(state), "\(state)")
        }
        #expect(try !isNodes(node.state))
    }
}

extension SampleNode {
    /// Writes a node.yaml that names the directory of the node's ledger.
    fileprivate func name(stateDirectory: String) throws {
        try FileManager.default.createDirectory(
            atPath: root + "/etc/holdfast", withIntermediateDirectories: true)
        try Data("stateDirectory: \(stateDirectory)\n".utf8)
            .write(to: URL(filePath: root + "/etc/holdfast/node.yaml"))
    }
}

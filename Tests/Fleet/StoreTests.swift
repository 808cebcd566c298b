import FleetSuite
import Ports
import Testing

@Suite("Every store of a fleet")
struct StoreTests {
    @Test("in SQLite", arguments: FleetCase.allCases)
    func sqlite(of case: FleetCase) throws { try `case`.check(at: .sqlite()) }

    @Test("in ConfigMaps", arguments: FleetCase.allCases)
    func kubernetes(of case: FleetCase) throws { try `case`.check(at: .kubernetes()) }

    @Test(
        // Each has a server of its own: a dozen at once would be slow together.
        "in etcd", .serialized, .enabled(if: EtcdCluster.isHere, "\(EtcdCluster.skipped)"),
        arguments: FleetCase.allCases)
    func etcd(of case: FleetCase) throws { try `case`.check(at: .etcd()) }

    @Test("the embedded one sees this machine alone, and the others say that they see more")
    func sight() throws {
        #expect(try FleetPlace.sqlite().open().seesOthers == false)
        #expect(try FleetPlace.kubernetes().open().seesOthers)
    }
}

import FleetSuite
import LedgerSuite
import Testing

@Suite("What every store and every ledger has to do, in simulation")
struct SuiteTests {
    @Test("the simulated store does it", arguments: FleetCase.allCases)
    func store(of case: FleetCase) throws {
        let store = SimulatedStore()
        try `case`.check(at: FleetPlace { StoreClient(store) })
    }

    @Test("the simulated ledger does it", arguments: LedgerCase.allCases)
    func ledger(of case: LedgerCase) throws {
        let disk = SimulatedLedger()
        try `case`.check(
            at: LedgerPlace(
                open: { LedgerProcess(disk) },
                // What is no process's alone lies on the disk.
                crash: {},
                withBadEntry: { sequence, body in
                    disk.bad = sequence
                    defer { disk.bad = nil }
                    try body()
                }))
    }
}

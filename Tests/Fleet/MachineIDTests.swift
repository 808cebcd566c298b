import Fleet
import FleetSuite
import Ports
import Testing

@Suite("A machine's id in its fleet")
struct MachineIDTests {
    /// By `systemd-id128 machine-id --app-specific=e210dd9644f34f308b554bef96610d1a` on such machines (systemd 252).
    @Test(
        "is what systemd makes of the machine's id and ours",
        arguments: [
            ("3d1219c7c4c5404aaa1f6d2a48adfda4", "99aac18793574fe0ad10a0ea4eaae357"),
            ("0123456789abcdef0123456789abcdef", "4d9204615dd6401dbcdacf5a9be771fa"),
        ])
    func known(machine: String, id: String) throws {
        #expect(try MachineID.fleetID(machineID: machine) == id)
        #expect(try MachineID.fleetID(machineID: machine + "\n") == id)
    }

    @Test(
        "is an error that says what to do where the machine has none",
        arguments: [
            nil, "", "\n", "uninitialized\n", "uninitialized", "0123456789abcdef0123456789abcde",
            "0123456789abcdef0123456789abcdef0", "0123456789ABCDEF0123456789abcdef",
            "+123456789abcdef0123456789abcdef", "0123456789abcdeg0123456789abcdef",
            "00000000000000000000000000000000\n", " 0123456789abcdef0123456789abcdef",
        ])
    func none(text: String?) throws {
        let failure = try #require(throws: FleetFailure.self) { try MachineID.fleetID(machineID: text) }
        #expect(failure.code == .malformed)
        #expect(failure.description.hasPrefix("/etc/machine-id: "))
        #expect(failure.description.contains("systemd-machine-id-setup"))
        #expect(!failure.description.contains("0123456789abcde"))
    }
}

import Testing

@testable import Host

@Suite("A program in a unit of its own")
struct TransientUnitTests {
    @Test("systemd is asked for a unit of that name, bounded in time, and for exactly those words")
    func arguments() throws {
        let task = TransientTask(
            unit: "holdfast-backup-5f1c.service", purpose: "a backup",
            arguments: ["/bin/sh", "-c", "echo $HOME ${1} $$"], environment: ["B": "2", "A": "1"],
            timeout: 1800)
        let words = SystemdTransientUnits.arguments(of: task)
        #expect(words.first == "/usr/bin/systemd-run")
        for word in [
            "--unit=holdfast-backup-5f1c.service", "--property=RuntimeMaxSec=1800", "--service-type=exec",
            "--property=RemainAfterExit=yes", "--property=UMask=0077",
        ] {
            #expect(words.contains(word), "\(word)")
        }
        // systemd puts variables in, and takes two dollars for one.
        #expect(words.suffix(4) == ["--", "/bin/sh", "-c", "echo $$HOME $${1} $$$$"])
        #expect(words.firstIndex(of: "--setenv=A=1") ?? 0 < words.firstIndex(of: "--setenv=B=2") ?? 0)
    }

    @Test("without systemd it is refused in plain words")
    func none() throws {
        guard !isDirectory("/run/systemd/system") else { return }
        let task = TransientTask(
            unit: "holdfast-x.service", purpose: "x", arguments: ["/bin/true"], timeout: 1)
        let error = try #require(throws: HostError.self) { try SystemdTransientUnits().start(task) }
        #expect(error.description.contains("no systemd runs here"))
    }
}

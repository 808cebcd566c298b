import FoundationEssentials
import Glibc
import Host
import Model
import Testing

@Suite("Files that tell who else may bring another version")
struct UpdaterFilesTests {
    private let scratch: Scratch
    private let root: Root

    init() throws {
        scratch = try Scratch()
        root = Root(scratch.path)
    }

    private func write(_ path: String, _ text: String, mode: mode_t = 0o644) throws {
        try FileManager.default.createDirectory(
            atPath: URL(filePath: scratch(path)).deletingLastPathComponent().path,
            withIntermediateDirectories: true)
        try scratch.write(path, text, mode: mode)
    }

    @Test("the package that lists a file owns it, by whole lines and by either name of a merged /usr")
    func owner() throws {
        #expect(packageOwning("/usr/bin/k0s", in: root) == .nobody)
        try write("var/lib/dpkg/info/other.list", "/.\n/usr/bin/k0sctl\n/x/usr/bin/k0s\n")
        #expect(packageOwning("/usr/bin/k0s", in: root) == .nobody)
        try write("var/lib/dpkg/info/k0s:amd64.list", "/.\n/bin/k0s\n")
        #expect(packageOwning("/usr/bin/k0s", in: root) == .dpkg("k0s"))
        #expect(packageOwning("/usr/local/bin/k0s", in: root) == .nobody)
    }

    @Test("an RPM database is not read, so a file outside /usr/local may be owned")
    func rpm() throws {
        try write("var/lib/rpm/rpmdb.sqlite", "")
        #expect(packageOwning("/usr/bin/k3s", in: root) == .mayBeRPM)
        #expect(packageOwning("/usr/local/bin/k3s", in: root) == .nobody)
    }

    @Test("unattended-upgrades is on where it is installed and the last word switches it on")
    func unattended() throws {
        try write("etc/apt/apt.conf.d/20auto", "APT::Periodic::Unattended-Upgrade \"1\";\n")
        #expect(unattendedUpgrades(in: root) == nil)
        try write("usr/bin/unattended-upgrade", "#!/bin/sh\n", mode: 0o755)
        #expect(unattendedUpgrades(in: root) == "/etc/apt/apt.conf.d/20auto:1")
        try write("etc/apt/apt.conf.d/99off", "// off\nAPT::Periodic::Unattended-Upgrade \"0\";\n")
        #expect(unattendedUpgrades(in: root) == nil)
    }

    @Test("lines of every crontab and of cron's scripts are given with their places")
    func cron() throws {
        try write("etc/crontab", "one\n\ntwo\n")
        try write("etc/cron.daily/script", "three\n")
        try write("var/spool/cron/crontabs/root", "four\n")
        #expect(
            cronLines(in: root).map { "\($0.place) \($0.text)" } == [
                "/etc/crontab:1 one", "/etc/crontab:3 two", "/etc/cron.daily/script:1 three",
                "/var/spool/cron/crontabs/root:1 four",
            ])
    }

    @Test("chrony tells the kernel only where rtcsync is set, and not in a comment")
    func chrony() throws {
        #expect(chronyConfiguration(in: root) == nil)
        try write("etc/chrony/chrony.conf", "pool x\n# rtcsync\n")
        #expect(chronyConfiguration(in: root)?.tellsKernel == false)
        try write("etc/chrony/chrony.conf", "pool x\n  rtcsync\n")
        #expect(chronyConfiguration(in: root)?.tellsKernel == true)
    }

    @Test("settings of a unit add up over its drop-ins, the stronger of one name, until an empty value")
    func settings() throws {
        let unit = "holdfast.path"
        func changed() -> [String]? {
            unitSettings(unit, section: "Path", keys: ["PathChanged"], in: root)?["PathChanged"]
        }
        #expect(unitSettings(unit, section: "Path", keys: ["PathChanged"], in: root) == nil)
        try write(
            "usr/local/lib/systemd/system/holdfast.path",
            "[Path]\nPathChanged=/a\n[Install]\nPathChanged=/no\n")
        try write("run/systemd/system/holdfast.path.d/b.conf", "[Path]\nPathChanged=/weak\n")
        try write("etc/systemd/system/holdfast.path.d/b.conf", "[Path]\nPathChanged=/b\n")
        #expect(changed() == ["/a", "/b"])
        try write("etc/systemd/system/holdfast.path.d/c.conf", "[Path]\nPathChanged=\nPathChanged=/c\n")
        #expect(changed() == ["/c"])
    }

    @Test("a file system says how much is left of it")
    func space() throws {
        let space = try FileSystemSpace(of: scratch.path)
        #expect(space.size > 0 && space.free <= space.size && !space.isReadOnly)
        #expect(throws: HostError.self) { try FileSystemSpace(of: scratch("none")) }
    }
}

import FoundationEssentials
import Host
import Testing

@Suite("the environment of whoever calls it")
struct EnvironmentTests {
    /// Variables that other programs heed, each with something that would be seen if this one did.
    private static func hostile(_ bait: String) -> [String: String] {
        var all: [String: String] = [:]
        for name in [
            "TMPDIR", "HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "SQLITE_TMPDIR", "CREDENTIALS_DIRECTORY",
            "STATE_DIRECTORY", "CONFIGURATION_DIRECTORY", "RUNTIME_DIRECTORY", "TZDIR", "LOCPATH",
            "CURL_HOME",
            "SSL_CERT_DIR", "NLSPATH",
        ] { all[name] = bait }
        for name in [
            "KUBECONFIG", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "SSLKEYLOGFILE", "NETRC", "HOLDFAST_POLICY",
            "HOLDFAST_STATE", "HOLDFAST_ROOT", "HOLDFAST_CONFIG", "HOLDFAST_NODE", "SQLITE_HISTORY",
            "LD_ORIGIN_PATH",
        ] { all[name] = bait + "/file" }
        for name in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            all[name] = "http://127.0.0.1:1"
        }
        all["PATH"] = bait
        all["TZ"] = "Pacific/Kiritimati"
        all["LANG"] = "C.UTF-8"
        all["NOTIFY_SOCKET"] = bait + "/notify"
        all["DBUS_SYSTEM_BUS_ADDRESS"] = "unix:path=\(bait)/bus"
        all["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=\(bait)/bus"
        all["SWIFT_DETERMINISTIC_HASHING"] = "1"
        all["COLUMNS"] = "99999999999999999999"
        all["IFS"] = "/"
        return all
    }

    @Test("changes neither what it finds and decides nor what it says, and nothing that it names is opened")
    func ignored() throws {
        let node = try SampleNode(
            policy:
                "apiVersion: holdfast/v1\nunattended: patch\nwindows: [{days: [mon, sun], start: \"02:00\", duration: 2h}]\ntimezone: Europe/Berlin\n"
        )
        _ = try node.holdfast("check")
        try node.install("v1.31.5+k3s1")
        _ = try node.holdfast("check")
        let bait = node.directory + "/bait"
        try FileManager.default.createDirectory(atPath: bait, withIntermediateDirectories: true)
        // Programs by which it could be led astray where it looked in PATH.
        for name in ["systemd-run", "snap", "k3s", "sh", "systemctl", "journalctl"] {
            let path = "\(bait)/\(name)"
            try Data("#!/bin/sh\ntouch \(bait)/ran\n".utf8).write(to: URL(filePath: path))
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        }
        // Where the policy and the ledger are is given, or as it is where nobody says it.
        let own = node.root + "/etc/holdfast"
        try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: node.policy, toPath: own + "/policy.yaml")
        let root = ["--root", node.root]
        for _ in 1...2 { #expect(try SampleNode.run(["check"] + root).code == 0) }
        let given = root + ["--policy", node.policy, "--state", node.state]
        let verbs = [
            ["check", "--output", "json"], ["status", "--output", "json"], ["status"], ["status", "--paths"],
            ["explain"], ["doctor", "--output", "json"],
        ]
        for whole in verbs.map({ $0 + given }) + verbs.map({ $0 + root }) + [
            ["history", "--output", "csv"] + root, ["history", "--output", "csv", "--state", node.state],
            ["policy", "show", node.policy], ["policy", "lint"] + root,
            // Of this machine itself, whatever it has.
            ["policy", "lint"],
        ] {
            let plain = try SampleNode.run(whole)
            let led = try SampleNode.run(whole, environment: Self.hostile(bait))
            // "last check 2 seconds ago", and nothing else that moves by itself.
            #expect(Self.still(led.output) == Self.still(plain.output), "\(whole)")
            #expect(led.code == plain.code && led.errors == plain.errors, "\(whole)")
        }
        #expect(try !FileManager.default.contentsOfDirectory(atPath: bait).contains("ran"))
        guard RefusedCall.hasStrace else { return }
        for words in [["check"], ["doctor"], ["status", "--paths"]] {
            let lines = try node.trace(
                of: words,
                ["-e", "trace=%file,connect"]
                    + Self.hostile(bait).flatMap { ["-E", "\($0.key)=\($0.value)"] })
            #expect(!lines.contains { $0.contains(bait) && !$0.contains("execve(") }, "\(words)")
        }
    }

    private static func still(_ text: String) -> String {
        text.split(separator: "\n").filter { !$0.contains("last check") }.joined(separator: "\n")
    }
}

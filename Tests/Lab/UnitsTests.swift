import Model
import Testing

extension PlainNodeTests {
    @Suite("what make install puts on a node")
    struct Units {
        @Test("runs by itself: a replaced binary starts a tick, and the journal explains what it tells")
        func watches() async throws {
            let node = try LabNode.current
            let k3s = try await node.installK3s("watched", "v1.31.4+k3s1", port: 7131)
            let old = try await node.download("k3s", "v1.31.4+k3s1")
            let new = try await node.download("k3s", "v1.32.1+k3s1")
            try await node.withHoldfastInstalled { node in
                try await node.run("systemd-analyze verify --man=no /usr/local/lib/systemd/system/holdfast*")
                try await node.write(
                    "apiVersion: holdfast/v1\nunattended: patch\n", to: "/etc/holdfast/policy.yaml")
                // The rule for a node's own places: what exists.
                for unit in ["holdfast", "holdfast-settle"] {
                    try await node.write(
                        "[Path]\nPathChanged=\(k3s.bin)\n",
                        to: "/etc/systemd/system/\(unit).path.d/node.conf")
                }
                try await node.run(
                    "systemctl daemon-reload; systemctl enable --now holdfast.timer holdfast.path; systemctl start holdfast"
                )

                try await node.run("cp \"$1\" \"$2.new\"; mv -f \"$2.new\" \"$2\"", new, k3s.binary)
                try await node.wait(until: told(.decided, of: k3s, "v1.32.1"))
                let decided = try #require(
                    try await node.journal(.decided).last { $0.installation == "watched" })
                #expect((decided.verdict, decided.phase) == ("hold", "on-disk"))
                let explained = try await node.run(
                    "journalctl -x --no-pager MESSAGE_ID=\(JournalEntry.Message.decided.rawValue)")
                #expect(explained.contains("░░     holdfast explain \(decided.change ?? "?")"))
                #expect(!explained.contains("@HOLDFAST"))

                // What keeps both alive is StartLimitIntervalSec=0 on the service.
                try await node.run(
                    """
                    for i in $(seq 50); do
                        if [ $((i % 2)) = 0 ]; then cp "$1" "$3.new"; else cp "$2" "$3.new"; fi
                        mv -f "$3.new" "$3"; sleep 0.05
                    done
                    cp "$1" "$3.new"; mv -f "$3.new" "$3"
                    """, old, new, k3s.binary)
                #expect(
                    try await node.ask("systemctl", "is-active", "holdfast.path", "holdfast.timer").output
                        == "active\nactive\n")
                // One that fell between a tick's last look and the next watch is found by the second look.
                try await node.wait(until: told(.artifactChanged, of: k3s, "installed v1.31.4"))
                #expect(try await node.ask("holdfast", "verify").code == 0)
            }
        }

        /// Whether the newest entry of that kind about a K3s has a text in it.
        private func told(_ message: JournalEntry.Message, of k3s: K3sOnNode, _ text: String) -> String {
            "journalctl -q -n 1 MESSAGE_ID=\(message.rawValue) HOLDFAST_INSTALLATION=\(k3s.name) | grep -q '\(text)'"
        }

        @Test("looks as far from inside its sandbox as root does outside")
        func sandbox() async throws {
            let node = try LabNode.current
            let k3s = try await node.installK3s("sandboxed", "v1.31.4+k3s1", port: 7132)
            try await node.withHoldfastInstalled { node in
                try await node.write(
                    """
                    [Service]
                    ExecStart=
                    ExecStart=/usr/local/bin/holdfast status --output json
                    StandardOutput=truncate:/root/inside.json

                    """, to: "/run/systemd/system/holdfast.service.d/look.conf")
                // The first is the tick, so that both look at the same ledger.
                try await node.run(
                    "holdfast check >/dev/null || true; systemctl daemon-reload; systemctl start holdfast; rm -r /run/systemd/system/holdfast.service.d"
                )
                let inside = try await node.ask("cat", "/root/inside.json").json(NodeAnswer.self)
                let outside = try await node.ask("holdfast", "status", "--output", "json")
                #expect(try await node.run("cat /root/inside.json") == outside.output)
                #expect(
                    try inside.installation(k3s.name).sources
                        == .all("v1.31.4+k3s1", "api", "process-executable", "installed-file"))
            }
        }

        @Test("follows no node.yaml and no policy that others could have written, and says which it is")
        func looseFiles() async throws {
            let node = try LabNode.current
            try await node.withHoldfastInstalled { node in
                for file in ["/etc/holdfast/node.yaml", "/etc/holdfast/policy.yaml"] {
                    let text = file.contains("node") ? "# mine\n" : "apiVersion: holdfast/v1\n"
                    for loosen in ["chmod 0664", "chmod 0666", "chown nobody"] {
                        try await node.write(text, to: file)
                        try await node.run("chmod 0644 \"$1\"; chown root \"$1\"; \(loosen) \"$1\"", file)
                        let answer = try await node.ask("holdfast", "check")
                        #expect(
                            answer.code == 78 && (answer.output + answer.errors).contains(file),
                            "\(loosen) \(file): \(answer)")
                    }
                    try await node.run("rm \"$1\"", file)
                }
            }
        }

        @Test("is installed twice as once, and uninstalled whole, but for what people and ticks wrote")
        func uninstall() async throws {
            let node = try LabNode.current
            let files =
                "find /usr/local /etc/systemd /run/holdfast ! -type d 2>/dev/null | sort; find /usr/local -type d | sort"
            let before = try await node.run(files)
            try await node.withHoldfastInstalled { node in
                try await node.write("# mine", to: "/etc/holdfast/node.yaml")
                let once = try await node.run(files)
                try await node.script("install")
                #expect(try await node.run(files) == once)
                try await node.run("systemctl enable --now holdfast.timer holdfast.path")
            }
            #expect(try await node.run(files) == before)
            #expect(try await node.run("cat /etc/holdfast/node.yaml; rm /etc/holdfast/node.yaml") == "# mine")
            #expect(try await node.ask("test", "-d", "/var/lib/holdfast").code == 0)
            #expect(try await node.script("uninstall").contains("Nothing to do"))
        }
    }
}

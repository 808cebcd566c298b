import FoundationEssentials
import Testing

/// The Debian package on a fresh Debian 13, from the package alone.
@Suite(
    "the package on Debian 13", .serialized,
    .enabled(if: Lab.packageObstacle == nil, "SKIPPED: \(Lab.packageObstacle ?? "")"),
    .bareNode(.plain, with: "k3s"))
struct PackageLabTests {
    @Test("is installed, upgraded under guard, removed and purged")
    func life() async throws { try await packageLives(on: .current) }

    @Test("invariant 3: stays where a guard cannot be lifted; and even without it the unit starts")
    func stuck() async throws { try await packageIsStuck(on: .current) }

    @Test("and the tarball takes its place, and leaves nothing either")
    func tarball() async throws { try await tarballLives(on: .current) }

    @Test("and goes by hand, as the documentation says, where the program does not run")
    func byHand() async throws { try await tarballGoesByHand(on: .current) }
}

/// The same on a fresh Debian 12, whose libraries are the oldest that it runs with.
@Suite(
    "the package on Debian 12", .serialized,
    .enabled(if: Lab.packageObstacle == nil, "SKIPPED: \(Lab.packageObstacle ?? "")"),
    .bareNode(.old, with: "k3s", "old"))
struct OldPackageLabTests {
    @Test("is installed, upgraded under guard, removed and purged")
    func life() async throws { try await packageLives(on: .current) }

    @Test("invariant 3: stays where a guard cannot be lifted; and even without it the unit starts")
    func stuck() async throws { try await packageIsStuck(on: .current) }

    @Test("and the tarball takes its place, and leaves nothing either")
    func tarball() async throws { try await tarballLives(on: .current) }

    @Test("the package goes by hand, as the documentation says, where the program does not run")
    func byHand() async throws { try await packageGoesByHand(on: .current) }
}

private let dropIn = "/etc/systemd/system/k3s.service.d/zz-holdfast.conf"

private func packageLives(on node: LabNode) async throws {
    try await node.lab("install-k3s", "v1.31.4+k3s1")
    let minor = try await node.download("k3s", "v1.32.1+k3s1")
    try await node.put(Lab.packages?.debian ?? "", at: "/root/package.deb")
    // The next version, whose gate has other bytes.
    try await node.run(
        """
        dpkg-deb --raw-extract /root/package.deb /root/next
        sed -i 's/^Version: .*/&+next/' /root/next/DEBIAN/control
        printf next >>/root/next/usr/bin/holdfast-gate
        dpkg-deb -Znone --build /root/next /root/next.deb
        """)
    let before = try await node.run(everyFile)

    try await isInstalled(node)
    try await guards(node, against: minor)
    try await isUpgraded(node)
    try await guards(node, against: minor)
    #expect(try await node.ask("holdfast", "verify").code == 0)

    try await node.run("dpkg --remove holdfast")
    #expect(try await node.ask("test", "-e", dropIn).code == 1)
    try await node.restart("k3s.service")
    #expect(try await node.run("/usr/local/bin/k3s --version").contains("v1.31.4+k3s1"))
    // What people and ticks wrote is there for an installation that comes back.
    try await node.run("test -e /etc/holdfast/policy.yaml; test -e /var/lib/holdfast/ledger.db")
    #expect(try await node.run("systemctl list-units --no-legend 'holdfast*'") == "")

    try await node.run("dpkg --purge holdfast")
    let after = try await node.run(everyFile)
    #expect(lines(after).symmetricDifference(lines(before)) == [])
    try await nothingIsLeft(node)
}

private func lines(_ text: String) -> Set<Substring> { Set(text.split(separator: "\n")) }

/// Nothing of ours, but what the test itself brought.
private func nothingIsLeft(_ node: LabNode) async throws {
    let left = try await node.run("find / -xdev -name '*holdfast*' ! -path '/proc/*' ! -path '/root/*'")
    #expect(left == "")
    let explained = try await node.run("journalctl --list-catalog | grep -i holdfast || true")
    #expect(explained == "")
}

/// Every file of the node but what the package manager, systemd and the distribution write for themselves.
private let everyFile = """
    find / -xdev \\( -path /proc -o -path /sys -o -path /var/lib/dpkg -o -path /var/lib/apt -o -path /var/log -o -path /var/lib/rancher \
        -o -path /var/cache -o -path /root \\) -prune -o ! -type d -print | sort
    find /etc /usr /opt -xdev -type d | sort
    """

private func isInstalled(_ node: LabNode) async throws {
    // Whatever it depends on is there already, for the node has no network.
    try await node.run("apt-get install -y /root/package.deb")
    #expect(try await node.run("dpkg --verify holdfast") == "")
    #expect(
        try await node.run(
            "systemctl is-active holdfast.timer holdfast.path; systemctl is-enabled holdfast.timer")
            == "active\nactive\nenabled\n")
    // It observes, by a policy that asks for nothing else.
    try await node.run("systemctl start holdfast; test -e /var/lib/holdfast/ledger.db; holdfast policy lint")
    let status = try await node.ask("holdfast", "status", "--output", "json").json(NodeAnswer.self)
    #expect(status.policy.path == "/etc/holdfast/policy.yaml" && status.policy.valid)
    #expect(try status.installation("k3s").approved?.version == "v1.31.4+k3s1")
    #expect(try await node.ask("test", "-e", dropIn).code == 1)
    try await node.run(
        """
        for shell in bash-completion/completions/holdfast zsh/vendor-completions/_holdfast \
            fish/vendor_completions.d/holdfast.fish; do test -s /usr/share/$shell; done
        for page in man1/holdfast.1 man5/holdfast-policy.5 man5/holdfast-node.5 man8/holdfast-gate.8; do
            gzip -dc /usr/share/man/$page.gz | grep -q '^\\.TH'
        done
        bash -n /usr/share/bash-completion/completions/holdfast
        test "$(stat -c %a:%U /var/lib/holdfast)" = 700:root
        """)
    #expect(try await node.run("journalctl --list-catalog | grep -c Holdfast") != "0\n")
    try await node.write(
        "apiVersion: holdfast/v1\nunattended: patch\norigin: claimed\nclock: trusted\nenforce: {gate: restore}\n",
        to: "/etc/holdfast/policy.yaml")
    let answer = try await node.ask("holdfast", "adopt")
    #expect(answer.code == 0, "\(answer.output)\(answer.errors)")
    #expect(try await node.run("cat \"$1\"", dropIn).contains("/usr/bin/holdfast-gate"))
    #expect(try await node.ask("holdfast", "doctor").code == 0)
}

/// Another release takes the binary's place and the unit is restarted: what was approved runs.
private func guards(_ node: LabNode, against file: String) async throws {
    try await node.run(
        "cp \"$1\" /usr/local/bin/k3s.new; mv -f /usr/local/bin/k3s.new /usr/local/bin/k3s", file)
    try await node.restart("k3s.service")
    #expect(try await node.run("/usr/local/bin/k3s --version").contains("v1.31.4+k3s1"))
    // The tick stages another spare.
    try await node.run(
        "systemctl start holdfast; cmp /usr/local/bin/k3s /usr/local/bin/.k3s.holdfast-spare")
}

/// The next version takes the place of this one, and there is a gate at each instant.
private func isUpgraded(_ node: LabNode) async throws {
    let facts = """
        cat "$1" /etc/holdfast/policy.yaml; sha256sum /usr/local/bin/.k3s.holdfast-spare
        systemctl show -P InvocationID k3s.service
        """
    let before = try await node.run(facts, dropIn)
    let gate = try await node.run("sha256sum /usr/bin/holdfast-gate")
    try await node.run(
        """
        (while [ ! -e /root/upgraded ]; do
            /usr/bin/holdfast-gate 2>/dev/null || [ $? = 64 ] || echo missing >>/root/no-gate
        done) &
        dpkg --install /root/next.deb
        touch /root/upgraded
        wait
        """)
    #expect(
        try await node.run("cat /root/no-gate 2>/dev/null || true; rm -f /root/upgraded /root/no-gate") == "")
    #expect(try await node.run("sha256sum /usr/bin/holdfast-gate") != gate)
    #expect(try await node.run(facts, dropIn) == before)
    #expect(
        try await node.run("dpkg-query -W -f '${db:Status-Status} ${Version}' holdfast").wholeMatch(
            of: /installed .*\+next/) != nil)
    #expect(
        try await node.ask("systemctl", "is-active", "holdfast.timer", "holdfast.path").output
            == "active\nactive\n")
}

private func packageIsStuck(on node: LabNode) async throws {
    try await node.lab("install-k3s", "v1.31.4+k3s1")
    try await node.put(Lab.packages?.debian ?? "", at: "/root/package.deb")
    try await node.run("dpkg --install /root/package.deb")
    try await node.write(
        "apiVersion: holdfast/v1\nenforce: {gate: restore}\n", to: "/etc/holdfast/policy.yaml")
    try await node.run("holdfast adopt; chattr +i \"$1\"", dropIn)

    let refused = try await node.ask("dpkg", "--remove", "holdfast")
    #expect(refused.code != 0 && refused.errors.contains("HOLDFAST_FORCE=1"), "\(refused.errors)")
    #expect(try await node.run("dpkg-query -W -f '${db:Status-Status}' holdfast") == "installed")
    #expect(try await node.ask("systemctl", "is-active", "holdfast.timer").output == "active\n")

    try await node.run("env HOLDFAST_FORCE=1 dpkg --remove holdfast; test -e \"$1\"", dropIn)
    try await node.restart("k3s.service")
    #expect(
        try await node.run("journalctl -u k3s.service -o cat --no-pager").contains("it starts unguarded"))

    // Whoever installs it again can let go of what was left.
    try await node.run(
        "chattr -i \"$1\"; dpkg --install /root/package.deb; holdfast release; ! test -e \"$1\"", dropIn)
    try await node.run("dpkg --purge holdfast")
    try await nothingIsLeft(node)
}

/// Installs the tarball, and adopts.
private func installTarball(on node: LabNode) async throws {
    try await node.put(Lab.packages?.tarball ?? "", at: "/root/tarball.tar.gz")
    try await node.run(
        "rm -rf /root/tarball; mkdir /root/tarball; tar -C /root/tarball --strip-components=1 -xzf /root/tarball.tar.gz"
    )
    try await node.run(
        "/root/tarball/install; holdfast --version; systemctl enable --now holdfast.timer holdfast.path")
    try await node.write(
        "apiVersion: holdfast/v1\nenforce: {gate: restore}\n", to: "/etc/holdfast/policy.yaml")
    try await node.run("holdfast adopt; grep -q /usr/local/bin/holdfast-gate \"$1\"", dropIn)
}

private func tarballLives(on node: LabNode) async throws {
    try await node.lab("install-k3s", "v1.31.4+k3s1")
    let before = try await node.run(everyFile)
    try await installTarball(on: node)

    // What is there would stand before the package.
    try await node.put(Lab.packages?.debian ?? "", at: "/root/package.deb")
    let refused = try await node.ask("dpkg", "--install", "/root/package.deb")
    #expect(refused.code != 0 && refused.errors.contains("make uninstall"), "\(refused.errors)")

    try await node.run("PURGE=1 /root/tarball/uninstall; ! test -e \"$1\"", dropIn)
    try await node.restart("k3s.service")
    let after = try await node.run(everyFile)
    #expect(lines(after).symmetricDifference(lines(before)) == [])
    try await nothingIsLeft(node)
}

/// The block of Docs/recovery.md, "Removal by hand", but for the lines that only some nodes need.
private func removalByHand() throws -> String {
    let path = "\(#filePath)".components(separatedBy: "/Tests/")[0] + "/Docs/recovery.md"
    let text = try String(contentsOf: URL(filePath: path), encoding: .utf8)
    let section = try #require(text.components(separatedBy: "\n## Removal by hand\n").dropFirst().first)
    let block = try #require(section.components(separatedBy: "```sh\n").dropFirst().first)
    let lines = try #require(block.components(separatedBy: "\n```").first).split(separator: "\n")
    #expect(lines.count > 10)
    return lines.filter { !$0.contains("# only ") }.joined(separator: "\n")
}

/// By another file in its place, since a tick that the watch started may run the program, which cannot be written to then.
private func breakProgram(at path: String, on node: LabNode) async throws {
    try await node.run(
        "echo broken >\"$1.new\"; chmod 755 \"$1.new\"; mv \"$1.new\" \"$1\"; ! holdfast --version", path)
}

private func tarballGoesByHand(on node: LabNode) async throws {
    try await node.lab("install-k3s", "v1.31.4+k3s1")
    let before = try await node.run(everyFile)
    try await installTarball(on: node)
    try await breakProgram(at: "/usr/local/bin/holdfast", on: node)
    try await node.run(try removalByHand())
    try await nothingIsLeft(node)
    try await node.restart("k3s.service")
    // Nothing but directories, such as those of man pages, and all that was there before.
    let after = lines(try await node.run(everyFile))
    #expect(lines(before).subtracting(after) == [])
    for path in after.subtracting(lines(before)) { try await node.run("test -d \"$1\"", String(path)) }
}

private func packageGoesByHand(on node: LabNode) async throws {
    try await node.lab("install-k3s", "v1.31.4+k3s1")
    try await node.put(Lab.packages?.debian ?? "", at: "/root/package.deb")
    try await node.run("dpkg --install /root/package.deb")
    try await node.write(
        "apiVersion: holdfast/v1\nenforce: {gate: restore}\n", to: "/etc/holdfast/policy.yaml")
    try await node.run("holdfast adopt; test -e \"$1\"", dropIn)
    try await breakProgram(at: "/usr/bin/holdfast", on: node)
    // As the comment behind that line says.
    let commands = try removalByHand()
    #expect(commands.contains("cd /usr/local  "))
    try await node.run(commands.replacing("cd /usr/local  ", with: "cd /usr  "))
    try await node.restart("k3s.service")
    try await node.run("dpkg --purge holdfast")
    try await nothingIsLeft(node)
}

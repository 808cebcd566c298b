import Host
import Testing

@Suite struct RootTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var asked: String
        var found: String
        var why: String
        var testDescription: String { "\(asked): \(why)" }
    }

    static let cases = [
        Case(asked: "/etc/plain", found: "/etc/plain", why: "no link at all"),
        Case(asked: "/etc/none/at/all", found: "/etc/none/at/all", why: "what is not there keeps its name"),
        Case(asked: "//etc/./plain/", found: "/etc/plain", why: "empty names and dots"),
        Case(asked: "/../../etc/plain", found: "/etc/plain", why: "`..` stops at the root"),
        Case(asked: "/etc/absolute", found: "/etc/plain", why: "an absolute link starts at the root"),
        Case(asked: "/etc/relative", found: "/etc/plain", why: "a relative link starts where it is"),
        Case(asked: "/etc/climbing", found: "/etc/plain", why: "a link that climbs stops at the root"),
        Case(asked: "/lib/unit", found: "/usr/lib/unit", why: "a linked directory, as in merged /usr"),
        Case(asked: "/etc/chain", found: "/etc/plain", why: "a link to a link to a link"),
        Case(
            asked: "/lib/../etc/plain", found: "/usr/etc/plain",
            why: "`..` after a link goes where the link led"),
        Case(asked: "/etc/dangling", found: "/etc/gone", why: "a link to nothing is followed all the same"),
        Case(asked: "/etc/to-root", found: "/", why: "a link to the root itself"),
        Case(asked: "/", found: "/", why: "the root"),
    ]

    @Test("a path of the node stays inside its root", arguments: cases)
    func stays(example: Case) throws {
        let scratch = try tree()
        #expect(try Root(scratch.path + "/").resolve(example.asked) == scratch.path + example.found)
    }

    @Test(
        "links in a circle end as an error, not as a hang",
        arguments: ["/etc/circle", "/etc/self", "/etc/grow"])
    func circle(path: String) throws {
        let scratch = try tree()
        #expect { try Root(scratch.path).resolve(path) } throws: { error in
            (error as? HostError)?.description.contains(path) == true
        }
    }

    @Test(
        "what is not absolute, or has a NUL in it, is no path of the node",
        arguments: ["", "etc", "../x", "/a\0b"])
    func malformed(path: String) {
        #expect(throws: HostError.self) { try Root("/var/tmp").resolve(path) }
        #expect(throws: HostError.self) { try Root("/").resolve(path) }
    }

    @Test("the live root leaves paths to the kernel")
    func live() throws {
        #expect(Root("/").isLive)
        #expect(Root("").isLive)
        #expect(!Root("/var").isLive)
        #expect(try Root("/").resolve("/lib/../etc") == "/lib/../etc")
    }

    private func tree() throws -> Scratch {
        let scratch = try Scratch()
        try scratch.makeDirectory("etc")
        try scratch.makeDirectory("usr/lib")
        try scratch.write("etc/plain", "x")
        try scratch.link("lib", to: "usr/lib")
        try scratch.link("etc/absolute", to: "/etc/plain")
        try scratch.link("etc/relative", to: "plain")
        try scratch.link("etc/climbing", to: "../../../../../../../../etc/plain")
        try scratch.link("etc/chain", to: "/etc/chain2")
        try scratch.link("etc/chain2", to: "relative")
        try scratch.link("etc/dangling", to: "/etc/gone")
        try scratch.link("etc/to-root", to: "/")
        try scratch.link("etc/self", to: "self")
        try scratch.link("etc/circle", to: "/etc/circle2")
        try scratch.link("etc/circle2", to: "circle")
        try scratch.link("etc/grow", to: "grow/" + String(repeating: "a/", count: 200))
        return scratch
    }
}

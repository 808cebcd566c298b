import Glibc
import Host
import Testing

/// The home directory, where everything above belongs to root or to us; `/var/tmp` never is such a place.
private let safePlace: String? = getpwuid(geteuid()).map { String(cString: $0.pointee.pw_dir) }
    .flatMap { ownershipProblem(of: $0) == nil ? $0 : nil }

@Suite(.enabled(if: safePlace != nil, "others can write to the home directory: ownership is not tested"))
struct OwnershipTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var path: String
        /// What the problem says; nil for none.
        var says: String?
        var testDescription: String { path }
    }

    static let cases = [
        Case(path: "good/file", says: nil),
        Case(path: "good/open", says: "good/open can be written by everybody: take that away (chmod go-w"),
        Case(path: "good/shared", says: "good/shared can be written by its group"),
        Case(path: "bad/file", says: "bad can be written by everybody"),
        Case(path: "good/link", says: nil),
        Case(path: "good/link-to-open", says: "good/open can be written by everybody"),
        Case(path: "good/link-through-bad", says: "bad can be written by everybody"),
        Case(path: "good/none", says: "good/none: cannot be examined: no such file or directory"),
        Case(path: "good/self", says: "cannot be followed"),
    ]

    @Test("a file is trusted only if nobody else could have written it", arguments: cases)
    func judged(example: Case) throws {
        let scratch = try Scratch(in: try #require(safePlace))
        try scratch.makeDirectory("good")
        try scratch.write("good/file", "")
        try scratch.write("good/open", "", mode: 0o646)
        try scratch.write("good/shared", "", mode: 0o664)
        try scratch.makeDirectory("bad")
        try scratch.write("bad/file", "")
        try scratch.link("good/link", to: "file")
        try scratch.link("good/link-to-open", to: scratch("good/open"))
        try scratch.link("good/link-through-bad", to: "../bad/file")
        try scratch.link("good/self", to: "self")
        #expect(chmod(scratch("bad"), 0o777) == 0)
        let problem = ownershipProblem(of: scratch(example.path))
        if let says = example.says {
            #expect(problem?.contains(says) == true, "\(problem ?? "no problem")")
        } else {
            #expect(problem == nil)
        }
    }

    @Test("a directory that everybody can write to spoils what is below, sticky or not")
    func sticky() throws {
        let scratch = try Scratch(in: "/var/tmp")
        let problem = ownershipProblem(of: try scratch.write("file", ""))
        #expect(problem?.hasPrefix("/var/tmp can be written by everybody") == true)
        // To take that away from /var/tmp would be bad advice.
        #expect(problem?.contains("chmod") == false)
    }

    @Test("what lies above a root that is looked at is not judged, and what lies in it is")
    func belowRoot() throws {
        let scratch = try Scratch(in: "/var/tmp")
        try scratch.makeDirectory("etc")
        let path = try scratch.write("etc/policy.yaml", "")
        let root = Root(scratch(""))
        #expect(ownershipProblem(of: path) != nil)
        #expect(ownershipProblem(of: path, below: root) == nil)
        #expect(chmod(path, 0o666) == 0)
        #expect(ownershipProblem(of: path, below: root)?.contains("policy.yaml can be written by") == true)
    }

    @Test(
        "another user's file is not trusted", .enabled(if: geteuid() == 0, "only root can give a file away"))
    func foreign() throws {
        let scratch = try Scratch(in: try #require(safePlace))
        let path = try scratch.write("file", "")
        #expect(chown(path, 12345, 0) == 0)
        #expect(ownershipProblem(of: path)?.contains("belongs to user 12345: give it to root") == true)
    }
}

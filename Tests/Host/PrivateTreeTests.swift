import Glibc
import Host
import Model
import Testing

@Suite("A directory that is root's alone")
struct PrivateTreeTests {
    private func mode(of path: String) -> mode_t {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & 0o7777 : 0
    }

    @Test("every file is 0600 and hashed, and the names tell where it is")
    func sealed() throws {
        let scratch = try Scratch()
        try scratch.makeDirectory("backup/cred")
        try scratch.write("backup/token", "a")
        try scratch.write("backup/cred/passwd", "bc")
        let root = scratch("backup")
        let files = try sealPrivateTree(root)
        #expect(files.map(\.name) == ["cred/passwd", "token"])
        #expect(files.map(\.size) == [2, 1])
        #expect(try files.map(\.sha256) == ["cred/passwd", "token"].map { try hashFile("\(root)/\($0)") })
        for name in ["cred/passwd", "token"] { #expect(mode(of: "\(root)/\(name)") == 0o600) }
        #expect(mode(of: root) == 0o700 && mode(of: "\(root)/cred") == 0o700)
    }

    @Test("a link that leads out of it is refused, and is taken away without what it leads to")
    func links() throws {
        let scratch = try Scratch()
        try scratch.makeDirectory("outside")
        try scratch.makeDirectory("backup")
        try scratch.write("outside/file", "secret")
        try scratch.write("backup/file", "a")
        try scratch.link("backup/link", to: scratch("outside"))
        #expect(throws: HostError.self) { try sealPrivateTree(scratch("backup")) }
        try removeTree(scratch("backup"))
        #expect(!isDirectory(scratch("backup")))
        #expect(try readFile(scratch("outside/file"), limit: 10) == Array("secret".utf8))
        // Twice is as once.
        try removeTree(scratch("backup"))
    }
}

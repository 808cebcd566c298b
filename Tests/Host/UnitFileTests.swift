import Testing

@testable import Host

@Suite("Unit files are read as systemd reads them")
struct UnitFileTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var text: String
        /// `section key=value`.
        var expected: [String]
    }

    @Test(
        "a file gives its assignments",
        arguments: [
            Case(
                testDescription: "sections", text: "[Unit]\nA=1\n[Service]\nB=2\n",
                expected: ["Unit A=1", "Service B=2"]),
            Case(
                testDescription: "white space around the key and the value", text: "[S]\n  A =  1 \t\n",
                expected: ["S A=1"]),
            Case(testDescription: "an equals sign in the value", text: "[S]\nA=b=c\n", expected: ["S A=b=c"]),
            Case(testDescription: "an empty value, which resets", text: "[S]\nA=\n", expected: ["S A="]),
            Case(
                testDescription: "comments of both kinds", text: "# x\n[S]\n; A=0\n #B=0\nA=1 # kept\n",
                expected: ["S A=1 # kept"]),
            Case(
                testDescription: "a continued line", text: "[S]\nA=1 \\\n  2\\\n 3\n",
                expected: ["S A=1  2 3"]),
            Case(
                testDescription: "a comment inside a continued line", text: "[S]\nA=1 \\\n# no\n2\n",
                expected: ["S A=1  2"]),
            Case(
                testDescription: "an empty line ends a continued one", text: "[S]\nA=1 \\\n\nB=2\n",
                expected: ["S A=1", "S B=2"]),
            Case(
                testDescription: "two backslashes continue nothing", text: "[S]\nA=1\\\\\nB=2\n",
                expected: ["S A=1\\\\", "S B=2"]),
            Case(
                testDescription: "white space behind a backslash", text: "[S]\nA=1\\ \nB=2\n",
                expected: ["S A=1\\", "S B=2"]),
            Case(
                testDescription: "a continued line at the end of the file", text: "[S]\nA=1 \\",
                expected: ["S A=1"]),
            Case(testDescription: "no line end at the end", text: "[S]\nA=1", expected: ["S A=1"]),
            Case(
                testDescription: "CR LF, and continued by it", text: "[S]\r\nA=1\\\r\n2\r\nB=3\r\n",
                expected: ["S A=1 2", "S B=3"]),
            Case(testDescription: "a byte order mark", text: "\u{FEFF}[S]\nA=1\n", expected: ["S A=1"]),
            Case(
                testDescription: "the same key twice", text: "[S]\nA=1\nA=2\n", expected: ["S A=1", "S A=2"]),
            Case(testDescription: "nothing at all", text: "", expected: []),
        ])
    func valid(_ row: Case) { check(row, bytes: Array(row.text.utf8)) }

    @Test(
        "what systemd skips is skipped",
        arguments: [
            Case(testDescription: "no section", text: "A=1\n[S]\nB=2\n", expected: ["S B=2"]),
            Case(testDescription: "no equals sign", text: "[S]\nA\nB=2\n", expected: ["S B=2"]),
            Case(testDescription: "no key", text: "[S]\n=1\nB=2\n", expected: ["S B=2"]),
            Case(
                testDescription: "a broken header ends the reading", text: "[S]\nA=1\n[T\nB=2\n",
                expected: ["S A=1"]),
            Case(
                testDescription: "a NUL ends a line", text: "[S]\nA=1\0B=2\n", expected: ["S A=1", "S B=2"]),
        ])
    func invalid(_ row: Case) { check(row, bytes: Array(row.text.utf8)) }

    @Test("a line that is not UTF-8 is skipped, the rest is read")
    func notText() {
        check(
            Case(testDescription: "", text: "", expected: ["S B=2"]),
            bytes: Array("[S]\nA=".utf8) + [0xFF, 0xFE] + Array("\nB=2\n".utf8))
    }

    @Test("a line past systemd's limit ends the reading, continued or not")
    func longLine() {
        let long = String(repeating: "x", count: UnitFile.longestLine)
        #expect(UnitFile(parsing: Array("[S]\nA=1\nB=\(long)\nC=3\n".utf8)).assignments.map(\.key) == ["A"])
        let half = String(repeating: "x", count: UnitFile.longestLine / 2)
        #expect(
            UnitFile(parsing: Array("[S]\nA=1\nB=\(half)\\\n\(half)\nC=3\n".utf8)).assignments.map(\.key) == [
                "A"
            ])
    }

    private func check(_ row: Case, bytes: [UInt8]) {
        let read = UnitFile(parsing: bytes).assignments.map { "\($0.section) \($0.key)=\($0.value)" }
        #expect(read == row.expected)
    }
}

@Suite("Command lines of units are split as systemd splits them")
struct UnitWordsTests {
    struct Case: Sendable {
        var text: String
        var words: [String]?
    }

    @Test(
        "quotes and escapes",
        arguments: [
            Case(text: "a  b\tc", words: ["a", "b", "c"]),
            Case(text: #""a b" 'c d'"#, words: ["a b", "c d"]),
            Case(text: #"--x="a b"c"#, words: ["--x=a bc"]),
            Case(text: #""" ''"#, words: ["", ""]),
            Case(text: #""it's" 'say "x"'"#, words: ["it's", #"say "x""#]),
            Case(
                text: #"a\x20b \x41 \101 \u00e9 \U0001F600 \s\t"#, words: ["a b", "A", "A", "é", "😀", " \t"]),
            Case(text: #"'a\'b' "c\"d" e\\f"#, words: ["a'b", #"c"d"#, #"e\f"#]),
            Case(text: #""open"#, words: nil),
            Case(text: #"'open"#, words: nil),
            Case(text: #"bad\escape"#, words: nil),
            Case(text: #"end\"#, words: nil),
            Case(text: #"nul\x00"#, words: nil),
            Case(text: #"short\x4"#, words: nil),
            Case(text: #"\777"#, words: nil),
            Case(text: #"\uD800"#, words: nil),
            Case(text: "", words: []),
        ])
    func words(_ row: Case) { #expect(unitWords(row.text) == row.words) }

    struct CommandCase: Sendable {
        var text: String
        var commands: [[String]]?
    }

    @Test(
        "prefixes are taken off and a lone semicolon starts another command",
        arguments: [
            CommandCase(text: "/k3s server", commands: [["/k3s", "server"]]),
            CommandCase(text: "-/k3s server", commands: [["/k3s", "server"]]),
            CommandCase(text: "+/k3s server", commands: [["/k3s", "server"]]),
            CommandCase(text: "!!/k3s server", commands: [["/k3s", "server"]]),
            CommandCase(text: "|/k3s server", commands: [["/k3s", "server"]]),
            CommandCase(text: "@/k3s kube server", commands: [["/k3s", "server"]]),
            CommandCase(text: "-@:/k3s kube server", commands: [["/k3s", "server"]]),
            CommandCase(text: "/a b ; /c d", commands: [["/a", "b"], ["/c", "d"]]),
            CommandCase(text: #"/a b \; c"#, commands: [["/a", "b", ";", "c"]]),
            CommandCase(text: "/a b;c", commands: [["/a", "b;c"]]),
            CommandCase(text: "/a ;", commands: [["/a"]]),
            CommandCase(text: "-", commands: nil),
            CommandCase(text: #"/a "open"#, commands: nil),
        ])
    func commands(_ row: CommandCase) { #expect(UnitCommand.parse(row.text)?.map(\.words) == row.commands) }
}

@Suite("Specifiers and variables are put in place as systemd puts them")
struct UnitVariablesTests {
    struct Case: Sendable {
        var text: String
        var unit = "k3s.service"
        var expected: String
    }

    @Test(
        "specifiers that follow from the unit's name",
        arguments: [
            Case(text: "/etc/default/%N", expected: "/etc/default/k3s"),
            Case(
                text: "%n %p [%i] %j", unit: "kube-k3s@edge.service",
                expected: "kube-k3s@edge.service kube-k3s [edge] k3s"),
            Case(text: "%S/k3s %E %t 100%%", expected: "/var/lib/k3s /etc /run 100%"),
            Case(text: "%m %b %Z", expected: "%m %b %Z"),
            Case(text: "at the end %", expected: "at the end %"),
        ])
    func specifiers(_ row: Case) { #expect(expandingSpecifiers(row.text, unit: row.unit) == row.expected) }

    struct CommandCase: Sendable {
        var words: [String]
        var expands = true
        var expected: [String]
    }

    @Test(
        "variables in a command",
        arguments: [
            CommandCase(words: ["/k3s", "$ARGS"], expected: ["/k3s", "server", "--data-dir", "/a b"]),
            CommandCase(words: ["/k3s", "--data-dir=${DIR}/x"], expected: ["/k3s", "--data-dir=/d/x"]),
            CommandCase(words: ["/k3s", "$MISSING", "${MISSING}", "x"], expected: ["/k3s", "", "x"]),
            CommandCase(
                words: ["/k3s", "$$DIR", "a$DIR", "${open"], expected: ["/k3s", "$DIR", "a$DIR", "${open"]),
            CommandCase(words: ["/k3s", "$ARGS"], expands: false, expected: ["/k3s", "$ARGS"]),
            CommandCase(words: ["${DIR}/k3s", "server"], expected: ["${DIR}/k3s", "server"]),
        ])
    func variables(_ row: CommandCase) {
        let environment = ["ARGS": "server --data-dir '/a b'", "DIR": "/d"]
        let command = UnitCommand(words: row.words, expandsVariables: row.expands)
        #expect(expandingVariables(command, environment) == row.expected)
    }

    struct FileCase: Sendable {
        var text: String
        var expected: [String: String]
    }

    @Test(
        "files that EnvironmentFile= names",
        arguments: [
            FileCase(text: "A=1\nB = two words \n", expected: ["A": "1", "B": "two words"]),
            FileCase(text: "# A=0\n; A=0\n\nA=1\n", expected: ["A": "1"]),
            FileCase(
                text: "A='x # y'\nB=\"q\\\"r\\x\"\nC=''\n", expected: ["A": "x # y", "B": "q\"r\\x", "C": ""]),
            FileCase(text: "A=one\\\ntwo\nB=a\\ b\n", expected: ["A": "onetwo", "B": "a b"]),
            FileCase(text: "A=\"two\nlines\"\nB=1", expected: ["A": "two\nlines", "B": "1"]),
            FileCase(text: "1A=0\nnothing\nA-B=0\nexport C=0\nA=1\n", expected: ["A": "1"]),
            FileCase(text: "A='open\nB=1", expected: ["A": "open\nB=1"]),
            FileCase(
                text: "K3S_URL=https://10.0.0.1:6443\r\nX=it's\r\n",
                expected: ["K3S_URL": "https://10.0.0.1:6443", "X": "it's"]),
        ])
    func files(_ row: FileCase) { #expect(environmentFile(Array(row.text.utf8)) == row.expected) }
}

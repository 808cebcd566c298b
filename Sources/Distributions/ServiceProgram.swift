import Host
import Model

/// The program that a service runs, and how sure its name makes us that it is a distribution's.
struct ServiceProgram: Hashable {
    enum Name: Hashable {
        /// The distribution's own: `/usr/local/bin/k3s`.
        case exact
        /// One that the releases are downloaded under, `k3s-arm64`, or whatever else begins so.
        case similar
        /// Another name; only the program's bytes can tell.
        case other
    }

    /// As the unit has it; not absolute where systemd is to search for it.
    var path: String
    var arguments: ProgramArguments
    var name: Name

    /// Finds the program of a distribution in a unit's command; nil where its shape is another.
    ///
    /// The shape is a program and, as its first argument that is no flag, one of the subcommands that run a node. It
    /// may stand behind `env`, `nice` and the like, or in the script of a `sh -c`, under its own name only.
    ///
    /// - Parameter anyShape: takes the first word for the program where nothing else fits; for units that node.yaml names.
    init?(command: [String], named name: String, subcommands: Set<String>, anyShape: Bool = false) {
        let words = Self.unwrapped(command)
        for (index, word) in words.enumerated() {
            let kind = Self.kind(of: word, named: name)
            guard kind == .exact || index == 0 else { continue }
            let arguments = ProgramArguments(words[(index + 1)...])
            if arguments.subcommand(among: subcommands) != nil {
                self = ServiceProgram(path: word, arguments: arguments, name: kind)
                return
            }
        }
        guard anyShape, let first = words.first else { return nil }
        self = ServiceProgram(
            path: first, arguments: ProgramArguments(words.dropFirst()),
            name: Self.kind(of: first, named: name))
    }

    private init(path: String, arguments: ProgramArguments, name: Name) {
        self.path = path
        self.arguments = arguments
        self.name = name
    }

    /// Where the program is on the node: the path itself, or the first that systemd's search finds.
    ///
    /// A program that is nowhere gets the place where it would be installed.
    func location(in root: Root) -> String {
        if path.hasPrefix("/") { return path }
        // systemd's own search path (systemd.exec(5), under "Command lines").
        let directories = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
        let found = directories.map { "\($0)/\(path)" }.first { root.exists($0) }
        return found ?? "/usr/local/bin/\(path)"
    }

    private static func kind(of word: String, named name: String) -> Name {
        guard let last = word.split(separator: "/").last else { return .other }
        if last == name { return .exact }
        return last.hasPrefix("\(name)-") && !last.hasSuffix(".sh") ? .similar : .other
    }

    /// The words of a `sh -c 'SCRIPT'`, as far as white space and quotes tell; other commands as they are.
    private static func unwrapped(_ command: [String]) -> [String] {
        guard let shell = command.first?.split(separator: "/").last,
            ["sh", "bash", "dash", "ash"].contains(shell),
            let flag = command.firstIndex(where: {
                $0.hasPrefix("-") && !$0.hasPrefix("--") && $0.hasSuffix("c")
            }),
            flag + 1 < command.count
        else { return command }
        return command[flag + 1].split(whereSeparator: { $0.isWhitespace || $0 == ";" || $0 == "&" }).map {
            word in
            String(word.filter { $0 != "\"" && $0 != "'" })
        }
    }
}

extension Root {
    /// Whether something is at that place of the node.
    func exists(_ nodePath: String) -> Bool {
        guard let path = try? resolve(nodePath) else { return false }
        return (try? identity(ofFile: path)) != nil
    }

    /// Whether nothing is at that place of the node, for certain.
    func lacks(_ nodePath: String) -> Bool {
        do throws(HostError) {
            _ = try identity(ofFile: try resolve(nodePath))
            return false
        } catch {
            return !error.isInconclusive
        }
    }
}

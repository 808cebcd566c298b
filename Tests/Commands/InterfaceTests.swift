import CommandLine
import Testing

@testable import Commands

@Suite("The command line as a table")
struct InterfaceTests {
    private func leaves(_ command: Command, at path: [String]) -> [(path: [String], command: Command)] {
        command.subcommands.isEmpty
            ? [(path, command)] : command.subcommands.flatMap { leaves($0, at: path + [$0.name]) }
    }

    private var everyVerb: [(path: [String], command: Command)] {
        leaves(Interface.program, at: [Interface.program.name])
    }

    @Test("every verb has an example in its help, and each example is a call of that verb")
    func examples() {
        #expect(everyVerb.count > 25)
        for (path, command) in everyVerb {
            #expect(!command.examples.isEmpty, "\(path)")
            let help = Interface.program.help(path: path)
            for example in command.examples {
                #expect(help.contains(example), "\(path)")
                guard
                    case .run(let invocation) = Interface.program.parse(
                        words(example).dropFirst().map(\.self))
                else {
                    Issue.record("not a call: \(example)")
                    continue
                }
                #expect(invocation.path == path, "\(example)")
            }
        }
    }

    @Test("every group of verbs has an example in its help, and each is a call of one of them")
    func groups() {
        let groups = Interface.program.subcommands.filter { !$0.subcommands.isEmpty }
        #expect(groups.count > 4)
        for group in groups {
            #expect(!group.examples.isEmpty, "\(group.name)")
            for example in group.examples {
                guard
                    case .run(let invocation) = Interface.program.parse(
                        words(example).dropFirst().map(\.self))
                else {
                    Issue.record("not a call: \(example)")
                    continue
                }
                #expect(invocation.path.dropFirst().first == group.name, "\(example)")
            }
        }
    }

    /// As a shell would split it, as far as examples need.
    private func words(_ line: String) -> [String] {
        line.split(separator: "'", omittingEmptySubsequences: false).enumerated().flatMap { index, part in
            index % 2 == 1 ? [String(part)] : part.split(separator: " ").map(String.init)
        }
    }
}

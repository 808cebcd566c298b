import FoundationEssentials
import Glibc

/// One parser, or a few that read the same bytes, and what must be true of whatever it makes of them.
struct Target: Sendable {
    /// As `Packaging/scripts/fuzz` and the folder of its corpus call it.
    var name: String
    /// Looks at one input; it traps where something is wrong.
    var look: @Sendable ([UInt8]) -> Void
    /// Seeds that are made here, since they would be binaries in the repository.
    var seeds: @Sendable () -> [[UInt8]] = { [] }
    /// Words that libFuzzer puts in: what a mutation would hardly ever spell.
    var words: @Sendable () -> Set<String> = { [] }
}

/// All that there is to be fuzzed.
let targets: [Target] =
    documents + versions + programs + answers + clusters + catalogues + gateFiles + notes + fleetValues
    + units + zones
    + ledgers + [planted, overread]

/// Which one this process is for.
private let chosen: Target? = {
    let name = getenv("HOLDFAST_FUZZ_TARGET").map { String(cString: $0) }
    return targets.first { $0.name == name }
}()

/// libFuzzer calls this once, before anything else.
///
/// With `HOLDFAST_FUZZ_LIST` set it prints the names of the targets, and with `HOLDFAST_FUZZ_SEEDS` it writes the
/// target's own seeds into `corpus` in that directory, and its words into `dictionary`; both end the process.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>
) -> CInt {
    if getenv("HOLDFAST_FUZZ_LIST") != nil {
        for target in targets { print(target.name) }
        exit(0)
    }
    guard let chosen else {
        print("HOLDFAST_FUZZ_TARGET names none of: \(targets.map(\.name).joined(separator: " "))")
        exit(2)
    }
    guard let directory = getenv("HOLDFAST_FUZZ_SEEDS").map({ String(cString: $0) }) else { return 0 }
    do {
        for (index, seed) in chosen.seeds().enumerated() {
            try Data(seed).write(to: URL(filePath: "\(directory)/corpus/made-\(index)"))
        }
        // libFuzzer takes no dictionary that is an empty file.
        let lines = ["# words"] + chosen.words().sorted().map { "\"\(escaped($0))\"" }
        let dictionary = lines.joined(separator: "\n") + "\n"
        try Data(dictionary.utf8).write(to: URL(filePath: "\(directory)/dictionary"))
    } catch {
        print("\(directory): cannot be written to: \(error)")
        exit(1)
    }
    exit(0)
}

/// As libFuzzer's dictionaries have it.
private func escaped(_ word: String) -> String {
    word.utf8.map { byte in
        let isPlain = (32...126).contains(byte) && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
        return isPlain
            ? String(UnicodeScalar(byte)) : "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
}

/// libFuzzer calls this with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    chosen?.look(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

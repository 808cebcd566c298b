import Gate
import Model

/// What the gate reads and writes.
///
/// Each closes with a checksum that no mutation hits, so the bytes are read both as they are and as the lines between a
/// title and the checksum that they have to have.
let gateFiles = [
    Target(name: "guard") { bytes in
        for input in [bytes, sealed(bytes, title: "holdfast-guard 1")] {
            check(input, GuardFile.parse, \.text)
        }
    },
    Target(name: "lastran") { bytes in
        for input in [bytes, sealed(bytes, title: "holdfast-last-ran 1")] {
            check(input, LastRan.parse, \.text)
        }
    },
    Target(name: "spool") { bytes in
        for input in [bytes, sealed(bytes, title: "holdfast-spool 1")] {
            check(input, SpoolRecord.parse, \.fileText)
        }
    },
]

private func sealed(_ bytes: [UInt8], title: String) -> [UInt8] {
    let open = Array("\(title)\n".utf8) + bytes
    return open + Array("end \(SealedLines.checksum(open[...]))\n".utf8)
}

/// What was read and is written again is the same.
private func check<Value: Equatable>(
    _ bytes: [UInt8], _ parse: ([UInt8]) throws(GuardFileError) -> Value, _ text: (Value) -> String
) {
    do throws(GuardFileError) {
        let value = try parse(bytes)
        let written = text(value)
        let again: Value
        do throws(GuardFileError) { again = try parse(Array(written.utf8)) } catch {
            fatalError("what was written cannot be read: \(error)")
        }
        expect(again == value, "\(value) reads back as \(again)")
        expect(areSame(text(again), written), "a file that has two forms")
    } catch { expectShowable(error.description) }
}

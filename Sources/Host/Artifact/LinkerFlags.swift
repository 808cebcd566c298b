/// The values that linker flags give to string variables: `-X import/path.Name=value`.
///
/// - Parameter flags: `-ldflags` as it was given to `go build`.
func linkerValues(of variables: [String], in flags: String) -> [String] {
    var values: [String] = []
    var expectsDefinition = false
    for field in fields(of: flags) {
        var definition = Substring(field)
        if expectsDefinition {
            expectsDefinition = false
        } else {
            // `-ldflags=PATTERN=-X …` names the packages that the flags are for.
            if !field.hasPrefix("-"), let equals = definition.firstIndex(of: "=") {
                definition = definition[definition.index(after: equals)...]
            }
            if definition == "-X" || definition == "--X" {
                expectsDefinition = true
                continue
            }
            guard let flag = ["-X=", "--X="].first(where: definition.hasPrefix) else { continue }
            definition = definition.dropFirst(flag.count)
        }
        guard let equals = definition.firstIndex(of: "="), variables.contains(String(definition[..<equals]))
        else { continue }
        values.append(String(definition[definition.index(after: equals)...]))
    }
    return values
}

/// The fields as Go's command splits them: at white space; one that begins with a quote ends at the next one.
private func fields(of flags: String) -> [String] {
    let bytes = Array(flags.utf8)
    let blank: (UInt8) -> Bool = { $0 == 32 || (9...13).contains($0) }
    var fields: [String] = []
    var start = 0
    while start < bytes.count {
        if blank(bytes[start]) {
            start += 1
            continue
        }
        let quote = bytes[start]
        var end: Int
        if quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") {
            start += 1
            end = bytes[start...].firstIndex(of: quote) ?? bytes.count
            fields.append(String(decoding: bytes[start..<end], as: UTF8.self))
            end += 1
        } else {
            end = bytes[start...].firstIndex(where: blank) ?? bytes.count
            fields.append(String(decoding: bytes[start..<end], as: UTF8.self))
        }
        start = end
    }
    return fields
}

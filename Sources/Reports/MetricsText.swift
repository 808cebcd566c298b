import Model

/// Metrics in the text format that Prometheus and node_exporter's textfile collector read (version 0.0.4).
///
/// Families come in the order in which they are added, each with its help and type, samples in theirs; nothing is
/// written of a family without samples, since what is not known has no value.
struct MetricsText {
    private(set) var text = ""

    /// One value, and what it is about.
    struct Sample {
        var labels: [(name: String, value: String)] = []
        var value: Int64
    }

    /// Longer values are cut, so that what comes from outside stays small.
    static let longestLabel = 128
    /// More samples of one family are left out.
    static let mostSamples = 64

    mutating func add(_ name: String, _ help: String, _ samples: [Sample]) {
        guard !samples.isEmpty else { return }
        // A counter only grows, and its name says so; everything else goes up and down.
        let kind = name.hasSuffix("_total") ? "counter" : "gauge"
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n"
        // Two samples with the same labels have the whole file refused.
        var seen: Set<String> = []
        for sample in samples.prefix(Self.mostSamples) {
            let labels = sample.labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }.joined(
                separator: ",")
            guard seen.insert(labels).inserted else { continue }
            text += labels.isEmpty ? "\(name) \(sample.value)\n" : "\(name){\(labels)} \(sample.value)\n"
        }
    }

    /// A family with one sample without labels; none where the value is not known.
    mutating func add(_ name: String, _ help: String, _ value: Int64?) {
        add(name, help, value.map { [Sample(value: $0)] } ?? [])
    }

    /// A label's value: what could break out of its quotes, or hide in a terminal, is made harmless.
    static func escaped(_ value: String) -> String {
        var result = ""
        for scalar in value.printable.unicodeScalars.prefix(longestLabel) {
            switch scalar {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

/// Reads the two metrics that are wanted of what may be tens of megabytes, as they come in.
///
/// The text format of Prometheus: a line a sample. Lines of other metrics are passed over without being kept.
public struct MetricsReader {
    /// A metric with its labels, where its value is not 0.
    public struct Sample: Hashable, Sendable {
        /// By the label's name.
        public var labels: [String: String]
    }

    /// `apiserver_requested_deprecated_apis`, as far as they are set.
    public private(set) var deprecated: [Sample] = []
    /// `process_start_time_seconds`, whole seconds; nil where it was not there.
    public private(set) var start: Int64?
    /// Whether something was longer or more than is taken, so that what was read is not all.
    public private(set) var isCut = false

    private static let metric = Array("apiserver_requested_deprecated_apis{".utf8)
    private static let startMetric = Array("process_start_time_seconds ".utf8)
    /// Far above what the labels of this metric come to.
    private static let longestLine = 4096
    /// Kubernetes has a few hundred resources in all.
    private static let mostSamples = 2000

    private var line: [UInt8] = []
    /// Whether the line that is coming in is of no interest.
    private var isPassedOver = false

    /// Begins to read.
    public init() {}

    /// Takes more bytes in.
    public mutating func take(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            add(rest[..<end])
            finishLine()
            rest = rest[(end + 1)...]
        }
        add(rest)
    }

    /// Takes the end in.
    public mutating func finish() { finishLine() }

    private mutating func add(_ bytes: Slice<UnsafeRawBufferPointer>) {
        guard !isPassedOver else { return }
        guard line.count + bytes.count <= Self.longestLine else {
            line.append(contentsOf: bytes.prefix(Self.longestLine - line.count))
            isPassedOver = true
            if isWanted { isCut = true }
            return
        }
        line.append(contentsOf: bytes)
        // Most lines are told from the wanted ones by their first bytes.
        if line.count >= Self.metric.count, !isWanted { isPassedOver = true }
    }

    private var isWanted: Bool { line.starts(with: Self.metric) || line.starts(with: Self.startMetric) }

    private mutating func finishLine() {
        defer {
            line.removeAll(keepingCapacity: true)
            isPassedOver = false
        }
        guard !isPassedOver else { return }
        if line.starts(with: Self.startMetric) {
            start = Double(String(decoding: line.dropFirst(Self.startMetric.count), as: UTF8.self))
                .flatMap { Int64(exactly: $0.rounded(.down)) }
        } else if line.starts(with: Self.metric) {
            guard let sample = Self.sample(line.dropFirst(Self.metric.count)) else {
                isCut = true
                return
            }
            guard sample.value != 0 else { return }
            guard deprecated.count < Self.mostSamples else {
                isCut = true
                return
            }
            deprecated.append(Sample(labels: sample.labels))
        }
    }

    /// `group="a",version="b"} 1`; nil where it is something else.
    private static func sample(_ bytes: ArraySlice<UInt8>) -> (labels: [String: String], value: Double)? {
        var labels: [String: String] = [:]
        var rest = bytes
        while let first = rest.first, first != UInt8(ascii: "}") {
            guard let equals = rest.firstIndex(of: UInt8(ascii: "=")),
                rest.index(after: equals) < rest.endIndex,
                rest[rest.index(after: equals)] == UInt8(ascii: "\"")
            else { return nil }
            let name = String(decoding: rest[..<equals], as: UTF8.self)
            rest = rest[(equals + 2)...]
            var value: [UInt8] = []
            while let byte = rest.first, byte != UInt8(ascii: "\"") {
                rest = rest.dropFirst()
                if byte == UInt8(ascii: "\\") {
                    guard let escaped = rest.first else { return nil }
                    value.append(escaped == UInt8(ascii: "n") ? 10 : escaped)
                    rest = rest.dropFirst()
                } else {
                    value.append(byte)
                }
            }
            guard !rest.isEmpty else { return nil }
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: ",") { rest = rest.dropFirst() }
            labels[name] = String(decoding: value, as: UTF8.self)
        }
        let number = rest.dropFirst().drop { $0 == 32 }.prefix { $0 != 32 }
        guard !rest.isEmpty, let value = Double(String(decoding: number, as: UTF8.self)) else { return nil }
        return (labels, value)
    }
}

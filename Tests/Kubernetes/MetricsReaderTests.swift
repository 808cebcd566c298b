import Kubernetes
import Testing

@Suite("Metrics of an API server")
struct MetricsReaderTests {
    /// As kube-apiserver writes them, between others.
    static let text = """
        # HELP apiserver_requested_deprecated_apis [STABLE] Gauge of deprecated APIs that have been requested, broken out by API group, version, resource, subresource, and removed_release.
        # TYPE apiserver_requested_deprecated_apis gauge
        apiserver_requested_deprecated_apis{group="",removed_release="",resource="componentstatuses",subresource="",version="v1"} 1
        apiserver_requested_deprecated_apis{group="flowcontrol.apiserver.k8s.io",removed_release="1.32",resource="flowschemas",subresource="status",version="v1beta3"} 1
        apiserver_requested_deprecated_apis{group="policy",removed_release="1.25",resource="podsecuritypolicies",subresource="",version="v1beta1"} 0
        apiserver_request_total{code="200",group="apps",resource="deployments",verb="LIST",version="v1"} 117
        # TYPE process_start_time_seconds gauge
        process_start_time_seconds 1.72489012345e+09
        process_virtual_memory_bytes 1.4e+09

        """

    private func read(_ text: String, inPartsOf size: Int) -> MetricsReader {
        var reader = MetricsReader()
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: size) {
            Array(bytes[start..<min(start + size, bytes.count)]).withUnsafeBytes { reader.take($0) }
        }
        reader.finish()
        return reader
    }

    @Test("two of them are read, however they come in", arguments: [1, 7, 64, 4096, 1 << 20])
    func parts(size: Int) {
        let reader = read(Self.text, inPartsOf: size)
        #expect(reader.start == 1_724_890_123)
        #expect(reader.deprecated.map { $0.labels["resource"] } == ["componentstatuses", "flowschemas"])
        #expect(reader.deprecated.last?.labels["removed_release"] == "1.32")
        #expect(reader.deprecated.last?.labels["subresource"] == "status")
        #expect(!reader.isCut)
    }

    @Test("a last line without an end is read as well")
    func lastLine() {
        #expect(read("process_start_time_seconds 12", inPartsOf: 3).start == 12)
    }

    @Test("a quotation mark in a label does not end it")
    func escapes() {
        let line =
            #"apiserver_requested_deprecated_apis{group="a\"b\\c",removed_release="1.30",resource="}",version="v1"} 1"#
        let reader = read(line + "\n", inPartsOf: 5)
        #expect(reader.deprecated.first?.labels["group"] == #"a"b\c"#)
        #expect(reader.deprecated.first?.labels["resource"] == "}")
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var text: String
    }

    // What is not understood must not look like nothing that was used (invariant 2).
    static let broken = [
        Row(
            testDescription: "labels that do not end", text: #"apiserver_requested_deprecated_apis{group="a"#),
        Row(
            testDescription: "labels without quotation marks",
            text: "apiserver_requested_deprecated_apis{group=a} 1"),
        Row(testDescription: "no value", text: #"apiserver_requested_deprecated_apis{group="a"}"#),
        Row(testDescription: "an escape at the end", text: #"apiserver_requested_deprecated_apis{group="a\"#),
        Row(
            testDescription: "a line that does not end",
            text: #"apiserver_requested_deprecated_apis{group=""# + String(repeating: "a", count: 10_000)),
        Row(
            testDescription: "more of them than there are resources",
            text: (0..<3000).map { #"apiserver_requested_deprecated_apis{resource="r\#($0)"} 1"# }
                .joined(separator: "\n")),
    ]

    @Test("what is not understood is told", arguments: broken)
    func unread(row: Row) { #expect(read(row.text + "\n", inPartsOf: 1000).isCut) }

    @Test("megabytes of other metrics are passed over")
    func large() {
        let line = #"apiserver_request_duration_seconds_bucket{verb="LIST",le="0.005"} 12"# + "\n"
        let text =
            String(repeating: line, count: 50_000) + String(repeating: "x", count: 100_000) + "\n" + Self.text
        let reader = read(text, inPartsOf: 16_384)
        #expect(reader.deprecated.count == 2 && reader.start == 1_724_890_123 && !reader.isCut)
    }
}

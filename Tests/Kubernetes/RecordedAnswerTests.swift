import FoundationEssentials
import KubernetesServer
import Synchronization
import Testing
import Web

/// One recorded request and what became of it.
private struct Recorded: Decodable {
    var label: String
    var method: String
    var path: String
    var type: String?
    var body: AnyJSON?
    var status: Int
    var text: String?
    var reason: String?
    var message: String?
    var labels: AnyJSON?
    var data: AnyJSON?
    /// Of the objects of a list.
    var names: [String]?

    static func all() throws -> [Recorded] {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/kubernetes/requests-1.36.jsonl")
        return try String(decoding: Data(contentsOf: file), as: UTF8.self).split(separator: "\n").map {
            try JSONDecoder().decode(Recorded.self, from: Data($0.utf8))
        }
    }
}

@Suite("The stand-in for an API server")
struct RecordedAnswerTests {
    @Test("answers what was recorded of a real one, and calls out every change without a resourceVersion")
    func recorded() throws {
        let faults = Mutex<[String]>([])
        let server = try KubernetesServer(groups: ["coordination.k8s.io/v1"]) { fault in
            faults.withLock { $0.append(fault) }
        }
        let client = HTTPClient(.origin("http://127.0.0.1:\(server.port)"))
        // Numbers are the server's own: what the recorded one gave is what this one gives in its place.
        var numbers: [String: String] = [:]
        for recorded in try Recorded.all() {
            var body = recorded.body
            for keys in [("metadata", "resourceVersion"), ("preconditions", "resourceVersion")] {
                guard let number = body?.at(keys.0, keys.1)?.text, var holder = body?[keys.0] else {
                    continue
                }
                holder[keys.1] = .text(numbers[number] ?? "1")
                body?[keys.0] = holder
            }
            let bytes = body.map { $0.text.map { Array($0.utf8) } ?? $0.bytes } ?? []
            let response = try client.send(
                HTTPRequest(
                    try #require(HTTPRequest.Method(rawValue: recorded.method)), recorded.path,
                    headers: recorded.type.map { [HTTPHeader("Content-Type", $0)] } ?? [], body: bytes))
            #expect(response.status == recorded.status, "\(recorded.label)")
            if let text = recorded.text {
                #expect(String(decoding: response.body, as: UTF8.self) == text, "\(recorded.label)")
                continue
            }
            let answer = try AnyJSON(bytes: response.body)
            if recorded.status >= 400 {
                #expect(answer["reason"]?.text == recorded.reason, "\(recorded.label)")
            }
            // Of these two the rest of the message is the recorded server's own list, or its numbers.
            if let message = recorded.message, recorded.label != "not-json", !message.contains("precondition")
            {
                #expect(answer["message"]?.text == message, "\(recorded.label)")
            }
            if let labels = recorded.labels {
                #expect(answer.at("metadata", "labels")?.holds(labels) == true, "\(recorded.label)")
            }
            if let names = recorded.names {
                guard case .list(let items)? = answer["items"] else {
                    Issue.record("\(recorded.label): no list")
                    continue
                }
                #expect(items.map { $0.at("metadata", "name")?.text } == names, "\(recorded.label)")
            }
            if let data = recorded.data { #expect(answer["data"] == data, "\(recorded.label)") }
            // The fixture leaves the numbers out but in bodies: 399 is the ConfigMap's first, 403 the Lease's.
            let number = answer.at("metadata", "resourceVersion")?.text
            if recorded.label == "configmap-create" { numbers["399"] = number }
            if recorded.label == "lease-create" { numbers["403"] = number }
        }
        #expect(
            faults.withLock { $0 } == [
                "PATCH /api/v1/nodes/edge-1 without a resourceVersion",
                "PATCH /api/v1/nodes/edge-1 without a resourceVersion",
                "PUT /api/v1/namespaces/holdfast/configmaps/rollout-k3s without a resourceVersion",
                "PUT /apis/coordination.k8s.io/v1/namespaces/holdfast/leases/conductor without a resourceVersion",
            ])
    }
}

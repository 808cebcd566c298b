import Model

/// An Event (core/v1) of a Node, in the shape that a kubelet gives it.
struct EventObject: Encodable {
    struct Metadata: Encodable {
        var name: String
        var namespace = "default"
    }
    struct Reference: Encodable {
        var kind = "Node"
        var name: String
        // A kubelet gives the name for the uid, and kubectl looks for both.
        var uid: String
    }
    struct Source: Encodable {
        var component = "holdfast"
        var host: String
    }
    var apiVersion = "v1"
    var kind = "Event"
    var metadata: Metadata
    var involvedObject: Reference
    var reason: String
    var message: String
    var type: String
    var source: Source
    var firstTimestamp: String
    var lastTimestamp: String
    var count = 1
    var reportingComponent = "holdfast"
    var reportingInstance: String

    /// The longest message that the API takes, in bytes.
    static let longestMessage = 1024

    init(_ event: NodeEvent, node: String) {
        // The same event has the same name, so that the API refuses to have it twice.
        metadata = Metadata(name: "\(node).holdfast-\(event.key)")
        involvedObject = Reference(name: node, uid: node)
        reason = event.reason
        message = Self.cut(event.message.printable)
        type = event.kind.rawValue
        source = Source(host: node)
        firstTimestamp = event.at.description
        lastTimestamp = event.at.description
        reportingInstance = node
    }

    private static func cut(_ text: String) -> String {
        guard text.utf8.count > longestMessage else { return text }
        var short = ""
        var bytes = 0
        for character in text {
            bytes += character.utf8.count
            guard bytes <= longestMessage - 3 else { break }
            short.append(character)
        }
        return short + "…"
    }
}

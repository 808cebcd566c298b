/// A file as a server of releases has it, with what such servers do right and wrong.
public struct ServedFile: Sendable {
    public var bytes: [UInt8]
    /// With its quotes; nil for none.
    public var etag: String?
    public var lastModified: String?
    /// Whether a `Range` is answered with that part.
    public var heedsRange: Bool
    /// Whether a part is only sent of what `If-Range` names.
    public var heedsIfRange: Bool

    /// Makes a file.
    public init(
        _ bytes: [UInt8], etag: String? = "\"1\"", lastModified: String? = nil, heedsRange: Bool = true,
        heedsIfRange: Bool = true
    ) {
        self.bytes = bytes
        self.etag = etag
        self.lastModified = lastModified
        self.heedsRange = heedsRange
        self.heedsIfRange = heedsIfRange
    }

    /// Answers a request.
    ///
    /// - Parameters:
    ///   - cut: bytes of the body after which the connection ends though more was announced; nil for all.
    ///   - then: what is done after those bytes.
    public func answer(
        to request: ScriptedServer.Received, cut: Int? = nil, then: [ScriptedServer.Step] = []
    ) -> [ScriptedServer.Step] {
        var head = ""
        if let etag { head += "ETag: \(etag)\r\n" }
        if let lastModified { head += "Last-Modified: \(lastModified)\r\n" }
        var part = bytes[...]
        var status = "200 OK"
        if heedsRange, let first = first(of: request) {
            guard first < bytes.count else {
                return [
                    .text(
                        "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */\(bytes.count)\r\n"
                            + "Content-Length: 0\r\n\r\n")
                ]
            }
            part = bytes[first...]
            status = "206 Partial Content"
            head += "Content-Range: bytes \(first)-\(bytes.count - 1)/\(bytes.count)\r\n"
        }
        return [
            .text("HTTP/1.1 \(status)\r\n\(head)Content-Length: \(part.count)\r\n\r\n"),
            .send(Array(part.prefix(cut ?? part.count))),
        ] + then
    }

    private func first(of request: ScriptedServer.Received) -> Int? {
        guard let range = request.header("range"), range.hasPrefix("bytes="), range.hasSuffix("-"),
            let first = Int(range.dropFirst(6).dropLast())
        else { return nil }
        let condition = request.header("if-range")
        let isSame = condition == nil || condition == etag || condition == lastModified
        return isSame || !heedsIfRange ? first : nil
    }
}

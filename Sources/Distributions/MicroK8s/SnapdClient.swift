import FoundationEssentials
import Model
import Web

/// What is asked of snapd over its socket; what is written to it stands in SnapdWrites.swift.
struct SnapdClient {
    /// On this machine, already resolved against the root.
    var socket: String
    /// Milliseconds for one question.
    var patience: Int

    /// The store is asked behind one of the questions: snapd itself gives up after half a minute, and other changes
    /// wait as long.
    private var storePatience: Int { min(patience, 60_000) * 5 }

    /// A snap that is installed; nil where there is none of that name.
    func snap(_ name: String) throws(SnapdError) -> InstalledSnap? {
        do throws(SnapdError) {
            return try ask("/v2/snaps/\(name)", for: InstalledSnap.self, patience: patience, bytes: 1 << 20)
        } catch {
            if error.isMissingSnap { return nil }
            throw error
        }
    }

    /// What a refresh would bring, held snaps too; the store is asked each time.
    func pendingRefreshes() throws(SnapdError) -> [PendingRefresh] {
        try ask(
            "/v2/find?select=refresh", for: [PendingRefresh].self, patience: storePatience, bytes: 4 << 20)
    }

    /// The changes that name a snap, in no order; snapd forgets them a day after they are done.
    func changes(for name: String) throws(SnapdError) -> [SnapdChange] {
        // 80 changes of a day of tests came to 650 KB, and snapd keeps at most 500.
        try ask(
            "/v2/changes?select=all&for=\(name)", for: [SnapdChange].self, patience: patience, bytes: 16 << 20
        )
    }

    /// The changes that name a snap and are not over.
    func changesUnderWay(for name: String) throws(SnapdError) -> [SnapdChange] {
        try ask(
            "/v2/changes?select=in-progress&for=\(name)", for: [SnapdChange].self, patience: patience,
            bytes: 4 << 20)
    }

    /// One change.
    func change(_ id: String) throws(SnapdError) -> SnapdChange {
        try ask("/v2/changes/\(id)", for: SnapdChange.self, patience: patience, bytes: 4 << 20)
    }

    /// What snapd says of itself.
    func information() throws(SnapdError) -> SnapdInformation {
        try ask("/v2/system-info", for: SnapdInformation.self, patience: patience, bytes: 1 << 20)
    }

    // MARK: One question

    func ask<Answer: Decodable>(
        _ target: String, for type: Answer.Type, patience: Int, bytes: Int
    ) throws(SnapdError) -> Answer {
        let client = HTTPClient(
            .unixSocket(path: socket), timeoutMilliseconds: patience, connectTimeoutMilliseconds: patience,
            maximumBodyBytes: bytes)
        let response: HTTPResponse
        do {
            response = try client.read(target, pauseMilliseconds: min(250, patience / 4), again: isRestart)
        } catch {
            throw SnapdError(error)
        }
        return try Self.result(of: response, target: target, socket: socket)
    }

    /// What a restart of snapd looks like from here: reads are safe to repeat.
    private func isRestart(_ outcome: Result<HTTPResponse, HTTPError>) -> Bool {
        switch outcome {
        case .failure(let error): [.absent, .refused, .interrupted].contains(error.code)
        case .success(let response): SnapdError.isCancelled(response)
        }
    }

    /// Takes an answer out of its envelope: `{type, status-code, status, result}`.
    static func result<Answer: Decodable>(
        of response: HTTPResponse, target: String, socket: String
    ) throws(SnapdError) -> Answer {
        // Errors come as text/plain too: a request without Host, a socket that is no snapd's.
        guard response.status == 200 else {
            throw SnapdError(answer: response, target: target, socket: socket)
        }
        let envelope: Envelope<Answer>
        do {
            envelope = try JSONDecoder().decode(Envelope<Answer>.self, from: Data(response.body))
        } catch {
            // An error under status 200 has no result of this shape.
            throw SnapdError(answer: response, target: target, socket: socket)
        }
        guard envelope.type == "sync" else {
            throw SnapdError(answer: response, target: target, socket: socket)
        }
        return envelope.result
    }
}

struct Envelope<Answer: Decodable>: Decodable {
    var type: String
    var result: Answer
}

/// Why snapd did not tell.
struct SnapdError: Error, Hashable, CustomStringConvertible {
    enum Code: Hashable {
        /// There is no socket, or nobody listens on it.
        case absent
        /// It takes the question and does not answer, or not to the end: it may be restarting.
        case silent
        /// It answered that something went wrong, or something that cannot be understood.
        case answer
    }

    var code: Code
    var description: String
    /// snapd's word for it, where it has one: `snap-not-found`.
    var kind: String?
    var status: Int?

    var isMissingSnap: Bool { status == 404 && kind == "snap-not-found" }

    init(_ error: HTTPError) {
        code =
            switch error.code {
            case .absent, .refused: .absent
            case .timeout, .interrupted: .silent
            default: .answer
            }
        description = error.description
    }

    init(noSocket path: String) {
        code = .absent
        description = "\(path): there is no such socket"
    }

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    init(answer response: HTTPResponse, target: String, method: String = "GET", socket: String) {
        code = Self.isCancelled(response) ? .silent : .answer
        status = response.status
        kind = Self.error(in: response.body)?.kind
        let said = Self.message(in: response.body).map { ": \($0)" } ?? ""
        description = "\(socket): snapd answered \(method) \(target) with status \(response.status)\(said)"
    }

    /// Whether snapd gave the question up, as it does while it stops.
    static func isCancelled(_ response: HTTPResponse) -> Bool {
        response.status == 500 && message(in: response.body)?.contains("request canceled") == true
    }

    /// What an answer that is an error says, in one printable line; nil where it says nothing.
    static func message(in body: [UInt8]) -> String? {
        let text = error(in: body)?.message ?? String(decoding: body.prefix(200), as: UTF8.self)
        let line = text.split(whereSeparator: \.isNewline).first.map { $0.cut(to: 200) } ?? ""
        return line.isEmpty ? nil : line.printable
    }

    private struct Content: Decodable {
        var message: String
        var kind: String?
    }

    private static func error(in body: [UInt8]) -> Content? {
        try? JSONDecoder().decode(Envelope<Content>.self, from: Data(body)).result
    }
}

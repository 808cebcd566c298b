import FoundationEssentials
import Host
import Model
import Web

/// What is asked of snapd to do.
///
/// Nothing that is written is ever sent twice: whether an unanswered one was taken, only a look tells. Reads of the
/// change that came of it are repeated as all reads are.
extension SnapdClient {
    /// How far a hold of one snap reaches.
    enum HoldLevel: String, Hashable {
        /// A bare `snap refresh` of everything leaves the snap alone too.
        case general
        case autoRefresh = "auto-refresh"
    }

    /// How long a change that has nothing to download may take, in milliseconds.
    static let shortChange = 20_000

    /// Holds one snap, and waits until it is held; since 2.58.
    ///
    /// - Parameter until: `forever`, or a time as RFC 3339 has it.
    func hold(_ snap: String, until: String, level: HoldLevel) throws(SnapdError) {
        let change = try change(
            .post, "/v2/snaps/\(snap)",
            SnapAction(action: "hold", time: until, holdLevel: level.rawValue))
        try finish(change, within: Self.shortChange)
    }

    /// Takes the hold of one snap away, whoever placed it; without one it does nothing.
    func unhold(_ snap: String) throws(SnapdError) {
        let change = try change(.post, "/v2/snaps/\(snap)", SnapAction(action: "unhold"))
        try finish(change, within: Self.shortChange)
    }

    /// Has a snap follow another channel; the store is not asked whether there is one of that name.
    func follow(_ channel: String, with snap: String) throws(SnapdError) {
        let change = try change(.post, "/v2/snaps/\(snap)", SnapAction(action: "switch", channel: channel))
        try finish(change, within: Self.shortChange)
    }

    /// Begins a refresh of a snap to exactly one revision, whatever is held.
    ///
    /// - Parameter channel: what it follows from then on; nil for what it follows already.
    /// - Returns: The change, for `progress(of:)` and `wait(for:)`.
    func refresh(
        _ snap: String, revision: String, channel: String? = nil
    ) throws(SnapdError) -> String {
        try change(
            .post, "/v2/snaps/\(snap)", SnapAction(action: "refresh", channel: channel, revision: revision))
    }

    /// Begins a refresh of a snap to what a channel offers, which it then follows.
    func refresh(_ snap: String, channel: String) throws(SnapdError) -> String {
        try change(.post, "/v2/snaps/\(snap)", SnapAction(action: "refresh", channel: channel))
    }

    /// Begins to start services of a snap, and enables them.
    ///
    /// - Parameter names: each with its snap: `microk8s.daemon-kubelite`.
    func start(services names: [String]) throws(SnapdError) -> String {
        try change(
            .post, "/v2/apps", SnapAction(action: "start", names: names, enable: true))
    }

    /// Has snapd undo a change that is not over; its tasks are undone one after the other from then on.
    func abort(change id: String) throws(SnapdError) {
        try expect(id)
        let target = "/v2/changes/\(id)"
        let response = try send(.post, target, SnapAction(action: "abort"))
        guard response.status == 200 else {
            throw SnapdError(answer: response, target: target, method: "POST", socket: socket)
        }
    }

    // MARK: Configuration

    /// A setting of snapd's own, as JSON has it without quotes; nil where it is not set.
    ///
    /// Root alone may ask.
    func setting(_ key: String) throws(SnapdError) -> String? {
        do throws(SnapdError) {
            let answer = try ask(
                "/v2/snaps/system/conf?keys=\(key)", for: [String: SettingValue].self, patience: patience,
                bytes: 1 << 20)
            return answer[key]?.text
        } catch {
            if error.kind == "option-not-found" { return nil }
            throw error
        }
    }

    /// Gives a setting of snapd's own a value, and waits until it has it; nil takes it away.
    func setSetting(_ key: String, to value: String?) throws(SnapdError) {
        // A number stands as one, as `snap set` writes it.
        let json = value.map { Int64($0).map { .number($0) } ?? .text($0) } ?? SettingValue.none
        let change = try change(.put, "/v2/snaps/system/conf", [key: json])
        try finish(change, within: Self.shortChange)
    }

    // MARK: Changes

    /// How a change stands.
    func progress(of id: String) throws(SnapdError) -> ChangeProgress {
        try expect(id)
        return try ask("/v2/changes/\(id)", for: ChangeProgress.self, patience: patience, bytes: 4 << 20)
    }

    /// Waits until a change is over.
    ///
    /// - Parameters:
    ///   - limit: in milliseconds; what is not over by then goes on without us.
    ///   - told: what it is at, each time that it is at something else.
    /// - Returns: How it ended, whether well or not; where time ran out, how it stands.
    func wait(
        for id: String, within limit: Int, told: (ChangeProgress) -> Void = { _ in }
    ) throws(SnapdError) -> ChangeProgress {
        var left = limit
        var last: String?
        var pauseLength = 20
        while true {
            do throws(SnapdError) {
                let progress = try progress(of: id)
                if progress.doing != last { told(progress) }
                last = progress.doing
                guard !progress.ready, left > 0 else { return progress }
            } catch {
                // snapd may be restarting; the change goes on once it is back.
                guard error.code != .answer, left > 0 else { throw error }
                left -= patience
            }
            pause(milliseconds: pauseLength)
            left -= pauseLength
            pauseLength = min(pauseLength * 2, 500)
        }
    }

    /// Waits until a change is over and has done what was asked.
    private func finish(_ id: String, within limit: Int) throws(SnapdError) {
        let end = try wait(for: id, within: limit)
        guard end.ready else {
            throw SnapdError(
                .silent,
                "\(socket): snapd is still at change \(id) after \(limit / 1000) s; see 'snap change \(id)'")
        }
        if let failure = end.failure { throw SnapdError(.answer, "\(socket): \(failure)") }
    }

    /// Sends something that becomes a change, and gives its id.
    private func change(
        _ method: HTTPRequest.Method, _ target: String, _ body: some Encodable
    ) throws(SnapdError) -> String {
        let response = try send(method, target, body)
        guard response.status == 202,
            let accepted = try? JSONDecoder().decode(Accepted.self, from: Data(response.body)),
            Self.isChange(accepted.change)
        else {
            throw SnapdError(
                answer: response, target: target, method: method.rawValue, socket: socket
            ).withAdvice
        }
        return accepted.change
    }

    private func send(
        _ method: HTTPRequest.Method, _ target: String, _ body: some Encodable
    ) throws(SnapdError) -> HTTPResponse {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let bytes = try? encoder.encode(body) else {
            throw SnapdError(.answer, "\(target): what is to be asked of snapd is no JSON")
        }
        let client = HTTPClient(
            .unixSocket(path: socket), timeoutMilliseconds: patience, connectTimeoutMilliseconds: patience,
            maximumBodyBytes: 1 << 20)
        do {
            return try client.send(
                HTTPRequest(
                    method, target, headers: [HTTPHeader("Content-Type", "application/json")],
                    body: Array(bytes)))
        } catch {
            throw SnapdError(error)
        }
    }

    /// A change's id becomes part of a target.
    private func expect(_ id: String) throws(SnapdError) {
        guard Self.isChange(id) else {
            throw SnapdError(.answer, "\"\(id.cut(to: 20).printable)\" is no change of snapd's")
        }
    }

    private static func isChange(_ id: String) -> Bool {
        (1...18).contains(id.utf8.count) && id.utf8.allSatisfy { (48...57).contains($0) }
    }
}

/// What is sent to have something done; what is nil is left out.
private struct SnapAction: Encodable {
    var action: String
    var time: String?
    var holdLevel: String?
    var channel: String?
    var revision: String?
    var names: [String]?
    var enable: Bool?

    enum CodingKeys: String, CodingKey {
        case action, time, channel, revision, names, enable
        case holdLevel = "hold-level"
    }
}

/// The answer to what became a change.
private struct Accepted: Decodable {
    var change: String
}

/// A value of snapd's configuration, as far as it can be one that is set here.
private enum SettingValue: Codable, Hashable {
    case none, number(Int64), text(String)

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .none
        } else if let number = try? container.decode(Int64.self) {
            self = .number(number)
        } else {
            self = .text(try container.decode(String.self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .none: try container.encodeNil()
        case .number(let number): try container.encode(number)
        case .text(let text): try container.encode(text)
        }
    }

    var text: String? {
        switch self {
        case .none: nil
        case .number(let number): String(number)
        case .text(let text): text
        }
    }
}

/// How a change of snapd's stands (`GET /v2/changes/ID`).
struct ChangeProgress: Hashable, Decodable {
    var id: String
    var kind: String
    var status: String
    /// Whether it is over, well or not.
    var ready: Bool
    /// Why it went wrong; an aborted one says nothing.
    var err: String?
    var tasks: [SnapdChange.Task]?

    /// The task that it is at, in snapd's words; nil between two, and once it is over.
    var doing: String? {
        tasks?.first { ["Doing", "Undoing"].contains($0.status) }.map {
            $0.summary.cut(to: 200).printable
        }
    }

    /// Whether it has done what was asked: `Done` alone says so.
    ///
    /// Of a refresh even that is no proof: the revisions are to be compared (`facts/snapd.md`).
    var succeeded: Bool { ready && status == "Done" }

    /// Why a change that is over did not do what was asked, in one printable line; nil where it did.
    var failure: String? {
        guard ready, status != "Done" else { return nil }
        let lines = err?.split(whereSeparator: \.isNewline) ?? []
        // A headline, then a line for each task that failed, with the rest of what a program said below it.
        let tasks = lines.filter { $0.hasPrefix("- ") }.map { line in
            line.dropFirst(2).dropLast(line.hasSuffix(": stderr:") ? ": stderr:".count : 0)
        }
        let why = (tasks.isEmpty ? lines : tasks).prefix(3).map { $0.cut(to: 300) }.joined(
            separator: "; ")
        let (id, kind, status) = (id.cut(to: 20), kind.cut(to: 64), status.cut(to: 64))
        return "snapd's change \(id.printable) (\(kind.printable)) ended as \(status.printable)"
            + (why.isEmpty ? "" : ": \(why.printable)") + "; see 'snap change \(id.printable)'"
    }
}

extension SnapdError {
    /// The error with what a person can do about it.
    fileprivate var withAdvice: SnapdError {
        var error = self
        let advice: String? =
            switch kind {
            case "snap-change-conflict": "another change of the snap is under way: wait, see 'snap changes'"
            case "snap-no-update-available": "it is there already"
            case "snap-local": "it was installed from a file, which no store knows"
            case "insufficient-disk-space": "free some space below /var/lib/snapd"
            case "snap-channel-not-available", "snap-revision-not-available":
                "the store does not offer that: see 'snap info microk8s'"
            case "login-required": "run this as root"
            default: status == 401 || status == 403 ? "run this as root" : nil
            }
        if let advice { error.description += " (\(advice))" }
        return error
    }
}

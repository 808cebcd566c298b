import FoundationEssentials
import Host
import Model
import Ports
import Web

/// Requests to etcd: to its members in turn, as the user that was named, each within one deadline.
///
/// What changes something is never sent twice where the first may have arrived (`.unanswered`).
final class EtcdConnection {
    private let endpoints: [String]
    private let tls: TLSSettings
    private let userFile: String?
    /// The endpoint that answered last.
    private var preferred = 0
    /// What etcd gave for name and password; it ends with its time, a restart, or a change of rights.
    private var token: Secret?

    /// Bytes of one answer that are taken at most; a page of node records is a twentieth of it.
    static let maximumAnswerBytes = 8 << 20

    init(endpoints: [String], caFile: String?, userFile: String?) throws(FleetFailure) {
        guard !endpoints.isEmpty else { throw FleetFailure(.malformed, "etcd: no endpoint is named") }
        if userFile != nil, let plain = endpoints.first(where: { !$0.lowercased().hasPrefix("https://") }) {
            throw FleetFailure(
                .forbidden,
                "etcd at \(plain.printable): a password is not sent over anything but https://, where nobody else "
                    + "can read it; give etcd a certificate, or take userFile out")
        }
        self.endpoints = endpoints
        self.userFile = userFile
        tls = TLSSettings(authorities: caFile.map { .file($0) } ?? .system)
    }

    // MARK: Requests

    /// Reads keys; nil where the answer is larger than is taken.
    func read(
        _ range: EtcdMessages.Range, within deadline: Deadline
    ) throws(FleetFailure) -> EtcdMessages.RangeAnswer? {
        let call = Call(path: "/v3/kv/range", body: try body(range), isWrite: false)
        guard let answer = try ask(call, within: deadline) else { return nil }
        return try decode(EtcdMessages.RangeAnswer.self, from: answer, of: call)
    }

    /// Changes a key.
    func write(
        _ transaction: EtcdMessages.Transaction, within deadline: Deadline
    ) throws(FleetFailure) -> EtcdMessages.TransactionAnswer {
        let call = Call(path: "/v3/kv/txn", body: try body(transaction), isWrite: true)
        guard let answer = try ask(call, within: deadline) else {
            throw FleetFailure(.unanswered, "etcd: its answer to a change is too large to be one")
        }
        return try decode(EtcdMessages.TransactionAnswer.self, from: answer, of: call)
    }

    /// One request, whoever it is sent to.
    private struct Call {
        var path: String
        var body: [UInt8]
        var isWrite: Bool
    }

    /// An answer and who gave it.
    private struct Answer {
        var status: Int
        var body: [UInt8]
        var endpoint: String
    }

    /// Asks as our user, and once more with a new token where the old one is not good any longer.
    ///
    /// A request that is refused for its token was not carried out.
    private func ask(_ call: Call, within deadline: Deadline) throws(FleetFailure) -> Answer? {
        var isRenewed = false
        if userFile != nil, token == nil {
            token = try authenticate(within: deadline)
            isRenewed = true
        }
        while true {
            guard let answer = try sendAsUser(call, within: deadline) else { return nil }
            if answer.status == 200 { return answer }
            let refusal = refusal(answer)
            guard userFile != nil, !isRenewed, Self.isAboutToken(answer.status, refusal) else {
                throw failure(answer, refusal, of: call)
            }
            token = try authenticate(within: deadline)
            isRenewed = true
        }
    }

    private func sendAsUser(_ call: Call, within deadline: Deadline) throws(FleetFailure) -> Answer? {
        do throws(FleetFailure) { return try send(call, within: deadline) } catch {
            // A token names the state of the cluster in which it was given: one that was restored from before it is
            // silent until it has come as far. Whoever asks again does so with another.
            if error.code == .unanswered { token = nil }
            throw error
        }
    }

    private static func isAboutToken(_ status: Int, _ message: String) -> Bool {
        status == 401
            || status == 400
                && ["user name is empty", "revision of auth store is old", "invalid auth token"]
                    .contains { message == "etcdserver: \($0)" }
    }

    // MARK: Who we are

    private func authenticate(within deadline: Deadline) throws(FleetFailure) -> Secret {
        token = nil
        guard let userFile else { throw FleetFailure(.forbidden, "etcd: no userFile is named") }
        let call = Call(
            path: "/v3/auth/authenticate", body: try body(try credentials(userFile)), isWrite: false)
        guard let answer = try send(call, within: deadline) else {
            throw FleetFailure(.malformed, "etcd: its answer to a password is too large to be one")
        }
        guard answer.status == 200 else {
            let refusal = refusal(answer)
            let isOff = refusal == "etcdserver: authentication is not enabled"
            throw FleetFailure(
                .forbidden,
                "etcd at \(answer.endpoint): "
                    + (isOff
                        ? "asks nobody who they are; run 'etcdctl auth enable', or take userFile out"
                        : "does not take the name and password in \(userFile) (status \(answer.status)); see "
                            + "'etcdctl user get', and write NAME:PASSWORD there"))
        }
        let token = try decode(EtcdMessages.Token.self, from: answer, of: call).token
        guard (1...8192).contains(token.utf8.count), token.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else {
            throw FleetFailure(.malformed, "etcd at \(answer.endpoint): gave a token that cannot be sent")
        }
        return Secret(token.utf8)
    }

    private func credentials(_ file: String) throws(FleetFailure) -> EtcdMessages.Credentials {
        let bytes: [UInt8]
        do throws(HostError) { bytes = try readSecretFile(file, limit: 4096) } catch {
            throw FleetFailure(.forbidden, error.description)
        }
        var line = String(decoding: bytes, as: UTF8.self)[...]
        while line.last?.isNewline == true { line = line.dropLast() }
        guard let colon = line.firstIndex(of: ":"), colon != line.startIndex,
            !line.contains(where: \.isNewline)
        else {
            throw FleetFailure(
                .forbidden, "\(file): not one line NAME:PASSWORD; write the user of etcd there")
        }
        return EtcdMessages.Credentials(
            name: String(line[..<colon]), password: String(line[line.index(after: colon)...]))
    }

    // MARK: Members in turn

    /// Sends a request to one member after another until one answers; nil where the answer is larger than is taken.
    ///
    /// A read goes on to the next after any failure, and shares its time among those that are left. A change goes on
    /// only where nothing of it was sent.
    private func send(_ call: Call, within deadline: Deadline) throws(FleetFailure) -> Answer? {
        var last = FleetFailure(.unavailable, "etcd: no time was left to ask it")
        let first = preferred
        for offset in 0..<endpoints.count {
            let index = (first + offset) % endpoints.count
            let endpoint = endpoints[index]
            let left = deadline.millisecondsLeft
            guard left > 0 else { break }
            let share = max(1, left / (endpoints.count - offset))
            let client = HTTPClient(
                .origin(endpoint), tls: tls, timeoutMilliseconds: call.isWrite ? left : share,
                connectTimeoutMilliseconds: share, maximumBodyBytes: Self.maximumAnswerBytes)
            do throws(HTTPError) {
                let response = try client.send(request(call))
                let answer = Answer(status: response.status, body: response.body, endpoint: endpoint)
                guard Self.isUnwell(response.status) else {
                    preferred = index
                    return answer
                }
                last = failure(answer, refusal(answer), of: call)
            } catch {
                if error.code == .tooLarge {
                    preferred = index
                    return nil
                }
                last = failure(error, of: call)
            }
            // The next call begins with the next one.
            preferred = (index + 1) % endpoints.count
            if call.isWrite, last.code == .unanswered { throw last }
        }
        throw last
    }

    private func request(_ call: Call) -> HTTPRequest {
        var headers = [HTTPHeader("Content-Type", "application/json")]
        if let token {
            headers.append(HTTPHeader("Authorization", String(decoding: token.bytes, as: UTF8.self)))
        }
        return HTTPRequest(.post, call.path, headers: headers, body: call.body)
    }

    /// Whether another member may do better.
    private static func isUnwell(_ status: Int) -> Bool { status == 408 || (500...599).contains(status) }

    // MARK: Failures

    private func failure(_ error: HTTPError, of call: Call) -> FleetFailure {
        let code: FleetFailure.Code =
            if call.isWrite, error.mayHaveArrived {
                .unanswered
            } else {
                switch error.code {
                case .noLibrary, .denied, .invalidRequest, .tls: .forbidden
                case .protocolViolation, .tooLarge: .malformed
                case .absent, .refused, .unreachable: .unavailable
                case .timeout, .interrupted, .stopped, .other:
                    error.mayHaveArrived ? .unanswered : .unavailable
                }
            }
        return FleetFailure(code, "etcd at \(error.description)")
    }

    private func failure(_ answer: Answer, _ refusal: String, of call: Call) -> FleetFailure {
        let said =
            "etcd at \(answer.endpoint): answered with status \(answer.status)"
            + (refusal.isEmpty ? "" : " (\(refusal))")
        switch answer.status {
        case _ where Self.isAboutToken(answer.status, refusal):
            return FleetFailure(
                .forbidden, "\(said); name a file with its user in node.yaml (fleet.userFile)")
        case 403:
            return FleetFailure(
                .forbidden,
                "\(said); give the user's role the rights: etcdctl role grant-permission ROLE --prefix=true "
                    + "readwrite \(EtcdMessages.prefix)")
        case 404:
            return FleetFailure(
                .forbidden, "\(said); etcd 3.4 or later with its JSON gateway is needed there")
        case 429:
            return FleetFailure(
                .unavailable, "\(said); see 'etcdctl endpoint status' and 'etcdctl alarm list'")
        case 408, 500...599:
            return FleetFailure(
                call.isWrite ? .unanswered : .unavailable, "\(said); see 'etcdctl endpoint health'")
        case 400 where refusal.contains("compacted"):
            return FleetFailure(
                .unavailable, "\(said); the list is read again from its start at the next try")
        default: return FleetFailure(.malformed, "\(said); see whether that is the address of etcd")
        }
    }

    /// Etcd's own words; empty where there are none, or they repeat our token (invariant 13).
    private func refusal(_ answer: Answer) -> String {
        guard answer.body.count <= 65_536,
            let refusal = try? JSONDecoder().decode(EtcdMessages.Refusal.self, from: Data(answer.body))
        else { return "" }
        if let token, refusal.message.contains(String(decoding: token.bytes, as: UTF8.self)) { return "" }
        return refusal.message.cut(to: 200).printable
    }

    private func body(_ message: some Encodable) throws(FleetFailure) -> [UInt8] {
        do { return Array(try JSONEncoder().encode(message)) } catch {
            throw FleetFailure(.malformed, "etcd: what was to be sent is no JSON")
        }
    }

    private func decode<Message: Decodable>(
        _ type: Message.Type, from answer: Answer, of call: Call
    ) throws(FleetFailure) -> Message {
        if let message = try? JSONDecoder().decode(type, from: Data(answer.body)) { return message }
        throw FleetFailure(
            call.isWrite ? .unanswered : .malformed,
            "etcd at \(answer.endpoint): answered with \(answer.body.count) bytes that are something else; see "
                + "whether that is the address of etcd")
    }
}

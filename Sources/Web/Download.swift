/// Takes the body of an answer in while it comes; its owner decides where it goes and how much of it is wanted.
public protocol BodyReceiver: AnyObject {
    /// Looks at status and headers, once and before any of the body; false where the body is not wanted.
    func begin(_ head: HTTPResponse) -> Bool
    /// Takes the next bytes, in memory that is gone afterwards; false to give up.
    func take(_ bytes: UnsafeRawBufferPointer) -> Bool
    /// Whether to go on; asked at least once a second, also while nothing comes.
    func goesOn() -> Bool
}

extension HTTPClient {
    /// Sends a request and hands the body of the answer on while it comes.
    ///
    /// There is no limit on the whole: `timeoutMilliseconds` does not count here. It ends where less than 4 KiB come in
    /// `stallMilliseconds`, redirects and the head of the answer included.
    ///
    /// - Returns: The head of the answer, an error status too; its body is with the receiver, where that wanted it.
    /// - Throws: `HTTPError`; `.stopped` where the receiver gave up, `.timeout` where nothing more came.
    public func download(
        _ request: HTTPRequest, stallMilliseconds: Int = 30_000, to receiver: any BodyReceiver
    ) throws(HTTPError) -> HTTPResponse {
        guard case .origin(let text) = endpoint else {
            throw HTTPError(code: .invalidRequest, description: "nothing is downloaded over a Unix socket")
        }
        let transfer = Transfer(receiver, stallMilliseconds: stallMilliseconds)
        return try CurlExchange(origin: Origin(text), client: self).perform(request, transfer: transfer)
    }
}

/// One body on its way to its receiver.
final class Transfer {
    private let receiver: any BodyReceiver
    private let stallMilliseconds: Int
    /// Whether the receiver wants the body; nil before it was asked.
    private var isWanted: Bool?
    private var isStopped = false
    private var isStalled = false
    private var deadline: Deadline
    private var sinceDeadline = 0

    /// Bytes that have to come in the time of a stall, so that one byte now and then does not keep us for ever.
    private static let least = 4096

    init(_ receiver: any BodyReceiver, stallMilliseconds: Int) {
        self.receiver = receiver
        self.stallMilliseconds = stallMilliseconds
        deadline = Deadline(afterMilliseconds: stallMilliseconds)
    }

    func take(_ bytes: UnsafeRawBufferPointer, of head: HTTPResponse) -> Bool {
        guard begins(head) else { return false }
        sinceDeadline += bytes.count
        if sinceDeadline >= Self.least {
            deadline = Deadline(afterMilliseconds: stallMilliseconds)
            sinceDeadline = 0
        }
        guard receiver.take(bytes) else {
            isStopped = true
            return false
        }
        return true
    }

    func goesOn() -> Bool {
        if deadline.millisecondsLeft == 0 {
            isStalled = true
            return false
        }
        guard receiver.goesOn() else {
            isStopped = true
            return false
        }
        return true
    }

    /// Whether the receiver wanted no more than the head, once the exchange is over.
    func isLeft(_ head: HTTPResponse, server: String, isWhole: Bool) throws(HTTPError) -> Bool {
        if isStalled {
            throw HTTPError(
                code: .timeout,
                description: "\(server): next to nothing came for \(stallMilliseconds) ms; "
                    + "see whether the server hangs or the way there is blocked")
        }
        if isStopped { throw HTTPError(code: .stopped, description: "\(server): the download was stopped") }
        // A body without bytes begins here.
        if isWhole { _ = begins(head) }
        return isWanted == false
    }

    private func begins(_ head: HTTPResponse) -> Bool {
        if let isWanted { return isWanted }
        let answer = receiver.begin(head)
        isWanted = answer
        return answer
    }
}

import Host
import Model
import Web

/// How a receiver took a message.
enum Reception: Hashable {
    case delivered
    /// It never will take it; why.
    case refused(String)
    /// It may take it later; why not now.
    case failed(String)
}

/// Sends messages to the receivers that a policy names.
///
/// Neither a URL nor arguments are told of anybody, since both can carry secrets (invariant 13): a receiver is named by
/// its place in the policy, and its host or program.
struct Messenger {
    /// Sends a message; it returns within the given time.
    func send(_ bytes: [UInt8], to target: Notification.Target, milliseconds: Int) -> Reception {
        switch target {
        case .webhook(let url): post(bytes, to: url, milliseconds)
        case .command(let words): run(words, with: bytes, milliseconds)
        }
    }

    /// What people call a receiver.
    static func name(of target: Notification.Target, at position: Int) -> String {
        let who =
            switch target {
            case .webhook(let url):
                split(url).map { String($0.origin.drop { $0 != "/" }.dropFirst(2)) } ?? "a webhook"
            case .command(let words): String((words.first ?? "").split(separator: "/").last ?? "a command")
            }
        return "notify[\(position)] (\(who))".printable
    }

    // MARK: Webhooks

    private static func split(_ url: String) -> (origin: String, target: String)? {
        guard let scheme = url.firstRange(of: "://") else { return nil }
        let whole = url.prefix { $0 != "#" }
        let end = whole[scheme.upperBound...].firstIndex { $0 == "/" || $0 == "?" } ?? whole.endIndex
        let rest = whole[end...]
        return (String(whole[..<end]), rest.hasPrefix("/") ? String(rest) : "/\(rest)")
    }

    private func post(_ bytes: [UInt8], to url: String, _ milliseconds: Int) -> Reception {
        guard let (origin, target) = Self.split(url) else { return .refused("it has no URL") }
        // What it answers is of no concern but for the status; a redirect would take the message elsewhere.
        let client = HTTPClient(
            .origin(origin), timeoutMilliseconds: milliseconds,
            connectTimeoutMilliseconds: max(1, milliseconds * 2 / 3), maximumBodyBytes: 1 << 16)
        let headers = [HTTPHeader("Content-Type", "application/cloudevents+json; charset=utf-8")]
        do throws(HTTPError) {
            let answer = try client.stream(HTTPRequest(.post, target, headers: headers, body: bytes)) { _ in }
            return Self.reception(status: answer.status)
        } catch {
            // It may go on talking: it has answered.
            if let status = error.status { return Self.reception(status: status) }
            return .failed(Self.text(of: error.code, milliseconds))
        }
    }

    static func reception(status: Int) -> Reception {
        switch status {
        case 200..<300: .delivered
        // Of this message it will never say anything else; anything else may pass, such as a token that has ended or a
        // proxy with nobody behind it.
        case 400, 405, 410, 413, 414, 415, 422: .refused("it answers \(status)")
        case 300..<400:
            .refused("it answers \(status), and redirects are not followed: name where it leads to")
        default: .failed("it answers \(status)")
        }
    }

    private static func text(of code: HTTPError.Code, _ milliseconds: Int) -> String {
        switch code {
        case .noLibrary: "libcurl.so.4 is not on this machine: install libcurl4"
        case .refused: "nobody listens there"
        case .unreachable: "its name does not resolve, or no route leads there"
        case .timeout: "it does not answer within \(milliseconds) ms"
        case .tls: "it has no certificate that is trusted here"
        case .invalidRequest: "its URL cannot be asked: correct it in the policy"
        case .absent, .denied, .tooLarge, .interrupted, .protocolViolation, .stopped, .other:
            "the exchange with it failed (\(code.rawValue))"
        }
    }

    // MARK: Commands

    private func run(_ words: [String], with bytes: [UInt8], _ milliseconds: Int) -> Reception {
        let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        do throws(HostError) {
            let outcome = try runProcess(
                words, environment: ["PATH": path], input: bytes, timeout: milliseconds, outputLimit: 0)
            switch outcome.end {
            case .exited(0): return .delivered
            case .exited(let code): return .failed("it exits with \(code)")
            case .signalled(let signal): return .failed("it ends by signal \(signal)")
            case .timedOut: return .failed("it takes longer than \(milliseconds) ms")
            }
        } catch {
            return .failed(
                "it cannot be started: give the absolute path of a program, and see that it can be executed")
        }
    }
}

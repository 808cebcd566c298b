import CCurl

/// Options of one libcurl handle, set with their failures named.
struct Options {
    let library: OpaquePointer
    let handle: UnsafeMutableRawPointer
    let server: String
    private var kept: [HeaderList] = []

    init(library: OpaquePointer, handle: UnsafeMutableRawPointer, server: String) {
        self.library = library
        self.handle = handle
        self.server = server
    }

    /// Keeps a list alive as long as the options, which libcurl does not copy.
    mutating func keep(_ list: HeaderList) { kept.append(list) }

    func set(_ option: CURLoption, number: Int) throws(HTTPError) {
        try check(ccurl_set_long(library, handle, option, number), option)
    }

    func set(_ option: CURLoption, text: String?) throws(HTTPError) {
        try check(ccurl_set_text(library, handle, option, text), option)
    }

    func set(_ option: CURLoption, blob: [UInt8]) throws(HTTPError) {
        guard !blob.isEmpty else {
            throw HTTPError(
                code: .tls, description: "\(server): a certificate or key is empty; check the credentials")
        }
        let code = blob.withUnsafeBytes { ccurl_set_blob(library, handle, option, $0.baseAddress, $0.count) }
        try check(code, option)
    }

    func set(_ option: CURLoption, pointer: UnsafeMutableRawPointer?) throws(HTTPError) {
        try check(ccurl_set_pointer(library, handle, option, pointer), option)
    }

    func set(_ option: CURLoption, callback: curl_write_callback) throws(HTTPError) {
        try check(ccurl_set_callback(library, handle, option, callback), option)
    }

    func setProgress(
        _ place: UnsafeMutableRawPointer, callback: curl_xferinfo_callback
    ) throws(HTTPError) {
        try check(ccurl_set_progress(library, handle, callback, place), CURLOPT_XFERINFOFUNCTION)
    }

    /// Sets what an older libcurl may not know; whether it did.
    @discardableResult
    func setIfKnown(_ option: CURLoption, number: Int) -> Bool {
        ccurl_set_long(library, handle, option, number) == CURLE_OK
    }

    @discardableResult
    func setIfKnown(_ option: CURLoption, text: String) -> Bool {
        ccurl_set_text(library, handle, option, text) == CURLE_OK
    }

    private func check(_ code: CURLcode, _ option: CURLoption) throws(HTTPError) {
        if code == CURLE_OK { return }
        if code == CURLE_OUT_OF_MEMORY {
            throw HTTPError(code: .other, description: "\(server): there is not enough memory for a request")
        }
        throw HTTPError(
            code: .noLibrary,
            description: "\(server): this libcurl does not know option \(option.rawValue); "
                + "install one with OpenSSL, 7.77 or newer")
    }
}

/// A list of lines in libcurl's own memory.
final class HeaderList {
    private let library: OpaquePointer
    private var list: UnsafeMutablePointer<curl_slist>?

    var pointer: UnsafeMutableRawPointer? { UnsafeMutableRawPointer(list) }

    init(library: OpaquePointer, lines: [String]) throws(HTTPError) {
        self.library = library
        for line in lines {
            guard let longer = ccurl_append(library, list, line) else {
                throw HTTPError(code: .other, description: "there is not enough memory for a request")
            }
            list = longer
        }
    }

    deinit { ccurl_free_list(library, list) }
}

/// Where libcurl leaves what comes in, within limits.
final class Sink {
    private let maximumBody: Int
    private var headBytes = 0
    private(set) var headers: [HTTPHeader] = []
    private(set) var body: [UInt8] = []
    /// What was too large, where something was; libcurl then gives up.
    private(set) var overflow: String?
    private let transfer: Transfer?
    private var status = 0
    /// Whether the head of the answer has come to its end.
    private var isWhole = false
    /// Who takes the body as it comes in, so that nothing of it is kept.
    private let consumer: ((UnsafeRawBufferPointer) -> Void)?
    private var taken = 0

    init(
        maximumBody: Int, transfer: Transfer? = nil, consumer: ((UnsafeRawBufferPointer) -> Void)? = nil
    ) {
        self.maximumBody = maximumBody
        self.transfer = transfer
        self.consumer = consumer
    }

    /// The answer so far, without its body.
    var head: HTTPResponse { HTTPResponse(status: status, headers: headers, body: []) }

    /// The status of the answer, once all of its headers were there; nil before.
    var begun: Int? { isWhole && status >= 200 ? status : nil }

    /// Whether a transfer goes on.
    func goesOn() -> Bool { transfer?.goesOn() ?? true }

    static func at(_ place: UnsafeMutableRawPointer?) -> Sink? {
        place.map { Unmanaged<Sink>.fromOpaque($0).takeUnretainedValue() }
    }

    func takeBody(_ bytes: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
        if let transfer {
            let isTaken = transfer.take(UnsafeRawBufferPointer(start: bytes, count: count), of: head)
            return isTaken ? count : 0
        }
        guard count <= maximumBody - taken else {
            overflow = "the answer is larger than the \(maximumBody) bytes that are taken"
            return 0
        }
        taken += count
        let part = UnsafeRawBufferPointer(start: bytes, count: count)
        if let consumer { consumer(part) } else { body.append(contentsOf: part) }
        return count
    }

    func takeHeader(_ bytes: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
        headBytes += count
        guard headBytes <= ResponseReader.maximumHead else {
            overflow = "the head of the answer is over \(ResponseReader.maximumHead) bytes"
            return 0
        }
        var line = Array(UnsafeRawBufferPointer(start: bytes, count: count))[...]
        while let byte = line.last, byte == 10 || byte == 13 || byte == 32 { line = line.dropLast() }
        // A status line begins a new answer: of a redirect, or after "100 Continue".
        if line.isEmpty { isWhole = true }
        if line.starts(with: Array("HTTP/".utf8)) {
            isWhole = false
            headers = []
            body = []
            taken = 0
            let digits = line.drop { $0 != 32 }.dropFirst().prefix(3)
            status = Int(String(decoding: digits, as: UTF8.self)) ?? 0
        } else if let colon = line.firstIndex(of: UInt8(ascii: ":")) {
            let value = line[(colon + 1)...].drop { $0 == 32 || $0 == 9 }
            headers.append(
                HTTPHeader(
                    String(decoding: line[..<colon], as: UTF8.self), String(decoding: value, as: UTF8.self)))
        }
        return count
    }
}

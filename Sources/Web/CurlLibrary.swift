import CCurl

/// libcurl, once it has been opened.
struct CurlLibrary: @unchecked Sendable {
    // Written once, before anybody sees it; all it holds are addresses of functions.
    let pointer: OpaquePointer

    /// How a library is come by; a closure, so that nothing is loaded before the first request over TCP.
    typealias Source = @Sendable () throws(HTTPError) -> CurlLibrary

    static let standard: Source = { () throws(HTTPError) -> CurlLibrary in try loaded.get() }

    private static let loaded = open("libcurl.so.4")

    /// Opens a library by the name that the loader knows it by.
    static func open(_ name: String) -> Result<CurlLibrary, HTTPError> {
        var reason = [CChar](repeating: 0, count: 512)
        guard let pointer = ccurl_open(name, &reason, reason.count) else {
            let text = reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            return .failure(
                HTTPError(
                    code: .noLibrary,
                    description:
                        "libcurl could not be loaded (\(String(decoding: text, as: UTF8.self))); install it: "
                        + "apt install libcurl4, or libcurl4t64 from Debian 13 on"))
        }
        return .success(CurlLibrary(pointer: pointer))
    }
}

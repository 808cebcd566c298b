import Testing

@testable import Web

@Suite("The address of a server")
struct OriginTests {
    @Test(
        "its parts are told apart",
        arguments: [
            ("https://127.0.0.1:6443", "https://127.0.0.1:6443/version"),
            ("https://example.org", "https://example.org:443/version"),
            ("HTTP://example.org/", "http://example.org:80/version"),
            (
                "https://rancher.example.org/k8s/clusters/c-1/",
                "https://rancher.example.org:443/k8s/clusters/c-1/version"
            ),
            ("https://[::1]:16443", "https://[::1]:16443/version"),
            ("https://[fd00::1]", "https://[fd00::1]:443/version"),
        ])
    func valid(text: String, url: String) throws {
        #expect(try Origin(text).url(target: "/version") == url)
    }

    @Test(
        "anything else is refused, and what it holds is not repeated (invariant 13)",
        arguments: [
            "", "example.org", "ftp://example.org", "https://", "https://:443",
            "https://u:hunter2@example.org",
            "https://a:0", "https://a:65536", "https://a:99999999999999999999", "https://a:b", "https://[::1",
            "https://[]", "https://[::1]x", "https://a b", "https://a\r\nX: y", "https://a?token=hunter2",
            "https://a#b", "https://a\\b", "https://é", "https://a:", "https://a:+1",
            "https://" + String(repeating: "a", count: 3000),
        ])
    func invalid(text: String) throws {
        let error = try #require(throws: HTTPError.self) { try Origin(text) }
        #expect(error.code == .invalidRequest)
        #expect(!error.description.contains("hunter2"))
    }
}

import Glibc
import TLSServer

/// Whose certificate a server shows, and by whom its clients' certificates have to be vouched for; PEM files.
public struct ServerIdentity: Sendable {
    public var certificate: String
    public var key: String
    public var authority: String

    /// Names the files.
    public init(certificate: String, key: String, authority: String) {
        self.certificate = certificate
        self.key = key
        self.authority = authority
    }
}

/// A TLS context; used by the server's thread alone once it is made.
final class Secured: @unchecked Sendable {
    private let context: OpaquePointer

    init(_ identity: ServerIdentity) throws(ScriptedServer.Failure) {
        // A client that goes in the middle of an answer must not end the tests: OpenSSL writes without MSG_NOSIGNAL.
        signal(SIGPIPE, SIG_IGN)
        guard let context = tls_server_new(identity.certificate, identity.key, identity.authority) else {
            throw ScriptedServer.Failure(description: "\(identity.certificate) cannot be served with")
        }
        self.context = context
    }

    func accept(_ descriptor: Int32) -> OpaquePointer? {
        // A client that says nothing must not keep the server for ever.
        var patience = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(
            descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        return tls_accept(context, descriptor)
    }
}

/// One connection, encrypted or not.
struct Connection {
    let descriptor: Int32
    let tls: OpaquePointer?

    /// Whether bytes may have come in with those that were read, which no poll tells.
    var hasBuffered: Bool { tls != nil }

    /// The common name of the client's certificate; nil where it showed none.
    var peer: String? {
        guard let tls else { return nil }
        var name = [CChar](repeating: 0, count: 256)
        tls_peer(tls, &name, name.count)
        let bytes = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
    }

    func read(_ buffer: inout [UInt8]) -> Int {
        guard let tls else { return Glibc.read(descriptor, &buffer, buffer.count) }
        return tls_read(tls, &buffer, buffer.count)
    }

    func write(_ bytes: ArraySlice<UInt8>) -> Int {
        bytes.withUnsafeBytes { pointer in
            guard let base = pointer.baseAddress else { return 0 }
            guard let tls else { return Glibc.send(descriptor, base, pointer.count, Int32(MSG_NOSIGNAL)) }
            return tls_write(tls, base, pointer.count)
        }
    }

    func close() {
        if let tls { tls_close(tls) }
        Glibc.close(descriptor)
    }
}

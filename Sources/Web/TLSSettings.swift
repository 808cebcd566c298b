/// Whom a server has to prove to be, and who we are to it.
///
/// There is no way to leave the proof out.
public struct TLSSettings: Hashable, Sendable {
    /// Which authorities are believed.
    public enum Authorities: Hashable, Sendable {
        /// Those of this machine.
        case system
        /// Those in a PEM file, and no others.
        case file(String)
        /// Those in a PEM text, and no others.
        case pem([UInt8])
    }

    /// A certificate for ourselves, with its key.
    public struct Identity: Hashable, Sendable {
        /// PEM, our own certificate first.
        public var certificate: [UInt8]
        /// PEM, without a passphrase.
        public var key: Secret

        /// Makes an identity.
        public init(certificate: [UInt8], key: Secret) {
            self.certificate = certificate
            self.key = key
        }
    }

    /// Who may vouch for the server.
    public var authorities: Authorities
    /// Our own certificate, for a server that asks for one.
    public var identity: Identity?
    /// The name that the server's certificate must carry, where it is not the host that is connected to.
    public var serverName: String?

    /// Makes settings.
    public init(
        authorities: Authorities = .system, identity: Identity? = nil, serverName: String? = nil
    ) {
        self.authorities = authorities
        self.identity = identity
        self.serverName = serverName
    }
}

internal import Crypto
public import Model

/// The SHA-256 of bytes that are in memory; nil never, but for a library that fails.
public func hashBytes(_ bytes: [UInt8]) -> Digest? { Digest(bytes: sha256(bytes)) }

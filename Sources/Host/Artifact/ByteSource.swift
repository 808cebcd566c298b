/// Why a file's version cannot be read: what is wrong and where, for people.
struct Unreadable: Error {
    let reason: String

    init(_ reason: String) { self.reason = reason }
}

/// Bytes of which only the ranges that are asked for are read.
struct ByteSource {
    /// Fills the buffer from an offset and says how much there was; less only at the end.
    typealias Fetch = (_ offset: Int, _ buffer: UnsafeMutableRawBufferPointer) throws(HostError) -> Int

    let size: Int
    private let fetch: Fetch

    init(size: Int, fetch: @escaping Fetch) {
        self.size = size
        self.fetch = fetch
    }

    /// Fills a buffer whole.
    func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(Unreadable) {
        guard offset >= 0, offset <= size, buffer.count <= size - offset else {
            throw Unreadable("truncated: \(buffer.count) bytes wanted at \(offset) of \(size)")
        }
        do throws(HostError) {
            guard try fetch(offset, buffer) == buffer.count else {
                throw HostError(description: "it shrank while it was read")
            }
        } catch { throw Unreadable(error.description) }
    }

    /// So many bytes; whoever asks bounds `count`.
    func bytes(at offset: Int, count: Int) throws(Unreadable) -> [UInt8] {
        guard count >= 0, offset >= 0, offset <= size, count <= size - offset else {
            throw Unreadable("truncated: \(count) bytes wanted at \(offset) of \(size)")
        }
        var failure: Unreadable?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            do throws(Unreadable) {
                try read(
                    at: offset,
                    into: UnsafeMutableRawBufferPointer(
                        rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count]))
                filled = count
            } catch { failure = error }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Up to so many bytes, fewer at the end of the file.
    func bytes(at offset: Int, upTo count: Int) throws(Unreadable) -> [UInt8] {
        try bytes(at: offset, count: max(0, min(count, size - offset)))
    }
}

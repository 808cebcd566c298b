/// Bytes on their way out, handed on in pieces of at most 64 KiB.
final class OutputBuffer {
    private let storage: UnsafeMutableBufferPointer<UInt8>
    private var count = 0
    private let sink: (UnsafeRawBufferPointer) throws -> Void

    init(sink: @escaping (UnsafeRawBufferPointer) throws -> Void) {
        storage = .allocate(capacity: 65_536)
        storage.initialize(repeating: 0)
        self.sink = sink
    }

    deinit { storage.deallocate() }

    /// Hands on what has gathered.
    func flush() throws {
        guard count > 0 else { return }
        // Taken for handed on even where the sink throws: whoever goes on regardless must not repeat it.
        let full = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(storage).prefix(count))
        count = 0
        try sink(full)
    }

    /// Makes room for so many bytes, at most 64 KiB, and lets a closure fill it; it returns how many it wrote.
    @inline(__always)
    func fill(_ most: Int, _ body: (UnsafeMutableBufferPointer<UInt8>) -> Int) throws {
        precondition(most <= storage.count, "more than the buffer holds")
        if storage.count - count < most { try flush() }
        count += body(UnsafeMutableBufferPointer(rebasing: storage[count..<count + most]))
    }

    func append(_ byte: UInt8) throws {
        try fill(1) {
            $0[0] = byte
            return 1
        }
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(storage.count)
            try fill(piece.count) { room in
                UnsafeMutableRawBufferPointer(room).copyMemory(from: UnsafeRawBufferPointer(rebasing: piece))
                return piece.count
            }
            rest = rest.dropFirst(piece.count)
        }
    }

    func append(_ text: String) throws {
        var text = text
        try text.withUTF8 { try append(UnsafeRawBufferPointer($0)) }
    }

    /// Appends a number in decimal digits.
    func append(_ number: Int64) throws {
        // 19 digits and a sign.
        try fill(20) { room in
            var rest = number.magnitude
            var start = 20
            repeat {
                start -= 1
                room[start] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            } while rest > 0
            if number < 0 {
                start -= 1
                room[start] = UInt8(ascii: "-")
            }
            for index in start..<20 { room[index - start] = room[index] }
            return 20 - start
        }
    }
}

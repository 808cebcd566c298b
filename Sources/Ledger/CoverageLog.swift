import FoundationEssentials
import Model

/// The coverage file: stretches of ticks that are not in the chain yet, the newest last.
///
/// It is replaced at every tick and never flushed to the disk. A power cut can lose it, and with it at
/// most the hour since the last seal: the ledger then shows a gap, never ticks that did not run. A flush at every
/// tick would cost more than the rest of it. Until it is sealed, anybody who may write the directory can forge it.
///
/// A stretch stays here until the chain has it: an append that failed or never came seals it later.
struct CoverageLog: Codable {
    private(set) var stretches: [Coverage] = []

    /// How long a stretch grows before it is sealed, in nanoseconds.
    static let hour: Int64 = 3_600_000_000_000
    /// How many stretches wait at most; beyond it the oldest is given up, which shows as a gap.
    static let limit = 16
    /// The longest file that is read, in bytes.
    static let sizeLimit = 65_536

    /// Reads the file; what is missing or cannot be read is an empty one.
    init(bytes: [UInt8]?) {
        guard let bytes, let log = try? JSONDecoder().decode(CoverageLog.self, from: Data(bytes)) else {
            return
        }
        stretches = log.stretches.suffix(Self.limit)
    }

    /// The file's content.
    func bytes() throws -> [UInt8] { Array((try CanonicalJSON.text(of: self) + "\n").utf8) }

    /// When the newest tick ran.
    var last: Instant? { stretches.last?.last }

    /// The stretches that the chain does not have.
    ///
    /// - Parameter sealed: the newest stretch that it has.
    func unsealed(after sealed: Coverage?) -> [Coverage] {
        guard let sealed, let index = stretches.firstIndex(where: { $0.isSameStretch(as: sealed) }) else {
            return stretches
        }
        return Array(stretches[(index + 1)...])
    }

    /// Takes a tick in, and gives back the stretch that is to be sealed now, if any.
    ///
    /// A stretch is due when it is an hour old, when another boot followed it, and when `seal` asks for it.
    ///
    /// - Parameter sealed: the newest stretch that the chain has.
    mutating func extend(reading: ClockReading, seal: Bool, sealed: Coverage?) -> Coverage? {
        stretches = unsealed(after: sealed)
        if let newest = stretches.last, newest.bootID == reading.bootID,
            newest.lastMonotonic <= reading.monotonic
        {
            stretches[stretches.count - 1].extend(to: reading)
        } else {
            stretches.append(Coverage(at: reading))
            if stretches.count > Self.limit { stretches.removeFirst() }
        }
        guard let oldest = stretches.first else { return nil }
        let age = oldest.lastMonotonic.subtractingReportingOverflow(oldest.firstMonotonic)
        let isDue = stretches.count > 1 || seal || age.overflow || age.partialValue >= Self.hour
        return isDue ? oldest : nil
    }
}

extension Coverage {
    fileprivate init(at reading: ClockReading) {
        self.init(
            bootID: reading.bootID, first: reading.now, last: reading.now, firstMonotonic: reading.monotonic,
            lastMonotonic: reading.monotonic, ticks: 1, longestGap: 0)
    }

    fileprivate mutating func extend(to reading: ClockReading) {
        let gap = reading.monotonic.subtractingReportingOverflow(lastMonotonic)
        longestGap = max(longestGap, gap.overflow ? .max : gap.partialValue)
        last = reading.now
        lastMonotonic = reading.monotonic
        ticks = ticks == .max ? .max : ticks + 1
    }

    fileprivate func isSameStretch(as other: Coverage) -> Bool {
        bootID == other.bootID && firstMonotonic == other.firstMonotonic
    }
}

import Model

/// A defect that is here on purpose: whoever does not find it finds nothing else either.
///
/// It lies behind a parser of the program and some steps, each of which the fuzzer has to be told of by what was covered.
let planted = Target(name: "planted") { bytes in
    guard let version = Version(bytes.text), version.minor > 9 else { return }
    guard !version.build.isEmpty else { return }
    guard !version.prerelease.isEmpty else { return }
    let parts = [version.major, version.minor, version.patch]
    // There are three.
    expect(parts[version.patch] >= 0, "a part that is less than nothing")
}

/// A read behind the end of what was allocated, which the address sanitizer alone sees.
let overread = Target(
    name: "overread",
    look: { bytes in
        guard bytes.count > 2, bytes.starts(with: Array("v1".utf8)) else { return }
        let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count)
        defer { copy.deallocate() }
        _ = copy.initialize(from: bytes)
        expect(copy.baseAddress.map { Int($0[bytes.count]) >= 0 } ?? true, "a byte that is less than nothing")
    }, words: { ["v1"] })

import FoundationEssentials
public import Model

/// Reads what endoflife.date says of Kubernetes, as its API gives it: `/api/kubernetes.json`, or
/// `/api/v1/products/kubernetes`.
///
/// - Parameters:
///   - file: where the bytes are from, for a person.
///   - today: when they were brought in; the table counts from the newest release in it, but never from later than this.
/// - Returns: the table; nil where the bytes are no such document at all, so that they may be something else.
/// - Throws: `SupportTableError` for one that cannot be relied on.
public func readEndOfLifeDocument(
    _ bytes: [UInt8], file: String, today: CivilDate
) throws(SupportTableError) -> SupportTable? {
    guard bytes.count <= 1 << 20, let first = bytes.first(where: { !" \n\r\t".utf8.contains($0) }),
        first == UInt8(ascii: "[") || first == UInt8(ascii: "{")
    else { return nil }
    let cycles: [Cycle]
    do {
        let data = Data(bytes)
        cycles =
            first == UInt8(ascii: "[")
            ? try JSONDecoder().decode([Cycle].self, from: data)
            : try JSONDecoder().decode(Product.self, from: data).cycles
    } catch {
        throw SupportTableError(
            "it is JSON, but not what endoflife.date says of a product (/api/kubernetes.json): no list of releases "
                + "with cycle, eol and latest")
    }
    guard cycles.count <= SupportTable.mostRows else {
        throw SupportTableError("it has more than \(SupportTable.mostRows) releases")
    }
    let rows = cycles.compactMap(\.row)
    // Most products are not counted in 1.31; a document of one says nothing here.
    guard rows.contains(where: { $0.major == 1 && $0.minor >= 20 }),
        rows.allSatisfy({ $0.latest?.distribution == nil })
    else {
        throw SupportTableError("it is not of Kubernetes: no release in it is a minor such as 1.31")
    }
    let newest = cycles.compactMap(\.newestDate).filter { $0 <= today }.max()
    guard let newest else { throw SupportTableError("no release in it has a date that has come") }
    return SupportTable(asOf: newest, origin: file, rows: rows)
}

/// One release of the older form of the API.
private struct Cycle: Decodable {
    var name: String
    var released: CivilDate?
    var maintenance: SupportEnd
    var end: SupportEnd
    var latest: String?
    var latestReleased: CivilDate?

    enum Key: String, CodingKey { case cycle, releaseDate, support, eol, latest, latestReleaseDate }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        name = try container.decode(String.self, forKey: .cycle)
        released = try container.decodeIfPresent(String.self, forKey: .releaseDate).flatMap { CivilDate($0) }
        end = try container.decode(DateOrFlag.self, forKey: .eol).end
        // Not every product tells the two apart.
        maintenance = try container.decodeIfPresent(DateOrFlag.self, forKey: .support)?.end ?? end
        latest = try container.decodeIfPresent(String.self, forKey: .latest)
        latestReleased = try container.decodeIfPresent(String.self, forKey: .latestReleaseDate)
            .flatMap { CivilDate($0) }
    }

    init(_ release: Product.Release) {
        name = release.name
        released = release.releaseDate.flatMap { CivilDate($0) }
        end = SupportEnd(from: release.eolFrom, isOver: release.isEol)
        maintenance = release.isEoas.map { SupportEnd(from: release.eoasFrom, isOver: $0) } ?? end
        latest = release.latest?.name
        latestReleased = release.latest?.date.flatMap { CivilDate($0) }
    }

    /// Nil for what is no minor of ours.
    var row: SupportTable.Row? {
        guard let number = SupportTable.Row.minor(name) else { return nil }
        let latest = latest.flatMap { Version($0) }
        // A latest patch of another minor is a slip of whoever wrote it, and would count wrong.
        let isOwn = latest?.major == number.major && latest?.minor == number.minor
        return SupportTable.Row(
            major: number.major, minor: number.minor, released: released, maintenance: maintenance, end: end,
            latest: isOwn ? latest : nil)
    }

    var newestDate: CivilDate? { [released, latestReleased].compactMap(\.self).max() }
}

/// The newer form of the API.
private struct Product: Decodable {
    struct Release: Decodable {
        struct Latest: Decodable {
            var name: String?
            var date: String?
        }
        var name: String
        var releaseDate: String?
        var isEoas: Bool?
        var eoasFrom: String?
        var isEol: Bool
        var eolFrom: String?
        var latest: Latest?
    }
    struct Result: Decodable { var releases: [Release] }
    var result: Result

    var cycles: [Cycle] { result.releases.map(Cycle.init) }
}

/// The older form has a date, or whether it is over.
private struct DateOrFlag: Decodable {
    var end: SupportEnd

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let flag = try? container.decode(Bool.self) {
            end = flag ? .over : .open
        } else if let date = CivilDate(try container.decode(String.self)) {
            end = .on(date)
        } else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "no date")
        }
    }
}

extension SupportEnd {
    fileprivate init(from date: String?, isOver: Bool) {
        if let date = date.flatMap({ CivilDate($0) }) {
            self = .on(date)
        } else {
            self = isOver ? .over : .open
        }
    }
}

import Gate
import Model
import Ports

/// An adopted installation before whose units the gate stands.
protocol Gated {
    var installation: Installation { get }
    var adoption: Adoption { get }
}

/// What is to be written of what last ran on an installation's data (invariant 12).
///
/// A record is begun at an adoption with what runs then. It stands while the gate has recorded every start since. A start
/// of what the gate did not recognise is taken in where the tick knows its version by its bytes and it is the only one;
/// anything else makes the record prove nothing, until a person adopts what is there.
struct LastRanPlan {
    let situation: GuardSituation
    let presence: GuardPresence

    private var site: GuardSite { situation.site }
    private static let advice =
        "; 'holdfast adopt' confirms what is installed, and begins anew with what runs then"

    /// The record to write; nil where the one that is there stands.
    ///
    /// Interrupted, it is planned again as it was as long as nothing has started since.
    func effect(of wanted: some Gated) -> Effect? {
        guard let data = wanted.installation.dataDirectory else { return nil }
        let path = site.places.lastRan(dataDirectory: data)
        let running = wanted.installation.running
        let marks = wanted.installation.units.flatMap { site.places.missed(unit: $0.name) }
            .filter { presence.contents[$0] != nil }
        let known = record(at: path, of: data)
        var next = LastRan(
            dataDirectory: data, highest: running?.highestVersion, invocationID: running?.invocationID,
            at: wanted.adoption.at)
        if situation.records.lastRan[path] != wanted.adoption.at {
            // Whatever ran before: what runs now runs on the data as it is.
            if running != nil, next.highest == nil {
                next.unproven = "what ran when the gate was placed could not be told"
            }
        } else if let doubt = doubt(of: wanted, record: known, isMarked: !marks.isEmpty) {
            next.highest = [known?.highest, next.highest].compactMap(\.self).max()
            next.unproven = doubt + Self.advice
        } else if let known, let seen = versionsOfUnread(known, wanted) {
            next.highest = (seen + [known.highest, next.highest].compactMap(\.self)).max()
        } else {
            return nil
        }
        return .writeLastRan(
            StartRecord(path: path, text: next.text, since: wanted.adoption.at, marks: marks))
    }

    /// Why a person has to say what is meant to run there; nil where the record proves what it says, or there is none.
    func unproven(of wanted: some Gated) -> String? {
        guard let data = wanted.installation.dataDirectory else { return nil }
        return record(at: site.places.lastRan(dataDirectory: data), of: data)?.unproven
    }

    /// Why a record that was begun proves nothing any longer; nil where it stands, or says so itself.
    private func doubt(of wanted: some Gated, record: LastRan?, isMarked: Bool) -> String? {
        guard let record else { return "the record of what last ran was lost" }
        if isMarked { return "the gate could not record a start" }
        guard record.unproven == nil else { return nil }
        guard let running = wanted.installation.running else {
            // Whatever runs with a listed start began while the gate was there; nothing does.
            return isGateGone(wanted)
                ? "the gate's drop-in was gone while nothing ran, so something may have started without it"
                : unreadSince(record, wanted).isEmpty ? nil : "\(LastRan.unread), and runs no longer"
        }
        let unread = unreadSince(record, wanted)
        if !unread.isEmpty, versionsOfUnread(record, wanted) == nil { return LastRan.unread }
        guard let start = running.invocationID, start != record.invocationID,
            !lines(of: wanted).contains(where: { $0.start == start })
        else { return nil }
        return "something started without the gate"
    }

    /// Whether a drop-in that we placed has been taken away.
    private func isGateGone(_ wanted: some Gated) -> Bool {
        wanted.installation.units.contains { unit in
            let path = site.dropInPath(unit: unit.name)
            let isBeingPlaced = situation.records.intents.contains { intent in
                if case .placeDropIn(path, _) = intent.effect { true } else { false }
            }
            return situation.records.dropIns[path] != nil && presence.contents[path] == nil && !isBeingPlaced
        }
    }

    private func record(at path: String, of data: String) -> LastRan? {
        guard case .bytes(let bytes) = presence.contents[path], let record = try? LastRan.parse(bytes),
            record.dataDirectory == data
        else { return nil }
        return record
    }

    // MARK: Starts that the gate did not recognise

    /// One line of the gate's list of starts.
    private struct Line {
        var start: String
        /// Nil where the gate did not recognise what started.
        var version: Version?
    }

    private func lines(of wanted: some Gated) -> [Line] {
        wanted.installation.units.flatMap { unit -> [Substring] in
            let list =
                presence.contents[GatePlaces.startsMeanwhile(unit: unit.name)]
                ?? presence.contents[site.places.starts(unit: unit.name)]
            return (list?.text ?? "").split(separator: "\n")
        }.map { line in
            let words = line.split(separator: " ", omittingEmptySubsequences: false)
            return Line(
                start: words.first.map(String.init) ?? "",
                version: words.count > 2 ? Version(String(words[2])) : nil)
        }
    }

    /// Starts since the record was written, and with a record that is unproven the one that made it so.
    ///
    /// Nil where the list does not reach back to it.
    private func since(_ record: LastRan, _ wanted: some Gated) -> ArraySlice<Line>? {
        let lines = lines(of: wanted)
        guard let index = lines.firstIndex(where: { $0.start == record.invocationID }) else { return nil }
        return record.unproven == nil ? lines[(index + 1)...] : lines[index...]
    }

    private func unreadSince(_ record: LastRan, _ wanted: some Gated) -> [Line] {
        (since(record, wanted) ?? []).filter { $0.version == nil }
    }

    /// All versions that have started since, where the only one that the gate did not recognise runs now and its bytes
    /// told its version; nil where that is not so, or nothing was missed.
    private func versionsOfUnread(_ record: LastRan, _ wanted: some Gated) -> [Version]? {
        guard record.unproven == nil || record.unproven == LastRan.unread,
            let running = wanted.installation.running, let start = running.invocationID,
            running.isToldByBytes, let highest = running.highestVersion,
            // Starts of several units have no order that the lists would tell.
            wanted.installation.units.count == 1, !sharesData(wanted),
            let since = since(record, wanted)
        else { return nil }
        let unread = since.filter { $0.version == nil }
        guard !unread.isEmpty, unread.allSatisfy({ $0.start == start }) else { return nil }
        return since.compactMap(\.version) + [highest]
    }

    private func sharesData(_ wanted: some Gated) -> Bool {
        situation.state.installations.values.contains { other in
            other.installation.id != wanted.installation.id
                && other.installation.dataDirectory == wanted.installation.dataDirectory
        }
    }
}

extension Running {
    /// The highest of all that was said of it: going back rests on it, so in doubt it is higher.
    fileprivate var highestVersion: Version? { (sources.map(\.version) + [version]).compactMap(\.self).max() }

    /// Whether the executable itself, or the file that it was started from, told a version.
    fileprivate var isToldByBytes: Bool {
        sources.contains { source in
            source.version != nil
                && (source.source == .processExecutable || source.source == .installedFile)
        }
    }
}

@testable import Artifacts
@testable import Distributions
import FoundationEssentials
@testable import Gate
import Model
@testable import Web

/// What servers answer: HTTP itself, snapd, channels, k0s, etcd.
let answers = [
    Target(name: "http", look: lookAtResponse),
    Target(name: "origin", look: lookAtOrigin),
    Target(name: "snapd", look: lookAtSnapd),
    Target(name: "veto", look: lookAtChanges),
    Target(name: "channel", look: lookAtChannel),
    Target(name: "members", look: lookAtMembers),
]

private let mostBody = 2048

/// The first byte says in what pieces the rest comes in: however it does, the answer is the same.
private func lookAtResponse(_ bytes: [UInt8]) {
    guard let first = bytes.first else { return }
    let rest = Array(bytes.dropFirst())
    let whole = response(rest, piece: max(1, rest.count))
    expect(whole == response(rest, piece: Int(first % 17) + 1), "another answer in other pieces")
    switch whole {
    case .success(let response):
        expect((200...599).contains(response.status), "status \(response.status)")
        expect(response.body.count <= mostBody, "\(response.body.count) bytes of body")
        expectShowable(response.mediaType.printable)
        expect(
            response.headers.allSatisfy { !$0.name.isEmpty && $0.name.utf8.allSatisfy(isTokenByte) },
            "a header's name")
    case .failure(let error): expectShowable(error.description)
    }
}

private func response(_ bytes: [UInt8], piece: Int) -> Result<HTTPResponse, HTTPError> {
    var reader = ResponseReader(maximumBody: mostBody)
    do throws(HTTPError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            try reader.take(rest.prefix(piece))
            rest = rest.dropFirst(piece)
            if let response = reader.finished { return .success(response) }
        }
        return .success(try reader.end())
    } catch { return .failure(error) }
}

private func lookAtOrigin(_ bytes: [UInt8]) {
    let text = bytes.text
    do throws(HTTPError) {
        let origin = try Web.Origin(text)
        let again: Web.Origin
        do throws(HTTPError) { again = try Web.Origin(origin.url(target: "")) } catch {
            fatalError("\(error)")
        }
        expect(again == origin, "\(origin) became \(again)")
    } catch { expectShowable(error.description) }
    do {
        let url = try SourceURL(text)
        expectShowable(url.shown)
        expect(!url.shown.contains("?"), "a query is shown")
        expect(try SourceURL(url.origin + url.target) == url, "\(url) reads back as another one")
    } catch { expectShowable("\(error)") }
    if let plain = percentDecoded(text), !plain.unicodeScalars.contains("\u{fffd}") {
        expect(
            percentDecoded(percentEncoded(plain)).map { areSame($0, plain) } == true,
            "percent signs do not read back")
    }
}

private func lookAtSnapd(_ bytes: [UInt8]) {
    func take<Answer: Decodable>(_: Answer.Type, status: Int = 200) -> Answer? {
        do throws(SnapdError) {
            let response = HTTPResponse(status: status, headers: [], body: bytes)
            return try SnapdClient.result(
                of: response, target: "/v2/snaps/microk8s", socket: "/run/snapd.socket")
        } catch {
            expectShowable(error.description)
            return nil
        }
    }
    _ = take(InstalledSnap.self, status: 404)
    if let snap = take(InstalledSnap.self) {
        expect(snap.followed?.isEmpty != true, "an empty channel is followed")
        _ = snap.hold.map { Instant(snapd: $0) }
    }
    _ = take([PendingRefresh].self)
    if let changes = take([SnapdChange].self) { _ = Trigger(of: "7731", snap: "microk8s", in: changes) }
    if let change = take(ChangeProgress.self) {
        if let text = change.failure { expectShowable(text) }
        if let text = change.doing { expectShowable(text) }
        expect(!(change.succeeded && change.failure != nil), "it succeeded and failed")
    }
    if let information = take(SnapdInformation.self) {
        _ = information.refresh?.hold.map { Instant(snapd: $0) }
        if let version = information.version.flatMap({ SnapdVersion($0) }) {
            expectShowable(version.description)
        }
    }
    for line in bytes.lines(atMost: 4).map(\.text) {
        if let instant = Instant(snapd: line) {
            expect(Instant(snapd: instant.description) == instant, "\(line) reads back as another time")
        }
        if let version = SnapdVersion(line) { expectShowable(version.description) }
    }
}

/// The answer as the gate itself reads it.
private func lookAtChanges(_ bytes: [UInt8]) {
    if case .body(let body) = changesAnswer(bytes) {
        expect(body.count + 4 < bytes.count, "a body without a head")
    }
    switch refreshTarget(of: "microk8s", in: bytes) {
    case .success(let revision):
        expect(revision.map(SnapFiles.isRevisionLike) ?? true, "\(revision ?? "") is no revision")
    case .failure(let doubt): expectShowable(doubt.text)
    }
    guard let value = ReadJSON.value(of: bytes) else { return }
    var text: [UInt8] = []
    value.write(to: &text)
    expect(ReadJSON.value(of: text) == value, "JSON that reads back as something else")
}

extension SnapFiles {
    /// Digits and `x`.
    fileprivate static func isRevisionLike(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (48...57).contains($0) || $0 == UInt8(ascii: "x") }
    }
}

private func lookAtChannel(_ bytes: [UInt8]) {
    let lines = bytes.lines(atMost: 2)
    var settings = ArtifactSource()
    settings.channel = "stable"
    let source = WebReleases(settings)
    guard let url = try? SourceURL("https://update.k3s.io/v1-release/channels/stable") else { return }
    _ = source.latest(in: bytes, url)
    for distribution in [Distribution.k3s, .k0s] {
        let version = source.redirected(lines[0].text, distribution)
        expect(version?.distribution ?? distribution == distribution, "a version of another distribution")
    }
}

private func lookAtMembers(_ bytes: [UInt8]) {
    if let version = k0sVersion(inStatus: bytes) { expect(version.distribution == .k0s, "\(version) of k0s") }
    _ = EtcdMembers.read(bytes)
    _ = try? k3sConfiguration(bytes)
    _ = try? k0sStorage(bytes)
}

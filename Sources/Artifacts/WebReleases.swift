import Host
public import Model
public import Ports
import Web

/// Releases on the web: the makers' own, or a mirror with the same layout.
public struct WebReleases: ReleaseSource {
    let settings: ArtifactSource
    /// Bytes that must stay free on the file system that is fetched to.
    var reserve: Int64
    /// How many attempts in a row may bring next to nothing before a call gives up.
    var attempts = 6
    /// Between two attempts, the second one twice as long, and so on.
    var pauseMilliseconds = 1000
    /// How long a server may send next to nothing.
    var stallMilliseconds = 30_000
    /// For questions with small answers.
    var questionMilliseconds: Int
    /// Whether `https_proxy` and its kin are heeded where the policy names no proxy.
    var usesEnvironmentProxies = true

    /// What an attempt has to bring to be worth another one, in bytes.
    private static let progressEnough: Int64 = 1 << 20

    /// Makes a source.
    ///
    /// - Parameters:
    ///   - settings: its `releases` is a URL template (`ReleaseLayout.url`) or empty for the makers' own releases.
    ///   - reserve: bytes that must stay free where something is fetched to.
    ///   - questionMilliseconds: how long a channel or a checksum file may take.
    public init(
        _ settings: ArtifactSource, reserve: Int64 = defaultReserve, questionMilliseconds: Int = 20_000
    ) {
        self.settings = settings
        self.reserve = reserve
        self.questionMilliseconds = questionMilliseconds
    }

    public func releases(of distribution: Distribution) throws(SourceFailure) -> [Version] {
        try checkDistribution(distribution)
        guard !settings.channel.isEmpty else { return [] }
        return [try channelVersion(of: distribution)]
    }

    public func find(_ wanted: WantedArtifact) throws(SourceFailure) -> FoundArtifact {
        let (name, url) = try locate(wanted)
        var published: Digest?
        if url.isEncrypted {
            published = try readChecksums(wanted, name: name)
        } else if wanted.pinned == nil, wanted.imported == nil {
            throw SourceFailure(
                .untrusted,
                "\(url.shown): not encrypted, so that neither it nor its checksum file proves anything; use https://, "
                    + WantedArtifact.advice(wanted.architecture))
        }
        let (sha256, proof) = try wanted.proof(published: published, place: url.shown)
        return FoundArtifact(
            wanted: wanted, name: name, sha256: sha256, proof: proof, size: nil, place: url.shown)
    }

    public func fetch(
        _ found: FoundArtifact, to path: String, progress: @escaping (FetchProgress) -> Bool
    ) throws(SourceFailure) -> FetchedArtifact {
        let (_, url) = try locate(found.wanted)
        guard let address = hashBytes(Array((url.origin + url.target).utf8)) else {
            throw SourceFailure(.other, "\(url.shown): its address has no digest")
        }
        let landing = Landing(found: found, path: path, reserve: reserve)
        if let existing = try landing.existing() { return existing }
        var isJoined = false
        do throws(SourceFailure) {
            return try bring(url, address, landing, progress, &isJoined)
        } catch {
            // Parts that fit by all that the server said, and did not: in one piece the bytes have to be right.
            guard isJoined, [.checksum, .pin].contains(error.code) else { throw error }
        }
        return try bring(url, address, landing, progress, &isJoined)
    }

    /// Fetches what is missing of a draft, and proves the whole.
    ///
    /// - Parameter isJoined: set where the bytes are those of more than one answer.
    private func bring(
        _ url: SourceURL, _ address: Digest, _ landing: Landing,
        _ progress: @escaping (FetchProgress) -> Bool, _ isJoined: inout Bool
    ) throws(SourceFailure) -> FetchedArtifact {
        let draft = try landing.draft()
        let download = try ReleaseDownload(landing, draft: draft, address: address, progress: progress)
        isJoined = draft.size > 0
        var failures = 0
        var best = draft.size
        while true {
            let answer = download.isWhole ? .whole : try ask(url, download)
            isJoined = isJoined || download.isResumed
            let failure: SourceFailure
            switch answer {
            case .whole: return try landing.land(draft)
            case .broken(let reason): failure = reason
            case .misfit:
                // Another release lies there now, or the server mixes parts up.
                failure = SourceFailure(
                    .unreachable, "\(url.shown): the server does not go on where it stopped; try again later")
                try download.restart()
            }
            // A long way with a poor line is no reason to give up while it leads on.
            failures = draft.size - best >= Self.progressEnough ? 1 : failures + 1
            best = max(best, draft.size)
            guard failures < attempts else { throw failure }
            try rest(pauseMilliseconds << min(failures - 1, 4), download, url)
        }
    }

    /// Waits before the next attempt, unless whoever asked gives up.
    private func rest(_ milliseconds: Int, _ download: ReleaseDownload, _ url: SourceURL)
        throws(SourceFailure)
    {
        var left = milliseconds
        while left > 0 {
            guard download.goesOn() else { throw stopped(url) }
            pause(milliseconds: min(left, 500))
            left -= 500
        }
    }

    private func stopped(_ url: SourceURL) -> SourceFailure {
        SourceFailure(.stopped, "\(url.shown): the download was stopped; what came is kept")
    }

    private enum Answer {
        case whole
        /// It may go on with the next attempt.
        case broken(SourceFailure)
        /// What came is not what is missing.
        case misfit
    }

    private func ask(_ url: SourceURL, _ download: ReleaseDownload) throws(SourceFailure) -> Answer {
        let head: HTTPResponse
        do throws(HTTPError) {
            head = try client(url).download(
                HTTPRequest(.get, url.target, headers: download.rangeHeaders),
                stallMilliseconds: stallMilliseconds, to: download)
        } catch {
            if let failure = download.failure { throw failure }
            if error.code == .stopped { throw stopped(url) }
            let failure = SourceFailure(error)
            guard failure.code == .unreachable else { throw failure }
            return .broken(failure)
        }
        if let failure = download.failure { throw failure }
        if download.isMisfit || head.status == 416 { return .misfit }
        guard head.status == 200 || head.status == 206 else {
            let failure = refusal(head.status, url)
            guard failure.code == .unreachable else { throw failure }
            return .broken(failure)
        }
        guard download.total == nil || download.isWhole else {
            return .broken(SourceFailure(.unreachable, "\(url.shown): the answer ended before its length"))
        }
        return .whole
    }

    // MARK: Questions

    private func locate(_ wanted: WantedArtifact) throws(SourceFailure) -> (name: String, url: SourceURL) {
        let name = try wanted.binaryName()
        return (name, try ReleaseLayout.url(template(wanted), file: name, isBinary: true, wanted))
    }

    private func template(_ wanted: WantedArtifact) -> String {
        settings.releases.isEmpty
            ? ReleaseLayout.publicReleases(of: wanted.distribution) ?? "" : settings.releases
    }

    /// What the release's checksum file says; nil where there is none and something else proves the bytes.
    private func readChecksums(_ wanted: WantedArtifact, name: String) throws(SourceFailure) -> Digest? {
        let file = ReleaseLayout.checksums(wanted.distribution, wanted.architecture)
        let url = try ReleaseLayout.url(template(wanted), file: file, isBinary: false, wanted)
        let isProvenElse = wanted.pinned != nil || wanted.imported != nil
        let answer = try get(url, redirects: Self.redirects)
        if answer.status == 404 || answer.status == 410 {
            if isProvenElse { return nil }
            throw SourceFailure(
                .notFound,
                "\(url.shown): there is no release \(wanted.version), or it has no checksum file "
                    + "(status \(answer.status)); check the version, or \(WantedArtifact.advice(wanted.architecture))"
            )
        }
        guard answer.status == 200 else { throw refusal(answer.status, url) }
        let digest = try publishedDigest(answer.body, of: wanted, name: name, place: url.shown)
        if digest == nil, !isProvenElse {
            throw SourceFailure(.notFound, "\(url.shown): it has no checksum of \(name)")
        }
        return digest
    }

    static let redirects = 10

    /// Asks for something small.
    func get(_ url: SourceURL, redirects: Int) throws(SourceFailure) -> HTTPResponse {
        do throws(HTTPError) {
            var client = client(url)
            client.maximumRedirects = redirects
            return try client.send(HTTPRequest(.get, url.target))
        } catch {
            throw SourceFailure(error)
        }
    }

    func client(_ url: SourceURL) -> HTTPClient {
        HTTPClient(
            .origin(url.origin),
            tls: TLSSettings(authorities: settings.caFile.isEmpty ? .system : .file(settings.caFile)),
            timeoutMilliseconds: questionMilliseconds,
            connectTimeoutMilliseconds: min(10_000, questionMilliseconds),
            maximumBodyBytes: largestChecksumFile, maximumRedirects: Self.redirects,
            usesEnvironmentProxies: usesEnvironmentProxies && settings.proxy.isEmpty,
            proxy: settings.proxy.isEmpty ? nil : settings.proxy)
    }

    /// Why a status is no answer.
    func refusal(_ status: Int, _ url: SourceURL) -> SourceFailure {
        switch status {
        case 404, 410:
            SourceFailure(
                .notFound, "\(url.shown): there is no such file (status \(status)); check the version")
        case 401, 403, 407:
            SourceFailure(
                .other,
                "\(url.shown): the server does not let us (status \(status)); check the address and the proxy"
            )
        case 408, 425, 429, 500...599:
            SourceFailure(.unreachable, "\(url.shown): the server cannot answer now (status \(status))")
        default:
            SourceFailure(.malformed, "\(url.shown): not a usable answer (status \(status))")
        }
    }
}

/// How many bytes stay free where an artifact is fetched to, unless somebody says otherwise.
public let defaultReserve: Int64 = 256 << 20

extension SourceFailure {
    init(_ error: HTTPError) {
        let code: Code =
            switch error.code {
            case .absent, .refused, .unreachable, .timeout, .interrupted: .unreachable
            case .tls: .untrusted
            case .tooLarge, .protocolViolation: .malformed
            case .invalidRequest: .configuration
            case .stopped: .stopped
            case .noLibrary, .denied, .other: .other
            }
        self.init(code, error.description)
    }
}

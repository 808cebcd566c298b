import FoundationEssentials
import Model
import Ports
import Web

extension WebReleases {
    /// The version that the channel stands at.
    ///
    /// K3s's channel server answers a redirect whose last segment is the version, and lists its channels as JSON; k0s
    /// keeps a text file for each (`../facts/k3s.md`, `k0s.md`). A mirror keeps `CHANNEL.txt` beside its releases.
    func channelVersion(of distribution: Distribution) throws(SourceFailure) -> Version {
        let url = try channelURL(of: distribution)
        var answer = try get(url, redirects: 0)
        if (300..<400).contains(answer.status) {
            if let version = redirected(answer.header("Location") ?? "", distribution) { return version }
            answer = try get(url, redirects: Self.redirects)
        }
        guard answer.status == 200 else { throw refusal(answer.status, url) }
        let text = String(decoding: answer.body.prefix(largestChecksumFile), as: UTF8.self)
        let said = text.first == "{" ? latest(in: answer.body, url) ?? "" : text.filter { !$0.isWhitespace }
        guard let version = release(said, of: distribution) else {
            throw SourceFailure(
                .malformed,
                "\(url.shown): the channel answers \"\(said.cut(to: 64).printable)\", which is no version of "
                    + "\(distribution.displayName); check the channel's name")
        }
        return version
    }

    private func channelURL(of distribution: Distribution) throws(SourceFailure) -> SourceURL {
        let channel = settings.channel
        if channel.hasPrefix("https://") || channel.hasPrefix("http://") { return try SourceURL(channel) }
        let base = ReleaseLayout.base(of: settings.releases)
        let own = ReleaseLayout.publicReleases(of: distribution)
        if settings.releases.isEmpty || base == own,
            let url = ReleaseLayout.publicChannel(channel, of: distribution)
        {
            return try SourceURL(url)
        }
        let name = channel.split(separator: "/").map { percentEncoded(String($0)) }.joined(separator: "/")
        return try SourceURL("\(base)/\(name).txt\(ReleaseLayout.query(of: settings.releases))")
    }

    func redirected(_ location: String, _ distribution: Distribution) -> Version? {
        let path = location.prefix { $0 != "?" && $0 != "#" }
        return path.split(separator: "/").last.flatMap { percentDecoded($0) }.flatMap {
            release($0, of: distribution)
        }
    }

    /// The version that a channel in JSON stands at: of one channel, or of a list the one that the address ends in.
    func latest(in body: [UInt8], _ url: SourceURL) -> String? {
        struct Channel: Decodable {
            var name: String?
            var latest: String?
        }
        struct List: Decodable {
            var data: [Channel]?
        }
        let bytes = Data(body)
        let isName = settings.channel.hasPrefix("http")
        let name = isName ? url.shown.split(separator: "/").last.map(String.init) : settings.channel
        if let data = (try? JSONDecoder().decode(List.self, from: bytes))?.data {
            return data.first { $0.name == name }?.latest
        }
        return (try? JSONDecoder().decode(Channel.self, from: bytes))?.latest
    }
}

/// A version of that distribution; nil for anything else.
func release(_ text: String, of distribution: Distribution) -> Version? {
    Version(text).flatMap { $0.distribution == distribution ? $0 : nil }
}

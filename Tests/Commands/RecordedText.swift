/// Output as words, wherever lines are broken, with what differs from run to run left out: ids, digests, times and ages.
struct RecordedText {
    let words: [String]

    init(_ lines: [String]) {
        var text = lines.joined(separator: " ")
        text.replace(/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z/, with: "TIME")
        text.replace(/[0-9]{4}-[0-9]{2}-[0-9]{2}/, with: "DATE")
        text.replace(/\b[0-9a-f]{10,64}\b/, with: "HEX")
        text.replace(
            /in [0-9]+ (s|min|h|d)( [0-9]+ (min|h))?\b|([0-9]+ (s|min|h|d) )+ago|\bnow\b/, with: "AGE")
        text.replace(/[0-9]+ days/, with: "N days")
        words = text.split(separator: " ").map(String.init)
    }

    /// Whether this is what was printed; `…` stands for any words.
    func fits(_ printed: RecordedText) -> Bool { fits(words[...], printed.words[...]) }

    private func fits(_ shown: ArraySlice<String>, _ printed: ArraySlice<String>) -> Bool {
        guard let word = shown.first else { return printed.isEmpty }
        guard word == "…" else {
            return word == printed.first && fits(shown.dropFirst(), printed.dropFirst())
        }
        let rest = shown.dropFirst()
        return (printed.startIndex...printed.endIndex).contains { fits(rest, printed[$0...]) }
    }
}

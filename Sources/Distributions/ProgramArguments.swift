/// The arguments of a distribution's program, read as Go's `flag` and `pflag` read them.
struct ProgramArguments: Hashable {
    private let words: [String]

    init(_ words: some Collection<String>) {
        // What stands after `--` is no flag.
        self.words = Array(words.prefix { $0 != "--" })
    }

    /// The first word that is no flag, nor a flag's value as far as that can be told, and one of these.
    func subcommand(among names: Set<String>) -> String? {
        for (index, word) in words.enumerated() {
            if names.contains(word) { return word }
            let isFlag = word.hasPrefix("-")
            let mayBeValue = index > 0 && words[index - 1].hasPrefix("-") && !words[index - 1].contains("=")
            if !isFlag && !mayBeValue { return nil }
        }
        return nil
    }

    /// The last value of a flag; nil where it is not there.
    ///
    /// Both packages take `--name value` and `--name=value`; K3s's takes one dash for two, and k0s's takes a short
    /// flag and its value in one word.
    func value(of name: String, short: Character? = nil) -> String? {
        var value: String?
        for (index, word) in words.enumerated() {
            guard let flag = Flag(word) else { continue }
            if flag.name == name || flag.name == short.map(String.init) {
                if let text = flag.value {
                    value = text
                } else if index + 1 < words.count {
                    value = words[index + 1]
                }
            } else if let short, word.hasPrefix("-\(short)"), !word.hasPrefix("--"), flag.name.first == short,
                !flag.name.dropFirst().isEmpty, flag.name.dropFirst().first == "/"
            {
                value = String(word.dropFirst(2))
            }
        }
        return value
    }

    /// Every value of a flag that can be given more than once.
    func values(of name: String) -> [String] {
        words.indices.compactMap { index in
            guard let flag = Flag(words[index]), flag.name == name else { return nil }
            return flag.value ?? (index + 1 < words.count ? words[index + 1] : nil)
        }
    }

    /// Whether a flag that is true or false is set; nil where it is not there.
    func isSet(_ name: String) -> Bool? {
        var value: Bool?
        for word in words {
            guard let flag = Flag(word), flag.name == name else { continue }
            value = flag.value.map(isTrue) ?? true
        }
        return value
    }

    private struct Flag {
        var name: String
        var value: String?

        init?(_ word: String) {
            guard word.hasPrefix("-") else { return nil }
            let bare = word.dropFirst(word.hasPrefix("--") ? 2 : 1)
            guard !bare.isEmpty else { return nil }
            if let equals = bare.firstIndex(of: "=") {
                name = String(bare[..<equals])
                value = String(bare[bare.index(after: equals)...])
            } else {
                name = String(bare)
            }
        }
    }
}

/// Go's `strconv.ParseBool`; what it would refuse is false.
func isTrue(_ text: some StringProtocol) -> Bool {
    ["1", "t", "T", "true", "TRUE", "True"].contains(String(text))
}

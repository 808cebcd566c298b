import Model
import PolicyFile

/// The reference of policy.yaml and node.yaml in Markdown.
func referenceText() -> String {
    """
    # Reference: policy.yaml and node.yaml

    Made from the tables by which Holdfast reads the files (`holdfast manual reference.md`); the same is in the manual pages \
    holdfast-policy(5) and holdfast-node(5). What the words mean is in [concepts](concepts.md).

    Durations are `90s`, `15m`, `24h`, `3d`, `2w`; dates `2026-12-31`; ranges `">=1.31.4 <1.33"`, `"1.31 || 1.32"`. A key that is \
    not listed, one that is there twice, an empty list and a value out of range are errors, and `holdfast policy lint` reports \
    them all at once.

    ## policy.yaml

    \(table(Schema.policy))

    ## Rules by name

    Decisions, `explain`, overrides and waivers use these names: \
    \(RuleName.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")).

    ## node.yaml

    \(table(Schema.node))

    """
}

private func table(_ keys: [SchemaKey]) -> String {
    (["| key | value | default | what it is for |", "|---|---|---|---|"] + rows(keys, path: ""))
        .joined(separator: "\n")
}

private func rows(_ keys: [SchemaKey], path: String) -> [String] {
    keys.flatMap { key in
        let value = key.isRequired ? "required" : key.defaultValue.map { "`\(cell($0))`" } ?? ""
        return ["| `\(path)\(key.name)` | \(cell(key.form)) | \(value) | \(cell(key.meaning)) |"]
            + rows(key.keysShown(below: path), path: "\(path)\(key.name).")
    }
}

/// A bar would end the cell.
private func cell(_ text: String) -> String {
    text.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
}

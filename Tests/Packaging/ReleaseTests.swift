import FoundationEssentials
import Testing

/// What a release says of its programs, tried on others: what is judged is a file, whoever made it.
@Suite("a release")
struct ReleaseTests {
    struct Bill: Decodable {
        struct Item: Decodable { let SPDXID: String }
        struct File: Decodable {
            struct Checksum: Decodable, Hashable { let algorithm, checksumValue: String }
            let SPDXID: String
            let fileName: String
            let checksums: [Checksum]
        }
        struct Relation: Decodable { let spdxElementId, relationshipType, relatedSpdxElement: String }
        let spdxVersion: String
        let creationInfo: [String: Time]
        let packages: [Item]
        let files: [File]
        let relationships: [Relation]

        /// A text, or whatever else stands there.
        struct Time: Decodable {
            let text: String?
            init(from decoder: any Decoder) throws {
                text = try? decoder.singleValueContainer().decode(String.self)
            }
        }
    }

    private let programs = ["holdfast", "holdfast-gate"]

    @Test("has a bill of materials that names the bytes, and comes out the same twice")
    func bill() throws {
        try Script.inScratch { directory in
            for program in programs {
                try FileManager.default.copyItem(atPath: "/usr/bin/true", toPath: "\(directory)/\(program)")
            }
            let answer = try Script.run("Packaging/scripts/sbom \"$1\"", directory)
            #expect(answer.code, "\(answer.errors)")
            #expect(try Script.run("Packaging/scripts/sbom \"$1\"", directory).output == answer.output)
            let bill = try JSONDecoder().decode(Bill.self, from: Data(answer.output.utf8))
            #expect(bill.spdxVersion == "SPDX-2.3")
            #expect(bill.creationInfo["created"]?.text == "2023-11-14T22:13:20Z")
            #expect(bill.files.map(\.fileName) == programs.map { "./\($0)" })
            let sum = try Script.run("sha256sum /usr/bin/true | cut -d ' ' -f 1").output.dropLast()
            for file in bill.files {
                #expect(file.checksums.contains(.init(algorithm: "SHA256", checksumValue: String(sum))))
            }
            let known = Set(["SPDXRef-DOCUMENT"] + bill.packages.map(\.SPDXID) + bill.files.map(\.SPDXID))
            #expect(known.count == 1 + bill.packages.count + bill.files.count)
            for relation in bill.relationships {
                #expect(known.contains(relation.spdxElementId) && known.contains(relation.relatedSpdxElement))
            }
            // Nothing is listed that the programs have nothing to do with.
            #expect(
                Set(bill.relationships.map(\.relatedSpdxElement)) == known.subtracting(["SPDXRef-DOCUMENT"]))
        }
    }

    @Test(
        "has no bill of materials where a program needs a library that nobody has listed",
        .enabled(
            if: FileManager.default.fileExists(atPath: "/usr/bin/apt-get"), "SKIPPED: there is no apt-get"))
    func unknown() throws {
        try Script.inScratch { directory in
            try FileManager.default.copyItem(atPath: "/usr/bin/true", toPath: "\(directory)/holdfast")
            // It needs libraries of apt.
            try FileManager.default.copyItem(atPath: "/usr/bin/apt-get", toPath: "\(directory)/holdfast-gate")
            let answer = try Script.run("Packaging/scripts/sbom \"$1\"", directory)
            #expect(
                !answer.code && answer.errors.contains("holdfast-gate needs libapt-"), "\(answer.errors)")
        }
    }

    @Test(
        "is none where a program is larger than it may be",
        arguments: [
            (20_000_000, 8_000_000, true), (20_000_001, 8_000_000, false), (20_000_000, 8_000_001, false),
        ])
    func sizes(main: Int, gate: Int, isRight: Bool) throws {
        try Script.inScratch { directory in
            let answer = try Script.run(
                "truncate -s \"$2\" \"$1/holdfast\"; truncate -s \"$3\" \"$1/holdfast-gate\"; Packaging/scripts/sizes \"$1\"",
                directory, String(main), String(gate))
            #expect(answer.code == isRight, "\(answer.errors)")
        }
    }

    @Test("has the version that the program prints, and no other")
    func version() throws {
        let answer = try Script.run("source Packaging/scripts/settings; program_version")
        let source = try String(
            contentsOfFile: Script.repository + "/Sources/Commands/Program.swift", encoding: .utf8)
        #expect(source.contains("programVersion = \"\(answer.output.dropLast())\""))
    }
}

// Measures what a fleet asks of its store; Packaging/scripts/measure-fleet runs it. It is no part of the product.
//
// usage: fleet-load STORE fill NODES | STORE table NODES RUNS | STORE get KEY | STORE put KEY | fits
// STORE: a directory for the embedded store, or the URL of an etcd.

import Fleet
import Glibc
import Model
import Ports

struct Usage: Error {}

func open(_ place: String) throws -> any FleetStore {
    place.hasPrefix("/")
        ? try SQLiteFleetStore(stateDirectory: place)
        : try EtcdFleetStore(endpoints: [place], timeoutMilliseconds: 60_000)
}

func key(_ text: String) throws -> FleetKey {
    let parts = text.split(separator: "/", maxSplits: 1).map(String.init)
    guard parts.count == 2, let kind = FleetKey.Kind(rawValue: parts[0]) else { throw Usage() }
    return FleetKey(kind, parts[1])
}

/// How many clusters of one node each fit into one rollout: each is a track of its own in its text.
func clustersThatFit() throws -> Int {
    func bytes(_ clusters: Int) throws -> Int {
        try CanonicalJSON.text(of: SampleFleet(nodes: clusters, clustersOf: 1).document).utf8.count
    }
    let (few, many) = (try bytes(100), try bytes(1100))
    return 100 + (FleetLimits.valueBytes - few) * 1000 / (many - few)
}

do {
    let words = Array(Swift.CommandLine.arguments.dropFirst())
    switch (words.dropFirst().first ?? words.first, words.count) {
    case ("fits", 1):
        print(try clustersThatFit())
    case ("fill", 3):
        guard let nodes = Int(words[2]) else { throw Usage() }
        try Load(SampleFleet(nodes: nodes), open(words[0]), runs: 1).fill()
    case ("table", 4):
        guard let nodes = Int(words[2]), let runs = Int(words[3]), runs > 0 else { throw Usage() }
        try Load(SampleFleet(nodes: nodes), open(words[0]), runs: runs).print()
    case ("get", 3):
        guard try open(words[0]).get(key(words[2])) != nil else { throw Usage() }
    case ("put", 3):
        let store = try open(words[0])
        guard let value = try store.get(key(words[2])) else { throw Usage() }
        _ = try store.put(key(words[2]), value.text, ifRevision: value.revision)
    default: throw Usage()
    }
} catch {
    print("fleet-load: \(error)")
    exit(1)
}

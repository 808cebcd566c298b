/// The distributions that are looked for; a new one is a folder of its own here and one line.
public var allDistributions: [any DistributionAdapter] {
    [
        K3sAdapter(),
        MicroK8sAdapter(),
        K0sAdapter(),
    ]
}

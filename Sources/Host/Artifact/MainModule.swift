internal import Glibc
public import Model

/// The distribution that a program is built from, by its Go module; nil where it says none, or another.
///
/// Only headers and build information are read, so a stranger costs little.
public func distributionOfProgram(at path: String) -> Distribution? {
    do throws(HostError) {
        let descriptor = try Descriptor.openRegularFile(path)
        let size = Int(try descriptor.status(path).st_size)
        let source = ByteSource(size: size) { (offset, buffer) throws(HostError) in
            try descriptor.read(at: offset, into: buffer, path: path)
        }
        guard let image = try? ELFImage(source) else { return nil }
        var facts = ArtifactFacts(evidence: .unreadable)
        facts.mainModule = GoBuildInfo(image, source)?.mainModule
        return facts.distribution
    } catch {
        return nil
    }
}

public import Host
public import Model
public import Ports

/// The immutable flag of a binary, as a setting: `immutable`, or not set.
public struct SealPort: SettingPort {
    private let root: Root

    /// Makes a port over the files of a root.
    public init(root: Root) { self.root = root }

    /// Whether the file is immutable.
    ///
    /// - Throws: `EffectFailure` where it never can be: its file system has no flags, or a package owns it, whose next
    ///   update would fail on it.
    public func read(_ setting: Setting) throws(EffectFailure) -> String? {
        let path = setting.subject
        let isThere: Bool
        let isImmutable: Bool?
        do throws(HostError) {
            let place = try root.resolve(path)
            isImmutable = try FileFlags.isImmutable(place)
            let identity = try identityIfPresent(ofFile: place)
            isThere = identity != nil
        } catch {
            throw EffectFailure(error.description)
        }
        guard isThere else { return nil }
        guard let isImmutable else {
            throw EffectFailure(
                "\(path): its file system has no immutable flag, so it cannot be sealed; take seal out of the "
                    + "policy's enforce for this node, or move the binary to ext4, XFS or Btrfs")
        }
        if isImmutable { return "immutable" }
        switch packageOwning(path, in: root) {
        case .nobody: return nil
        case .dpkg(let name):
            throw EffectFailure(
                "\(path): the package \(name) owns it, and its next update would fail on a sealed file, so it is not "
                    + "sealed; 'apt-mark hold \(name)' keeps the package where it is")
        case .mayBeRPM:
            throw EffectFailure(
                "\(path): an RPM package may own it, and its next update would fail on a sealed file, so it is not "
                    + "sealed; see 'rpm -qf \(path)'")
        }
    }

    /// Sets or clears the flag.
    public func write(_ setting: Setting, _ value: String?) throws(EffectFailure) {
        do throws(HostError) {
            try FileFlags.setImmutable(try root.resolve(setting.subject), value != nil)
        } catch {
            throw EffectFailure(error.description)
        }
    }

    /// There is one value.
    public func isSame(_ setting: Setting, reading: String?, as value: String?) -> Bool { reading == value }
}

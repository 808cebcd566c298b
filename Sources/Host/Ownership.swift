internal import Glibc

/// Who but root and the user that runs this could change what is read from a path; nil where nobody could.
///
/// As sshd's StrictModes judges: the file and every directory above it belong to root or the effective user, and
/// neither group nor others may write there. A symbolic link is judged by what it leads to, and every directory
/// on the way by the same rule. Access control lists are not looked at.
///
/// - Parameter root: what lies above this directory is not judged; for a node below a directory that is looked at.
/// - Returns: what is wrong and what to do, without the path that was asked about where it is that file itself.
public func ownershipProblem(of path: String, below root: Root = Root("/")) -> String? {
    var absolute = path
    if !path.hasPrefix("/") {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        guard let here = getcwd(&buffer, buffer.count) else {
            return HostError.failed("found", "the working directory").description
        }
        absolute = "\(String(cString: here))/\(path)"
    }
    var names = absolute.split(separator: "/")
    var walked = ""
    var linksLeft = 40
    if !root.isLive, path.hasPrefix(root.prefix + "/") {
        // As the path is written: how the root itself is reached is whoever names it to answer for.
        let inside = path.dropFirst(root.prefix.count).split(separator: "/")
        walked = "/" + names.dropLast(inside.count).joined(separator: "/")
        names = inside
    }
    var rest: [Substring] = names.reversed()
    if let problem = writers(of: walked.isEmpty ? "/" : walked) { return problem }
    while let name = rest.popLast() {
        let next = "\(walked)/\(name)"
        var status = stat()
        guard lstat(next, &status) == 0 else { return HostError.failed("examined", next).description }
        guard status.st_mode & S_IFMT == S_IFLNK else {
            if let problem = writers(of: next) { return problem }
            walked = next
            continue
        }
        linksLeft -= 1
        guard linksLeft >= 0 else { return HostError.failed("followed", path, code: ELOOP).description }
        do throws(HostError) {
            let target = try readLink(next)
            // The directory that holds the link has been judged; in a safe one only the two could have placed it.
            if target.hasPrefix("/") { walked = "" }
            rest += target.split(separator: "/").reversed()
        } catch { return error.description }
    }
    return nil
}

private func writers(of path: String) -> String? {
    var status = stat()
    guard lstat(path, &status) == 0 else { return HostError.failed("examined", path).description }
    guard status.st_uid == 0 || status.st_uid == geteuid() else {
        return "\(path) belongs to user \(status.st_uid): give it to root (chown root \(path))"
    }
    guard status.st_mode & 0o022 == 0 else {
        let whom = status.st_mode & 0o002 != 0 ? "everybody" : "its group"
        // As /tmp must be.
        if status.st_mode & S_ISVTX != 0 {
            return
                "\(path) can be written by \(whom): keep the file in a directory that only root can write to"
        }
        return "\(path) can be written by \(whom): take that away (chmod go-w \(path))"
    }
    return nil
}

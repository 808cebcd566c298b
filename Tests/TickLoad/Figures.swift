import Glibc
import Host
import TickClock

/// What a process holds, and how much lies in a directory.
struct Figures {
    /// Pages in memory, in bytes.
    let resident: Int
    /// Descriptors that are open.
    let descriptors: Int
    /// Allocated and not freed, in bytes.
    let allocated: Int

    /// Of this process, now.
    init() throws {
        let pages = try String(decoding: readFile("/proc/self/statm", limit: 4096), as: UTF8.self)
            .split(separator: " ")
        resident = (pages.count > 1 ? Int(pages[1]) ?? 0 : 0) * sysconf(Int32(_SC_PAGESIZE))
        // Without the one that reads them.
        descriptors = try Self.names(in: "/proc/self/fd").count - 1
        allocated = tick_clock_allocated()
    }

    /// The names in a directory, by the C library, so that nothing but what is measured is measured.
    private static func names(in path: String) throws -> [String] {
        guard let directory = opendir(path) else { throw Trouble("\(path): it cannot be listed: \(errno)") }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// Bytes of the files below a directory, by its first name: a file there, or a directory with all in it.
    static func sizes(in path: String) throws -> [(name: String, bytes: Int, files: Int)] {
        try names(in: path).sorted().map { name in
            let (bytes, files) = try size(of: "\(path)/\(name)")
            return (name, bytes, files)
        }
    }

    private static func size(of path: String) throws -> (bytes: Int, files: Int) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return (0, 0) }
        guard status.st_mode & S_IFMT == S_IFDIR else { return (Int(status.st_size), 1) }
        return try names(in: path).reduce(into: (0, 0)) { total, name in
            let (bytes, files) = try size(of: "\(path)/\(name)")
            total.0 += bytes
            total.1 += files
        }
    }
}

/// Why a run ends early.
struct Trouble: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

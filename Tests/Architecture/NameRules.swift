/// Rules about names that need no import, or come with one that is allowed for something else.
enum NameRules {
    /// What a pure module would need no import for, and yet is not a function of its arguments.
    static func impurity(in source: SourceText) -> [String] {
        guard Design.pure.contains(source.module) else { return [] }
        return source.words.compactMap { word in
            guard word.previous != "func", let reason = impure(word) else { return nil }
            return "\(source.place(word.line)): \(word.text) in \(source.module), which is pure: \(reason)"
        }
    }

    private static func impure(_ word: SourceText.Word) -> String? {
        switch word.text {
        case "ContinuousClock", "SuspendingClock": return "a clock"
        case "Task", "TaskGroup", "withTaskGroup", "async", "await": return "concurrency"
        case "SystemRandomNumberGenerator", "shuffled", "shuffle", "randomElement": return "randomness"
        case "hashValue", "ObjectIdentifier": return "another value in every process"
        case "withUnsafeTemporaryAllocation", "unsafeBitCast": return "unchecked memory"
        default: break
        }
        // Names that are innocent elsewhere.
        switch (word.text, word.receiver) {
        case ("CommandLine", "Swift"): return "the process's arguments"
        case ("arguments", "CommandLine"), ("argc", "CommandLine"), ("unsafeArgv", "CommandLine"):
            return "the process's arguments"
        case ("random", .some): return word.isCall ? "randomness" : nil
        case ("readLine", nil): return word.isCall ? "standard input" : nil
        case ("fatalError", nil), ("preconditionFailure", nil): return word.isCall ? "a trap" : nil
        case ("filePath", _), ("file", _), ("fileID", _): return word.isDirective ? "where it was built" : nil
        default: return nil
        }
    }

    /// Writing to standard output or error by anyone but Commands.
    static func printing(in source: SourceText) -> [String] {
        guard source.module != "Commands", source.module != Design.alone else { return [] }
        return source.words.compactMap { word in
            guard word.previous != "func" else { return nil }
            switch word.text {
            case "print", "debugPrint", "dump", "puts", "fputs", "printf", "vprintf", "fwrite", "perror":
                guard word.isCall, isFree(word) else { return nil }
            case "stdout", "stderr", "STDOUT_FILENO", "STDERR_FILENO":
                guard isFree(word) else { return nil }
            case "FileHandle": break
            default: return nil
            }
            return "\(source.place(word.line)): \(word.text) in \(source.module); only Commands prints"
        }
    }

    /// Files, processes, the environment and clocks touched by anyone but Host.
    static func hostCalls(in source: SourceText) -> [String] {
        guard source.module != "Host", source.module != Design.alone else { return [] }
        let allowed = Design.hostCallsElsewhere[source.module] ?? [:]
        let own = functions(of: source)
        return source.words.compactMap { word in
            guard word.previous != "func", allowed[String(word.text)] == nil else { return nil }
            let isCall = callsC(word, own) && systemCalls.contains(word.text)
            let isName = foundationNames.contains(word.text) && word.receiver == nil
            let isClockRead = word.text == "now" && word.receiver == "Date"
            let isFileRead =
                word.isCall && ["Data", "String"].contains(word.text)
                && source.codeLines[word.line - 1].contains("\(word.text)(contentsOf")
            guard isCall || isName || isClockRead || isFileRead else { return nil }
            return
                "\(source.place(word.line)): \(word.text) in \(source.module); only Host touches files, processes and clocks"
        }
    }

    /// Sockets opened by anyone but Web.
    static func sockets(in source: SourceText) -> [String] {
        guard source.module != "Web", source.module != Design.alone else { return [] }
        let own = functions(of: source)
        return source.words.compactMap { word in
            guard word.previous != "func", callsC(word, own), socketCalls.contains(word.text) else {
                return nil
            }
            return "\(source.place(word.line)): \(word.text) in \(source.module); only Web opens sockets"
        }
    }

    /// Whether a call goes to a function of the C library, not to a method.
    private static func isFree(_ word: SourceText.Word) -> Bool {
        word.receiver == nil || word.receiver == "Glibc" || word.receiver == "Swift"
    }

    /// The functions that a file declares, which a call without a receiver then means; nil where it sees no C at all.
    private static func functions(of source: SourceText) -> Set<Substring>? {
        let seesC = source.imports.contains { $0.module == "Glibc" || DependencyRules.isC($0.module) }
        return seesC ? Set(source.words.filter { $0.previous == "func" }.map(\.text)) : nil
    }

    /// Whether a word calls a function of the C library, and not one of our own by the same name.
    private static func callsC(_ word: SourceText.Word, _ own: Set<Substring>?) -> Bool {
        guard let own, word.isCall else { return false }
        return word.receiver == "Glibc" || (word.receiver == nil && !own.contains(word.text))
    }

    private static let systemCalls: Set<Substring> = [
        "open", "openat", "creat", "close", "read", "pread", "readv", "write", "pwrite", "writev", "lseek",
        "ftruncate",
        "fopen", "fdopen", "fread", "fclose", "fgets", "getline", "dup", "dup2", "pipe", "pipe2", "fcntl",
        "ioctl", "flock",
        "stat", "lstat", "fstat", "fstatat", "statx", "statfs", "fstatfs", "statvfs", "access", "faccessat",
        "mkdir", "mkdirat", "rmdir", "rename", "renameat", "renameat2", "link", "linkat", "symlink", "unlink",
        "unlinkat",
        "readlink", "readlinkat", "realpath", "opendir", "fdopendir", "readdir", "closedir", "chdir",
        "getcwd", "glob",
        "chmod", "fchmod", "chown", "fchown", "umask", "utimensat", "fsync", "fdatasync", "sync", "syncfs",
        "mmap", "munmap", "inotify_init1", "inotify_add_watch", "getxattr", "setxattr",
        "fork", "vfork", "posix_spawn", "posix_spawnp", "execv", "execve", "execvp", "system", "popen",
        "pclose",
        "wait", "waitpid", "waitid", "wait4", "kill", "signal", "sigaction", "prctl", "exit", "_exit",
        "abort", "atexit",
        "getpid", "getppid", "getuid", "geteuid", "getgid", "getpwuid", "getpwnam", "uname", "gethostname",
        "sysconf",
        "getenv", "secure_getenv", "setenv", "unsetenv", "isatty", "syscall",
        "clock_gettime", "gettimeofday", "time", "localtime", "localtime_r", "tzset", "adjtimex", "nanosleep",
        "clock_nanosleep", "sleep", "usleep", "poll", "ppoll", "select", "timerfd_create", "getrandom",
        "getentropy",
    ]

    private static let socketCalls: Set<Substring> = [
        "socket", "socketpair", "connect", "bind", "listen", "accept", "accept4", "send", "sendto", "sendmsg",
        "recv",
        "recvfrom", "recvmsg", "getaddrinfo", "gethostbyname",
    ]

    private static let foundationNames: Set<Substring> = [
        "FileManager", "ProcessInfo", "Process", "ContinuousClock", "SuspendingClock",
    ]
}

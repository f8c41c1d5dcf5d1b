import Glibc

/// What the system knows of this process, under the names that all programs use for it. Read when the page is asked for.
struct ProcessMeasures {
    private var values: [String: Double] = [:]

    subscript(name: String) -> Double? { values[name] }

    init() {
        var usage = rusage()
        if getrusage(RUSAGE_SELF.rawValue, &usage) == 0 {
            let microseconds = usage.ru_utime.tv_usec + usage.ru_stime.tv_usec
            values["process_cpu_seconds_total"] =
                Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + Double(microseconds) / 1e6
        }
        // proc_pid_statm(5): pages in all, and those in memory.
        let pages = Self.text("/proc/self/statm").split(separator: " ").prefix(2).compactMap { Double($0) }
        if pages.count == 2 {
            let size = Double(sysconf(Int32(_SC_PAGESIZE)))
            values["process_virtual_memory_bytes"] = pages[0] * size
            values["process_resident_memory_bytes"] = pages[1] * size
        }
        // The descriptor that reads the folder is among them.
        values["process_open_fds"] = Double(max(0, fileNames(in: "/proc/self/fd").count - 1))
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            values["process_max_fds"] = Double(limit.rlim_cur)
        }
        values["process_start_time_seconds"] = Self.started
    }

    /// Seconds since 1970: the kernel's time of boot, and what passed from there to the start (proc_pid_stat(5), field 22).
    private static let started: Double? = {
        // The name of the program, which may hold anything, ends with the last bracket.
        let status = text("/proc/self/stat")
        let fields = (status.lastIndex(of: ")").map { status[$0...] } ?? "").split(separator: " ")
        let boot = text("/proc/stat").split(separator: "\n").first { $0.hasPrefix("btime ") }?.split(separator: " ").last
        guard fields.count > 20, let ticks = Double(fields[20]), let boot = boot.flatMap({ Double($0) }) else { return nil }
        return boot + ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    }()

    private static func text(_ path: String) -> String { readFile(path).map { String(decoding: $0, as: UTF8.self) } ?? "" }
}

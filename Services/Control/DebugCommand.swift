import ArgumentParser
import Glibc
import IDF
import ServiceKernel

extension ControlCommand {
    struct VersionCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "version", abstract: "Prints the version.")
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            print(json ? JSONValue.object(["version": .string(Version.current)]).line : "intelmqctl \(Version.current)")
        }
    }

    struct Debug: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What a report of a problem should say: versions, paths, environment, libraries. No secrets.")
        @Option(help: "The folder given to `up`.") var directory = "var"
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            var system = utsname()
            uname(&system)
            func text(_ field: some Any) -> String {
                withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            }
            func path(_ name: String) -> String {
                guard let found = realpath(name, nil) else { return "\(name) (not there)" }
                defer { free(found) }
                return String(cString: found)
            }
            let names = ["INTELMQ_CONFIG_DIR", "RUNTIME_DIRECTORY", "STATE_DIRECTORY", "NO_COLOR", "TERM", "LANG", "TZ"]
            let sections: [(String, [(String, String)])] = [
                (
                    "program",
                    [
                        ("version", Version.current), ("file", path("/proc/self/exe")),
                        ("workers", "\(ControlProgram.roster.workers.count)"),
                        ("system", "\(text(system.sysname)) \(text(system.release)) \(text(system.machine))"),
                    ]
                ),
                (
                    "paths",
                    [("working-directory", path("."))]
                        + ["etc/config.d", "state", "log", "run"].map { ($0, path("\(directory)/\($0)")) }
                ),
                ("environment", names.compactMap { name in getenv(name).map { (name, String(cString: $0)) } }),
                ("libraries", Self.libraries),
            ]
            if json {
                let members = sections.map { name, lines in
                    JSONValue.Member(name, .object(lines.map { .init($0.0, .string($0.1)) }))
                }
                return print(JSONValue.object(members).pretty())
            }
            for (name, lines) in sections {
                print("\(name):")
                for (name, value) in lines { print("  \(name.padded(to: 24))\(value)") }
            }
        }

        /// The shared libraries that this process has loaded; their files' names tell the versions.
        private static var libraries: [(String, String)] {
            let lines = readFile("/proc/self/maps").map { String(decoding: $0, as: UTF8.self) } ?? ""
            let files = Set(
                lines.split(separator: "\n").compactMap { line -> String? in
                    guard let at = line.firstIndex(of: "/") else { return nil }
                    return line[at...].contains(".so") ? String(line[at...]) : nil
                })
            return files.sorted().map { file in (String(file.split(separator: "/").last?.prefix { $0 != "." } ?? ""), file) }
        }
    }
}

import Glibc
import IDF
public import Logging
import Synchronization

/// The log of a worker (swift-log).
public typealias Log = Logger

/// How log lines are written.
public enum LogFormat: String, SettingChoice, Sendable {
    /// One JSON object a line.
    case json
    /// Words for people.
    case text
}

/// Writes log lines to standard error, one event a line. Control characters of the data never reach the terminal.
struct StandardErrorLog: LogHandler {
    let label: String
    let format: LogFormat
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        var out: [UInt8] = []
        switch format {
        case .json:
            var members: [JSONValue.Member] = [
                .init("@timestamp", .string(Timestamp.now().description)), .init("log.level", .string(event.level.rawValue)),
                .init("worker", .string(label)), .init("message", .string(event.message.description)),
            ]
            members += all.map { .init($0.key, .string($0.value.description)) }
            JSONValue.object(members).append(to: &out)
        case .text:
            out.append(contentsOf: "\(Timestamp.now()) \(label) \(event.level.rawValue): ".utf8)
            let text = ([event.message.description] + all.map { "\($0.key)=\($0.value)" }).joined(separator: " ")
            out.append(contentsOf: printable(text).utf8)
        }
        out.append(0x0A)
        // One write, so that lines of several threads do not mix.
        _ = out.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}

extension Log {
    /// The log of a worker.
    public static func worker(_ name: String, format: LogFormat = .text, level: Logger.Level = .info) -> Log {
        Logger(label: name) { StandardErrorLog(label: $0, format: format, logLevel: level) }
    }
}

/// A text without control characters, which a terminal would obey: they may come from anybody's data.
func printable(_ text: some StringProtocol) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? "\u{FFFD}" : $0 }))
}

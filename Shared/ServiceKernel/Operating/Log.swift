import Glibc
import IDF
public import Logging

/// The log of a worker (swift-log).
public typealias Log = Logger

/// How log lines are written.
public enum LogFormat: String, SettingChoice, Sendable {
    /// One JSON object a line, with the names of ECS.
    case json
    /// Words for people. On the way to systemd's journal with the priority of sd-daemon(3) instead of the time.
    case text
}

extension Log {
    /// The log of a worker, on standard error.
    /// - Parameter level: lowest level that is written, as long as `LogLevel.current` says nothing else.
    public static func worker(_ name: String, format: LogFormat = .text, level: Logger.Level = .info) -> Log {
        let out: StandardErrorLog.Form = format == .json ? .json : StandardErrorLog.isJournal ? .journal : .text
        return Logger(label: name) { StandardErrorLog(label: $0, form: out, ownLevel: level) }
    }

    /// Metadata key of lines of which every single one is written, however often they come: `metadata: [Log.everyOne: "true"]`.
    /// For lines that are a record (who did what) and not a sign of trouble.
    public static let everyOne = "log.every-one"
}

/// Writes log lines, one event a line. Control characters of the data never reach the terminal.
struct StandardErrorLog: LogHandler {
    enum Form: Sendable { case json, text, journal }

    let label: String
    let form: Form
    var ownLevel: Logger.Level
    var repetition = LogRepetition.shared
    var out: @Sendable ([UInt8]) -> Void = Self.write
    var metadata: Logger.Metadata = [:]

    /// The level that the process was told last, or the log's own.
    var logLevel: Logger.Level {
        get { LogLevel.current ?? ownLevel }
        set { ownLevel = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var words = event.metadata.map { metadata.merging($0) { $1 } } ?? metadata
        let isFree = words.removeValue(forKey: Self.everyOne) != nil || event.level < .info
        let message = event.message.description
        if let error = event.error { words["error.message"] = "\(error)" }
        // Who asks for more than the usual wants all of it.
        guard isFree || repetition.allows(event.level, label, message, write: line) else { return }
        line(event.level, message, words)
    }

    private static var everyOne: String { Log.everyOne }

    /// Writes one line.
    private func line(_ level: Logger.Level, _ message: String, _ words: Logger.Metadata) {
        let all = words.sorted { $0.key < $1.key }.map { ($0.key, Self.short($0.value.description)) }
        var bytes: [UInt8]
        switch form {
        case .json: bytes = json(level, Self.short(message), all)
        case .text: bytes = Array("\(Timestamp.now()) \(text(level, Self.short(message), all))".utf8)
        case .journal: bytes = Array("<\(level.priority)>\(text(level, Self.short(message), all))".utf8)
        }
        bytes.append(0x0A)
        out(bytes)
    }

    private func json(_ level: Logger.Level, _ message: String, _ words: [(String, String)]) -> [UInt8] {
        var members: [JSONValue.Member] = [
            .init("@timestamp", .string(Timestamp.now().description)), .init("log.level", .string(level.rawValue)),
            .init("message", .string(message)), .init("ecs.version", .string(Packet.ecsVersion)),
            .init("service.name", .string(label)), .init("worker", .string(label)),
        ]
        let taken = Set(members.map(\.name))
        members += words.filter { !taken.contains($0.0) }.map { .init($0.0, .string($0.1)) }
        return withoutControls(JSONValue.object(members).bytes)
    }

    private func text(_ level: Logger.Level, _ message: String, _ words: [(String, String)]) -> String {
        var text = "\(label) \(level.rawValue): \(message)"
        for (key, value) in words {
            let isPlain = !value.isEmpty && !value.utf8.contains { $0 <= 0x20 || $0 == 0x22 || $0 == 0x3D }
            text += " \(key)=" + (isPlain ? value : "\"\(value.replacing("\"", with: "\\\""))\"")
        }
        return printable(text)
    }

    /// The longest message or value in a line, in bytes: journald and syslog cut lines somewhere beyond.
    private static let longest = 8192

    private static func short(_ text: String) -> String {
        guard text.utf8.count > longest else { return text }
        return String(decoding: text.utf8.prefix(longest), as: UTF8.self) + "…"
    }

    /// One write, so that lines of several threads do not mix.
    private static func write(_ bytes: [UInt8]) {
        _ = bytes.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    /// Whether standard error goes to systemd's journal, which then has named it in the environment (systemd.exec(5)).
    static let isJournal = leads(to: getenv("JOURNAL_STREAM").map { String(cString: $0) }, STDERR_FILENO)

    /// What a process whose standard error is this pipe must be told, so that its lines reach the journal with their priority.
    static func journal(_ descriptor: Int32) -> String? {
        var status = stat()
        guard isJournal, fstat(descriptor, &status) == 0 else { return nil }
        return "\(status.st_dev):\(status.st_ino)"
    }

    /// Whether a descriptor is what `DEVICE:INODE` names: the variable stays where the output was led elsewhere.
    static func leads(to stream: String?, _ descriptor: Int32) -> Bool {
        var status = stat()
        guard let stream, fstat(descriptor, &status) == 0 else { return false }
        return stream == "\(status.st_dev):\(status.st_ino)"
    }
}

extension Logger.Level {
    /// The number of syslog and sd-daemon(3).
    fileprivate var priority: Int {
        switch self {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}

/// A text without what a terminal would obey or what turns the direction of writing: it may come from anybody's data.
func printable(_ text: some StringProtocol) -> String {
    String(
        String.UnicodeScalarView(
            text.unicodeScalars.map { scalar in
                switch scalar.properties.generalCategory {
                case .control, .lineSeparator, .paragraphSeparator: "\u{FFFD}"
                default: scalar.properties.isBidiControl ? "\u{FFFD}" : scalar
                }
            }))
}

/// JSON with the control characters escaped that JSON allows and terminals obey: DEL, and U+0080 to U+009F.
private func withoutControls(_ json: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(json.count + 1)
    var index = 0
    while index < json.count {
        let byte = json[index]
        if byte == 0x7F {
            out.append(contentsOf: "\\u007f".utf8)
        } else if byte == 0xC2, index + 1 < json.count, (0x80...0x9F).contains(json[index + 1]) {
            index += 1
            out.append(contentsOf: "\\u00\(String(json[index], radix: 16))".utf8)
        } else {
            out.append(byte)
        }
        index += 1
    }
    return out
}

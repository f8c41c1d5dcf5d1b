import Logging
import YAML

/// The members of a configuration, one by one.
extension ConfigurationReader {
    private static let members = [
        "worker", "settings", "listen", "edges", "ack", "state", "limits", "log", "threads", "insecure", "overwrite",
        "keep-original", "encoding", "producer", "name", "control", "tokens", "tls", "statusd", "vars",
    ]

    mutating func read(_ key: YAMLNode, _ value: YAMLNode, _ configuration: inout ServiceConfiguration) {
        let name = key.string ?? ""
        do throws(SettingProblem) {
            switch name {
            case "worker": break
            case "vars": _ = try mapping(value, "a mapping of names to values")
            case "settings": _ = try mapping(value, "a mapping of setting names to values")
            case "name": configuration.name = try String(setting: value)
            case "listen": configuration.listen = try address(value)
            case "control": configuration.control = try String(setting: value)
            case "tokens":
                guard let items = value.array else { throw wanted("a list like [{file: /run/secrets/x, roles: [data]}]", value) }
                for item in items { configuration.tokens.append(try AccessToken(setting: item)) }
            case "tls": configuration.tls = try TLSConfiguration(setting: value)
            case "statusd": configuration.statusd = try statusd(value)
            case "edges": configuration.edges = try edges(value)
            case "ack":
                guard let mode = value.string.flatMap({ AckMode(rawValue: $0) }) else { throw wanted("relay or durable", value) }
                configuration.ack = mode
            case "state": configuration.state = try String(setting: value)
            case "threads": configuration.threads = try several(value)
            case "insecure": configuration.isInsecure = try Bool(setting: value)
            case "overwrite": configuration.overwrite = try Bool(setting: value)
            case "encoding": configuration.encoding = try Encoding(setting: value)
            case "keep-original": configuration.keepsOriginal = try Bool(setting: value)
            case "producer": configuration.producer = try String(setting: value)
            case "limits": limits(try mapping(value, "a mapping like {body: 16 MiB}"), &configuration.limits)
            case "log": try log(value, &configuration)
            default: unknown(key, Self.members, "in the configuration")
            }
        } catch {
            note(name, error, at: value)
        }
    }

    private mutating func log(_ value: YAMLNode, _ configuration: inout ServiceConfiguration) throws(SettingProblem) {
        for (key, value) in try mapping(value, "a mapping like {level: info, format: json}") {
            switch key.string {
            case "level":
                guard let level = value.string.flatMap({ Logger.Level(rawValue: $0) }) else {
                    throw wanted("one of trace, debug, info, notice, warning, error, critical", value)
                }
                configuration.logLevel = level
            case "format": configuration.logFormat = try LogFormat(setting: value)
            default: unknown(key, ["level", "format"], "in \"log\"")
            }
        }
    }

    private mutating func statusd(_ value: YAMLNode) throws(SettingProblem) -> StatusDaemonConfiguration {
        guard let pairs = value.pairs else { throw wanted("a mapping like {listen: 127.0.0.1:9080, processes: 2}", value) }
        var configuration = StatusDaemonConfiguration()
        for (key, value) in pairs {
            switch key.string {
            case "listen": configuration.listen = try address(value)
            case "processes": configuration.processes = try several(value)
            default: unknown(key, ["listen", "processes"], "in \"statusd\"")
            }
        }
        return configuration
    }

    private mutating func limits(_ pairs: [(key: YAMLNode, value: YAMLNode)], _ limits: inout ServiceConfiguration.Limits) {
        for (key, value) in pairs {
            do throws(SettingProblem) {
                switch key.string {
                case "body": limits.body = try ByteCount(setting: value)
                case "report": limits.report = try ByteCount(setting: value)
                case "events": limits.events = try count(value)
                case "spool": limits.spool = try ByteCount(setting: value)
                case "batch": limits.batch = try count(value)
                case "in-flight": limits.inFlight = try count(value)
                case "connections": limits.connections = try count(value)
                case "timeout": limits.timeout = try Interval(setting: value)
                case "idle": limits.idle = try Interval(setting: value)
                case "drain": limits.drain = try Interval(setting: value)
                default:
                    let known = [
                        "body", "report", "events", "spool", "batch", "in-flight", "connections", "timeout", "idle", "drain",
                    ]
                    unknown(key, known, "in \"limits\"")
                }
            } catch {
                note(key.string ?? "", error, at: value)
            }
        }
    }

    // MARK: values

    /// The members of a mapping; nothing behind the colon is an empty one.
    private func mapping(_ value: YAMLNode, _ what: String) throws(SettingProblem) -> [(key: YAMLNode, value: YAMLNode)] {
        if value.isNull { return [] }
        guard let pairs = value.pairs else { throw wanted(what, value) }
        return pairs
    }

    private func address(_ value: YAMLNode) throws(SettingProblem) -> String {
        let text = try String(setting: value)
        guard text.hasPrefix("unix:/") || text.split(separator: ":").last.flatMap({ UInt16($0) }) != nil else {
            throw wanted("address:port like 127.0.0.1:8080, or unix:/run/intelmq/x.sock", value)
        }
        return text
    }

    /// How many threads or processes.
    private func several(_ value: YAMLNode) throws(SettingProblem) -> Int {
        let number = try Int(setting: value)
        guard (1...256).contains(number) else { throw wanted("a number from 1 to 256", value) }
        return number
    }

    private func count(_ value: YAMLNode) throws(SettingProblem) -> Int {
        let number = try Int(setting: value)
        guard number > 0 else { throw wanted("a number above 0", value) }
        return number
    }
}

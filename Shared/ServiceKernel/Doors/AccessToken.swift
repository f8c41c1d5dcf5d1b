import IDF
import YAML

/// What a caller may do.
public enum AccessRole: String, SettingChoice, Sendable {
    /// Look: metrics, status, logs, configuration, dead letters.
    case read
    /// Change: start, stop, reload, pause, replay; and everything that `read` may.
    case operate
    /// Hand packets and reports in, look values up.
    case data

    func includes(_ other: AccessRole) -> Bool { self == other || self == .operate && other == .read }
}

/// A bearer token (RFC 6750) that opens the service's doors to whoever knows it.
public struct AccessToken: Sendable, Equatable {
    /// What it is called in the log: the file's name.
    public let name: String
    /// Where it is.
    public let file: SecretFile
    /// What it allows.
    public let roles: [AccessRole]

    /// Reads `{file: /run/secrets/gateway, roles: [data]}`.
    init(setting node: YAMLNode) throws(SettingProblem) {
        guard let file = node["file"] else { throw wanted("a token like {file: /run/secrets/gateway, roles: [data]}", node) }
        let known = ["file", "roles"]
        for (key, _) in node.pairs ?? [] where !known.contains(key.string ?? "") {
            let name = key.string ?? ""
            throw SettingProblem("unknown member \"\(name)\" of a token", help: advice(on: name, known: known), at: key)
        }
        self.file = try SecretFile(setting: file, minimum: 16)
        guard let roles = node["roles"] else { throw wanted("roles: one or several of read, operate, data", node) }
        self.roles = try [AccessRole](setting: roles)
        name = self.file.path.split(separator: "/").last.map(String.init) ?? self.file.path
    }

    static let schema = JSONValue.object([
        "type": .string("object"), "additionalProperties": .boolean(false),
        "required": .array([.string("file"), .string("roles")]),
        "properties": .object(["file": SecretFile.schema, "roles": [AccessRole].schema]),
    ])
}

/// Certificate and key of a service, and whom it trusts. The same identity is shown to clients and to next hops.
public struct TLSConfiguration: Sendable, Equatable {
    /// PEM file of the certificate with its chain.
    public var certificate: String
    /// PEM file of the private key.
    public var key: String
    /// PEM file of the authorities whose certificates callers must have (mutual TLS); nil: callers need none.
    public var clientAuthority: String?
    /// What a caller with such a certificate may do.
    public var clientRoles: [AccessRole] = [.data, .read]

    /// The editions of the files.
    var stamps: [FileStamp?] { [certificate, key, clientAuthority].map { $0.flatMap { FileStamp(path: $0) } } }

    init(setting node: YAMLNode) throws(SettingProblem) {
        guard let certificate = node["certificate"], let key = node["key"] else {
            throw wanted("{certificate: /etc/intelmq/tls.crt, key: /etc/intelmq/tls.key, client-ca: …}", node)
        }
        self.certificate = try String(setting: certificate)
        self.key = try String(setting: key)
        for (name, value) in node.pairs ?? [] {
            switch name.string {
            case "certificate", "key": break
            case "client-ca": clientAuthority = try String(setting: value)
            case "client-roles": clientRoles = try [AccessRole](setting: value)
            default:
                let known = ["certificate", "key", "client-ca", "client-roles"]
                let text = name.string ?? ""
                throw SettingProblem("unknown member \"\(text)\" of tls", help: advice(on: text, known: known), at: name)
            }
        }
    }

    static let schema = JSONValue.object([
        "type": .string("object"), "additionalProperties": .boolean(false),
        "required": .array([.string("certificate"), .string("key")]),
        "properties": .object([
            "certificate": String.schema, "key": String.schema, "client-ca": String.schema, "client-roles": [AccessRole].schema,
        ]),
    ])
}

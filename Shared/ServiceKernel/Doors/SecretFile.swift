import Glibc
public import IDF
import Synchronization
public import YAML

/// A secret in a file of its own, as container engines and secret stores provide it. It is read anew when the file changes, and never printed.
public final class SecretFile: SettingValue, Equatable {
    /// The file's path.
    public let path: String
    /// Fewest characters that will do.
    private let minimum: Int
    private let content: Mutex<String>

    /// The secret as it is now, for the one place that needs it.
    public var revealed: String { content.withLock { $0 } }

    /// Reads a file whose path is given.
    public convenience init(setting node: YAMLNode) throws(SettingProblem) { try self.init(setting: node, minimum: 1) }

    /// The same for a secret that must have so many characters.
    init(setting node: YAMLNode, minimum: Int) throws(SettingProblem) {
        path = try String(setting: node)
        self.minimum = minimum
        content = Mutex(try Self.read(path, minimum, node))
    }

    /// Reads the file again; a file that has become unusable leaves the old secret in force.
    /// - Returns: whether the secret is another one.
    @discardableResult
    func reread() throws(SettingProblem) -> Bool {
        let fresh = try Self.read(path, minimum, nil)
        return content.withLock { content in
            defer { content = fresh }
            return content != fresh
        }
    }

    private static func read(_ path: String, _ minimum: Int, _ node: YAMLNode?) throws(SettingProblem) -> String {
        guard !path.utf8.contains(0), let bytes = readFile(path, limit: 65536) else {
            throw SettingProblem(
                "cannot read the secret in \"\(path)\": \(String(cString: strerror(errno)))",
                help: "the file holds the secret alone and is readable by this service's user", at: node)
        }
        let text = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).map(\.trimmed).joined(
            separator: "\n")
        guard !text.isEmpty, !text.contains(where: \.isNewline) else {
            throw SettingProblem(
                "the file \"\(path)\" holds \(text.isEmpty ? "nothing" : "more than one line"), wanted one secret on one line",
                help: "make one: openssl rand -hex 32 > \(path)", at: node)
        }
        guard text.utf8.count >= minimum else {
            throw SettingProblem(
                "the token in \"\(path)\" is too short to be safe, wanted at least \(minimum) characters",
                help: "make one: openssl rand -hex 32 > \(path)", at: node)
        }
        return text
    }

    /// The same file.
    public static func == (one: SecretFile, two: SecretFile) -> Bool { one.path == two.path }
    /// A path.
    public static var schema: JSONValue {
        .object(["type": .string("string"), "description": .string("path of a file that holds the secret")])
    }
    /// The path, which is no secret.
    public var sample: String { yamlScalar(path) }
}

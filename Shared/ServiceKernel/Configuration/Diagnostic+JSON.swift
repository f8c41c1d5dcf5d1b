public import IDF
public import YAML

extension Diagnostic {
    /// Its parts, without the line of the file: `{"level", "message", "file", "line", "column", "help"}`.
    public var json: JSONValue {
        var members: [JSONValue.Member] = [.init("level", .string(level.rawValue)), .init("message", .string(message))]
        if let file { members.append(.init("file", .string(file))) }
        if let mark { members += [.init("line", .integer(mark.line)), .init("column", .integer(mark.column))] }
        if let help { members.append(.init("help", .string(help))) }
        return .object(members)
    }
}

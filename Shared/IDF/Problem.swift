/// One thing that is wrong: a JSON:API error object (jsonapi.org, 1.1).
public struct Problem: Error, Sendable, Hashable, CustomStringConvertible {
    /// HTTP status.
    public var status: Int
    /// Stable name of the kind of problem, for programs.
    public var code: String
    /// The kind in words.
    public var title: String
    /// What was found, what is wanted, what to do.
    public var detail: String
    /// RFC 6901 pointer into the request, as `/data/3/attributes/source/ip/0`.
    public var pointer: String?
    /// Line and column (from 1) of a text that could not be read.
    public var line: Int?, column: Int?

    /// Makes a problem; the title is made from the code unless given.
    public init(
        _ status: Int, _ code: String, _ detail: String, title: String? = nil, pointer: String? = nil, line: Int? = nil,
        column: Int? = nil
    ) {
        self.status = status
        self.code = code
        let words = code.split(separator: "-").joined(separator: " ")
        self.title = title ?? words.prefix(1).uppercased() + words.dropFirst()
        self.detail = detail
        self.pointer = pointer
        self.line = line
        self.column = column
    }

    /// The detail with its place.
    public var description: String {
        var text = detail
        if let pointer { text += " (at \(pointer))" }
        if let line, let column { text += " (line \(line), column \(column))" }
        return text
    }

    /// The error object as JSON.
    public var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init("status", .string(String(status))), .init("code", .string(code)), .init("title", .string(title)),
            .init("detail", .string(detail)),
        ]
        if let pointer { members.append(.init("source", .object(["pointer": .string(pointer)]))) }
        if let line, let column {
            members.append(.init("meta", .object(["line": .integer(line), "column": .integer(column)])))
        }
        return .object(members)
    }

    /// The JSON:API document of these problems.
    public static func document(_ problems: [Problem]) -> [UInt8] {
        JSONValue.object(["jsonapi": .object(["version": .string("1.1")]), "errors": .array(problems.map(\.json))]).bytes
    }
}

/// Why a packet was refused: at least one problem.
public struct PacketError: Error, Sendable, CustomStringConvertible {
    /// The problems, at most a hundred.
    public let problems: [Problem]

    init(_ problems: [Problem]) { self.problems = problems }

    /// The HTTP status for all of them: that of the first.
    public var status: Int { problems.first?.status ?? 400 }
    /// The problems, one a line.
    public var description: String { problems.map(\.description).joined(separator: "\n") }
}

import IDF
import YAML

/// A piece of a string value.
enum TemplatePart: Equatable {
    case text(String)
    /// `{{ … }}`; the fallback is what `default("…")` gives.
    case expression(TemplateValue, fallback: String?)
}

/// What stands in braces.
enum TemplateValue: Equatable {
    /// `"text"`
    case text(String)
    /// `env.NAME`
    case environment(String)
    /// `vars.name` or `vars.group.name`
    case variable([String])
    /// `file("/path")`
    case file(String)
}

/// Reads a string value with variables in the spelling of Jinja, of which it knows only what `docs/configuration.md` names.
struct TemplateParser {
    private let bytes: [UInt8]
    private var at = 0
    private static let filters = ["default"]

    private init(_ text: String) { bytes = Array(text.utf8) }

    /// The parts of a text in their order.
    static func parts(of text: String) throws(SettingProblem) -> [TemplatePart] {
        var parser = TemplateParser(text)
        return try parser.parts()
    }

    private mutating func parts() throws(SettingProblem) -> [TemplatePart] {
        var parts: [TemplatePart] = []
        var literal: [UInt8] = []
        while at < bytes.count {
            if skip("{{") {
                if !literal.isEmpty { parts.append(.text(String(decoding: literal, as: UTF8.self))) }
                literal = []
                parts.append(try expression())
            } else if skipTag("raw") {
                let start = at
                var end = at
                while !skipTag("endraw") {
                    guard at < bytes.count else {
                        throw SettingProblem("\"{% raw %}\" is not closed", help: "end it with {% endraw %}")
                    }
                    at += 1
                    end = at
                }
                literal += bytes[start..<end]
            } else {
                literal.append(bytes[at])
                at += 1
            }
        }
        if !literal.isEmpty { parts.append(.text(String(decoding: literal, as: UTF8.self))) }
        return parts
    }

    private mutating func expression() throws(SettingProblem) -> TemplatePart {
        let start = at
        let value = try value(from: start)
        var fallback: String?
        while true {
            blanks()
            if skip("}}") { return .expression(value, fallback: fallback) }
            guard skip("|") else { throw unexpected(from: start) }
            blanks()
            let name = name()
            guard Self.filters.contains(name) else {
                let near = didYouMean(name, in: Self.filters)
                throw SettingProblem("unknown filter \"\(name)\"", help: near ?? "there is one: default(\"…\")")
            }
            let word = try argument(of: name, from: start)
            fallback = fallback ?? word
        }
    }

    private mutating func value(from start: Int) throws(SettingProblem) -> TemplateValue {
        blanks()
        if let text = try quoted() { return .text(text) }
        let name = name()
        switch name {
        case "env" where skip("."):
            let variable = self.name()
            guard !variable.isEmpty else { throw unexpected(from: start) }
            return .environment(variable)
        case "vars" where skip("."):
            var path: [String] = []
            repeat {
                let part = self.name()
                guard !part.isEmpty else { throw unexpected(from: start) }
                path.append(part)
            } while skip(".")
            return .variable(path)
        case "file": return .file(try argument(of: "file", from: start))
        case "": throw unexpected(from: start)
        default:
            let near = didYouMean(name, in: ["env", "vars", "file"]).map { "\($0)   " } ?? ""
            throw SettingProblem("unknown name \"\(name)\" in braces", help: near + "(known are \(Self.known))")
        }
    }

    private static let known = "env.NAME, vars.name, file(\"/path\") and \"text\""

    /// `("text")`; a bare word like 8080 or true will do.
    private mutating func argument(of name: String, from start: Int) throws(SettingProblem) -> String {
        blanks()
        guard skip("(") else { throw SettingProblem("\(name) needs a text in parentheses", help: "as \(name)(\"…\")") }
        blanks()
        var text = try quoted()
        if text == nil {
            let word = self.name(also: ".")
            if !word.isEmpty, name != "file" { text = word }
        }
        blanks()
        guard let text, skip(")") else { throw SettingProblem("\(name) needs one text in quotes", help: "as \(name)(\"…\")") }
        return text
    }

    /// A text in quotes; nil where none begins.
    private mutating func quoted() throws(SettingProblem) -> String? {
        guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") || bytes[at] == UInt8(ascii: "'") else { return nil }
        let quote = bytes[at]
        var text: [UInt8] = []
        at += 1
        while at < bytes.count, bytes[at] != quote {
            if bytes[at] == UInt8(ascii: "\\"), at + 1 < bytes.count, "\\\"'".utf8.contains(bytes[at + 1]) { at += 1 }
            text.append(bytes[at])
            at += 1
        }
        guard at < bytes.count else { throw SettingProblem("a text in braces is not closed", help: "end it with a quote") }
        at += 1
        return String(decoding: text, as: UTF8.self)
    }

    /// Letters, digits, `_` and `-`.
    private mutating func name(also mark: Unicode.Scalar? = nil) -> String {
        let start = at
        while at < bytes.count {
            let byte = bytes[at]
            let isLetter = byte >= 0x61 && byte <= 0x7A || byte >= 0x41 && byte <= 0x5A || byte >= 0x30 && byte <= 0x39
            guard isLetter || byte == 0x5F || byte == 0x2D || mark.map({ UInt32(byte) == $0.value }) == true else { break }
            at += 1
        }
        return String(decoding: bytes[start..<at], as: UTF8.self)
    }

    private mutating func blanks() {
        while at < bytes.count, " \t\r\n".utf8.contains(bytes[at]) { at += 1 }
    }

    private mutating func skip(_ text: String) -> Bool {
        guard bytes[at...].starts(with: text.utf8) else { return false }
        at += text.utf8.count
        return true
    }

    /// `{% name %}`
    private mutating func skipTag(_ tag: String) -> Bool {
        let start = at
        if skip("{%") {
            blanks()
            if name() == tag {
                blanks()
                if skip("%}") { return true }
            }
        }
        at = start
        return false
    }

    private func unexpected(from start: Int) -> SettingProblem {
        let literal = "; two braces that mean themselves are written {{ \"{{\" }}"
        guard at < bytes.count else { return SettingProblem("\"{{\" is not closed", help: "end it with }}" + literal) }
        let rest = String(decoding: bytes[at...].prefix(20), as: UTF8.self)
        return SettingProblem("unexpected \"\(rest)\" in braces", help: "known are \(Self.known)" + literal)
    }
}

import IDF
import YAML

extension MappingFileReader {
    func conversions(_ node: YAMLNode?) throws(MappingFileError) -> [Conversion] {
        var conversions: [Conversion] = []
        if let node { for one in node.array ?? [node] { conversions.append(try conversion(one)) } }
        return conversions
    }

    private func conversion(_ node: YAMLNode) throws(MappingFileError) -> Conversion {
        let name = node.string ?? node.pairs?.first?.key.string ?? ""
        let argument = node.pairs?.first?.value
        if let plain = Conversion.plain[name], argument == nil { return plain }
        if let text = argument?.string {
            if let make = Conversion.withText[name] { return make(text) }
            if name == "length", let count = argument?.int { return .length(count) }
            if name == "time" { return .time([text]) }
            if name == "search" || name == "remove" {
                do { return name == "search" ? .search(try Pattern(text)) : .remove(try Pattern(text)) } catch {
                    throw fail("no regular expression: \(error)", node)
                }
            }
        }
        if name == "time", let argument { return .time(try texts(argument)) }
        if let pairs = argument?.pairs, name == "replace" || name == "translate" {
            var table: [String: String] = [:]
            for (key, value) in pairs { table[key.string ?? ""] = value.string ?? "" }
            return name == "replace" ? .replace(table) : .translate(table)
        }
        guard !Conversion.names.contains(name) else {
            let needs = Conversion.plain[name] == nil ? "needs an argument: {\(name): …}" : "takes no argument"
            throw fail("the conversion \"\(name)\" \(needs)", node)
        }
        let near = didYouMean(name, in: Conversion.names).map { "\($0) " } ?? ""
        throw fail("no conversion \"\(name)\"", node, near + "the list: \(Conversion.names.joined(separator: ", "))")
    }
}

extension Conversion {
    /// Those that need no argument.
    static let plain: [String: Conversion] = [
        "unix-seconds": .unixSeconds, "unix-milliseconds": .unixMilliseconds, "windows-nt": .windowsNT, "midnight": .midnight,
        "lowercase": .lowercase, "uppercase": .uppercase, "json": .json, "host": .host, "port": .port,
        "url-scheme": .urlScheme, "url-path": .urlPath, "unpad": .unpad, "refang": .refang,
    ]

    /// Those whose argument is a text.
    static let withText: [String: @Sendable (String) -> Conversion] = [
        "scheme": { .scheme($0) }, "drop-prefix": { .dropPrefix($0) }, "drop-suffix": { .dropSuffix($0) },
        "before": { .before($0) }, "after": { .after($0) }, "before-last": { .beforeLast($0) },
        "after-last": { .afterLast($0) }, "behind": { .behind($0) }, "starting": { .starting($0) }, "prepend": { .prepend($0) },
        "append": { .append($0) },
    ]
}

import IDF

extension ConversionNote {
    /// One line for people.
    var text: String {
        let what = parameter.map { "\($0)\(value.map { ": \($0)" } ?? "")" }
        return [bot ?? "all bots", what, reason].compactMap { $0 }.joined(separator: " | ")
    }

    /// The same for programs.
    var json: JSONValue {
        var members: [JSONValue.Member] = []
        if let bot { members.append(.init("bot", .string(bot))) }
        if let parameter { members.append(.init("parameter", .string(parameter))) }
        if let value { members.append(.init("value", .string(value))) }
        return .object(members + [.init("reason", .string(reason))])
    }
}

extension Conversion {
    /// The list of what was not carried over, and of what is done in another way.
    func report(of file: String) -> String {
        var text = "\(carried) of \(botnet.bots.count) bots of \(file) are carried over.\n"
        for (title, kind) in [("Not carried over", ConversionNote.Kind.lost), ("Done in another way", .replaced)] {
            let lines = notes.filter { $0.kind == kind }.map { "- \($0.text)\n" }
            if !lines.isEmpty { text += "\n\(title):\n" + lines.joined() }
        }
        return text
    }
}

extension SettingProblem {
    /// The same problem with secrets masked; where a part of one would still be readable, only that the value will not do.
    func without(_ secrets: Set<String>) -> SettingProblem {
        let safe = [message, help ?? ""].map { text in
            secrets.filter { $0.utf8.count >= Self.shortest }.reduce(text) { $0.replacing($1, with: "***") }
        }
        guard !safe.contains(where: { Self.shows($0, secrets) }) else {
            return SettingProblem("its value will not do; it holds a secret and is not shown", at: node)
        }
        return SettingProblem(safe[0], help: help == nil ? nil : safe[1], at: node)
    }

    /// Shorter secrets stand in any text by chance; where they do, all of it is left out.
    private static let shortest = 4
    /// So many bytes of a secret are too many.
    private static let piece = 8

    private static func shows(_ text: String, _ secrets: Set<String>) -> Bool {
        let bytes = Array(text.utf8)
        let pieces = Set(bytes.indices.dropLast(piece - 1).map { Array(bytes[$0..<($0 + piece)]) })
        return secrets.contains { secret in
            let secret = Array(secret.utf8)
            if secret.count < shortest { return text.contains(String(decoding: secret, as: UTF8.self)) }
            return secret.indices.dropLast(piece - 1).contains { pieces.contains(Array(secret[$0..<($0 + piece)])) }
        }
    }
}

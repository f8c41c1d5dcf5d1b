public import IDF

extension Mapping {
    /// Where one value of a row goes.
    public struct Column: Sendable {
        /// What a column may stand for besides a cell of the row: what is known of the report, or the item of `each`.
        public enum Part: Sendable, Equatable {
            case url, feed, file
            case custom([String])
            case item([String])
        }

        /// Name of the column (in JSON a dotted path, or several joined with `|`, the first that has a value); empty: taken by place.
        public var name: String
        /// The cell, from 0, where columns have no names; nil: that of the column's own place in the list.
        public var place: Int?
        /// Candidates in order; the first that takes the value wins. Empty: the column is left out.
        public var targets: [Target]
        /// What is done to the text before.
        public var conversions: [Conversion]
        /// What is done to the text for one candidate only, in the order of `targets`; empty: nothing.
        public var targetConversions: [[Conversion]] = []
        /// Separates several values in one cell.
        public var separator: String?
        /// Fields that a text sets.
        public var table: Table?
        /// Whether a row without a usable value is refused.
        public var isRequired: Bool
        /// Whether a row is refused whose cell has a text that no candidate takes; otherwise the text is left out.
        public var refusesMisfits: Bool
        /// What is meant instead of cells, the first that is known.
        let parts: [Part]
        /// The paths that `name` writes down.
        let paths: [[String]]

        /// Describes a column.
        public init(name: String = "", targets: [Target], conversions: [Conversion] = [], isRequired: Bool = false) {
            self.name = name
            self.targets = targets
            self.conversions = conversions
            self.isRequired = isRequired
            // Of several candidates none need fit.
            refusesMisfits = isRequired || targets.count == 1
            paths = name.split(separator: "|").map { $0.split(separator: ".").map(String.init) }
            parts = paths.compactMap { path in
                switch path.first {
                case "$url" where path.count == 1: .url
                case "$feed" where path.count == 1: .feed
                case "$file" where path.count == 1: .file
                case "$custom" where path.count > 1: .custom(Array(path.dropFirst()))
                case "$item": .item(Array(path.dropFirst()))
                default: nil
                }
            }
        }

        /// Whether the value is known before the first row is read.
        var isOfReport: Bool { !parts.isEmpty && !isOfItem }
        /// Whether the value is that of an item of `each`.
        var isOfItem: Bool { if case .item? = parts.first { true } else { false } }
        /// Whether anything is done with the value.
        var isUsed: Bool { !targets.isEmpty || table != nil }
        /// The column in messages.
        func shown(_ index: Int) -> String { name.isEmpty ? "column \((place ?? index) + 1)" : "column \"\(name)\"" }
    }

    /// A text made of several cells.
    public struct Composed: Sendable {
        /// Where the text goes.
        public var target: Target
        /// Texts, and the names of cells between them.
        let parts: [(text: String, cell: String?)]

        /// Reads a template as `http://{0}{1}` or `{host}/{path}`; what has no closing brace is text.
        public init(target: Target, template: String) {
            self.target = target
            var parts: [(String, String?)] = []
            var rest = template[...]
            while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
                parts.append((String(rest[..<open]), String(rest[open..<close].dropFirst())))
                rest = rest[close...].dropFirst()
            }
            parts.append((String(rest), nil))
            self.parts = parts
        }
    }

    /// What is known of a report besides its bytes.
    public struct About: Sendable {
        /// Where it was fetched.
        public var url: String?
        /// The feed's name.
        public var feed: String?
        /// Name of its file.
        public var file: String?
        /// What its collector said besides, an object.
        public var custom: JSONValue

        /// Describes a report.
        public init(url: String? = nil, feed: String? = nil, file: String? = nil, custom: JSONValue = .null) {
            (self.url, self.feed, self.file, self.custom) = (url, feed, file, custom)
        }
    }
}

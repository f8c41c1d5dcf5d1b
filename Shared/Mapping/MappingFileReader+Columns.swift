import IDF
import YAML

extension MappingFileReader {
    private static let columnMembers = ["from", "to", "convert", "required", "split", "values", "otherwise"]

    func columns(_ node: YAMLNode) throws(MappingFileError) -> [Mapping.Column] {
        var columns: [Mapping.Column] = []
        if let pairs = node.pairs {
            for (key, value) in pairs { columns.append(try column(key.string ?? "", value)) }
        } else if let items = node.array {
            var place = 0
            for item in items {
                var one = try column("", item)
                // A column that says where its value is from stands for no cell of its own.
                if item["from"] == nil {
                    one.place = place
                    place += 1
                }
                columns.append(one)
            }
        } else {
            throw fail("wanted a mapping (column: field) or a list (fields in order)", node)
        }
        return columns
    }

    private func column(_ name: String, _ node: YAMLNode, _ more: [String] = []) throws(MappingFileError) -> Mapping.Column {
        guard node.pairs != nil else { return Mapping.Column(name: name, targets: try targets(node).map(\.target)) }
        try known(node, Self.columnMembers + more, "a column")
        var name = name
        var place: Int?
        if let from = node["from"] {
            if let number = from.int {
                guard number >= 1, number <= 10_000 else { throw fail("columns are counted from 1", from) }
                place = number - 1
            } else {
                name = try path(from)
            }
        }
        let targets = try node["to"].map { (to) throws(MappingFileError) in try self.targets(to) } ?? []
        var column = Mapping.Column(
            name: name, targets: targets.map(\.target), conversions: try conversions(node["convert"]),
            isRequired: node["required"]?.bool ?? false)
        column.place = place
        if node["required"]?.bool == false { column.refusesMisfits = false }
        if targets.contains(where: { !$0.conversions.isEmpty }) { column.targetConversions = targets.map(\.conversions) }
        if let split = node["split"] {
            guard let text = split.string, !text.isEmpty else { throw fail("wanted the text between values", split) }
            column.separator = text
        }
        if let values = node["values"] { column.table = try table(values, node["otherwise"]) }
        if node["values"] == nil, let otherwise = node["otherwise"] {
            throw fail("otherwise says what becomes of texts that values does not have", otherwise, "add values:")
        }
        return column
    }

    /// A name; those that begin with `$` are of a closed list.
    private func path(_ node: YAMLNode) throws(MappingFileError) -> String {
        guard let name = node.string else { throw fail("wanted the name of a column, or its number from 1", node) }
        for part in name.split(separator: "|") where part.hasPrefix("$") {
            guard ["$url", "$feed", "$file", "$item"].contains(part) || part.hasPrefix("$item.") || part.hasPrefix("$custom.")
            else {
                throw fail(
                    "no \"\(part)\"", node,
                    "known are: $url, $feed, $file, $custom.name (of the report), $item or $item.name (of each)")
            }
        }
        return name
    }

    private func table(_ node: YAMLNode, _ otherwise: YAMLNode?) throws(MappingFileError) -> Mapping.Table {
        guard let pairs = node.pairs else {
            throw fail("wanted a mapping of texts to fields: {ssh: {network.protocol: ssh}}", node)
        }
        var table = Mapping.Table(rows: [:])
        for (key, value) in pairs {
            table.rows[key.string ?? ""] = value.string == "skip" ? .some(nil) : .some(try constants(value))
        }
        guard let otherwise else { return table }
        switch otherwise.string {
        case "skip": table.otherwise = .skip
        case "refuse": table.otherwise = .refuse
        case nil where otherwise.pairs != nil: table.otherwise = .fields(try constants(otherwise))
        default: throw fail("wanted skip, refuse, or fields with their values", otherwise)
        }
        return table
    }

    func constants(_ node: YAMLNode) throws(MappingFileError) -> [Mapping.Constant] {
        guard let pairs = node.pairs else { throw fail("wanted fields with their values", node) }
        var constants: [Mapping.Constant] = []
        for (key, value) in pairs {
            let target = try self.target(key)
            guard let text = value.string else { throw fail("wanted a text or a number", value) }
            let json: JSONValue = value.int.map { .integer($0) } ?? value.bool.map { .boolean($0) } ?? .string(text)
            if case .field(let field) = target {
                var probe = Event()
                guard probe.add(field, text: text) else {
                    throw fail("\"\(text)\" is no value of \(field.name), wanted \(field.field.type.wanted)", value)
                }
            }
            constants.append((target, json))
        }
        return constants
    }

    func preamble(_ node: YAMLNode) throws(MappingFileError) -> Mapping.Preamble {
        let column = try self.column("", node, ["after", "line"])
        let line = node["line"]?.int
        guard let mark = node["after"]?.string else {
            guard let line, line >= 1 else {
                throw fail("wanted after: (the text before the value in its line) or line: (its number, from 1)", node)
            }
            return Mapping.Preamble(mark: nil, line: line, column: column)
        }
        return Mapping.Preamble(mark: mark, line: nil, column: column)
    }

    func each(_ node: YAMLNode) throws(MappingFileError) -> Mapping.Each {
        if let name = node.string { return Mapping.Each(column: Mapping.Column(name: name, targets: [])) }
        try known(node, ["from", "split", "empty", "original"], "each")
        guard let from = node["from"] else { throw fail("wanted from: the column or the path of the list", node) }
        var column = Mapping.Column(name: from.int == nil ? from.string ?? "" : "", targets: [])
        column.place = from.int.map { max(0, $0 - 1) }
        var each = Mapping.Each(column: column, separator: node["split"]?.string)
        switch node["original"]?.string {
        case nil, "row": break
        case "item": each.keepsItem = true
        default: throw fail("wanted row (the whole row is kept with each event) or item", node)
        }
        switch node["empty"]?.string {
        case nil, "one": break
        case "skip": each.skipsEmpty = true
        default: throw fail("wanted one (a row without items is one event) or skip", node)
        }
        return each
    }

    private func targets(_ node: YAMLNode) throws(MappingFileError) -> [(target: Mapping.Target, conversions: [Conversion])] {
        if node.isNull { return [] }
        var targets: [(target: Mapping.Target, conversions: [Conversion])] = []
        for one in node.array ?? [node] {
            if one.pairs != nil {
                try known(one, ["field", "convert"], "a candidate")
                guard let field = one["field"] else { throw fail("wanted field: the field of the candidate", one) }
                targets.append((try target(field), try conversions(one["convert"])))
            } else {
                targets.append((try target(one), []))
            }
        }
        return targets
    }

    func target(_ node: YAMLNode) throws(MappingFileError) -> Mapping.Target {
        guard let target = Mapping.Target(node.string ?? "") else {
            let near = didYouMean(node.string ?? "", in: Field.all.map(\.name))
            throw fail(
                "no field \"\(node.string ?? "")\" in the data format", node, near ?? "free members are written custom.name")
        }
        return target
    }
}

import IDF
import ServiceKernel

/// A kind of report and a header, compiled: what is done with each cell. Made once for each report.
struct ShadowserverPlan {
    /// A field that a cell goes to.
    struct FieldUse {
        let target: FieldTarget
        let column: Int
        let conversion: ShadowserverConversion
        let isDerived: Bool
        let isRequired: Bool
        /// Whether another column may have set the field already; the first wins.
        let isRepeated: Bool
        /// Whether the cell is kept in a custom member of the column's name when it is no value of the field.
        let keepsMisfit: Bool
    }

    enum FieldTarget {
        case field(FieldID)
        /// The old format has one field for accounts, this one two.
        case account(name: FieldID, email: FieldID)
        case vulnerabilities
    }

    /// A custom member, or an object of members.
    struct CustomUse {
        /// `"name":`
        let key: [UInt8]
        let name: String
        /// Uses in the order of preference.
        var sources: [(column: Int, conversion: ShadowserverConversion)] = []
        var members: [CustomUse] = []

        /// Whether one cell is all there is to do.
        var isLeaf: Bool {
            members.isEmpty && sources.count == 1 && (!sources[0].conversion.isDerived || sources[0].conversion == .boolean)
        }
    }

    /// A custom member that is one cell.
    struct Leaf {
        let column: Int
        let conversion: ShadowserverConversion
        let keyStart: Int
        let keyEnd: Int
    }

    /// Names of the columns, and of each the key of the custom member called like it.
    let columns: [String]
    let keys: [[UInt8]]
    /// In writing order of the fields, so that each is appended behind the others.
    let fields: [FieldUse]
    let customs: [CustomUse]
    /// Custom members that are one cell each, as most are, without anything that is counted; their keys stand in `leafKeys`.
    let leaves: [Leaf]
    let leafKeys: [UInt8]
    /// Columns that conversions look at, by `OtherColumn`; -1 where the report lacks it.
    let others: [Int]

    /// - Throws: a sentence that names the required columns that are missing.
    init(_ kind: ShadowserverSchema.Kind, columns: [String]) throws(Rejection) {
        self.columns = columns
        keys = columns.map(Event.freeKey)
        let places = Dictionary(columns.enumerated().map { ($1, $0) }) { first, _ in first }
        let missing = kind.fields.filter { $0.isRequired && places[$0.column] == nil }.map(\.column)
        guard missing.isEmpty else {
            throw .malformed(
                "a report \(kind.fileName) must have the column \(missing.map { "\"\($0)\"" }.joined(separator: ", ")); "
                    + "found the columns \(columns.joined(separator: ", "))")
        }
        others = ShadowserverConversion.OtherColumn.allCases.map { places[$0.rawValue] ?? -1 }
        let constant = Set(kind.constants.compactMap { DHO.field($0.name) })
        var customs: [(path: [String], column: Int, conversion: ShadowserverConversion)] = []
        var uses: [(target: FieldTarget, item: ShadowserverSchema.Item, column: Int)] = []
        var used: Set<Int> = []
        for item in kind.fields {
            guard let column = places[item.column] else { continue }
            used.insert(column)
            if item.target == "extra." {
                customs.append(([item.column], column, item.conversion))
            } else if item.target.hasPrefix("extra.") {
                customs.append((item.target.split(separator: ".").dropFirst().map(String.init), column, item.conversion))
            } else if let target = Self.target(item.target) {
                if case .field(let id) = target, constant.contains(id) { continue }
                uses.append((target, item, column))
            } else {
                customs.append(([item.column], column, item.conversion))
            }
        }
        for index in columns.indices where !used.contains(index) && !columns[index].isEmpty {
            customs.append(([columns[index]], index, .none))
        }
        let tree = Self.tree(customs)
        let names = Set(tree.map(\.name))
        self.customs = tree.filter { !$0.isLeaf }
        var keyBytes: [UInt8] = []
        leaves = tree.filter(\.isLeaf).map { use in
            let start = keyBytes.count
            keyBytes += use.key
            return Leaf(
                column: use.sources[0].column, conversion: use.sources[0].conversion, keyStart: start, keyEnd: keyBytes.count)
        }
        leafKeys = keyBytes
        var seen: Set<FieldID> = []
        var fields: [FieldUse] = []
        for use in uses {
            fields.append(
                FieldUse(
                    target: use.target, column: use.column, conversion: use.item.conversion,
                    isDerived: use.item.conversion.isDerived,
                    isRequired: use.item.isRequired, isRepeated: !seen.insert(use.target.order).inserted,
                    keepsMisfit: !use.item.conversion.dropsMisfits && !names.contains(columns[use.column])))
        }
        // Stable, for of several columns the first wins.
        let sorted = fields.enumerated().sorted { a, b in
            a.element.target.order == b.element.target.order
                ? a.offset < b.offset : a.element.target.order < b.element.target.order
        }
        self.fields = sorted.map(\.element)
    }

    private static func target(_ name: String) -> FieldTarget? {
        switch name {
        case "product.vulnerabilities": return .vulnerabilities
        case "source.account", "destination.account":
            let side = name.prefix { $0 != "." }
            guard let name = FieldID("\(side).user.name"), let email = FieldID("\(side).user.email") else { return nil }
            return .account(name: name, email: email)
        default: return DHO.field(name).map { .field($0) }
        }
    }

    private static func tree(_ uses: [(path: [String], column: Int, conversion: ShadowserverConversion)]) -> [CustomUse] {
        let leaves = Set(uses.filter { $0.path.count == 1 }.map { $0.path[0] })
        var roots: [CustomUse] = []
        for use in uses {
            // A name cannot hold a text and an object: then the dots stay in the name.
            let path = use.path.count > 1 && leaves.contains(use.path[0]) ? [use.path.joined(separator: ".")] : use.path
            insert(path[...], use.column, use.conversion, &roots)
        }
        return roots
    }

    private static func insert(
        _ path: ArraySlice<String>, _ column: Int, _ conversion: ShadowserverConversion, _ members: inout [CustomUse]
    ) {
        guard let name = path.first else { return }
        var index = members.firstIndex { $0.name == name }
        if index == nil {
            members.append(CustomUse(key: Event.freeKey(name), name: name))
            index = members.count - 1
        }
        guard let index else { return }
        if path.count > 1 {
            insert(path.dropFirst(), column, conversion, &members[index].members)
        } else {
            // What the schema names last wins where several columns have a value.
            members[index].sources.insert((column, conversion), at: 0)
        }
    }
}

extension ShadowserverPlan.FieldTarget {
    /// The field that orders the uses.
    var order: FieldID {
        switch self {
        case .field(let id): id
        case .account(let name, _): name
        case .vulnerabilities: Key<String>.vulnerability.id
        }
    }
}

extension Key<String> {
    static let vulnerability = Key("vulnerability.id")
    static let enumeration = Key("vulnerability.enumeration")
}

import Conditions
import YAML

/// Where events go.
extension ConfigurationReader {
    mutating func edges(_ value: YAMLNode) throws(SettingProblem) -> [EdgeConfiguration] {
        guard let items = value.array else { throw wanted("a list like [{to: \"http://127.0.0.1:8081\"}]", value) }
        var edges: [EdgeConfiguration] = []
        for item in items {
            let node = item["to"] ?? item
            guard let to = node.string, ["http://", "https://", "file:///", "stdout:"].contains(where: to.hasPrefix) else {
                throw wanted("a target beginning with http://, https://, file:/// or stdout:", node)
            }
            let members = ["to", "name", "token", "ca", "when", "tlp-max", "on", "share", "ending"]
            for (key, _) in item.pairs ?? [] where !members.contains(key.string ?? "") {
                unknown(key, members, "in an edge")
            }
            var edge = EdgeConfiguration(to: to, name: item["name"]?.string)
            if let token = item["token"] { edge.token = try SecretFile(setting: token["file"] ?? token) }
            edge.filter = try Self.filter(item)
            if edge.filter?.share != nil, edge.name.contains(where: { ",\"\\".contains($0) }) {
                throw SettingProblem(
                    "an edge that takes turns is named without commas and quotes, found \"\(edge.name)\"", at: item)
            }
            if let ending = item["ending"] { edge.isEnding = try Bool(setting: ending) }
            if let authority = item["ca"] { edge.authority = try String(setting: authority) }
            guard !edges.contains(where: { $0.name == edge.name }) else {
                throw SettingProblem("two edges are named \"\(edge.name)\"", help: "give one a name: of its own", at: item)
            }
            edges.append(edge)
        }
        return try Self.routed(edges, value)
    }

    /// Makes edges without a path leave the packets of paths to the others.
    private static func routed(_ edges: [EdgeConfiguration], _ value: YAMLNode) throws(SettingProblem) -> [EdgeConfiguration] {
        var edges = edges
        let hasPaths = edges.contains { $0.filter?.on != nil }
        if hasPaths, edges.allSatisfy({ $0.filter?.on != nil || $0.isEnding }) {
            throw SettingProblem("every edge is for a named path (on:); all other events would go nowhere", at: value)
        }
        for index in edges.indices where hasPaths && edges[index].filter == nil { edges[index].filter = EdgeFilter() }
        return edges
    }

    private static func filter(_ edge: YAMLNode) throws(SettingProblem) -> EdgeFilter? {
        var filter = EdgeFilter()
        if let node = edge["when"] {
            do throws(ConditionError) { filter.when = try Condition(node.string ?? "") } catch {
                let place = String(error.text.utf8.prefix(error.range.lowerBound)) ?? ""
                throw SettingProblem("when: \(error.message), behind \"\(place.suffix(40))\"", help: error.help, at: node)
            }
        }
        if let node = edge["tlp-max"] {
            guard let label = node.string.flatMap({ EdgeFilter.TLP($0) }) else {
                throw wanted("a label of the Traffic Light Protocol: clear, green, amber, amber+strict, red", node)
            }
            filter.ceiling = label
        }
        if let node = edge["on"] {
            let name = node.string ?? ""
            guard name == EdgeFilter.error || name.hasPrefix("path:") && isName(name.dropFirst(5)) else {
                throw wanted("error (events that cannot be processed), or path:NAME with a-z, 0-9 and -", node)
            }
            filter.on = name
        }
        if let node = edge["share"] {
            guard let group = node.string, isName(group) else { throw wanted("the name of a group: a-z, 0-9 and -", node) }
            filter.share = group
        }
        return filter == EdgeFilter() ? nil : filter
    }

    /// Whether a text is a name of a node, a path or a group: a-z, 0-9 and -.
    package static func isName(_ text: some StringProtocol) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { $0 == 0x2D || $0 >= 0x61 && $0 <= 0x7A || $0 >= 0x30 && $0 <= 0x39 }
    }
}

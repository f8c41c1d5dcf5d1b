// Values that stand in no text: each has the place of another one, which messages about it point to.
extension YAMLNode {
    /// A text.
    public static func text(_ text: String, at place: YAMLNode) -> YAMLNode {
        YAMLNode(.scalar(text: text, plain: false), from: place.mark, to: place.endMark)
    }

    /// A list.
    public static func list(_ items: [YAMLNode], at place: YAMLNode) -> YAMLNode {
        YAMLNode(.sequence(items), from: place.mark, to: place.endMark)
    }

    /// Pairs, whose keys must differ.
    public static func mapping(_ pairs: [(name: String, value: YAMLNode)], at place: YAMLNode) -> YAMLNode {
        let pairs = pairs.map { pair in
            (key: YAMLNode(.scalar(text: pair.name, plain: true), from: pair.value.mark, to: pair.value.mark), value: pair.value)
        }
        return YAMLNode(.mapping(pairs), from: place.mark, to: place.endMark)
    }
}

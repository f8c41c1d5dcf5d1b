extension YAMLNode {
    /// A scalar at the place of this one. It is a number or a truth value where it reads as one, else text, never null.
    /// - Parameter masked: what may be shown instead when the text holds a secret.
    public func replaced(by text: String, masked: String? = nil) -> YAMLNode {
        let plain = YAMLNode(.scalar(text: text, plain: true), from: mark, to: endMark, masked: masked)
        if plain.bool != nil || plain.double != nil { return plain }
        return YAMLNode(.scalar(text: text, plain: false), from: mark, to: endMark, masked: masked)
    }

    /// The same values with each scalar, save keys, put through `change`; what stays the same is shared.
    public func mapScalars(_ change: (YAMLNode) -> YAMLNode) -> YAMLNode {
        switch content {
        case .scalar: return change(self)
        case .sequence(let items):
            let fresh = items.map { $0.mapScalars(change) }
            return zip(items, fresh).allSatisfy { $0 === $1 } ? self : YAMLNode(.sequence(fresh), from: mark, to: endMark)
        case .mapping(let pairs):
            let fresh = pairs.map { (key: $0.key, value: $0.value.mapScalars(change)) }
            let isSame = zip(pairs, fresh).allSatisfy { $0.value === $1.value }
            return isSame ? self : YAMLNode(.mapping(fresh), from: mark, to: endMark)
        }
    }

    /// A mapping with the same keys and other values, as many as there are; any other value stays.
    public func replacingValues(_ values: [YAMLNode]) -> YAMLNode {
        guard let pairs else { return self }
        return YAMLNode(.mapping(zip(pairs, values).map { ($0.key, $1) }), from: mark, to: endMark)
    }

    /// Whether a secret stands in the value or in anything below it.
    public var holdsSecret: Bool {
        switch content {
        case .scalar: masked != nil
        case .sequence(let items): items.contains(where: \.holdsSecret)
        case .mapping(let pairs): pairs.contains { $0.value.holdsSecret }
        }
    }
}

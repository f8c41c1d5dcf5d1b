import IDF
public import YAML

extension YAMLNode {
    /// The value in flow style, on one line: how it is written into a made file.
    public var flow: String {
        switch content {
        case .scalar(let text, let plain):
            plain && !text.contains(where: { ",[]{}#".contains($0) })
                ? text : String(decoding: JSONValue.string(text).bytes, as: UTF8.self)
        case .sequence(let items): "[" + items.map(\.flow).joined(separator: ", ") + "]"
        case .mapping(let pairs): "{" + pairs.map { "\($0.key.flow): \($0.value.flow)" }.joined(separator: ", ") + "}"
        }
    }
}

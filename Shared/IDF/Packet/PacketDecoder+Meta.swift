internal import CSimdJSON

extension PacketDecoder {
    /// Reads what is said about the packet as a whole; nil when it is not a packet of ours.
    mutating func readMeta(_ index: Int) -> Packet.Meta? {
        guard kind(index) == .object else {
            report("wrong-type", "found \(kind(index).word), wanted an object", "/meta")
            return nil
        }
        var meta = Packet.Meta()
        var format: String?
        var version: String?
        var state: String?
        var at = index + 1
        while at < Int(tokens[index].next) {
            let key = name(at)
            let text = string(at + 1)
            switch key {
            case "format-name": format = text
            case "version": version = text
            case "id":
                if let id = text.flatMap({ UUID($0) }) {
                    meta.id = id
                } else {
                    report("invalid-value", "the packet's id is no UUID", "/meta/id")
                }
            case "source": meta.source = text
            case "producer": meta.producer = text
            case "path": meta.path = text
            // The standard wants a malformed one to be ignored.
            case "traceparent": meta.trace = text.flatMap { TraceParent($0) }
            case "tracestate": state = text
            case "created-at", "intake-at":
                if let time = text.flatMap({ Array($0.utf8).withUnsafeBufferPointer { Timestamp($0) } }) {
                    if key == "created-at" { meta.createdAt = time } else { meta.intakeAt = time }
                } else {
                    report("invalid-value", "wanted a time like 2026-11-20T12:00:00Z", "/meta/\(key)")
                }
            case "hops":
                let hops = Int(
                    String(
                        decoding: source.view(Int(tokens[at + 1].start), Int(tokens[at + 1].end - tokens[at + 1].start)),
                        as: UTF8.self))
                if let hops, hops >= 0, hops < 1_000_000 {
                    meta.hops = hops
                } else {
                    report("invalid-value", "wanted a count", "/meta/hops")
                }
            default: break  // meta is open by JSON:API
            }
            at = Int(tokens[at + 1].next)
        }
        if let state { meta.trace = meta.trace?.with(state: state) }
        if format != Packet.formatName {
            report(
                "not-idf", "the format is \(format.map { "\"\($0)\"" } ?? "not named"); wanted \"\(Packet.formatName)\"",
                "/meta/format-name")
        } else if version?.split(separator: ".").first != "3" {
            report(
                "unsupported-version", "version \(version.map { "\"\($0)\"" } ?? "is missing"); this service speaks 3.x",
                "/meta/version")
        }
        return problems.isEmpty ? meta : nil
    }
}

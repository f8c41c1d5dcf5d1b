import IDF
import Mapping

/// What the infected machine said to the sinkhole: JSON or any text, as it is or in base64.
enum CTIPPayload {
    /// Members that have a field, or another name than their own.
    private static let targets: [String: Mapping.Target] = [
        "ip": .custom(["payload", "ip"]), "serverIp": .custom(["payload", "server", "ip"]),
        "serverPort": .custom(["payload", "server", "port"]), "domain": .field(Key<String>("destination.domain").id),
        "type": .field(Key<String>("network.protocol").id), "source_ip": .custom(["payload", "source", "ip"]),
        "source_port": .custom(["payload", "source", "port"]), "destination_ip": .custom(["payload", "destination", "ip"]),
        "destination_port": .custom(["payload", "destination", "port"]),
    ]

    /// Sets what the payload says.
    static func read(_ payload: String, into event: inout Event) {
        let text = trimmed(payload)
        guard !text.isEmpty else { return }
        let plain = text.hasPrefix("{") ? Array(text.utf8) : Base64.decode(text.utf8) ?? Array(text.utf8)
        guard let members = (try? JSONValue(parsing: plain))?.members else {
            return event.setCustom(path: ["payload", "text"], to: .string(String(decoding: plain, as: UTF8.self)))
        }
        for member in members {
            if member.name == "ts", let time = time(member.value.plain) {
                event.setCustom(path: ["payload", "timestamp"], to: .string(time))
            } else {
                event.put(member.value, targets[member.name] ?? .custom(["payload", member.name]))
            }
        }
    }

    private static func time(_ seconds: String) -> String? {
        var seconds = seconds
        return seconds.withUTF8 { CivilTime.unixSeconds($0) }?.description
    }
}

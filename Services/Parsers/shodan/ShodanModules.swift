import IDF
import Mapping

/// What Shodan says of the service at a port: members called like the service (`ssh: {…}`), and what it is vulnerable to.
enum ShodanModules {
    /// Members of every banner; any other is there because of the service.
    private static let common: Set<String> = [
        "_id", "_shodan", "asn", "data", "domains", "hash", "hostnames", "ip", "ip_str", "ipv6", "isp", "location", "opts", "org",
        "os", "port", "tags", "timestamp", "transport",
    ]
    /// Members that tell something else than the application protocol.
    private static let noProtocols: Set<String> = [
        "cloud", "cpe", "cpe23", "device", "devicetype", "html", "info", "link", "platform", "product", "screenshot", "title",
        "uptime", "vulns",
    ]
    /// Whole pages, keys and the like, and hashes over them.
    private static let left: Set<String> = [
        "hassh", "highestcommittedusn", "html", "key", "robots", "securitytxt", "sitemap",
    ]
    /// Objects whose names are the values.
    private static let named: Set<String> = ["resources"]
    /// Objects whose members belong to the object around them.
    private static let inlined: Set<String> = ["flags"]

    /// Sets what the banner says of its service.
    static func read(_ banner: JSONValue, into event: inout Event) {
        let own = (banner.members ?? []).filter { !common.contains($0.name) && $0.value != .null }
        let names = own.map(\.name).sorted()
        event.setCustom(path: ["shodan", "unique_keys"], to: .array(names.map { .string($0) }))
        // Encryption is around another protocol where there is one.
        let objects = names.filter { name in own.contains { $0.name == name && $0.value.members != nil } }
        let protocols = objects.filter { !noProtocols.contains($0) }
        if let name = protocols.first(where: { $0 != "ssl" }) ?? protocols.first {
            event.put(.string(name), .field(Key<String>("network.protocol").id))
        }
        for module in own where !noProtocols.contains(module.name) { add(module, to: &event) }
        for module in banner["opts"]?.members ?? [] { add(module, to: &event) }
        if let vulnerabilities = banner["vulns"]?.members {
            let all = vulnerabilities.map(identified)
            event.setCustom(path: ["vulns"], to: .array(all))
            event.setCustom(path: ["verified_vulns"], to: .array(all.filter { $0["verified"]?.bool == true }))
        }
    }

    private static func add(_ module: JSONValue.Member, to event: inout Event) {
        for member in module.value.members ?? [] {
            add(member, below: module.name.lowercased(), to: &event)
        }
    }

    private static func add(_ member: JSONValue.Member, below module: String, to event: inout Event) {
        let name = member.name.lowercased()
        if left.contains(name) || name.hasSuffix("_hash") { return }
        switch member.value {
        case .object(let members) where named.contains(name):
            event.setCustom(path: [module, name], to: .array(members.map { .string($0.name) }))
        case .object(let members) where inlined.contains(name):
            for inner in members { add(inner, below: module, to: &event) }
        case .object(let members):
            // Objects by name become a list of objects; other objects are left to the minimal mode, which keeps all.
            guard !members.isEmpty, members.allSatisfy({ $0.value.members != nil }) else { return }
            event.setCustom(path: [module, name], to: .array(members.map(identified)))
        // What a directory supports is a single text where it is one thing.
        case .string where name.hasPrefix("supported"): event.setCustom(path: [module, name], to: .array([member.value]))
        default: event.put(member.value, .custom([module, name]))
        }
    }

    /// An object with the name it had.
    private static func identified(_ member: JSONValue.Member) -> JSONValue {
        .object((member.value.members ?? []) + [.init("identifier", .string(member.name))])
    }
}

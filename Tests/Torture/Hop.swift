import Glibc
import IDF
import ServiceKernel

/// One service of the workflow:
/// producer, 1 taxonomy (durable), 2 asn-lookup (relay), 3 taxonomy (durable), 4 taxonomy (relay), 5 sql-output.
struct Hop: Sendable {
    let number: Int
    let worker: String
    let port: UInt16
    let root: String
    /// Where its events go; 0 from the last hop.
    let next: UInt16

    static let count = 5
    /// The hop whose database is replaced.
    static let lookUp = 2
    /// Hops with a spool.
    static let durable = [1, 3]
    /// Seconds that a service has to finish when it is told to stop.
    static let drain = 5.0

    var name: String { "hop-\(number)" }
    var url: String { "http://127.0.0.1:\(port)" }
    var configuration: String { "\(root)/\(name).yaml" }
    var log: String { "\(root)/\(name).log" }
    var state: String { "\(root)/\(name)" }
    var isDurable: Bool { Hop.durable.contains(number) }

    static func database(in root: String) -> String { "\(root)/asn.mmdb" }
    static func store(in root: String) -> String { "\(root)/events.sqlite" }

    /// The five hops, their configurations written.
    static func make(in root: String) throws(TortureError) -> [Hop] {
        let ports = try Machine.freePorts(count)
        let workers = ["taxonomy-expert", "asn-lookup-expert", "taxonomy-expert", "taxonomy-expert", "sql-output"]
        var hops: [Hop] = []
        for (place, worker) in workers.enumerated() {
            let hop = Hop(
                number: place + 1, worker: worker, port: ports[place], root: root, next: place + 1 < count ? ports[place + 1] : 0)
            do { try replaceFile(hop.configuration, with: Array(hop.text.utf8)) } catch { throw TortureError(error.detail) }
            hops.append(hop)
        }
        return hops
    }

    /// Time limits are short, so that a stopped next hop is given up while it still has the packet: that is where duplicates come from.
    private var text: String {
        func quoted(_ text: String) -> String { String(decoding: JSONValue.string(text).bytes, as: UTF8.self) }
        var text = """
            worker: \(worker)
            listen: 127.0.0.1:\(port)
            state: \(quoted(state))
            limits: {timeout: \(isDurable ? 3 : 2) s, idle: 5 s, drain: \(Int(Hop.drain)) s}

            """
        if isDurable { text += "ack: durable\n" }
        if next > 0 { text += "edges: [{to: \"http://127.0.0.1:\(next)\", name: next}]\n" }
        if number == Hop.lookUp { text += "settings: {database: \(quoted(Hop.database(in: root)))}\n" }
        if number == Hop.count { text += "settings: {database: \(quoted(Hop.store(in: root)))}\n" }
        return text
    }
}

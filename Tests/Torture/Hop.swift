import Glibc
import IDF
import ServiceKernel

/// One service of a workflow. That of the storm:
/// producer, 1 taxonomy (durable), 2 asn-lookup (relay), 3 taxonomy (durable), 4 taxonomy (relay), 5 sql-output.
struct Hop: Sendable {
    let number: Int
    let worker: String
    let port: UInt16
    let root: String
    /// Where its events go; 0 from the last hop.
    let next: UInt16
    let isDurable: Bool
    /// Its folder.
    var state: String
    /// `limits.spool`; nil leaves what is usual.
    var spoolLimit: String?
    /// NAME=VALUE, beside those of this program.
    var environment: [String] = []
    /// The command that starts it, with arguments; empty: it starts by itself.
    var wrapper: [String] = []

    /// How many there are in the storm.
    static let count = 5
    /// The hop of the storm whose database is replaced.
    static let lookUp = 2
    /// Seconds that a service has to finish when it is told to stop.
    static let drain = 5.0

    var name: String { "hop-\(number)" }
    var url: String { "http://127.0.0.1:\(port)" }
    var configuration: String { "\(root)/\(name).yaml" }
    var log: String { "\(root)/\(name).log" }

    static func database(in root: String) -> String { "\(root)/asn.mmdb" }
    static func store(in root: String) -> String { "\(root)/events.sqlite" }

    /// The five hops of the storm.
    static func five(in root: String) throws(TortureError) -> [Hop] {
        let workers = ["taxonomy-expert", "asn-lookup-expert", "taxonomy-expert", "taxonomy-expert", "sql-output"]
        return try make(workers, durable: [1, 3], in: root)
    }

    /// Services one after the other.
    static func make(_ workers: [String], durable: Set<Int>, in root: String) throws(TortureError) -> [Hop] {
        let ports = try Machine.freePorts(workers.count)
        return workers.enumerated().map { place, worker in
            Hop(
                number: place + 1, worker: worker, port: ports[place], root: root,
                next: place + 1 < ports.count ? ports[place + 1] : 0, isDurable: durable.contains(place + 1),
                state: "\(root)/hop-\(place + 1)")
        }
    }

    /// Writes its configuration.
    ///
    /// Time limits are short, so that a stopped next hop is given up while it still has the packet: that is where duplicates come from.
    func configure() throws(TortureError) {
        func quoted(_ text: String) -> String { String(decoding: JSONValue.string(text).bytes, as: UTF8.self) }
        let spool = spoolLimit.map { ", spool: \($0)" } ?? ""
        var text = """
            worker: \(worker)
            listen: 127.0.0.1:\(port)
            state: \(quoted(state))
            limits: {timeout: \(isDurable ? 3 : 2) s, idle: 5 s, drain: \(Int(Hop.drain)) s\(spool)}

            """
        if isDurable { text += "ack: durable\n" }
        if next > 0 { text += "edges: [{to: \"http://127.0.0.1:\(next)\", name: next}]\n" }
        if worker == "asn-lookup-expert" { text += "settings: {database: \(quoted(Hop.database(in: root)))}\n" }
        if worker == "sql-output" { text += "settings: {database: \(quoted(Hop.store(in: root)))}\n" }
        do { try replaceFile(configuration, with: Array(text.utf8)) } catch { throw TortureError(error.detail) }
    }
}

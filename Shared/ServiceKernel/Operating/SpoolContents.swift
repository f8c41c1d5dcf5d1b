import Glibc
import Spool

/// Events in a spool that wait for an edge which the configuration does not have any more: nobody sends them on.
public struct StrandedEvents: Sendable, Equatable {
    /// The edge.
    public let edge: String
    /// How many events wait for it.
    public var events: Int

    /// What can be done.
    /// - Parameters:
    ///   - worker: the name of the worker.
    ///   - file: its configuration.
    ///   - to: how the edge is written, without `ending`.
    public func help(worker: String, file: String, to: String) -> String {
        "to send them on, put the edge back until nothing waits any more, as {\(to), ending: true}: it gets nothing new; to throw them away, stop the service and: intelmq \(worker) spool drop \(edge) --config \(file)"
    }
}

/// What lies in the spools of a service, whether it runs or not; it is only looked at.
public enum SpoolContents {
    /// Events that wait for edges which the service does not have any more; what cannot be read counts as none.
    /// - Parameters:
    ///   - state: its folder.
    ///   - edges: the edges that it has.
    public static func stranded(in state: String, besides edges: [String]) -> [StrandedEvents] {
        var found: [StrandedEvents] = []
        for folder in spools(in: state) {
            for edge in (try? Spool.inspect(directory: folder, limit: 0).edges) ?? []
            where edge.backlogEvents > 0 && !edges.contains(edge.name) {
                if let place = found.firstIndex(where: { $0.edge == edge.name }) {
                    found[place].events += edge.backlogEvents
                } else {
                    found.append(StrandedEvents(edge: edge.name, events: edge.backlogEvents))
                }
            }
        }
        return found
    }

    /// Whether packets or dead letters are there, or what cannot be read.
    public static func isHeld(in state: String) -> Bool {
        spools(in: state).contains { folder in
            guard let spool = try? Spool.inspect(directory: folder, limit: 0) else { return true }
            return spool.packetCount > 0 || spool.deadLetters > 0
        }
    }

    /// The folders of a service that hold a spool: its own, and those of its slots (`--processes N`).
    static func spools(in state: String) -> [String] {
        let slots = fileNames(in: state).filter { $0.hasPrefix("slot-") }.sorted {
            (Int($0.dropFirst(5)) ?? .max, $0) < (Int($1.dropFirst(5)) ?? .max, $1)
        }
        return ([state] + slots.map { "\(state)/\($0)" }).filter { access("\($0)/spool.sqlite", F_OK) == 0 }
    }
}

extension Service {
    /// Says for which edges that are no more events wait.
    func tellStranded() {
        let known = (edges + ending).map(\.name)
        for edge in spool?.status().edges ?? [] where edge.backlogEvents > 0 && !known.contains(edge.name) {
            let stranded = StrandedEvents(edge: edge.name, events: edge.backlogEvents)
            log.error(
                "\(edge.backlogEvents) events wait for the edge \(edge.name), which the configuration does not have any more",
                metadata: [
                    "help":
                        "\(stranded.help(worker: configuration.entry.name, file: "FILE", to: "to: ADDRESS, name: \(edge.name)"))"
                ])
        }
    }
}

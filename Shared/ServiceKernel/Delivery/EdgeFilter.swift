public import Conditions
import IDF

/// Which packets and events go over an edge; all of them without.
public struct EdgeFilter: Sendable, Equatable {
    /// The named path whose packets go over it: `error` for events that the worker cannot process, `path:NAME` for those that it
    /// sends there; nil: all others.
    public var on: String?
    /// The group of edges that it takes turns with: each packet goes over one of them.
    public var share: String?
    /// Only events that fulfil this.
    public var when: Condition?
    /// Only events that may be shared so far: with this label of the Traffic Light Protocol, a more open one, or none.
    public var ceiling: TLP?

    /// The path of events that a worker cannot process.
    static let error = "error"

    /// Labels of the Traffic Light Protocol 2.0, from the most open one; `WHITE` of version 1 is `CLEAR`.
    public enum TLP: String, Sendable, CaseIterable, Comparable {
        case clear, green, amber
        case amberStrict = "amber+strict"
        case red

        /// Reads a label, whatever its case.
        public init?(_ label: String) {
            let label = label.lowercased()
            guard let found = TLP(rawValue: label == "white" ? "clear" : label) else { return nil }
            self = found
        }

        /// More open labels are less.
        public static func < (left: TLP, right: TLP) -> Bool { left.rank < right.rank }

        private var rank: Int { TLP.allCases.firstIndex(of: self) ?? 0 }
    }

    private static let marking = Key<String>("threat.indicator.marking.tlp")

    func admits(_ event: Event) -> Bool {
        if let ceiling, let label = event[Self.marking] {
            // Who cannot read a label does not share.
            guard let label = TLP(label), label <= ceiling else { return false }
        }
        return when?.holds(for: event) ?? true
    }

    /// Whether events are looked at one by one.
    var chooses: Bool { when != nil || ceiling != nil }

    /// The part of a packet that goes over the edge: the packet itself when all of it does, nil when nothing does.
    func part(of outgoing: Outgoing, over edge: String) -> Outgoing? {
        guard outgoing.meta.path == on, !outgoing.meta.notFor.contains(edge) else { return nil }
        guard chooses else { return outgoing }
        // What cannot be read here is for the next hop to refuse.
        guard let packet = try? outgoing.packet(), !packet.events.isEmpty else { return outgoing }
        let events = packet.events.filter(admits)
        guard events.count < packet.events.count else { return outgoing }
        guard !events.isEmpty else { return nil }
        var part = Packet(meta: packet.meta, events: events)
        part.meta.id = .derived(from: packet.meta.id.bytes + edge.utf8 + events.flatMap(\.id.bytes))
        return Outgoing(part)
    }
}

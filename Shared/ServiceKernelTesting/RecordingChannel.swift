public import IDF
public import ServiceKernel
import Synchronization

/// A way out that keeps what it is given in memory, and answers as a test wants it to.
public final class RecordingChannel: OutChannel {
    /// Decides about one attempt; the number counts from 1.
    public typealias Rule = @Sendable (_ packet: Packet, _ attempt: Int) -> Delivery

    private struct State {
        var rule: Rule
        var delivered: [Packet] = []
        var attempts: [Packet] = []
    }
    private let state: Mutex<State>

    /// A channel that takes everything unless a rule says otherwise.
    public init(_ rule: @escaping Rule = { _, _ in .delivered }) { state = Mutex(State(rule: rule)) }

    /// A channel that refuses for good each packet with such an event, and takes the others.
    public static func refusing(status: Int = 422, where isBad: @escaping @Sendable (Event) -> Bool) -> RecordingChannel {
        RecordingChannel { packet, _ in
            packet.events.contains(where: isBad) ? .refused(status: status, "a bad event") : .delivered
        }
    }

    /// From now on attempts are answered so.
    public func answer(_ rule: @escaping Rule) { state.withLock { $0.rule = rule } }

    /// Keeps the attempt, and the packet if the rule takes it.
    public func send(_ packet: Outgoing) async -> Delivery {
        // Through the bytes, as a real next hop gets it.
        let decoded: Packet
        do throws(PacketError) {
            decoded = try Packet(decoding: packet.bytes, eventLimit: .max)
        } catch {
            return .refused(status: error.status, error.description)
        }
        let (rule, attempt) = state.withLock { state in
            state.attempts.append(decoded)
            return (state.rule, state.attempts.count)
        }
        let delivery = rule(decoded, attempt)
        if case .delivered = delivery { state.withLock { $0.delivered.append(decoded) } }
        return delivery
    }

    /// The packets taken, in order.
    public var packets: [Packet] { state.withLock { $0.delivered } }
    /// The events of all packets taken, in order.
    public var events: [Event] { packets.flatMap(\.events) }
    /// How often something was sent, taken or not.
    public var attempts: Int { state.withLock { $0.attempts.count } }
}

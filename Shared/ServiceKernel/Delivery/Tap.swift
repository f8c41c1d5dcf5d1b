import HTTP
import IDF
import Synchronization

/// Shows a sample of the events that pass to whoever watches. Bounded, and it never slows the flow: what a watcher does not take is not shown.
package final class Tap: Sendable {
    /// What one watcher wants to see.
    package struct Watch: Sendable {
        /// Only what comes in (`in`) or goes out (`out`); nil: both.
        var direction: String?
        /// Only what goes over this edge.
        var edge: String?
        /// Ends after so many events.
        var limit = 100
        /// Most events a second.
        var perSecond = 10

        /// Reads `limit`, `rate`, `direction` and `edge`.
        package init(_ query: [(String, String)]) throws(Rejection) {
            for (name, value) in query {
                switch name {
                case "edge": edge = value
                case "direction":
                    guard ["in", "out"].contains(value) else {
                        throw .malformed("direction: found \"\(value.prefix(40))\", wanted in or out")
                    }
                    direction = value
                case "limit", "rate":
                    let most = name == "limit" ? 1_000_000 : 1000
                    guard let number = Int(value), (1...most).contains(number) else {
                        throw .malformed("\(name): found \"\(value.prefix(40))\", wanted a number from 1 to \(most)")
                    }
                    if name == "limit" { limit = number } else { perSecond = number }
                default: throw .malformed("no parameter \"\(name.prefix(40))\" of a tap; there are limit, rate, direction, edge")
                }
            }
        }
    }

    private struct Watcher {
        let watch: Watch
        let writer: HTTPBodyWriter
        var shown = 0
        var second = 0
        var inSecond = 0
    }

    /// Most watchers at once.
    package static let most = 16
    private let watchers = Mutex<[Int: Watcher]>([:])
    private let count = Atomic<Int>(0)
    private let numbers = Atomic<Int>(0)

    /// Whether anybody watches: asked for every packet.
    var isWatched: Bool { count.load(ordering: .relaxed) > 0 }

    /// Begins to show events, in the body of an answer; ends when enough are shown or nobody reads any more.
    func stream(_ watch: Watch) throws(Rejection) -> HTTPResponse {
        guard count.load(ordering: .relaxed) < Self.most else {
            throw .limited("\(Self.most) watch already", retryAfter: 10)
        }
        let number = numbers.add(1, ordering: .relaxed).newValue
        let writer = HTTPBodyWriter(limit: 4 << 20) { [weak self] in self?.remove(number) }
        watchers.withLock { $0[number] = Watcher(watch: watch, writer: writer) }
        count.add(1, ordering: .relaxed)
        if writer.isClosed { remove(number) }
        return HTTPResponse(headers: [("Content-Type", "application/x-ndjson")], stream: writer)
    }

    private func remove(_ number: Int) {
        guard watchers.withLock({ $0.removeValue(forKey: number) }) != nil else { return }
        count.subtract(1, ordering: .relaxed)
    }

    /// A packet has come in.
    func show(_ packet: Packet) { show(direction: "in", edge: nil) { packet } }

    /// A packet has gone out.
    func show(_ outgoing: Outgoing, over edge: String) {
        show(direction: "out", edge: edge) { try? outgoing.packet() }
    }

    private func show(direction: String, edge: String?, _ packet: () -> Packet?) {
        let now = Timestamp.now()
        let second = Int(now.nanoseconds / 1_000_000_000)
        var ended: [(Int, HTTPBodyWriter)] = []
        watchers.withLock { watchers in
            for (number, var watcher) in watchers {
                let watch = watcher.watch
                guard watch.direction ?? direction == direction, watch.edge == nil || watch.edge == edge else { continue }
                if watcher.second != second { (watcher.second, watcher.inSecond) = (second, 0) }
                let room = min(watch.limit - watcher.shown, watch.perSecond - watcher.inSecond)
                guard room > 0, let packet = packet() else { continue }
                for event in packet.events.prefix(room) {
                    guard watcher.writer.write(Self.line(now, direction, edge, packet, event)) else {
                        // It does not keep up: nothing more within this second.
                        watcher.inSecond = watch.perSecond
                        break
                    }
                    watcher.shown += 1
                    watcher.inSecond += 1
                }
                watchers[number] = watcher
                if watcher.shown >= watch.limit { ended.append((number, watcher.writer)) }
            }
        }
        for (number, writer) in ended {
            remove(number)
            writer.finish()
        }
    }

    /// One JSON object: when, which way, and the event.
    private static func line(_ now: Timestamp, _ direction: String, _ edge: String?, _ packet: Packet, _ event: Event) -> [UInt8]
    {
        var line = Array(#"{"@timestamp":""#.utf8)
        line += "\(now)\",\"direction\":\"\(direction)\",".utf8
        if let edge {
            line += #""edge":"#.utf8
            JSONText.appendQuoted(edge, to: &line)
            line.append(0x2C)
        }
        line += "\"packet\":\"\(packet.meta.id)\",\"event\":".utf8
        line += event.encoded()
        line += "}\n".utf8
        return line
    }
}

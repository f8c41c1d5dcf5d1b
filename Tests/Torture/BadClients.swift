import Glibc
import IDF

/// Clients that break off, dribble, say nothing or say nonsense, to all hops. Whatever they do, nothing else may suffer.
struct BadClients {
    private struct Client {
        let descriptor: Int32
        let bytes: [UInt8]
        var sent = 0
        /// Bytes at a time, and the time of the next ones.
        let step: Int
        var next: ContinuousClock.Instant
        let end: ContinuousClock.Instant
        /// Ends with a reset rather than politely.
        let resets: Bool
    }

    private static let atOnce = 60
    private let hops: [Hop]
    private let load: Load
    private let ledger: Ledger
    private var dice: Dice
    private var clients: [Client] = []
    private var nextOne = ContinuousClock.now
    private(set) var counts = Counts()

    struct Counts: Sendable {
        var all = 0
        /// Those that dribble or say nothing, those that end in the middle of a request, those that end with a reset.
        var slow = 0
        var half = 0
        var resets = 0
    }

    init(_ hops: [Hop], _ load: Load, _ ledger: Ledger, seed: UInt64) {
        self.hops = hops
        self.load = load
        self.ledger = ledger
        dice = Dice(seed: seed)
    }

    mutating func tick(_ now: ContinuousClock.Instant) {
        clients = clients.compactMap { Self.goOn($0, now) }
        guard now >= nextOne, clients.count < Self.atOnce else { return }
        nextOne = now + dice.seconds(0.01...0.2)
        come(now)
    }

    mutating func leave() {
        for client in clients { close(client.descriptor) }
        clients = []
    }

    private mutating func come(_ now: ContinuousClock.Instant) {
        var hop = hops[Int.random(in: 0..<hops.count, using: &dice)]
        var step = 1 << 20
        var stay = 0.0...0.3
        var bytes: [UInt8]
        let kind = Int.random(in: 0..<8, using: &dice)
        switch kind {
        case 0...1:
            // Broken off in the middle of the body.
            bytes = unfinished(Int.random(in: 1...100, using: &dice))
        case 2:
            // The last byte of the body never comes.
            bytes = unfinished(1)
            step = 7
            stay = 0.5...8
        case 3:
            let header = "X-Slow: \(String(repeating: "a", count: 4000))"
            bytes = Array("POST /v1/packets HTTP/1.1\r\nHost: localhost\r\n\(header)".utf8)
            step = 1
            stay = 1...8
        case 4:
            bytes = []
            stay = 0.1...10
        case 5:
            let sizes = ["zz\r\n", "ffffffffffffffffff\r\n", "5\r\n{}", "-1\r\n{}\r\n", "3\r\n{}\r\n0\r\n\r\n"]
            let head = "POST /v1/packets HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            let size = sizes[Int.random(in: 0..<sizes.count, using: &dice)]
            bytes = Array("\(head)Transfer-Encoding: chunked\r\n\r\n\(size)".utf8)
        case 6:
            bytes = (0..<Int.random(in: 1...2000, using: &dice)).map { _ in UInt8.random(in: 0...255, using: &dice) }
        default:
            // Everything is sent, and nobody waits for the answer.
            hop = hops[0]
            let parcel = load.parcel(events: Int.random(in: 1...50, using: &dice))
            _ = ledger.enter(parcel, .sent)
            bytes = Self.head(parcel.body.count) + parcel.body
        }
        guard let descriptor = Self.connect(hop.port) else { return }
        let client = Client(
            descriptor: descriptor, bytes: bytes, step: step, next: now, end: now + dice.seconds(stay), resets: dice.chance(50))
        counts.all += 1
        if kind == 2 || kind == 3 || kind == 4 { counts.slow += 1 }
        if kind < 5 { counts.half += 1 }
        if client.resets { counts.resets += 1 }
        clients.append(client)
    }

    private func unfinished(_ events: Int) -> [UInt8] {
        let parcel = load.parcel(events: events)
        _ = ledger.enter(parcel, .half)
        return Self.head(parcel.body.count) + parcel.body.prefix(events == 1 ? parcel.body.count - 1 : parcel.body.count / 2)
    }

    private static func head(_ length: Int) -> [UInt8] {
        Array(
            "POST /v1/packets HTTP/1.1\r\nHost: localhost\r\nContent-Type: \(Packet.mediaType)\r\nContent-Length: \(length)\r\n\r\n"
                .utf8)
    }

    private static func connect(_ port: UInt16) -> Int32? {
        let kind = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
        let descriptor = socket(AF_INET, Int32(kind), 0)
        guard descriptor >= 0 else { return nil }
        guard Machine.withAddress(port, { Glibc.connect(descriptor, $0, $1) }) == 0 || errno == EINPROGRESS else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    /// Sends some more; nil when the connection is over.
    private static func goOn(_ client: Client, _ now: ContinuousClock.Instant) -> Client? {
        var client = client
        if client.sent < client.bytes.count, now >= client.next {
            let end = min(client.bytes.count, client.sent + client.step)
            let done = client.bytes[client.sent..<end].withUnsafeBytes { write(client.descriptor, $0.baseAddress, $0.count) }
            if done > 0 { client.sent += done } else if errno != EAGAIN { return over(client) }
            client.next = now + .milliseconds(20)
        }
        var answer = [UInt8](repeating: 0, count: 4096)
        let got = read(client.descriptor, &answer, answer.count)
        if got == 0 || got < 0 && errno != EAGAIN { return over(client) }
        return now < client.end ? client : over(client)
    }

    private static func over(_ client: Client) -> Client? {
        var hard = linger(l_onoff: 1, l_linger: 0)
        if client.resets { setsockopt(client.descriptor, SOL_SOCKET, SO_LINGER, &hard, socklen_t(MemoryLayout<linger>.size)) }
        close(client.descriptor)
        return nil
    }
}

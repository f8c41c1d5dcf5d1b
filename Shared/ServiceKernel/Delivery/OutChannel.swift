import Glibc
import HTTP
public import IDF
import Synchronization

/// A packet on its way out: encoded once for all its edges, and only if one of them needs bytes.
public final class Outgoing: Sendable {
    /// What is said about the packet.
    public let meta: Packet.Meta
    /// Number of events and reports.
    public let count: Int
    private let decoded: Mutex<Packet?>
    private let encoded: Mutex<[UInt8]?>
    private let takers: Mutex<Set<String>>

    /// - Parameter takers: edges whose next hop has it from earlier tries.
    init(_ packet: Packet, takenBy takers: Set<String> = []) {
        self.takers = Mutex(takers)
        meta = packet.meta
        count = packet.events.count + packet.reports.count
        decoded = Mutex(packet)
        encoded = Mutex(nil)
    }

    init(meta: Packet.Meta, count: Int, bytes: [UInt8]) {
        takers = Mutex([])
        self.meta = meta
        self.count = count
        decoded = Mutex(nil)
        encoded = Mutex(bytes)
    }

    /// The packet as JSON.
    public var bytes: [UInt8] {
        // A large report is encoded only where nothing else can be done, and not kept while it waits.
        if largeReport != nil { return decoded.withLock { $0?.encoded() } ?? [] }
        return encoded.withLock { bytes in
            if let bytes { return bytes }
            let made = decoded.withLock { $0?.encoded() } ?? []
            bytes = made
            return made
        }
    }

    /// The report that is the packet, where it lies in a file: as a packet it would have to be in memory, and a third longer.
    var largeReport: Report? {
        decoded.withLock { packet in
            guard let packet, packet.events.isEmpty, packet.reports.count == 1, packet.reports[0].content.isFile else {
                return nil
            }
            return packet.reports[0]
        }
    }

    /// Whether the next hop of an edge has it from an earlier try.
    func isTaken(by edge: Edge) -> Bool { takers.withLock { $0.contains(edge.name) } }
    var takenBy: Set<String> { takers.withLock { $0 } }
    func take(by edge: Edge) { takers.withLock { _ = $0.insert(edge.name) } }

    /// Keeps only the bytes.
    func forgetPacket() { decoded.withLock { $0 = nil } }

    /// The packet itself.
    public func packet() throws(PacketError) -> Packet {
        if let packet = decoded.withLock({ $0 }) { return packet }
        let packet = try Packet(decoding: bytes, eventLimit: .max)
        decoded.withLock { $0 = packet }
        return packet
    }
}

/// What became of one attempt to hand a packet on.
public enum Delivery: Sendable {
    /// The next hop has acknowledged.
    case delivered
    /// It may work later: nothing answers, too busy, out of space.
    case later(String, afterSeconds: Double?)
    /// It will never work with this data.
    case refused(status: Int, String)
}

/// A way out of a worker.
public protocol OutChannel: Sendable {
    /// Tries once to hand the packet on.
    func send(_ packet: Outgoing) async -> Delivery
}

/// POSTs packets to the next service, and large reports as they are.
struct HTTPChannel: OutChannel {
    private let edge: EdgeConfiguration
    private let client: HTTPClient
    private let request: HTTPClientRequest
    private let timeout: Interval

    /// - Parameter tls: the certificate to show where the target wants one.
    init(_ edge: EdgeConfiguration, client: HTTPClient, tls: TLSConfiguration?, timeout: Interval) {
        self.edge = edge
        self.client = client
        self.timeout = timeout
        request = HTTPClientRequest(
            method: .post, url: edge.to, headers: [("Content-Type", Packet.mediaType)],
            timeoutMilliseconds: Int(timeout.seconds * 1000), connectTimeoutMilliseconds: 3000, responseLimit: 1 << 20,
            caFile: edge.authority, certificateFile: tls?.certificate, keyFile: tls?.key)
    }

    func send(_ packet: Outgoing) async -> Delivery {
        do {
            var request = packet.largeReport.flatMap(upload) ?? request
            if request.content == nil { request.body = packet.bytes }
            if let token = edge.token { request.headers.append(("Authorization", "Bearer \(token.revealed)")) }
            if let trace = packet.meta.trace { request.headers.append(("traceparent", trace.description)) }
            if let state = packet.meta.trace?.state { request.headers.append(("tracestate", state)) }
            let response = try await client.send(request)
            switch response.status {
            case 200, 201, 202, 204: return .delivered
            case 400, 413, 415, 422: return .refused(status: response.status, Self.reason(response.body))
            case 404 where request.content != nil, 405 where request.content != nil:
                return .refused(
                    status: response.status, "\(withoutUser(edge.to)) takes no reports of this size: it has no /v1/reports")
            default:
                // A whole number of seconds; the other form, a date, is left to our own back-off. An hour is enough for anyone.
                let after = response.header("Retry-After").flatMap { UInt32($0) }.map { Double(min($0, 3600)) }
                return .later(
                    "\(withoutUser(edge.to)) answered \(response.status): \(Self.reason(response.body))",
                    afterSeconds: after)
            }
        } catch {
            return .later("\(error)", afterSeconds: nil)
        }
    }

    /// The call that brings a report as it is; nil where the target has no such call, or the report says what no query can.
    private func upload(_ report: Report) -> HTTPClientRequest? {
        guard edge.to.hasSuffix("/v1/packets") else { return nil }
        var query: [(name: String, value: String)] = []
        for field in report.fields.fields {
            guard let value = report.fields.json(field), value.members == nil else { return nil }
            query += (value.items ?? [value]).map { (field.name, $0.plain) }
        }
        var request = request
        request.url = edge.to.dropLast("packets".count) + "reports" + HTTPClientRequest.query(query)
        request.headers = [
            ("Content-Type", "application/octet-stream"), (Route.idempotencyKey, "\"\(report.id)\""),
        ]
        request.content = report.content
        request.timeoutMilliseconds = timeout.milliseconds(forReportOf: report.content.count)
        return request
    }

    /// The details of a JSON:API error document, or the beginning of whatever came.
    private static func reason(_ body: [UInt8]) -> String {
        let details = (try? JSONValue(parsing: body))?["errors"]?.items?.prefix(3).compactMap { error in
            error["detail"]?.string.map { $0 + (error["source"]?["pointer"]?.string.map { " (at \($0))" } ?? "") }
        }
        return details.map { $0.joined(separator: "; ") } ?? String(decoding: body.prefix(200), as: UTF8.self)
    }
}

/// Appends packets to a file or to standard output, one a line.
final class FileChannel: OutChannel {
    private let descriptor: Int32
    private let name: String
    private let isSynced: Bool
    private let lock = Mutex(())

    init(descriptor: Int32, name: String) {
        self.descriptor = descriptor
        self.name = name
        isSynced = false
    }

    init(path: String) throws(ConfigurationError) {
        descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else {
            throw ConfigurationError([
                "error: cannot write \(path): \(String(cString: strerror(errno))) (an edge of this service)"
            ])
        }
        name = path
        isSynced = true
    }

    deinit { if isSynced { close(descriptor) } }

    func send(_ packet: Outgoing) async -> Delivery {
        var line = packet.bytes
        line.append(0x0A)
        return lock.withLock { _ in
            let before = isSynced ? lseek(descriptor, 0, SEEK_END) : 0
            guard writeAll(descriptor, line) else {
                let reason = String(cString: strerror(errno))
                // Half a line would spoil the next one.
                if isSynced { ftruncate(descriptor, before) }
                return .later("cannot write \(name): \(reason)", afterSeconds: nil)
            }
            if isSynced, fdatasync(descriptor) != 0 {
                return .later("cannot sync \(name): \(String(cString: strerror(errno)))", afterSeconds: nil)
            }
            return .delivered
        }
    }
}

/// The channel of an edge that only has to have its name.
struct RestingChannel: OutChannel {
    func send(_ packet: Outgoing) async -> Delivery { .later("the service does not run", afterSeconds: nil) }
}

/// Writes all bytes; false leaves the reason in `errno`.
public func writeAll(_ descriptor: Int32, _ bytes: [UInt8]) -> Bool {
    bytes.withUnsafeBytes { buffer in
        var done = 0
        while done < buffer.count {
            let count = write(descriptor, buffer.baseAddress! + done, buffer.count - done)
            if count < 0 {
                if errno == EINTR { continue }
                return false
            }
            done += count
        }
        return true
    }
}

/// Hands packets to another service of the same process: the way of one-time runs.
struct InProcessChannel: OutChannel {
    let target: Service
    /// Sees each packet before the target does; false keeps it from the target.
    var arrives: (@Sendable (Packet) -> Bool)?

    func send(_ outgoing: Outgoing) async -> Delivery {
        let answer: Answer
        do {
            var packet = try outgoing.packet()
            if let arrives, !arrives(packet) { return .delivered }
            packet.settle()
            answer = await target.take(packet, started: .now)
        } catch {
            return .refused(status: error.status, error.description)
        }
        switch answer.status {
        case 200, 202: return .delivered
        case 400, 413, 415, 422:
            return .refused(status: answer.status, answer.problems.map(\.description).joined(separator: "; "))
        default: return .later(answer.problems.first?.detail ?? "status \(answer.status)", afterSeconds: answer.retryAfter)
        }
    }
}

extension Interval {
    /// A time limit as milliseconds, for a call that brings a report: its answer comes when all of it is done, and ten seconds for each
    /// MiB are some hundred rows a second.
    package func milliseconds(forReportOf bytes: Int) -> Int { Int(seconds * 1000) + bytes >> 20 * 10_000 }
}

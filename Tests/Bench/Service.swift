import Glibc
import HTTP

/// One service process of its own.
struct ServiceProcess {
    let process: pid_t
    let url: String
    /// Its files and its state.
    let folder: String
    /// Seconds from the start of the process to its first yes.
    let secondsToReady: Double

    /// Starts an asn-lookup on the demonstration's database and waits until it is ready.
    /// - Parameters:
    ///   - core: where it runs; nil: anywhere.
    ///   - edge: URL that its packets go to.
    static func asnLookup(_ subject: Subject, core: Int?, edge: String?, client: HTTPClient) async throws(BenchError)
        -> ServiceProcess
    {
        try await asnLookup(subject, core: core, edges: edge.map { [$0] } ?? [], ack: "relay", client: client)
    }

    /// The same with any number of edges, and any way to acknowledge.
    /// - Parameters:
    ///   - folder: where it keeps its state; nil: a new one.
    ///   - underStatusd: whether a statusd runs it.
    static func asnLookup(
        _ subject: Subject, core: Int?, edges: [String], ack: String, in given: String? = nil, underStatusd: Bool = false,
        client: HTTPClient
    ) async throws(BenchError) -> ServiceProcess {
        let folder = if let given { given } else { try Running.folder("asn-lookup") }
        let port = try Machine.freePorts(1)[0]
        var text = "worker: asn-lookup-expert\nlisten: 127.0.0.1:\(port)\nstate: \(folder)/state\nack: \(ack)\n"
        if !edges.isEmpty { text += "edges:\n" }
        for (number, edge) in edges.enumerated() { text += "  - {to: \"\(edge)\", name: sink-\(number)}\n" }
        text += "settings: {database: \"\(try Subject.path(of: Subject.asnDatabase))\"}\n"
        try Running.write(text, to: "\(folder)/asn-lookup.yaml")
        let begin = ContinuousClock.now
        let process = try Running.start(
            [subject.binary] + (underStatusd ? ["statusd"] : ["asn-lookup-expert", "serve"]) + [
                "--config", "\(folder)/asn-lookup.yaml",
            ],
            core: core,
            output: "\(folder)/log")
        let url = "http://127.0.0.1:\(port)"
        while ContinuousClock.now - begin < .seconds(10) {
            let request = HTTPClientRequest(url: "\(url)/readyz", timeoutMilliseconds: 1000)
            if let answer = try? await client.send(request), answer.status == 200 {
                return ServiceProcess(
                    process: process, url: url, folder: folder, secondsToReady: (ContinuousClock.now - begin).inSeconds)
            }
            guard waitpid(process, nil, WNOHANG) == 0 else { break }
            usleep(1000)
        }
        throw BenchError("asn-lookup does not start:\n\(Running.text("\(folder)/log"))")
    }

    /// Posts packets over several connections until the time is over or so many were sent; answers how many were acknowledged.
    /// - Parameter renamed: gives each a new id, without which a spool would know them.
    func post(
        _ packets: [[UInt8]], connections: Int, client: HTTPClient, for duration: Duration = .seconds(600), most: Int = .max,
        renamed: Bool = false
    ) async throws(BenchError) -> Int {
        let begin = ContinuousClock.now
        let share = most == .max ? Int.max : most / connections
        let (sent, failure) = await withTaskGroup(of: (Int, String?).self) { group in
            for first in 0..<connections {
                group.addTask {
                    var sent = 0
                    while sent < share, ContinuousClock.now - begin < duration {
                        let packet = packets[(first + sent * connections) % packets.count]
                        let body = renamed ? Load.renamed(packet) : packet
                        let request = HTTPClientRequest(
                            method: .post, url: "\(url)/v1/packets", headers: [("Content-Type", "application/vnd.api+json")],
                            body: body)
                        do {
                            let answer = try await client.send(request)
                            guard answer.status < 300 else { return (sent, String(decoding: answer.body, as: UTF8.self)) }
                        } catch {
                            return (sent, "\(error)")
                        }
                        sent += 1
                    }
                    return (sent, nil)
                }
            }
            return await group.reduce((0, nil)) { ($0.0 + $1.0, $0.1 ?? $1.1) }
        }
        if let failure { throw BenchError("a packet was refused: \(failure)") }
        return sent
    }

    /// A counter of the service, summed over its labels, or only that of the labels named.
    func metric(_ name: String, _ labels: String = "", client: HTTPClient) async throws(BenchError) -> Double {
        let page: [UInt8]
        do { page = try await client.send(HTTPClientRequest(url: "\(url)/metrics")).body } catch { throw BenchError("\(error)") }
        return String(decoding: page, as: UTF8.self).split(separator: "\n").reduce(0) { sum, line in
            guard line.hasPrefix(name), line.contains(labels), let value = line.split(separator: " ").last else { return sum }
            return sum + (Double(value) ?? 0)
        }
    }

    func stop() { Running.stop(process) }
}

/// The next hop of the service under test: takes everything at once and keeps nothing.
struct Sink: HTTPHandler {
    func immediate(_ head: HTTPRequestHead) -> HTTPResponse? { nil }
    func bodyLimit(_ head: HTTPRequestHead) -> Int { 64 << 20 }
    func respond(to request: HTTPRequest) async -> HTTPResponse { HTTPResponse(status: 200, text: "ok\n") }
}

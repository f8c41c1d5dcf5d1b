import Glibc
import HTTP

/// One service process of its own.
struct ServiceProcess {
    let process: pid_t
    let url: String
    /// Seconds from the start of the process to its first yes.
    let secondsToReady: Double

    /// Starts an asn-lookup on the demonstration's database and waits until it is ready.
    /// - Parameters:
    ///   - core: where it runs; nil: anywhere.
    ///   - edge: URL that its packets go to.
    static func asnLookup(_ subject: Subject, core: Int?, edge: String?, client: HTTPClient) async throws(BenchError)
        -> ServiceProcess
    {
        let folder = try Running.folder("asn-lookup")
        let port = try Machine.freePorts(1)[0]
        var text = "worker: asn-lookup-expert\nlisten: 127.0.0.1:\(port)\nstate: \(folder)/state\n"
        if let edge { text += "edges: [{to: \"\(edge)\", name: sink}]\n" }
        text += "settings: {database: \"\(try Subject.path(of: Subject.asnDatabase))\"}\n"
        try Running.write(text, to: "\(folder)/asn-lookup.yaml")
        let begin = ContinuousClock.now
        let process = try Running.start(
            [subject.binary, "asn-lookup-expert", "serve", "--config", "\(folder)/asn-lookup.yaml"], core: core,
            output: "\(folder)/log")
        let url = "http://127.0.0.1:\(port)"
        while ContinuousClock.now - begin < .seconds(10) {
            let request = HTTPClientRequest(url: "\(url)/readyz", timeoutMilliseconds: 1000)
            if let answer = try? await client.send(request), answer.status == 200 {
                return ServiceProcess(process: process, url: url, secondsToReady: (ContinuousClock.now - begin).inSeconds)
            }
            guard waitpid(process, nil, WNOHANG) == 0 else { break }
            usleep(1000)
        }
        throw BenchError("asn-lookup does not start:\n\(Running.text("\(folder)/log"))")
    }

    func stop() { Running.stop(process) }
}

/// The next hop of the service under test: takes everything at once and keeps nothing.
struct Sink: HTTPHandler {
    func immediate(_ head: HTTPRequestHead) -> HTTPResponse? { nil }
    func bodyLimit(_ head: HTTPRequestHead) -> Int { 64 << 20 }
    func respond(to request: HTTPRequest) async -> HTTPResponse { HTTPResponse(status: 200, text: "ok\n") }
}

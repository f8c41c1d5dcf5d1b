import Glibc
import HTTP

/// From the start of a process to its first yes at /readyz; and the size of the program.
struct StartUp {
    let subject: Subject
    static let rounds = 5

    func measure(into figures: Figures) async throws(BenchError) {
        let client = HTTPClient(connectionsPerHost: 1)
        var seconds: [Double] = []
        for _ in 0..<Self.rounds {
            let service = try await ServiceProcess.asnLookup(subject, core: nil, edge: nil, client: client)
            seconds.append(service.secondsToReady)
            service.stop()
        }
        figures.add(
            Figure(
                name: "start-to-ready", what: "asn-lookup, start to ready", value: median(seconds) * 1000, unit: "ms",
                target: "at most 150"))
        var status = stat()
        guard stat(subject.binary, &status) == 0 else { throw BenchError("\(subject.binary) is gone") }
        figures.add(Figure(name: "binary", what: "the program, all workers", value: Double(status.st_size) / 1e6, unit: "MB"))
    }
}

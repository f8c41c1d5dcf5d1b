import Glibc
import ServiceKernel

/// How long `intelmqctl status` takes for a fleet of thirty nodes, from the start of the program to its end.
struct FleetStatus {
    let subject: Subject
    static let nodes = 30
    static let rounds = 20

    func measure(into figures: Figures) async throws(BenchError) {
        let folder = try Running.folder("fleet-status")
        let directory = "\(folder)/var"
        let ports = try Machine.freePorts(Self.nodes)
        try Running.write(Self.graph(ports, output: "\(folder)/out.ndjson"), to: "\(folder)/graph.yaml")
        Running.addFleet(directory)
        defer { Running.stopFleet(directory) }
        try Running.run([subject.binary, "ctl", "up", "\(folder)/graph.yaml", "--directory", directory])
        var times: [Double] = []
        for _ in 0..<Self.rounds {
            let begin = ContinuousClock.now
            let answer = try Running.run([subject.binary, "ctl", "status", "--directory", directory, "--json"])
            times.append((ContinuousClock.now - begin).inSeconds * 1000)
            let running = answer.split(separator: "\n").filter { $0.contains("\"state\":\"running\"") }.count
            guard running == Self.nodes else { throw BenchError("only \(running) of \(Self.nodes) nodes run:\n\(answer)") }
        }
        times.sort()
        figures.add(
            Figure(
                name: "fleet-status-median", what: "status of \(Self.nodes) nodes, median", value: times[times.count / 2],
                unit: "ms", target: "below 100"))
        figures.add(
            Figure(
                name: "fleet-status-slowest", what: "  the slowest of \(Self.rounds)", value: times[times.count - 1], unit: "ms"))
    }

    /// A parser, experts one behind the other, and an output.
    private static func graph(_ ports: [UInt16], output: String) -> String {
        var text = "openapi: 3.1.0\ninfo: {title: Thirty, version: 1.0.0}\npaths:\n"
        for (number, port) in ports.enumerated() {
            let isLast = number == ports.count - 1
            let worker =
                number == 0
                ? "{uses: openphish-parser}"
                : isLast ? "{uses: file-output, settings: {path: \(output)}}" : "{uses: taxonomy-expert}"
            let edges = isLast ? "" : ", x-intelmq-edges: [{to: n\(number + 1)}]"
            text += "  /n\(number): {servers: [{url: \"http://127.0.0.1:\(port)\"}], "
            text += "post: {operationId: n\(number), x-intelmq-worker: \(worker)\(edges)}}\n"
        }
        return text
    }
}

import Formats
import Glibc
import IDF
import ServiceKernel
import YAML

/// Runs a parser program of n6 for every report and reads the events it writes.
///
/// Its standard input gets one line for a report:
/// `{"source": "provider.channel", "tag": null, "rid": "MD5", "timestamp": seconds, "headers": {…}, "raw": "base64"}`.
/// It answers lines, `{"routing_key": "event.parsed.provider.channel", "event": {…}}` or the event alone, and ends with exit code 0.
struct N6ProgramParser: Parser {
    static let spec = Spec(
        "n6-program", "Runs a parser program of CERT Polska's n6 over standard input and output, and reads its events.",
        writesAny: true, tags: ["converter"])

    @Setting("The program, an absolute path.", example: "/usr/local/bin/n6-parser-shim") var program: ProgramPath
    @Setting("Its arguments.", example: "[n6datasources.parsers.abuse_ch, AbuseChFeodoTracker202110Parser]") var arguments:
        [String] = []
    @Setting("Source as n6 names it, provider.channel.", example: "abuse-ch.feodotracker") var source: String
    @Setting("Version of the raw format, as 202110; null: none.") var tag: String? = nil
    @Setting("How long the program may take for one report; then it is ended.") var timeout = Interval(seconds: 300)

    func parse(_ report: Report, into events: inout ParsedEvents) throws(Rejection) {
        let run = try ProgramRun(program.path, arguments, input: question(report) + [0x0A], seconds: timeout.seconds)
        defer { run.end() }
        var number = 0
        while let line = try run.nextLine() {
            number += 1
            guard !events.isFull else { return }
            if line.allSatisfy({ $0 <= 0x20 }) { continue }
            do throws(JSONError) {
                let answer = try JSONValue(parsing: line)
                events.add(answer["event"] ?? answer, line: number, raw: line) { object, event throws(Problem) in
                    try N6.add(object, to: &event)
                }
            } catch {
                events.reject(line, line: number, .malformed("the program wrote no JSON: \(error)"))
            }
        }
        let status = run.end()
        guard status == 0 else {
            throw .malformed("\(program.path) ended with \(status); what it said stands in the log of this service")
        }
    }

    private func question(_ report: Report) -> [UInt8] {
        let seen = report.fields[.created] ?? .now()
        var headers: [JSONValue.Member] = []
        if let name = report.fileName { headers.append(.init("file_name", .string(name))) }
        let body = report.content.array
        return JSONValue.object([
            "source": .string(source), "tag": tag.map { .string($0) } ?? .null,
            "rid": .string(N6.rid(source: source, seconds: seen.unixSeconds, body: body)),
            "timestamp": .integer(seen.unixSeconds), "headers": .object(["meta": .object(headers)]),
            "raw": .string(Base64.encode(body)),
        ]).bytes
    }
}

/// A program that may be started: from settings only, and no other than the one that is named there.
struct ProgramPath: SettingValue {
    let path: String

    init(setting node: YAMLNode) throws(SettingProblem) {
        path = try String(setting: node)
        guard path.hasPrefix("/") else { throw SettingProblem("found \"\(path.prefix(80))\", wanted an absolute path", at: node) }
        guard access(path, X_OK) == 0 else {
            throw SettingProblem("cannot run \(path): \(String(cString: strerror(errno)))", at: node)
        }
    }

    static var schema: JSONValue { .object(["type": .string("string"), "format": .string("path")]) }
    var sample: String { path.sample }
}

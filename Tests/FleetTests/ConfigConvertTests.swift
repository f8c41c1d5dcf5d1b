import Glibc
import IDF
import ServiceKernel
import ServiceKernelTesting
import Testing
import Workflow
import YAML

@testable import Control

/// `intelmqctl config-convert`: configurations of IntelMQ 2.x and 3.x become workflows.
@Suite(.serialized) struct ConfigConvertTests {
    private let folder = TemporaryFolder()

    private struct Made {
        let result: ControlCommand.ConfigConvert.Result
        let graph: Graph
        let findings: [Finding]
        func node(_ name: String) -> Graph.Node? { graph.nodes.first { $0.name == name } }
        func edges(_ name: String) -> [String] { node(name)?.edges.map(\.node.flow) ?? [] }
        var errors: [String] { findings.filter { $0.isError }.map(\.diagnostic.description) }
        var lost: [String] { result.conversion.lost.map(\.text) }
        func isLost(_ bot: String, _ part: String) -> Bool { lost.contains { $0.hasPrefix(bot + " | ") && $0.contains(part) } }
    }

    private func convert(_ runtime: String, pipeline: String? = nil, defaults: String? = nil) throws -> Made {
        var arguments = ["--from", folder.write(Array(runtime.utf8), to: "runtime"), "--to", "\(folder.path)/out", "--force"]
        if let pipeline { arguments += ["--pipeline", folder.write(Array(pipeline.utf8), to: "pipeline.conf")] }
        if let defaults { arguments += ["--defaults", folder.write(Array(defaults.utf8), to: "defaults.conf")] }
        let command = try ControlCommand.ConfigConvert.parse(arguments)
        let result = try command.convert(roster: fleet)
        try command.write(result)
        let (graph, findings) = Graph.check(path: "\(folder.path)/out/workflow.yaml", roster: fleet)
        return Made(
            result: result, graph: try #require(graph, "\(findings.map(\.diagnostic))\n\(result.graph)"), findings: findings)
    }

    /// A bot of 3.x.
    private func bot(_ id: String, _ module: String, to queues: String? = nil, _ parameters: String = "", _ more: String = "")
        -> String
    {
        let destinations = queues.map { "destination_queues: \($0)" }
        let all = [destinations, parameters.isEmpty ? nil : parameters].compactMap { $0 }.joined(separator: ", ")
        return "\(id):\n  module: intelmq.bots.\(module)\n  parameters: {\(all)}\n" + (more.isEmpty ? "" : "  \(more)\n")
    }

    private func queue(_ ids: String...) -> String { "{_default: [\(ids.map { "\($0)-queue" }.joined(separator: ", "))]}" }

    private var output: String { bot("file-output", "outputs.file.output", "file: \(folder.path)/events.txt") }

    @Test func theDefaultBotnetOfTenBots() throws {
        let dropped =
            bot(
                "url-expert", "experts.url.expert", to: queue("gethostbyname-1-expert", "gethostbyname-2-expert"),
                "load_balance: true")
            + bot("gethostbyname-1-expert", "experts.gethostbyname.expert", to: queue("cymru-whois-expert"))
            + bot("gethostbyname-2-expert", "experts.gethostbyname.expert", to: queue("cymru-whois-expert"))
            + bot("cymru-whois-expert", "experts.cymru_whois.expert", to: queue("file-output"), "redis_cache_password: hunter2")
        let made = try convert(
            "global: {logging_level: WARNING, accuracy: 100, source_pipeline_host: 127.0.0.1, http_proxy: null, my_own: 5}\n"
                + bot(
                    "feodo-tracker-collector", "collectors.http.collector_http", to: queue("feodo-tracker-parser"),
                    "extract_files: false, http_url: 'https://feodo.example/x', name: Feodo, provider: Abuse.ch, rate_limit: 86400"
                )
                + bot("feodo-tracker-parser", "parsers.abusech.parser_feodotracker", to: queue("deduplicator-expert"))
                + bot(
                    "spamhaus-drop-collector", "collectors.http.collector_http", to: queue("spamhaus-drop-parser"),
                    "http_url: 'https://spamhaus.example/drop_v4.json', http_password: null, name: Drop", "run_mode: continuous")
                + bot("spamhaus-drop-parser", "parsers.spamhaus.parser_drop", to: queue("deduplicator-expert"))
                + bot(
                    "deduplicator-expert", "experts.deduplicator.expert", to: queue("taxonomy-expert"),
                    "filter_keys: 'raw,time.observation', filter_type: blacklist, redis_cache_db: 6, redis_cache_ttl: 600")
                + bot("taxonomy-expert", "experts.taxonomy.expert", to: queue("url-expert")) + dropped + output)
        #expect(made.errors == [])
        let known = ["url", "gethostbyname-1", "gethostbyname-2", "cymru-whois"].filter { made.node("\($0)-expert") == nil }
        #expect(made.graph.nodes.count == 11 - known.count)
        for name in known { #expect(made.isLost("\(name)-expert", "no worker does this; events go by it")) }
        #expect(made.lost.count == known.count, "\(made.lost)")
        #expect(!made.result.report.contains("hunter2"))
        #expect(made.node("spamhaus-drop-parser")?.entry.name == "spamhaus-drop-json-parser")
        let collector = try #require(made.node("feodo-tracker-collector"))
        #expect(collector.settings?["interval"]?.string == "86400 s")
        #expect(collector.settings?["feed"]?["accuracy"]?.int == 100)
        #expect(collector.worker["log"]?["level"]?.string == "warning")
        #expect(made.node("deduplicator-expert")?.settings?["time-to-live"]?.string == "600 s")
        #expect(made.node("file-output")?.settings?["format"]?.string == "dho")
        if known.count == 4 { #expect(made.edges("taxonomy-expert") == ["{to: file-output}"]) }
        #expect(made.result.report.contains("all bots | my_own: 5 | no bot that is carried over uses it"))
    }

    @Test func whatMakesNoSenseIsListed() throws {
        let made = try convert(
            bot(
                "p", "parsers.json.parser", to: "{_default: [file-output-queue], _on_error: 7}",
                "splitlines: true, instances_threads: -3, logging_level: LOUD", "enabled: vielleicht") + output)
        for part in ["instances_threads", "logging_level", "destination_queues._on_error", "enabled"] {
            #expect(made.isLost("p", part), "\(part): \(made.result.report)")
        }
    }

    @Test func addressesWithSecretsGoIntoFiles() throws {
        let made = try convert(
            bot(
                "web", "collectors.http.collector_http", to: queue("p"),
                "http_url: 'https://u:hidden@x.example/f?apikey=alsohidden', http_proxy: 'http://v:deep@proxy.example:3128'")
                + bot("p", "parsers.json.parser", to: queue("file-output"), "splitlines: true") + output)
        #expect(made.errors == [])
        for word in ["hidden", "deep"] { #expect(!made.result.graph.contains(word) && !made.result.report.contains(word)) }
        #expect(readFile("\(folder.path)/out/secrets/web-url") == Array("https://u:hidden@x.example/f?apikey=alsohidden".utf8))
        #expect(made.isLost("web", "http_proxy"))
    }

    @Test func secretsGoIntoFiles() throws {
        let made = try convert(
            bot(
                "Web.Collector", "collectors.http.collector_http", to: queue("p"),
                "http_url: 'https://x.example/{{ y', http_password: 'pa\"ss', http_username: u, http_header: {X-Key: abc123}")
                + bot("p", "parsers.json.parser", to: queue("file-output"), "splitlines: true, secret_token: t0p, odd: [1, 2]")
                + output)
        #expect(made.errors == [])
        #expect(!made.result.graph.contains("pa\"ss") && !made.result.graph.contains("abc123"))
        #expect(!made.result.report.contains("t0p"))
        #expect(made.isLost("p", "secret_token: \"***\"") && made.isLost("p", "odd: [1,2] | json-parser has no setting for it"))
        #expect(made.result.report.contains("Web.Collector | the node is called web-collector"))
        let secret = "\(folder.path)/out/secrets/web-collector-password"
        #expect(readFile(secret) == Array("pa\"ss".utf8))
        var status = stat()
        #expect(stat(secret, &status) == 0 && status.st_mode & 0o777 == 0o600)
        let node = try #require(made.node("web-collector"))
        let shown = try ConfigurationReader.rendered(made.graph.configuration(of: node, state: nil), roster: fleet)
        #expect(shown["settings"]?["url"]?.string == "https://x.example/{{ y")
        #expect(shown["settings"]?["headers"]?["X-Key"]?.string == "***")
    }

    @Test func pathsTurnsAndBotsThatAreOff() throws {
        let made = try convert(
            bot("p", "parsers.json.parser", to: "{_default: [a-queue, b-queue], _on_error: errors-queue}", "load_balance: true")
                + bot("a", "experts.taxonomy.expert", to: "[shared, nowhere-queue]")
                + bot("b", "experts.taxonomy.expert", to: "{_default: off-queue, my_path: [file-output-queue]}")
                + bot("off", "experts.taxonomy.expert", to: queue("file-output"), "", "enabled: false")
                + bot("one", "experts.taxonomy.expert", to: queue("file-output"), "source_queue: shared", "run_mode: scheduled")
                + bot("two", "experts.taxonomy.expert", to: queue("file-output"), "source_queue: shared, error_procedure: stop")
                + bot("errors", "outputs.file.output", "file: \(folder.path)/errors.txt")
                + bot("mail", "outputs.smtp.output") + output)
        #expect(
            made.edges("p") == ["{to: a, share: p-default-1}", "{to: b, share: p-default-1}", #"{to: errors, "on": error}"#],
            "\(made.edges("p"))")
        #expect(made.edges("a") == ["{to: one, share: a-default-1}", "{to: two, share: a-default-1}"])
        #expect(made.isLost("a", "no bot reads the queue nowhere-queue"))
        #expect(made.isLost("off", "it is disabled"))
        #expect(made.isLost("b", "its edges (path:my-path to file-output)"))
        #expect(made.isLost("b", "its events go nowhere"))
        #expect(made.isLost("one", "run_mode scheduled"))
        #expect(made.isLost("two", "error_procedure: \"stop\""))
        #expect(made.isLost("mail", "no worker does this (intelmq.bots.outputs.smtp.output)"))
        #expect(made.isLost("p", "nothing feeds it"))
    }

    @Test func whatStandsAloneIsLeftOut() throws {
        let made = try convert(
            bot("c", "collectors.file.collector_file", to: queue("u"), "path: /tmp")
                + bot("u", "parsers.unknown.parser", to: queue("lonely"))
                + bot("lonely", "outputs.file.output", "file: /tmp/x")
                + bot("e", "experts.taxonomy.expert", to: queue("file-output"))
                + output)
        #expect(made.graph.nodes.map(\.name) == ["e", "file-output"])
        #expect(made.isLost("c", "nobody reads its reports") && made.isLost("lonely", "nothing is sent to it"))
        #expect(made.isLost("u", "no worker does this"))
        #expect(made.errors == [])
    }

    @Test func aCircleOfBotsWithoutCounterpartEnds() throws {
        let made = try convert(
            bot("e", "experts.taxonomy.expert", to: queue("x")) + bot("x", "experts.none.expert", to: queue("y"))
                + bot("y", "experts.none.expert", to: queue("x", "file-output")) + output)
        #expect(made.edges("e") == ["{to: file-output}"])
    }

    @Test func theTwoFilesOfVersion2() throws {
        let made = try convert(
            """
            {"c": {"module": "intelmq.bots.collectors.file.collector_file", "group": "Collector", "name": "F", "enabled": true,
                   "parameters": {"path": "\(folder.path)", "postfix": ".csv", "delete_file": true, "rate_limit": 300}},
             "p": {"module": "intelmq.bots.parsers.generic.parser_csv", "name": "P",
                   "parameters": {"columns": "time.source,source.ip", "default_fields": "{\\"protocol.transport\\": \\"tcp\\"}"}},
             "o": {"module": "intelmq.bots.outputs.file.output", "parameters": {"file": "\(folder.path)/e.txt"}}}
            """,
            pipeline: """
                {"c": {"destination-queues": ["p-queue"]}, "p": {"source-queue": "p-queue", "destination-queues": "o-queue"},
                 "o": {"source-queue": "o-queue"}, "ghost": {"source-queue": "g"}}
                """, defaults: #"{"error_procedure": "pass", "http_verify_cert": true}"#)
        #expect(made.lost == ["ghost | it stands in the pipeline, but the runtime has no such bot"])
        #expect(made.errors == [])
        #expect(made.edges("c") == ["{to: p}"] && made.edges("p") == ["{to: o}"])
        #expect(made.node("c")?.settings?["delete"]?.bool == true)
        #expect(made.node("p")?.settings?["constants"]?["protocol.transport"]?.string == "tcp")
    }

    @Test(arguments: [
        ("", "a configuration of IntelMQ is a mapping"), ("[1]", "is a mapping"), ("{}", "no bot in this file"),
        ("global: {a: b}", "no bot in this file"), ("a: {module: ", "error: "), ("a: 5", "the bot \"a\" names no module"),
        ("a: {enabled: true}", "runtime:1:1"), ("a: {module: x.y, parameters: [1]}", "the parameters of \"a\" are no mapping"),
        ("a: !!python/object {b: c}", "tag"),
    ]) func refuses(_ text: String, _ part: String) {
        #expect { try convert(text) } throws: { "\($0)".contains(part) }
    }

    @Test func whatIsThereIsNotWrittenOver() throws {
        let made = try convert(bot("e", "experts.taxonomy.expert", to: queue("file-output")) + output)
        let command = try ControlCommand.ConfigConvert.parse(["--from", "x", "--to", "\(folder.path)/out"])
        #expect { try command.write(made.result) } throws: { "\($0)".contains("is there already") }
        #expect(throws: (any Error).self) { try ControlCommand.ConfigConvert.parse(["--from", "x", "--to", "y", "--port", "0"]) }
    }

    @Test func everyBotHasAWorkerOfTheFleet() {
        for one in BotConversion.all { #expect(fleet.worker(named: one.worker) != nil, "\(one.module): no worker \(one.worker)") }
        #expect(Set(BotConversion.all.map(\.module)).count == BotConversion.all.count)
    }
}

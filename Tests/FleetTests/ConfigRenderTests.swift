import IDF
import ServiceKernel
import ServiceKernelTesting
import Testing
import YAML

@testable import Control

/// `intelmqctl config-render`: what a configuration is when its variables are put in.
@Suite struct ConfigRenderTests {
    private let folder = TemporaryFolder()

    private func rendered(_ text: String, _ name: String = "config.d/x.yaml") throws -> [YAMLNode] {
        let path = folder.write(Array(text.utf8), to: name)
        return try ControlCommand.ConfigRender.rendered(path, roster: fleet).map(\.configuration)
    }

    @Test func showsValuesAndMasksSecrets() throws {
        let secret = folder.write(Array("s3cr3t-value\n".utf8), to: "secret")
        folder.write(Array("host: feeds.example\n".utf8), to: "vars.yaml")
        let made = try rendered(
            """
            worker: http-collector
            vars: {hours: 2, key: '{{ file("\(secret)") }}'}
            edges: [{to: "https://u:pw@127.0.0.1:1"}]
            settings:
              url: "https://{{ vars.host }}/x?k={{ vars.key }}"
              interval: "{{ vars.hours }} h"
              redirects: "{{ vars.hours }}"
              password: literal-password
              headers: {X-Api: literal-key}
            """)
        let yaml = try #require(made.first).document
        #expect(
            yaml == """
                worker: http-collector
                edges: [{to: "https://127.0.0.1:1"}]
                settings:
                  url: "https://feeds.example/x?k=***"
                  interval: "2 h"
                  redirects: 2
                  password: "***"
                  headers: {X-Api: "***"}

                """)
        let again = try YAMLDocument.parse(Array(yaml.utf8), file: "again.yaml")
        #expect(try ConfigurationReader.rendered(again, roster: fleet).json == made[0].json)
    }

    @Test func aWorkflowIsAFileANode() throws {
        let graph = """
            openapi: 3.1.0
            info: {title: T, version: "1"}
            x-intelmq-vars: {out: "\(folder.path)/{{ vars.name | default('events') }}.ndjson"}
            paths:
              /parse:
                servers: [{url: "http://127.0.0.1:8701"}]
                post:
                  operationId: parse
                  x-intelmq-worker: {uses: json-parser}
                  x-intelmq-edges: [{to: store}]
              /store:
                servers: [{url: "http://127.0.0.1:8702"}]
                post:
                  operationId: store
                  x-intelmq-worker: {uses: file-output, settings: {path: "{{ vars.out }}"}}
            """
        let made = try rendered(graph, "graph.yaml")
        #expect(made.count == 2)
        #expect(made[1]["settings"]?["path"]?.string == "\(folder.path)/events.ndjson")
        #expect(made[0]["edges"]?.array?.first?["to"]?.string == "http://127.0.0.1:8702/v1/packets")
    }

    @Test func mistakesHaveTheirPlace() {
        #expect {
            try rendered("worker: file-output\nsettings:\n  path: '{{ vars.nowhere }}'\n")
        } throws: { error in
            "\(error)".contains("config.d/x.yaml:3:9") && "\(error)".contains("unknown variable \"vars.nowhere\"")
        }
        #expect(throws: ConfigurationError.self) { try rendered("a: [", "y.yaml") }
    }

    @Test(arguments: ["\u{7F}", "\u{85}", "a\u{2028}b", "\u{FEFF}", "ü\u{1F600}\n", "#", "null", "a: b", "- a"])
    func anyTextReadsBackAsTheSame(_ text: String) throws {
        let place = try YAMLDocument.parse([], file: "x").root
        let node = YAMLNode.mapping([("key", .list([.text(text, at: place)], at: place))], at: place)
        let again = try YAMLDocument.parse(Array(node.document.utf8), file: "x.yaml").root
        #expect(again["key"]?.array?.first?.string == text)
    }
}

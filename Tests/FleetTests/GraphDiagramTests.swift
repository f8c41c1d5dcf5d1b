import Control
import IDF
import ServiceKernel
import ServiceKernelTesting
import TestSupport
import Testing
import Workflow
import YAML

/// A workflow shown: as a diagram, as data, written anew.
@Suite struct GraphDiagramTests {
    private func graph(_ text: String) throws -> Graph {
        let folder = TemporaryFolder()
        return try Graph(path: folder.write(Array(text.utf8), to: "graph.yaml"), roster: fleet)
    }

    private let branching = #"""
        openapi: 3.1.0
        # Comments go, values stay.
        info: {title: "Say \"hello\"", version: '1.0', description: "two\nlines: # no comment"}
        paths:
          /end:
            post:
              operationId: end
              x-intelmq-worker: {uses: openphish-parser}
              x-intelmq-edges:
                - {to: left, when: 'source.url == "x" and source.port < 80', tlp-max: amber}
                - {to: right, share: turn}
                - {to: right, on: error}
          /left: {post: {operationId: left, x-intelmq-worker: {uses: file-output, settings: {path: "/tmp/#1"}}}}
          /right: {post: {operationId: right, x-intelmq-worker: {uses: file-output, ack: durable, settings: {path: '5'}}}}
        """#

    @Test func edgesAreLabelledWithWhatGoesOverThem() throws {
        let graph = try graph(branching)
        #expect(
            graph.mermaid.contains("n0 -->|\"source.url == #quot;x#quot; and source.port #lt; 80<br/>tlp-max: amber\"| n1\n"))
        #expect(graph.mermaid.contains("n0 -->|\"share: turn\"| n2\n") && graph.mermaid.contains("n0 -->|\"on: error\"| n2\n"))
        #expect(graph.mermaid.contains("n2[(\"right<br/>file-output\")]:::durable\n"))
        #expect(
            graph.dot.contains(
                #""end" -> "left" [label="source.url == \"x\" and source.port < 80\ntlp-max: amber"]"#))
        #expect(graph.dot.hasPrefix(#"digraph "Say \"hello\"" {"#))
        let edges = try #require(graph.json["nodes"]?.items?.first?["edges"]?.items)
        #expect(edges.map { $0["to"]?.string } == ["left", "right", "right"])
        #expect(
            edges[0]["tlp-max"]?.string == "amber" && edges[1]["share"]?.string == "turn" && edges[2]["on"]?.string == "error")
    }

    private func isSame(_ one: YAMLNode, _ other: YAMLNode) -> Bool {
        if let pairs = one.pairs, let others = other.pairs {
            return pairs.count == others.count
                && zip(pairs, others).allSatisfy { $0.key.string == $1.key.string && isSame($0.value, $1.value) }
        }
        if let items = one.array, let others = other.array {
            return items.count == others.count && zip(items, others).allSatisfy(isSame)
        }
        return one.array == nil && one.pairs == nil && other.array == nil && other.pairs == nil && one.string == other.string
            && one.int == other.int && one.double == other.double && one.bool == other.bool
    }

    /// Every example, and one with what is hard to quote.
    @Test func theCanonicalFormSaysTheSameAndIsItsOwnCanonicalForm() throws {
        let folder = "\(sourceTree)/openapi/workflows"
        let files = files(in: folder, ending: ".yaml")
        #expect(!files.isEmpty)
        var graphs = [try graph(branching)]
        for file in files { graphs.append(try Graph(path: "\(folder)/\(file)", roster: fleet)) }
        for first in graphs {
            let again = try graph(first.canonical)
            #expect(again.canonical == first.canonical)
            #expect(again.json == first.json)
            #expect(isSame(again.document.root, first.document.root))
            #expect(
                again.nodes.map { again.file(of: $0, state: "s").split(separator: "\n").dropFirst() }
                    == first.nodes.map { first.file(of: $0, state: "s").split(separator: "\n").dropFirst() })
        }
    }
}

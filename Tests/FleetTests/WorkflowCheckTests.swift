import Glibc
import IDF
import ServiceKernel
import ServiceKernelTesting
import TestSupport
import Testing
import Workflow

/// What is found in a graph before anything starts.
@Suite struct WorkflowCheckTests {
    /// A graph of nodes, a line each from line 4 on.
    /// - Parameter scheme: of the first node's address.
    private func findings(_ nodes: String..., scheme: String = "http:") throws -> [Finding] {
        var text = "openapi: 3.1.0\ninfo: {title: Test, version: 1.0.0}\npaths:\n"
        for (index, node) in nodes.enumerated() {
            let server = "servers: [{url: \"\(index == 0 ? scheme : "http:")//127.0.0.1:\(18700 + index)\"}]"
            let name = node.prefix { $0 != ":" }
            text += "  /\(name): {\(server), post: {operationId: \(name), \(node.dropFirst(name.count + 1))}}\n"
        }
        let folder = TemporaryFolder()
        let file = "\(folder.path)/graph.yaml"
        try replaceFile(file, with: Array(text.replacing("{tmp}", with: folder.path).utf8))
        return Graph.check(path: file, roster: fleet).findings
    }

    private let openphish = "in: x-intelmq-worker: {uses: openphish-parser}, x-intelmq-edges: [{to: next}]"
    private let taxonomy = "next: x-intelmq-worker: {uses: taxonomy-expert}, x-intelmq-edges: [{to: store}]"
    private let asn = """
        next: x-intelmq-worker: {uses: asn-lookup-expert, settings: {database: "\(sourceTree)/deploy/demo/asn.mmdb"}}, x-intelmq-edges: [{to: store}]
        """
    private let store = "store: x-intelmq-worker: {uses: file-output, settings: {path: \"{tmp}/out.ndjson\"}}"

    @Test func aGoodGraphIsSilent() throws { #expect(try findings(openphish, taxonomy, store).isEmpty) }

    @Test func theWayWithoutAFieldIsPrinted() throws {
        let found = try #require(try findings(openphish, asn, store).first)
        #expect(found.check == .fieldcheck && found.isError)
        #expect(found.path == ["in", "next"])
        #expect(found.diagnostic.message.contains("source.ip") && found.diagnostic.message.contains("in → next"))
        #expect(found.diagnostic.mark?.line == 5)
        #expect(found.json["line"]?.integer == 5 && found.json["check"]?.string == "fieldcheck")
    }

    @Test func aFieldFromOneSideOnlyIsMissedOnTheOther() throws {
        let cins = "in2: x-intelmq-worker: {uses: cins-army-parser}, x-intelmq-edges: [{to: next}]"
        let found = try findings(openphish, cins, asn, store)
        #expect(found.map(\.path) == [["in", "next"]])
    }

    @Test func aConditionOnWhatNobodyWritesIsDoubted() throws {
        let when = openphish.replacing("{to: next}", with: "{to: next, when: \"source.port == 80\"}")
        let found = try findings(when, taxonomy, store)
        #expect(found.count == 1 && !found[0].isError)
        #expect(found[0].diagnostic.message.contains("source.port"))
    }

    @Test(arguments: [("amber", "red", true), ("green", "amber+strict", true), ("amber", "clear", false)])
    func ceilingsThatNothingPassesAreNamed(_ ceiling: String, _ label: String, _ isBreach: Bool) throws {
        let files = """
            files: x-intelmq-worker: {uses: file-collector, settings: {path: /nowhere, feed: {name: x, tlp: \(label)}}}, x-intelmq-edges: [{to: in}]
            """
        let edge = taxonomy.replacing("{to: store}", with: "{to: store, tlp-max: \(ceiling)}")
        let found = try findings(files, openphish, edge, store)
        #expect(found.contains { $0.isError && $0.path == ["files", "in", "next", "store"] } == isBreach)
        // Another way gets through: the ceiling does what it is for.
        let free = "free: x-intelmq-worker: {uses: file-collector, settings: {path: /other}}, x-intelmq-edges: [{to: in}]"
        #expect(try !findings(files, free, openphish, edge, store).contains(where: \.isError))
    }

    @Test(arguments: [
        ("x-intelmq-edges: [{to: nxet}]", "did you mean \"next\"?"), ("x-intelmq-edges: [{to: in}]", "in → in"),
        ("x-intelmq-edges: []", "no edges"), ("x-intelmq-edges: {to: next}", "edges are a list"),
        ("x-intelmq-edges: [next]", "says where it goes"), ("x-intelmq-egdes: [{to: next}]", "did you mean \"x-intelmq-edges\"?"),
        ("x-intelmq-edges: [{to: next, wen: x}]", "did you mean \"when\"?"),
        ("x-intelmq-edges: [{to: next, when: \"source.prot == 1\"}]", "source.port"),
    ]) func wrongEdgesAreNamed(_ edges: String, _ part: String) throws {
        let found = try findings(openphish.replacing("x-intelmq-edges: [{to: next}]", with: edges), taxonomy, store)
        #expect(found.contains { $0.isError && $0.diagnostic.description.contains(part) && $0.diagnostic.mark?.line == 4 })
    }

    @Test func dataGoesWhereItIsTaken() throws {
        let files = "files: x-intelmq-worker: {uses: file-collector, settings: {path: /nowhere}}, x-intelmq-edges: [{to: next}]"
        let found = try findings(files, openphish, taxonomy, store)
        #expect(found.contains { $0.check == .connectiontest && $0.diagnostic.message.contains("sends reports") })
        let alone = try findings(openphish, taxonomy, store, store.replacing("store:", with: "other:"))
        #expect(alone.contains { $0.diagnostic.message == "nothing is ever sent to other" })
    }

    @Test(arguments: [
        ("https:", "", "would speak http there", 4), ("http:", ", tls: {certificate: c, key: k}", "would speak https", 4),
    ])
    func theAddressSaysWhatTheServiceSpeaks(_ scheme: String, _ tls: String, _ part: String, _ line: Int) throws {
        let node = openphish.replacing("{uses: openphish-parser}", with: "{uses: openphish-parser\(tls)}")
        let found = try findings(node, taxonomy, store, scheme: scheme)
        #expect(
            found.contains {
                $0.check == .connectiontest && $0.isError && $0.diagnostic.message.contains(part)
                    && $0.diagnostic.mark?.line == line && $0.diagnostic.help?.contains("servers:") == true
            }, "\(found)")
    }

    @Test func whoTakesTurnsWithNobodyIsTold() throws {
        func edges(_ first: String, _ second: String) -> String {
            "next: x-intelmq-worker: {uses: taxonomy-expert}, x-intelmq-edges: [{to: store, share: \(first)}, {to: copy, share: \(second)}]"
        }
        let copy = store.replacing("store:", with: "copy:").replacing("out.ndjson", with: "copy.ndjson")
        #expect(try findings(openphish, edges("pair", "pair"), store, copy).isEmpty)
        let found = try findings(openphish, edges("pair", "piar"), store, copy)
        #expect(found.count == 2 && !found.contains(where: \.isError))
        #expect(found[0].diagnostic.message.contains("the only one of the group \"pair\""))
        #expect(found[0].diagnostic.help?.contains("did you mean \"piar\"?") == true && found[0].diagnostic.mark?.line == 5)
    }

    @Test func unknownWorkersAreNamed() throws {
        let unknown = try findings(openphish.replacing("openphish-parser", with: "openfish-parser"), taxonomy, store)
        #expect(unknown.contains { $0.diagnostic.help == "did you mean \"openphish-parser\"?" && $0.diagnostic.mark?.line == 4 })
    }

    @Test(arguments: [
        ("openapi: 3.0.0\npaths: {}\n", "an OpenAPI 3.1 document", 1), ("openapi: 3.1.0\npaths: {/a: [}\n", "did not find", 2),
        ("openapi: 3.1.0\npaths: {/a: {get: {}}}\n", "no post operation", 2), ("openapi: 3.1.0\n", "no nodes", 1),
        (
            """
            openapi: 3.1.0
            paths:
              /a: {post: {operationId: x, x-intelmq-worker: {uses: taxonomy-expert}}}
              /b: {post: {operationId: x, x-intelmq-worker: {uses: taxonomy-expert}}}

            """, "two nodes are named", 4
        ),
    ]) func documentsThatAreNoGraphAreNamed(_ text: String, _ part: String, _ line: Int) throws {
        let folder = TemporaryFolder()
        try replaceFile("\(folder.path)/graph.yaml", with: Array(text.utf8))
        let (graph, findings) = Graph.check(path: "\(folder.path)/graph.yaml", roster: fleet)
        #expect(graph == nil)
        #expect(findings.contains { $0.diagnostic.message.contains(part) && $0.diagnostic.mark?.line == line }, "\(findings)")
    }

    @Test(arguments: [("[taxnomy]", "did you mean \"taxonomy\"?"), ("[]", "list of experts"), ("[store]", "is no expert")])
    func chainsAreOfExperts(_ chain: String, _ part: String) throws {
        let folder = TemporaryFolder()
        let path = "\(sourceTree)/openapi/workflows/ip-lookup.yaml"
        let text = String(decoding: readFile(path) ?? [], as: UTF8.self)
            .replacing("ip: [asn-lookup, taxonomy]", with: "ip: \(chain)").replacing(
                "deploy/", with: "\(sourceTree)/deploy/"
            )
            .replacing(
                "/taxonomy:",
                with:
                    "/store:\n    post: {operationId: store, x-intelmq-worker: {uses: file-output, settings: {path: /dev/null}}}\n  /taxonomy:"
            )
        try replaceFile("\(folder.path)/graph.yaml", with: Array(text.utf8))
        let findings = Graph.check(path: "\(folder.path)/graph.yaml", roster: fleet, [.configtest]).findings
        #expect(findings.contains { $0.isError && $0.diagnostic.description.contains(part) }, "\(findings)")
    }

    @Test func whatTheGraphSaysStandsInNoWorker() throws {
        let found = try findings(
            openphish.replacing("{uses: openphish-parser}", with: "{uses: openphish-parser, listen: \"127.0.0.1:1\"}"), taxonomy,
            store)
        #expect(
            found.contains {
                $0.isError && $0.diagnostic.message.contains("comes from the graph") && $0.diagnostic.mark?.line == 4
            })
        let named = try findings(openphish.replacing("to: next", with: "to: v1"), taxonomy.replacing("next:", with: "v1:"), store)
        #expect(named.contains { $0.isError && $0.diagnostic.message.contains("gateway's own") })
    }

    @Test func settingsAreNamedInTheGraph() throws {
        let found = try findings(openphish, asn.replacing("database", with: "databse"), store)
        let first = try #require(found.first)
        #expect(first.check == .configtest && first.diagnostic.mark?.line == 5)
        #expect(first.diagnostic.help?.contains("did you mean \"database\"?") == true)
    }
}

/// The workflows that come with the project, whose settings name files below the source tree.
@Suite struct ExampleWorkflowTests {
    private static let folder = "openapi/workflows"
    private static let names = files(in: "\(sourceTree)/\(folder)", ending: ".yaml")
    private static let cases = files(in: "\(sourceTree)/\(folder)/cases", ending: ".yaml")

    init() { #expect(chdir(sourceTree) == 0) }

    @Test(arguments: names) func examplesAreGood(_ name: String) throws {
        let made = access("var", F_OK) == 0
        let (graph, findings) = Graph.check(path: "\(Self.folder)/\(name)", roster: fleet)
        #expect(graph != nil && !findings.contains(where: \.isError), "\(findings.map(\.diagnostic.description))")
        #expect(made || access("var", F_OK) != 0, "a check makes nothing")
    }

    @Test(arguments: cases) func theirCasesHold(_ name: String) async throws {
        let graph = try Graph(path: "\(Self.folder)/\(name)", roster: fleet)
        for one in try WorkflowCase.read(path: "\(Self.folder)/cases/\(name)", for: graph) {
            let differences = try await one.run(graph, roster: fleet)
            #expect(differences.isEmpty, "\(one.title): \(differences.map(\.description))")
        }
    }

    @Test(arguments: [
        ("{title: a, at: openfish, given: x, expect: {}}", "did you mean \"openphish\"?"),
        ("{title: a, at: openphish, givn: x, expect: {}}", "did you mean \"given\"?"),
        ("{title: a, at: openphish, given: \"http://a.example/\", expect: {store: []}}", "1 events came to store, expected 0"),
        (
            "{title: a, at: openphish, given: \"http://a.example/\", expect: {store: [{url.full: b}]}}",
            "url.full is \"http://a.example/\", expected"
        ),
        ("{title: a, at: taxonomy, given: [{source.prt: 1}], expect: {store: []}}", "source.port"),
        ("{title: a, at: openphish, expect: {store: []}}", "given-file"),
    ]) func whatDoesNotHoldIsSaid(_ text: String, _ part: String) async throws {
        let folder = TemporaryFolder()
        try replaceFile("\(folder.path)/cases.yaml", with: Array("- \(text)\n".utf8))
        let graph = try Graph(path: "\(Self.folder)/phishing-urls.yaml", roster: fleet)
        var found: [String] = []
        do throws(ConfigurationError) {
            for one in try WorkflowCase.read(path: "\(folder.path)/cases.yaml", for: graph) {
                found += try await one.run(graph, roster: fleet).map(\.description)
            }
        } catch {
            found = error.messages.map(\.description)
        }
        #expect(found.contains { $0.contains(part) && $0.contains("cases.yaml:1:") }, "\(found)")
    }
}

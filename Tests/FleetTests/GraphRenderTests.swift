import Control
import ServiceKernel
import ServiceKernelTesting
import Testing
import Workflow
import YAML

/// A workflow written for engines: what is in the graph is in the files, and nothing else is open.
@Suite struct GraphRenderTests {
    private let folder = TemporaryFolder()
    private let graph: Graph

    init() throws {
        folder.write(Array("10.0.0.0/8 64496\n".utf8), to: "asn.txt")
        let text = """
            openapi: 3.1.0
            info: {title: "A $feed: \\"quoted\\"", version: 1.0.0}
            paths:
              /feed:
                post:
                  operationId: feed
                  x-intelmq-worker: {uses: http-collector, settings: {url: "https://example.org/$HOME", headers: {Key: "{{ env.FEED_KEY }}"}}}
                  x-intelmq-edges: [{to: parse}]
              /parse:
                servers: [{url: "http://127.0.0.1:8701"}]
                post:
                  operationId: parse
                  x-intelmq-worker: {uses: openphish-parser, replicas: 3}
                  x-intelmq-edges: [{to: asn, when: 'source.url ~ "^x$"'}, {to: store, on: error}]
              /asn:
                servers: [{url: "https://asn.example.org"}]
                post:
                  operationId: asn
                  x-intelmq-worker: {uses: asn-lookup-expert, settings: {database: "\(folder.path)/asn.txt"}}
                  x-intelmq-edges: [{to: store}]
              /store:
                servers: [{url: "http://127.0.0.1:8703"}]
                post: {operationId: store, x-intelmq-worker: {uses: file-output, settings: {path: var/out.ndjson}}}
            """
        graph = try Graph(path: folder.write(Array(text.utf8), to: "graph.yaml"), roster: fleet)
    }

    private func parse(_ text: String) throws -> YAMLNode { try YAMLDocument.parse(Array(text.utf8), file: "rendered").root }

    private func objects(_ text: String, _ kind: String) throws -> [String: YAMLNode] {
        let objects = try text.split(separator: "---\n").map { try parse(String($0)) }.filter { $0["kind"]?.string == kind }
        return .init(uniqueKeysWithValues: objects.map { ($0["metadata"]?["name"]?.string ?? "", $0) })
    }

    private func configuration(_ text: String?) throws -> YAMLNode { try parse(try #require(text)) }

    @Test func composeHasAContainerAndAVolumeForEachNode() throws {
        let stack = try parse(graph.compose(image: "registry/x:$1"))
        #expect(stack["name"]?.string == "a-feed-quoted")
        let services = try #require(stack["services"])
        #expect(services.pairs?.map { $0.key.string } == ["feed", "parse", "asn", "store"])
        #expect(services["parse"]?["<<"]?["image"]?.string == "registry/x:$$1")
        for node in graph.nodes {
            let after = services[node.name]?["depends_on"]?.pairs?.compactMap { $0.key.string } ?? []
            #expect(Set(after) == Set(node.edges.map(\.to)))
            #expect(stack["volumes"]?[node.name] != nil)
            // Compose would take a single $ for a variable.
            let content = try #require(stack["configs"]?[node.name]?["content"]?.string)
            let configuration = try configuration(content.replacing("$$", with: "$"))
            #expect(!content.replacing("$$", with: "").contains("$"))
            #expect(configuration["worker"]?.string == node.entry.name)
            #expect(
                configuration["edges"]?.array?.compactMap { $0["to"]?.string } ?? []
                    == node.edges.map { "http://\($0.to):8700/v1/packets" })
        }
        #expect(services["feed"]?["environment"]?.array?.map { $0.string } == ["FEED_KEY"])
        let parser = try configuration(stack["configs"]?["parse"]?["content"]?.string)
        #expect(parser["statusd"]?["processes"]?.int == 3)
        #expect(parser["edges"]?.array?[0]["when"]?.string == "source.url ~ \"^x$$\"")
        #expect(parser["edges"]?.array?[1]["on"]?.string == "error")
        let mount = try #require(services["asn"]?["volumes"]?.array?.last)
        #expect(mount["source"]?.string == "\(folder.path)/asn.txt" && mount["read_only"]?.bool == true)
        let asn = try configuration(stack["configs"]?["asn"]?["content"]?.string)
        #expect(asn["settings"]?["database"]?.string == mount["target"]?.string)
        let store = try configuration(stack["configs"]?["store"]?["content"]?.string)
        #expect(store["settings"]?["path"]?.string == "/var/lib/intelmq/out.ndjson")
    }

    @Test func kubernetesHasAServiceForEveryEdgeAndAVolumeForWhatIsKept() throws {
        let text = graph.kubernetes(image: "registry/x:1")
        let (services, files) = (try objects(text, "Service"), try objects(text, "ConfigMap"))
        let (sets, deployments) = (try objects(text, "StatefulSet"), try objects(text, "Deployment"))
        // The collector and the parser keep packets, the output its file; the expert keeps nothing.
        #expect(Set(sets.keys) == ["feed", "parse", "store"] && Set(deployments.keys) == ["asn"])
        #expect(sets["parse"]?["spec"]?["replicas"]?.int == 3)
        for node in graph.nodes {
            let workload = try #require(sets[node.name] ?? deployments[node.name])
            let configuration = try configuration(files[node.name]?["data"]?["config.yaml"]?.string)
            #expect((configuration["state"] != nil) == (sets[node.name] != nil))
            #expect((workload["spec"]?["volumeClaimTemplates"]?.array?.count ?? 0) == (sets[node.name] == nil ? 0 : 1))
            for edge in configuration["edges"]?.array ?? [] {
                let host = edge["to"]?.string?.split(separator: "/")[1].split(separator: ":")[0]
                #expect(services[String(host ?? "")] != nil)
            }
            let containers = try #require(workload["spec"]?["template"]?["spec"]?["containers"]?.array)
            #expect(containers[0]["image"]?.string == "registry/x:1")
            #expect(containers[0]["readinessProbe"] != nil)
            #expect(containers[0]["env"]?.array?.map { $0["name"]?.string } == (node.name == "feed" ? ["FEED_KEY"] : nil))
        }
        #expect(!text.contains("token:") || text.contains("/run/secrets/intelmq/edge"))
    }

    @Test func secretsThatSettingsNameAreMountedWhereTheyAreRead() throws {
        folder.write(Array("hidden-of-feed".utf8), to: "key")
        let text = """
            openapi: 3.1.0
            info: {title: Secrets, version: 1.0.0}
            x-intelmq-vars: {key: "{{ file('FOLDER/key') }}", host: example.org}
            paths:
              /feed:
                post:
                  operationId: feed
                  x-intelmq-worker:
                    uses: http-collector
                    settings: {url: "https://{{ vars.host }}/", headers: {Key: "k {{ file(\\"/run/secrets/read-token\\") }}", Other: "{{ vars.key }}"}}
                  x-intelmq-edges: [{to: parse}]
              /parse:
                servers: [{url: "http://127.0.0.1:8701"}]
                post: {operationId: parse, x-intelmq-worker: {uses: openphish-parser}, x-intelmq-edges: [{to: store}]}
              /store:
                servers: [{url: "http://127.0.0.1:8703"}]
                post: {operationId: store, x-intelmq-worker: {uses: file-output, settings: {path: var/out.ndjson}}}
            """.replacing("FOLDER", with: folder.path)
        let graph = try Graph(path: folder.write(Array(text.utf8), to: "secrets.yaml"), roster: fleet)

        let compose = graph.compose()
        let stack = try parse(compose)
        #expect(
            stack["services"]?["feed"]?["secrets"]?.array?.map(\.string)
                == ["data-token", "read-token", "feed-0-read-token", "key"])
        #expect(stack["services"]?["parse"]?["secrets"] == nil)
        #expect(stack["secrets"]?.pairs?.map(\.key.string) == ["data-token", "read-token", "feed-0-read-token", "key"])
        #expect(stack["secrets"]?["key"]?["file"]?.string == "secrets/key")
        #expect(compose.contains("#   install -m 444 \(folder.path)/key secrets/key    # for feed\n"))
        let feed = try configuration(stack["configs"]?["feed"]?["content"]?.string)
        #expect(feed["settings"]?["headers"]?["Key"]?.string == "k {{ file(\"/run/secrets/feed-0-read-token\") }}")
        #expect(feed["vars"]?["key"]?.string == "{{ file(\"/run/secrets/key\") }}" && feed["vars"]?["host"] != nil)

        let kubernetes = graph.kubernetes()
        #expect(
            kubernetes.contains(
                "#   kubectl create secret generic intelmq-secrets --from-file=read-token=/run/secrets/read-token --from-file=key=\(folder.path)/key\n"
            ))
        let sets = try objects(kubernetes, "StatefulSet")
        func volumes(_ node: String) -> YAMLNode? { sets[node]?["spec"]?["template"]?["spec"]?["volumes"] }
        let volume = volumes("feed")?.array?.first { $0["name"]?.string == "secrets" }
        #expect(volume?["secret"]?["secretName"]?.string == "intelmq-secrets")
        #expect(volume?["secret"]?["items"]?.array?.map { $0["key"]?.string } == ["read-token", "key"])
        #expect(volumes("parse")?.array?.contains { $0["name"]?.string == "secrets" } == false)
        let pod = sets["feed"]?["spec"]?["template"]?["spec"]
        for container in (pod?["containers"]?.array ?? []) + (pod?["initContainers"]?.array ?? []) {
            let mount = container["volumeMounts"]?.array?.first { $0["name"]?.string == "secrets" }
            #expect(mount?["mountPath"]?.string == "/run/secrets/settings")
        }
        let file = try configuration(try objects(kubernetes, "ConfigMap")["feed"]?["data"]?["config.yaml"]?.string)
        #expect(file["vars"]?["key"]?.string == "{{ file(\"/run/secrets/settings/key\") }}")
        #expect(!compose.contains("hidden-of-feed") && !kubernetes.contains("hidden-of-feed"))
    }

    @Test func policiesOpenTheEdgesAndNothingElse() throws {
        let policies = try objects(graph.networkPolicies, "NetworkPolicy")
        #expect(policies["default-deny"]?["spec"]?["ingress"] == nil)
        func peers(_ node: String, _ way: String, _ side: String) -> Set<String> {
            let rules = policies[node]?["spec"]?[way]?.array ?? []
            return Set(
                rules.flatMap { $0[side]?.array ?? [] }.compactMap {
                    $0["podSelector"]?["matchLabels"]?["app.kubernetes.io/name"]?.string
                })
        }
        for node in graph.nodes {
            #expect(peers(node.name, "egress", "to") == Set(node.edges.map(\.to)))
            let before = graph.nodes.filter { $0.edges.contains { $0.to == node.name } }.map(\.name)
            #expect(peers(node.name, "ingress", "from") == Set(before))
        }
        let outside = policies["feed"]?["spec"]?["egress"]?.array?.last
        #expect(outside?["to"] == nil && outside?["ports"]?.array?.first?["port"]?.int == 443)
        #expect(policies["feed"]?["spec"]?["ingress"] == nil)
    }

    @Test func prometheusWatchesWhatListens() throws {
        let scrape = try #require(try parse(graph.prometheus)["scrape_configs"]?.array?.first)
        let targets = try #require(scrape["static_configs"]?.array)
        #expect(targets.map { $0["labels"]?["service"]?.string } == ["parse", "asn", "store"])
        #expect(
            targets.map { $0["targets"]?.array?.first?.string } == ["127.0.0.1:8701", "asn.example.org:443", "127.0.0.1:8703"])
        #expect(targets[1]["labels"]?["__scheme__"]?.string == "https")
    }
}

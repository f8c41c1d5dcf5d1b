import Glibc
import ServiceKernel
import Workflow
import YAML

/// Where a node finds things in its container, and what it is configured with there.
struct ContainerLayout {
    /// Port of every node; each is a host of its own.
    let port: Int
    /// Port of its statusd.
    static let statusPort = 9080
    /// Folder for state, and for what an output writes.
    let state: String
    /// Folder of what workers only read.
    let files: String
    /// Folder of the tokens.
    let secrets: String
    /// Folder of the secrets that settings name.
    let settingSecrets: String
    /// Token of those who send to the workflow, and token between its nodes.
    let intake: String, edge: String
    /// Tokens of others, and the role of each.
    let others: [(file: String, role: String)]
    /// Names of all tokens.
    var tokens: [String] { [intake, edge] + others.map(\.file) }
    /// Whether every node keeps state: otherwise those that need it.
    let keepsAlways: Bool
    /// Whether replicas are processes of one container.
    let replicasAreProcesses: Bool
}

extension Graph.Node {
    /// Whether it must find again what it has written: packets, what it has seen, files.
    var keepsState: Bool {
        ack == .durable || entry.family == .collector || entry.family == .output || entry.spec.tags.contains("stateful")
    }

    /// How many of it there shall be.
    var replicas: Int { max(1, worker["replicas"]?.int ?? 1) }

    /// Settings that are a single text.
    private var texts: [String] {
        (settings?.pairs ?? []).compactMap { $0.value.array == nil && $0.value.pairs == nil ? $0.value.string : nil }
    }

    /// Files of this machine that its settings name and that it only reads.
    var filesRead: [String] {
        guard entry.family == .parser || entry.family == .expert else { return [] }
        return texts.filter { path in
            var status = stat()
            return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        }
    }

    /// Ports outside of the workflow that its settings name, as 443 by `https://example.org/feed`.
    var outsidePorts: [Int] {
        let ports = texts.compactMap { text -> Int? in
            guard text.hasPrefix("http://") || text.hasPrefix("https://") else { return nil }
            let host = withoutUser(text).split(separator: "/").dropFirst().first ?? ""
            return host.split(separator: ":").dropFirst().last.flatMap { Int($0) } ?? (text.hasPrefix("https") ? 443 : 80)
        }
        return Set(ports).sorted()
    }
}

extension Graph {
    /// Files that workers read, each with a name of its own among them.
    var files: [(path: String, name: String)] {
        Self.named(nodes.flatMap { node in node.filesRead.map { (node.name, $0) } })
    }

    /// A node's configuration file in a container.
    func file(of node: Node, in layout: ContainerLayout) -> String {
        let isSource = sources.contains { $0.name == node.name }
        let processes = layout.replicasAreProcesses && node.replicas > 1 ? ", processes: \(node.replicas)" : ""
        var text = "worker: \(node.entry.name)\nname: \(node.name)\nlisten: 0.0.0.0:\(layout.port)\n"
        text += "control: /run/intelmq\nstatusd: {listen: \"0.0.0.0:\(ContainerLayout.statusPort)\"\(processes)}\n"
        if layout.keepsAlways || node.keepsState { text += "state: \(layout.state)\n" }
        text += "tokens:\n"
        for (file, role) in [(isSource ? layout.intake : layout.edge, "data")] + layout.others {
            text += "  - {file: \(layout.secrets)/\(file), roles: [\(role)]}\n"
        }
        // Tokens travel in clear on the engine's own network.
        text += "insecure: true\n"
        let own = ["uses", "settings", "replicas", "listen", "control", "statusd", "state", "tokens", "tls", "insecure", "vars"]
        var members = (node.worker.pairs ?? []).filter { !own.contains($0.key.string ?? "") }.map {
            ($0.key.string ?? "", $0.value)
        }
        if let vars = vars(of: node) { members.append(("vars", moveSecrets(vars, in: layout))) }
        if !node.edges.isEmpty {
            let edges = node.edges.map { to, edge in
                let kept = (edge.pairs ?? []).filter { !["to", "name", "token"].contains($0.key.string ?? "") }
                return YAMLNode.mapping(
                    [
                        ("to", .text("http://\(to):\(layout.port)/v1/packets", at: edge)),
                        ("name", edge["name"] ?? .text(to, at: edge)),
                        ("token", .text("\(layout.secrets)/\(layout.edge)", at: edge)),
                    ] + kept.map { ($0.key.string ?? "", $0.value) }, at: edge)
            }
            members.append(("edges", .list(edges, at: node.place)))
        }
        if let settings = node.settings, let pairs = settings.pairs, !pairs.isEmpty {
            let files = files
            let moved = pairs.map { ($0.key.string ?? "", move(moveSecrets($0.value, in: layout), of: node, in: layout, files)) }
            members.append(("settings", .mapping(moved, at: settings)))
        }
        return members.isEmpty ? text : text + YAMLNode.mapping(members, at: node.place).document
    }

    /// A setting's value in a container: paths lead into its folders.
    private func move(
        _ value: YAMLNode, of node: Node, in layout: ContainerLayout, _ files: [(path: String, name: String)]
    ) -> YAMLNode {
        guard value.array == nil, value.pairs == nil, let path = value.string else { return value }
        if node.filesRead.contains(path), let name = files.first(where: { $0.path == path })?.name {
            return .text("\(layout.files)/\(name)", at: value)
        }
        guard node.entry.family == .output, path.contains("/"), path.firstRange(of: "://") == nil else { return value }
        return .text("\(layout.state)/\(path.split(separator: "/").last ?? "out")", at: value)
    }
}

extension String {
    /// Names of the environment's variables that a configuration asks for, as `{{ env.NAME }}`.
    var environmentNames: [String] {
        let names = split(separator: "{{").dropFirst().compactMap { part -> String? in
            let words = part.drop { $0 == " " }
            guard words.hasPrefix("env.") else { return nil }
            let name = words.dropFirst(4).prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
            return name.isEmpty ? nil : String(name)
        }
        return Set(names).sorted()
    }

    /// The text with each line moved to the right.
    func indented(by width: Int) -> String {
        let space = String(repeating: " ", count: width)
        return split(separator: "\n", omittingEmptySubsequences: false).map { $0.isEmpty ? "" : space + $0 }.joined(
            separator: "\n")
    }
}

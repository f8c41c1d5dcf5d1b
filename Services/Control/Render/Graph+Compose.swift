import IDF
import ServiceKernel
import Workflow

extension Graph {
    private static let composeLayout = ContainerLayout(
        port: 8700, state: "/var/lib/intelmq", files: "/usr/share/intelmq", secrets: "/run/secrets",
        settingSecrets: "/run/secrets", intake: "data-token",
        edge: "data-token", others: [("read-token", "read")], keepsAlways: true, replicasAreProcesses: true)

    /// The workflow for docker compose, each node a container; as `compose/demo.yaml`.
    /// - Parameter image: name of the image; nil: what `INTELMQ_IMAGE` says when it starts, else `intelmq:latest`.
    package func compose(image: String? = nil) -> String {
        // What is written here must not be taken for a variable of compose's.
        func kept(_ text: String) -> String { text.replacing("$", with: "$$") }
        let secrets = secrets(besides: Self.composeLayout.tokens)
        let brought = secrets.map { secret in
            "#   install -m 444 \(Self.word(secret.path)) secrets/\(secret.name)    # for \(secret.nodes.joined(separator: ", "))\n"
        }.joined()
        let image = image.map { JSONValue.string(kept($0)).pretty() } ?? "${INTELMQ_IMAGE:-intelmq:latest}"
        var text = """
            # Each node of \(document.file) a container; made by: intelmqctl render --compose. Needs compose 2.23.1 or newer, and two tokens
            # below secrets/ (compose/secrets.sh makes them)\(brought.isEmpty ? "" : ", and beside these what settings name"). Files that workers read are mounted from beside this one.
            \(brought)name: \(projectName)

            x-service: &service
              image: \(image)
              read_only: true
              cap_drop: [ALL]
              security_opt: ["no-new-privileges:true"]
              tmpfs: ["/run/intelmq:uid=65532,gid=65532,mode=0700"]
              restart: unless-stopped
              # Longer than limits.drain (20 s) and what statusd adds to it.
              stop_grace_period: 30s
              # The image says how to ask.
              healthcheck: {interval: 2s}
              secrets: [data-token, read-token]

            services:

            """
        let files = files
        for (number, node) in nodes.enumerated() {
            text += "  \(node.name):\n    <<: *service\n"
            let targets = Set(node.edges.map(\.to)).sorted().map { "\($0): {condition: service_healthy}" }
            if !targets.isEmpty { text += "    depends_on: {\(targets.joined(separator: ", "))}\n" }
            if node.entry.family != .collector, sources.contains(where: { $0.name == node.name }) {
                let port =
                    node.server.split(separator: ":").last.flatMap { UInt16($0.prefix { $0 != "/" }) } ?? UInt16(8701 + number)
                text += "    ports: [\"127.0.0.1:\(port):\(Self.composeLayout.port)\"]\n"
            }
            let names = file(of: node, in: Self.composeLayout).environmentNames
            if !names.isEmpty { text += "    environment: [\(names.joined(separator: ", "))]\n" }
            let own = secrets.filter { $0.nodes.contains(node.name) }.map(\.name)
            if !own.isEmpty { text += "    secrets: [\((["data-token", "read-token"] + own).joined(separator: ", "))]\n" }
            text += "    configs:\n      - {source: \(node.name), target: /etc/intelmq/config.yaml}\n"
            text += "    volumes:\n      - \(node.name):\(Self.composeLayout.state)\n"
            for path in node.filesRead {
                guard let name = files.first(where: { $0.path == path })?.name else { continue }
                let source = JSONValue.string(kept(path.hasPrefix("/") ? path : "./\(path)")).pretty()
                text += "      - {type: bind, source: \(source), target: \(Self.composeLayout.files)/\(name), read_only: true}\n"
            }
            text += "\n"
        }
        text += "volumes: {\(nodes.map { "\($0.name): {}" }.joined(separator: ", "))}\n\nconfigs:\n"
        for node in nodes {
            text += "  \(node.name):\n    content: |\n" + kept(file(of: node, in: Self.composeLayout)).indented(by: 6)
        }
        let all = ["data-token", "read-token"] + secrets.map(\.name)
        return text + "\nsecrets:\n" + all.map { "  \($0): {file: secrets/\($0)}\n" }.joined()
    }

    /// A path as a word of a shell, on one line.
    static func word(_ path: String) -> String {
        let isPlain = path.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "/-._".contains($0)) }
        let line = String(path.map { $0.isNewline ? " " : $0 })
        return isPlain && !path.isEmpty ? path : "'" + line.replacing("'", with: "'\\''") + "'"
    }

    /// The title as compose allows it: a-z, 0-9 and -.
    private var projectName: String {
        let words = title.lowercased().split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
        return words.isEmpty ? "intelmq" : words.joined(separator: "-")
    }
}

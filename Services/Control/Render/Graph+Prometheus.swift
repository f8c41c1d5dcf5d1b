import IDF
import Workflow

extension Graph {
    /// A configuration of Prometheus with every service of the workflow as a target; as `deploy/prometheus/prometheus.yml`.
    package var prometheus: String {
        var text = """
            # Watches \(document.file); made by: intelmqctl render --prometheus. The rules are deploy/prometheus/rules.yml.
            # The label `service` is the node's name; the rules and the dashboard count on it and on the name of the job.
            global:
              scrape_interval: 15s
              evaluation_interval: 15s

            rule_files: [rules.yml]

            scrape_configs:
              - job_name: intelmq
                static_configs:

            """
        for node in nodes {
            let parts = node.server.split(separator: "/")
            guard parts.count >= 2, node.server.hasPrefix("http"), node.entry.family != .collector else {
                text += "      # \(node.name) does not listen: watch its statusd.\n"
                continue
            }
            let isSecure = node.server.hasPrefix("https:")
            let host = parts[1].split(separator: "@").last.map(String.init) ?? ""
            let address = host.last?.isNumber == true && host.contains(":") ? host : "\(host):\(isSecure ? 443 : 80)"
            text +=
                "      - {targets: [\(JSONValue.string(address).pretty())], labels: {service: \(node.name)\(isSecure ? ", __scheme__: https" : "")}}\n"
        }
        return text
    }
}

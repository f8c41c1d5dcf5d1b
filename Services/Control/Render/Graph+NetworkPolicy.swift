import Workflow

extension Graph {
    /// Network policies of Kubernetes: nothing may talk to anything, except over the edges of the graph; Prometheus asks every statusd,
    /// sources take from pods with the label `intelmq/sends-to: NODE`, and workers reach the ports that their settings name.
    package var networkPolicies: String {
        var text = """
            # \(document.file), made by: intelmqctl render --networkpolicy
            # Nothing may talk to anything, except what the nodes' own policies and the next two allow.
            \(Self.policy("default-deny", "{}", ["Ingress", "Egress"]))
            ---
            \(Self.policy("names", "{}", ["Egress"]))
              egress:
                - to:
                    - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}
                  ports:
                    - {protocol: UDP, port: 53}
                    - {protocol: TCP, port: 53}
            ---
            # Prometheus asks statusd; the token of the role read is needed as well. Probes come from the machine, which no policy stops.
            \(Self.policy("monitoring", "{matchLabels: {app.kubernetes.io/part-of: intelmq}}", ["Ingress"]))
              ingress:
                - from:
                    - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}
                  ports: [{protocol: TCP, port: statusd}]

            """
        for node in nodes {
            let before = nodes.filter { $0.edges.contains { $0.to == node.name } }.map(\.name)
            let after = Set(node.edges.map(\.to)).sorted()
            text +=
                "---\n\(Self.policy(node.name, "{matchLabels: {app.kubernetes.io/name: \(node.name)}}", ["Ingress", "Egress"]))\n"
            if !before.isEmpty {
                text += "  ingress:\n    - from:\n\(Self.peers(before))      ports: [{protocol: TCP, port: http}]\n"
            } else if node.entry.family != .collector {
                // Whoever sends to the workflow: pods of any namespace that wear this label, and know the token of the intake.
                text += """
                      ingress:
                        - from:
                            - namespaceSelector: {}
                              podSelector: {matchLabels: {intelmq/sends-to: \(node.name)}}
                          ports: [{protocol: TCP, port: http}]

                    """
            }
            let outside = node.outsidePorts.map { "{protocol: TCP, port: \($0)}" }.joined(separator: ", ")
            if !after.isEmpty || !outside.isEmpty { text += "  egress:\n" }
            if !after.isEmpty { text += "    - to:\n\(Self.peers(after))      ports: [{protocol: TCP, port: http}]\n" }
            if !outside.isEmpty { text += "    # Named in its settings.\n    - ports: [\(outside)]\n" }
        }
        return text
    }

    private static func policy(_ name: String, _ selector: String, _ types: [String]) -> String {
        """
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: \(name)}
        spec:
          podSelector: \(selector)
          policyTypes: [\(types.joined(separator: ", "))]
        """
    }

    private static func peers(_ names: [String]) -> String {
        names.map { "        - podSelector: {matchLabels: {app.kubernetes.io/name: \($0)}}\n" }.joined()
    }
}

import IDF
import ServiceKernel
import Workflow

extension Graph {
    private static let podLayout = ContainerLayout(
        port: 8080, state: "/var/lib/intelmq/state", files: "/var/lib/intelmq/databases", secrets: "/run/secrets/intelmq",
        settingSecrets: "/run/secrets/settings", intake: "intake", edge: "edge",
        others: [("read", "read"), ("operate", "operate")], keepsAlways: false,
        replicasAreProcesses: false)

    /// The workflow for Kubernetes 1.30 and newer, as `deploy/kubernetes/base` after kustomize: for each node a Service, a ConfigMap, a
    /// PodDisruptionBudget, and a StatefulSet with a volume or a Deployment. Tokens and databases are brought by whoever applies it.
    package func kubernetes(image: String = "intelmq:latest") -> String {
        let files = files.map { " --from-file=\($0.name)=\($0.path.filter { !$0.isNewline })" }.joined()
        let secrets = secrets(besides: [])
        let brought =
            secrets.isEmpty
            ? ""
            : "\n#   kubectl create secret generic intelmq-secrets"
                + secrets.map { " --from-file=\($0.name)=\(Self.word($0.path))" }.joined()
        var text = """
            # \(document.file), made by: intelmqctl render --kubernetes. Before it, in the same namespace:
            #   deploy/kubernetes/tokens.sh FOLDER; kubectl create secret generic intelmq-tokens --from-file=FOLDER/tokens
            #   kubectl create configmap intelmq-databases\(files)\(brought)
            #   kubectl create secret generic intelmq-environment --from-literal=NAME=VALUE…   if a configuration says {{ env.NAME }}
            # and what guards the ways, since tokens travel in clear between pods: intelmqctl render --networkpolicy
            apiVersion: v1
            kind: ServiceAccount
            metadata: {name: intelmq}
            automountServiceAccountToken: false

            """
        for node in nodes {
            let own = secrets.filter { $0.nodes.contains(node.name) }.map(\.name)
            text += objects(of: node, image: JSONValue.string(image).pretty(), secrets: own)
        }
        return text
    }

    private func objects(of node: Node, image: String, secrets: [String]) -> String {
        let (name, label) = (node.name, "app.kubernetes.io/name: \(node.name)")
        let configuration = file(of: node, in: Self.podLayout)
        let hasVolume = node.keepsState
        return """
            ---
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: \(name)}
            data:
              config.yaml: |
            \(configuration.indented(by: 4))---
            apiVersion: v1
            kind: Service
            metadata:
              name: \(name)
              labels: {\(label), app.kubernetes.io/part-of: intelmq}
            spec:
              selector: {\(label)}
              ports:
                - {name: http, port: 8080, targetPort: http}
                - {name: statusd, port: \(ContainerLayout.statusPort), targetPort: statusd}
            ---
            # One may go at a time: 0 would block the drain of a machine.
            apiVersion: policy/v1
            kind: PodDisruptionBudget
            metadata: {name: \(name)}
            spec:
              maxUnavailable: 1
              selector: {matchLabels: {\(label)}}
            ---
            apiVersion: apps/v1
            kind: \(hasVolume ? "StatefulSet" : "Deployment")
            metadata:
              name: \(name)
              labels: {\(label)}
            spec:
              replicas: \(node.replicas)
              selector: {matchLabels: {\(label)}}
            \(hasVolume ? "  serviceName: \(name)\n  podManagementPolicy: Parallel" : "  strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}")
              template:
                metadata:
                  labels: {\(label), app.kubernetes.io/part-of: intelmq}
                  # A changed configuration is a rolling update.
                  annotations: {intelmq/configuration: "\(Self.mark(configuration))"}
                spec:
            \(Self.pod(of: node, image: image, names: configuration.environmentNames, secrets: secrets).indented(by: 6))
            """ + (hasVolume ? Self.claim : "")
    }

    private static let claim = """
          volumeClaimTemplates:
            - metadata: {name: state}
              spec:
                accessModes: [ReadWriteOnce]
                # Must hold limits.spool, with room for dead letters.
                resources: {requests: {storage: 5Gi}}

        """

    /// A short text that differs when the configuration does (FNV-1a).
    private static func mark(_ text: String) -> String {
        let hash = text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return String(hash, radix: 16)
    }

    private static func probe(_ name: String, _ path: String, _ port: String, _ times: String) -> String {
        "\(name): {httpGet: {path: \(path), port: \(port)}, \(times)}"
    }

    private static func pod(of node: Node, image: String, names: [String], secrets: [String]) -> String {
        let start = "periodSeconds: 1, timeoutSeconds: 3, failureThreshold: 60"
        // Slow is not dead: a restart would make a worker that is out of breath slower still.
        let live = "periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6"
        let variables = names.map {
            "\n  - {name: \($0), valueFrom: {secretKeyRef: {name: intelmq-environment, key: \($0), optional: true}}}"
        }
        // A node sees what its own settings name, and no other's.
        let items = secrets.map { "{key: \($0), path: \($0)}" }.joined(separator: ", ")
        let volume =
            secrets.isEmpty
            ? "" : "\n  - {name: secrets, secret: {secretName: intelmq-secrets, defaultMode: 0440, items: [\(items)]}}"
        let mount = secrets.isEmpty ? "" : "\n  - {name: secrets, mountPath: \(podLayout.settingSecrets), readOnly: true}"
        let rights = """
            securityContext:
              allowPrivilegeEscalation: false
              readOnlyRootFilesystem: true
              capabilities: {drop: [ALL]}
            volumeMounts:
              - {name: config, mountPath: /etc/intelmq, readOnly: true}
              - {name: tokens, mountPath: \(podLayout.secrets), readOnly: true}\(mount)
              - {name: databases, mountPath: \(podLayout.files), readOnly: true}
              - {name: run, mountPath: /run/intelmq}
              - {name: tmp, mountPath: /tmp}
            """
        let environment = variables.isEmpty ? "" : "\n    env:" + variables.joined().indented(by: 4)
        let state = node.keepsState ? "\n      - {name: state, mountPath: \(podLayout.state)}" : ""
        return """
            serviceAccountName: intelmq
            automountServiceAccountToken: false
            enableServiceLinks: false
            # 5 s until no endpoint points here any more, 20 s to finish what is open (limits.drain), 10 s to spare.
            terminationGracePeriodSeconds: 35
            securityContext:
              runAsNonRoot: true
              runAsUser: 65532
              runAsGroup: 65532
              fsGroup: 65532
              fsGroupChangePolicy: OnRootMismatch
              seccompProfile: {type: RuntimeDefault}
            # A native sidecar: it is there before its worker and until after it.
            initContainers:
              - name: statusd
                image: \(image)
                restartPolicy: Always
                command: [intelmq, statusd, --attach, --config, /etc/intelmq/config.yaml]\(environment)
                ports: [{name: statusd, containerPort: \(ContainerLayout.statusPort)}]
                \(probe("startupProbe", "/startupz", "statusd", start))
                \(probe("livenessProbe", "/livez", "statusd", live))
                resources: {requests: {cpu: 10m, memory: 32Mi}, limits: {memory: 256Mi}}
            \(rights.indented(by: 4))
            containers:
              - name: worker
                image: \(image)
                command: [intelmq, \(node.entry.name), serve, --config, /etc/intelmq/config.yaml]\(environment)
                ports: [{name: http, containerPort: 8080}]
                \(probe("startupProbe", "/startupz", "http", start))
                \(probe("readinessProbe", "/readyz", "http", "periodSeconds: 2, timeoutSeconds: 3, failureThreshold: 3"))
                \(probe("livenessProbe", "/livez", "http", live))
                lifecycle: {preStop: {sleep: {seconds: 5}}}
                # No limit of processor time: it would only delay answers. Reports are read as a whole, which takes several times limits.report.
                resources: {requests: {cpu: 200m, memory: 128Mi}, limits: {memory: \(node.entry.family == .parser ? "1Gi" : "512Mi")}}
            \(rights.indented(by: 4))\(state)
            volumes:
              - {name: config, configMap: {name: \(node.name)}}
              - {name: tokens, secret: {secretName: intelmq-tokens, defaultMode: 0440}}\(volume)
              - {name: databases, configMap: {name: intelmq-databases, optional: true}}
              # The control socket, by which statusd sees its worker.
              - {name: run, emptyDir: {medium: Memory, sizeLimit: 16Mi}}
              - {name: tmp, emptyDir: {sizeLimit: 1Gi}}

            """
    }
}

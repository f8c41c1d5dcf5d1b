import IDF
import ServiceKernel
import YAML

/// The gateway's own settings. The rest of its configuration is that of every service, so it is read by the same reader: this
/// is a worker in name only, which never sees an event.
struct GatewaySettings: Expert {
    static let spec = Spec("gateway", "Serves a workflow as one.")
    static let entry = RosterEntry(GatewaySettings.self)

    @Setting("Folder of the workflow, as given to `intelmqctl up`.") var directory = "var"
    @Setting("The workflow, taken as the first generation.", example: "openapi/workflows/shadowserver.yaml") var graph = ""
    @Setting("File with the token that the gateway shows to the nodes.") var token: SecretFile? = nil
    @Setting("PEM file of the authorities that may have signed the nodes' certificates.") var ca: String? = nil
    @Setting("How long what is removed from the graph has to deliver what it holds before it is called overdue.")
    var drain = Interval(seconds: 600)

    func process(_ event: inout Event) throws(Rejection) -> Verdict { .forward }

    /// Reads the configuration from its file, or makes it of options.
    static func read(
        config: String?, graph: String?, directory: String, listen: String?
    ) throws(ConfigurationError) -> ServiceConfiguration {
        func text(_ value: String) -> String { String(decoding: JSONValue.string(value).bytes, as: UTF8.self) }
        var configuration: ServiceConfiguration
        if let config {
            configuration = try ConfigurationReader.read(path: config, roster: Roster([entry]), expected: entry)
            if let graph { configuration.gateway.graph = graph }
        } else {
            let made =
                "{\(listen.map { "listen: \(text($0)), " } ?? "")settings: {directory: \(text(directory)), graph: \(text(graph ?? ""))}}"
            let document: YAMLDocument
            do { document = try YAMLDocument.parse(Array(made.utf8), file: "command line") } catch {
                throw ConfigurationError([error.diagnostic])
            }
            configuration = try ConfigurationReader.read(document, roster: Roster([entry]), expected: entry)
        }
        configuration.name = "gateway"
        return configuration
    }
}

extension ServiceConfiguration {
    /// The settings of the gateway, whose configuration this is.
    var gateway: GatewaySettings { worker as? GatewaySettings ?? GatewaySettings() }
}

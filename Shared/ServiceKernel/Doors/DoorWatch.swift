package import HTTP
package import Logging

/// Takes certificates and tokens in anew when their files change, so that they can be exchanged without a restart.
package struct DoorWatch {
    private var stamps: [FileStamp?]?

    /// What is in force at the start.
    package init(_ configuration: ServiceConfiguration) { stamps = configuration.tls?.stamps }

    /// Looks whether something has changed; what is unusable is logged, and the old goes on.
    package mutating func look(_ configuration: ServiceConfiguration, _ servers: [HTTPServer], _ log: Logger) {
        for file in configuration.tokens.map(\.file) + configuration.edges.compactMap(\.token) {
            do throws(SettingProblem) {
                if try file.reread() { log.notice("the secret has changed and is in force", metadata: ["file": "\(file.path)"]) }
            } catch {
                log.error("the changed secret is not usable, the old one goes on: \(error.message)")
            }
        }
        let now = configuration.tls?.stamps
        guard now != stamps else { return }
        stamps = now
        for server in servers {
            do {
                try server.reloadTLS()
                log.notice("the certificate has changed and is in force")
            } catch {
                log.error("the changed certificate is not usable, the old one goes on: \(error)")
            }
        }
    }
}

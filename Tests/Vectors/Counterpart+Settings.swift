import Control
import Foundation
import IDF

extension Counterpart {
    /// Our settings for the parameters of a recorded run, or why it cannot be expressed. They are those that `config-convert` makes,
    /// moved to where the case runs.
    func settings(_ vector: VectorCase) -> Settings {
        if vector["chunk_size"] != nil { return .impossible("chunk_size: reports are read as a stream, not cut into pieces") }
        var members = vector.parameters
        for name in ["path", "file", "database"] {
            guard let at = members.firstIndex(where: { $0.name == name }), let path = vector.path(name) else { continue }
            members[at].value = .string(path)
        }
        if let at = members.firstIndex(where: { $0.name == "http_url" }) {
            guard let server = vector.server, let path = URLComponents(string: members[at].value.plain)?.path else {
                return .impossible("no answer is recorded")
            }
            members[at].value = .string(server + path)
        }
        var parameters = BotParameters(members)
        do throws(BotConversion.NoCounterpart) { try conversion.convert(&parameters) } catch { return .impossible(error.reason) }
        if worker == "csv-parser", let unknown = parameters.rest.first(where: { !Self.isCommon($0.name) }) {
            return .impossible("\(bot) has a parameter \(unknown.name)")
        }
        var settings = parameters.settings
        if worker == "file-collector" { settings.append(.init("settle", .string("0 s"))) }
        // Events are compared as such, not as they are written for others.
        settings.removeAll { $0.name == "format" && $0.value == .string("dho") }
        if let at = settings.firstIndex(where: { $0.name == "schema" }) { settings[at].value = .string(Self.schema(vector)) }
        return .given(settings)
    }

    private static func isCommon(_ name: String) -> Bool {
        name.hasPrefix("error_") || ["overwrite", "save_original_message"].contains(name)
    }

    /// The schema of Shadowserver's reports that a run was recorded with.
    private static func schema(_ vector: VectorCase) -> String {
        let notes = vector.content["notes"]?.items?.compactMap(\.string).joined() ?? ""
        let own = "data/bots/parsers/shadowserver/schema.json.test"
        let extra = "data/extra/shadowserver/schema-from-3.1.0.json"
        let file = notes.contains(extra) || vector.name.contains("__TestReports__") ? extra : own
        return vector.root + "/" + file
    }
}

extension VectorCase {
    /// Where the first report was fetched.
    var url: String { input.first?["feed.url"]?.string ?? "" }
}

// The members that a protocol asks for are documented there.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

import ASNDatabase
import IDF
import ServiceKernel
import YAML

extension ASNDatabase: SettingValue {
    public convenience init(setting node: YAMLNode) throws(SettingProblem) {
        let path = try String(setting: node)
        do throws(ASNDatabaseError) {
            try self.init(path: path)
        } catch {
            throw SettingProblem("\(error)", help: "fetch one: see Services/Experts/asn-lookup/README.md", at: node)
        }
    }

    public static var schema: JSONValue { .object(["type": .string("string"), "format": .string("path")]) }
    public var sample: String { path }
    public var madeAt: Int64? { buildTime }

    public func refreshed() throws(SettingProblem) -> ASNDatabase? {
        guard changedOnDisk() else { return nil }
        do throws(ASNDatabaseError) { return try ASNDatabase(path: path) } catch { throw SettingProblem("\(error)") }
    }
}

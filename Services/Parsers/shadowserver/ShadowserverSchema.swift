import Glibc
import IDF
import ServiceKernel
import YAML

/// Shadowserver's description of its reports: which column means what. Read from the file that Shadowserver publishes
/// and opened anew when that file changes.
struct ShadowserverSchema: SettingValue {
    /// One kind of report.
    struct Kind: Sendable {
        /// What the report is called in the names of its files, as `scan_rdp`.
        let fileName: String
        /// Name of the feed.
        let feedName: String
        /// Values of every event: old field name and value.
        let constants: [JSONValue.Member]
        let fields: [Item]
    }

    /// One use of one column.
    struct Item: Sendable {
        /// Old field name, or `extra.` for a member named like the column.
        let target: String
        let column: String
        let conversion: ShadowserverConversion
        let isRequired: Bool
    }

    let path: String
    let kinds: [Kind]
    /// Kinds by the name in file names.
    let byFileName: [String: Int]
    private let stamp: FileStamp?

    init(setting node: YAMLNode) throws(SettingProblem) {
        path = try String(setting: node)
        stamp = FileStamp(path: path)
        guard let bytes = readFile(path, limit: 256 << 20) else {
            guard errno == ENOENT else {
                throw SettingProblem(
                    "cannot read \(path): \(String(cString: strerror(errno)))", help: "it must be a readable file", at: node)
            }
            // update-db must be able to start without it; reports wait until it is there.
            (kinds, byFileName) = ([], [:])
            return
        }
        do throws(Rejection) {
            kinds = try Self.kinds(bytes)
        } catch {
            throw SettingProblem("\(path) is no schema of Shadowserver: \(error.detail)", at: node)
        }
        byFileName = Self.index(kinds)
    }

    private init(path: String, stamp: FileStamp?, kinds: [Kind]) {
        (self.path, self.stamp, self.kinds) = (path, stamp, kinds)
        byFileName = Self.index(kinds)
    }

    static var schema: JSONValue { .object(["type": .string("string"), "format": .string("path")]) }
    var sample: String { path }
    var madeAt: Int64? { stamp.map { Int64($0.seconds) } }

    func refreshed() throws(SettingProblem) -> ShadowserverSchema? {
        let now = FileStamp(path: path)
        guard let now, now != stamp else { return nil }
        guard let bytes = readFile(path, limit: 256 << 20) else { throw SettingProblem("cannot read \(path)") }
        do throws(Rejection) {
            return ShadowserverSchema(path: path, stamp: now, kinds: try Self.kinds(bytes))
        } catch {
            throw SettingProblem("\(path) is no schema of Shadowserver: \(error.detail)")
        }
    }

    private static func index(_ kinds: [Kind]) -> [String: Int] {
        Dictionary(kinds.enumerated().map { ($1.fileName, $0) }) { first, _ in first }
    }

    /// Reads the schema's JSON; it must hold at least one report.
    static func kinds(_ bytes: [UInt8]) throws(Rejection) -> [Kind] {
        let document: JSONValue
        do throws(JSONError) { document = try JSONValue(parsing: bytes) } catch { throw .malformed("\(error)") }
        guard let members = document.members else { throw .malformed("found something else than a JSON object of reports") }
        var kinds: [Kind] = []
        for member in members where member.name != "_meta" {
            guard let feed = member.value["feed_name"]?.string else {
                throw .malformed("the report \"\(member.name)\" has no feed_name")
            }
            var items: [Item] = []
            for (list, isRequired) in [("required_fields", true), ("optional_fields", false)] {
                for entry in member.value[list]?.items ?? [] { items.append(try item(entry, member.name, isRequired)) }
            }
            guard !items.isEmpty else { throw .malformed("the report \"\(member.name)\" has no fields") }
            kinds.append(
                Kind(
                    fileName: member.value["file_name"]?.string ?? member.name, feedName: feed,
                    constants: member.value["constant_fields"]?.members ?? [], fields: items))
        }
        guard !kinds.isEmpty else { throw .malformed("it holds no report") }
        return kinds
    }

    private static func item(_ entry: JSONValue, _ report: String, _ isRequired: Bool) throws(Rejection) -> Item {
        guard let parts = entry.items, parts.count >= 2, let target = parts[0].string, let column = parts[1].string,
            !column.isEmpty
        else {
            throw .malformed(
                "a field of the report \"\(report)\" is not [target, column, conversion]: \(String(decoding: entry.bytes, as: UTF8.self))"
            )
        }
        let name = parts.count > 2 ? parts[2].string ?? "" : ""
        guard let conversion = ShadowserverConversion(rawValue: name) else {
            throw .malformed(
                "the report \"\(report)\" wants the conversion \"\(name)\", which this version does not know; update the program")
        }
        return Item(target: target, column: column, conversion: conversion, isRequired: isRequired)
    }
}

extension ShadowserverSchema {
    /// The kind of a report by its file name (`2026-11-20-scan_rdp-example.csv`), or nil.
    func kind(fileName: String) -> Kind? {
        guard let name = Self.reportType(fileName), let index = byFileName[name] else { return nil }
        return kinds[index]
    }

    /// `scan_rdp` of `2026-11-20-scan_rdp-example.csv`; nil when the name is not built so.
    static func reportType(_ fileName: String) -> String? {
        guard let match = fileName.wholeMatch(of: /(?:\d{4}-\d{2}-\d{2}-)?(\w+)(?:-\w+)*\.csv/) else { return nil }
        return String(match.1)
    }

    /// Whether a file is called as Shadowserver calls its reports: day, kind, and whom it is for.
    static func namesKind(_ fileName: String) -> Bool { fileName.wholeMatch(of: /\d{4}-\d{2}-\d{2}-\w+(?:-\w+)+\.csv/) != nil }

    /// The kind whose required columns are all there and of whose columns most are.
    func kind(columns: Set<String>) -> Kind? {
        var best: (kind: Kind, score: Int)?
        for kind in kinds {
            guard kind.fields.allSatisfy({ !$0.isRequired || columns.contains($0.column) }) else { continue }
            let wanted = Set(kind.fields.map(\.column))
            // Columns that the report lacks count against a kind, or the largest would win.
            let score = 2 * wanted.intersection(columns).count - wanted.count
            if best == nil || score > best?.score ?? 0 { best = (kind, score) }
        }
        return best?.kind
    }
}

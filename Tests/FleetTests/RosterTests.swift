import IDF
import ServiceKernel
import ServiceKernelTesting
import TestSupport
import Testing

/// A worker is a folder, a line of a roster and a name in the manifest: the three must agree.
@Suite struct RosterTests {
    /// The quoted names of a list in the manifest: `workers: ["a", "b"]` of a family.
    private func listed(_ list: String, of family: Family) throws -> [String] {
        // Without line ends and the blanks after them, so that a family may stand on one line or on several.
        let lines = try #require(Repository.text("Package.swift")).split(separator: "\n")
        let manifest = lines.map { $0.drop { $0 == " " } }.joined(separator: " ").replacing("( ", with: "(")
        let found = manifest.firstRange(of: "family(\"\(Repository.name(of: family))\"")
        guard let start = found else {
            Issue.record("Package.swift has no family \(Repository.name(of: family))")
            return []
        }
        let rest = manifest[start.upperBound...]
        // A family ends where the next target begins.
        let end = rest.firstRange(of: " family(")?.lowerBound ?? rest.firstRange(of: " service(")?.lowerBound ?? rest.endIndex
        guard let names = rest[..<end].firstRange(of: "\(list): [") else { return [] }
        return rest[names.upperBound...].prefix { $0 != "]" }.split(separator: ",").map { name in
            String(name.filter { $0 != "\"" && $0 != " " && $0 != "\n" })
        }.filter { !$0.isEmpty }
    }

    @Test(arguments: Family.allCases) func rosterIsFoldersIsManifest(_ family: Family) throws {
        let entries = fleet.workers.filter { $0.family == family }
        let coded = entries.filter { !$0.spec.tags.contains("mapping") }.map(\.spec.name).sorted()
        let folders = Repository.folders(in: Repository.folder(of: family)).filter { $0 != "mappings" }
        #expect(coded == folders, "roster (left) and folders (right)")
        #expect(coded == (try listed("workers", of: family)).sorted(), "roster (left) and Package.swift (right)")
        let mappings = entries.filter { $0.spec.tags.contains("mapping") }.map(\.spec.name).sorted()
        let files = files(in: "\(Repository.folder(of: family))/mappings", ending: ".yaml")
        #expect(mappings == files.map { String($0.dropLast(5)) }.sorted(), "roster (left) and mapping files (right)")
        #expect(mappings == (try listed("mappings", of: family)).sorted(), "roster (left) and Package.swift (right)")
    }

    @Test func namesAreUnique() {
        #expect(Set(fleet.names).count == fleet.names.count)
        for name in fleet.names {
            #expect(fleet.worker(named: name)?.name == name)
            #expect(fleet.worker(named: "intelmq-" + name)?.name == name)
        }
        #expect(fleet.worker(named: "nothing") == nil)
    }

    @Test(arguments: fleet.workers.map(\.name)) func hasItsDocuments(_ name: String) throws {
        let entry = try #require(fleet.worker(named: name))
        #expect(entry.spec.name.utf8.allSatisfy { $0 >= 0x61 && $0 <= 0x7A || $0 >= 0x30 && $0 <= 0x39 || $0 == 0x2D })
        #expect(entry.spec.reads.count == Set(entry.spec.reads).count, "a field is named twice in reads")
        #expect(entry.spec.writes.count == Set(entry.spec.writes).count, "a field is named twice in writes")
        guard !entry.spec.tags.contains("mapping") else { return }
        let folder = "Services/\(Repository.name(of: entry.family))/\(entry.spec.name)"
        let readme = try #require(Repository.text("\(folder)/README.md"))
        #expect(readme.utf8.count > 200, "the README of \(name) says nothing")
        #expect(
            readme.contains(entry.spec.summary),
            "the README of \(name) does not carry the summary: intelmqctl docs renders its head")
    }
}

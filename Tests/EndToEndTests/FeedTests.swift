import Foundation
import Testing
import TestSupport

/// The catalogue of feeds, as `intelmqctl feed` shows it and puts it into a workflow.
@Suite struct FeedTests {
    @Test func `a feed is added and the rest of the file stays`() async throws {
        let folder = try Folder()
        let text = try String(contentsOfFile: "\(sourceTree)/openapi/workflows/phishing-urls.yaml", encoding: .utf8)
        let file = try folder.write("graph.yaml", text + "# the end\n")
        let added = try await Program.run(["ctl", "feed", "add", "abuse.ch/urlhaus", file])
        #expect(added.code == 0 && added.out.contains("urlhaus-feed → urlhaus → taxonomy"), "\(added.err)")
        #expect(added.err.contains("warning: urlhaus-feed needs the variable ABUSE_CH_KEY"), "\(added.err)")
        #expect(added.err.contains("export ABUSE_CH_KEY=…") && !added.err.contains("does not start yet"))
        let after = try String(contentsOfFile: file, encoding: .utf8)
        #expect(after.hasPrefix(text) && after.hasSuffix("# the end\n") && after.contains("{{ env.ABUSE_CH_KEY }}"))
        let dummy = try await Program.run(["ctl", "feed", "add", "VXVault/URLs", file, "--to", "store", "--name", "vx"])
        #expect(dummy.code == 0, "\(dummy.err)")
        let checked = try await Program.run(["ctl", "check", file, "--only", "connectiontest"])
        #expect(checked.code == 0 && checked.out.contains("ok: 12 nodes"), "\(checked.err)")
        // What a parser cannot do without is told at once, with the line that is missing.
        let table = try await Program.run(["ctl", "feed", "add", "University of Toulouse/Blacklist", file])
        #expect(table.code == 0 && table.err.contains("blacklist does not start yet"), "\(table.err)")
        #expect(table.err.contains("add below settings:  columns: [\"@timestamp\"") && table.err.contains("--> \(file):"))
        // Twice is a mistake, and changes nothing.
        let again = try await Program.run(["ctl", "feed", "add", "VXVault/URLs", file, "--name", "vx"])
        #expect(again.code == 64 && again.err.contains("--name"))
    }

    @Test func `what cannot be added leaves the file as it was`() async throws {
        let folder = try Folder()
        let text = try String(contentsOfFile: "\(sourceTree)/openapi/workflows/phishing-urls.yaml", encoding: .utf8)
        let file = try folder.write("graph.yaml", text)
        let unknown = try await Program.run(["ctl", "feed", "add", "abuse.ch/Feodo Trackr", file])
        #expect(unknown.code == 64 && unknown.err.contains("did you mean \"abuse.ch/Feodo Tracker\"?"))
        let nowhere = try await Program.run(["ctl", "feed", "add", "VXVault/URLs", file, "--to", "stroe"])
        #expect(nowhere.code == 78 && nowhere.err.contains("did you mean \"store\"?"), "\(nowhere.err)")
        #expect(nowhere.err.contains("(in what would be added)\n  --> \(file)\n"), "\(nowhere.err)")
        #expect(try String(contentsOfFile: file, encoding: .utf8) == text)
        #expect(files(in: folder.path) == ["graph.yaml"])
    }
}

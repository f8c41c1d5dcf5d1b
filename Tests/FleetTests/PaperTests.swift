import Collectors
import Control
import Experts
import Foundation
import Outputs
import Parsers
import ServiceKernel
import Testing

/// What is rendered from the code is committed, and current.
@Suite struct PaperTests {
    private let roster = Roster(collectors + parsers + experts + outputs)
    private let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    @Test func `the rendered papers are current (make papers)`() throws {
        for (path, content) in Papers.all(roster) {
            let committed = try? String(contentsOfFile: "\(root)/\(path)", encoding: .utf8)
            #expect(committed == content, "\(path) is not current: make papers")
        }
    }

    @Test func `the heads of the READMEs are current (make papers)`() throws {
        for entry in roster.workers {
            guard let path = Papers.readmePath(entry) else { continue }
            let committed = try String(contentsOfFile: "\(root)/\(path)", encoding: .utf8)
            #expect(Papers.readme(entry, keeping: committed) == committed, "\(path) is not current: make papers")
        }
    }
}

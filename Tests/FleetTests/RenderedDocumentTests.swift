import Collectors
import Control
import Experts
import Foundation
import Outputs
import Parsers
import ServiceKernel
import Testing
import TestSupport
import YAML

/// What is rendered from the code is committed, and current.
@Suite struct RenderedDocumentTests {
    private let roster = Roster(collectors + parsers + experts + outputs)

    @Test func `the rendered documents are current (make docs)`() throws {
        for (path, content) in RenderedDocuments.all(roster) {
            let committed = try? String(contentsOfFile: "\(sourceTree)/\(path)", encoding: .utf8)
            #expect(committed == content, "\(path) is not current: make docs")
        }
    }

    @Test func `every sample is YAML`() throws {
        for entry in roster.workers {
            let sample = Renderer.sample(of: entry)
            #expect(throws: Never.self, "\(entry.name)") { try YAMLDocument.parse(Array(sample.utf8), file: entry.name) }
        }
    }

    @Test func `the heads of the READMEs are current (make docs)`() throws {
        for entry in roster.workers {
            guard let path = RenderedDocuments.readmePath(entry) else { continue }
            let committed = try String(contentsOfFile: "\(sourceTree)/\(path)", encoding: .utf8)
            #expect(RenderedDocuments.readme(entry, keeping: committed) == committed, "\(path) is not current: make docs")
        }
    }
}

/// The catalogue names workers that are there.
@Suite struct FeedCatalogueTests {
    @Test func feedsHaveTheirWorkers() {
        #expect(Feed.all.count > 80)
        #expect(Set(Feed.all.map(\.title)).count == Feed.all.count)
        for feed in Feed.all {
            #expect(fleet.worker(named: feed.parser)?.family == .parser, "\(feed.title)")
            if let collector = feed.collector { #expect(fleet.worker(named: collector)?.family == .collector, "\(feed.title)") }
            #expect(["public", "registration"].contains(feed.access), "\(feed.title)")
        }
    }
}

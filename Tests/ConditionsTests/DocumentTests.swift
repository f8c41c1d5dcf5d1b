import Conditions
import Foundation
import Testing
import TestSupport

@Suite struct DocumentTests {
    /// Every line in a box marked `condition` of docs/conditions.md is a condition.
    @Test func theDocumentTellsTheTruth() throws {
        let page = try String(contentsOfFile: "\(sourceTree)/docs/conditions.md", encoding: .utf8)
        var isInside = false
        var count = 0
        for line in page.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```") {
                isInside = line == "```condition"
            } else if isInside {
                count += 1
                do throws(ConditionError) {
                    let condition = try Condition(String(line))
                    #expect((try? Condition(condition.description)) == condition)
                } catch {
                    Issue.record("\(error)")
                }
            }
        }
        #expect(count > 25)
        // The error that the page shows is the one that comes.
        let shown = try #require(page.range(of: "error: no field[^`]*", options: .regularExpression))
        #expect(try failure("source.fqdn == \"www.example.com\"").description + "\n" == page[shown])
    }
}

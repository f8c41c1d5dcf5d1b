import Testing
import YAML

@testable import ServiceKernel

/// What fuzzing found, one test for each.
@Suite struct FuzzFindingsTests {
    @Test(.timeLimit(.minutes(1))) func aHundredMistakesAreEnough() throws {
        let members = (0..<20_000).map { "a\($0): 1" }.joined(separator: ", ")
        let document = try YAMLDocument.parse(Array("{worker: line-parser, \(members)}".utf8), file: "x.yaml")
        let error = #expect(throws: ConfigurationError.self) { try ConfigurationReader.read(document, roster: testRoster) }
        #expect(error?.messages.count == 101)
        #expect(error?.messages.last?.message.contains("more is wrong in x.yaml") == true)
    }

    @Test(arguments: ["8000000000 GiB", "9223372036854775807", "1048577 GiB"])
    func sizesThatCannotBeReckonedWithAreRefused(_ text: String) throws {
        let node = try YAMLDocument.parse(Array(text.utf8), file: "x").root
        #expect(throws: SettingProblem.self) { try ByteCount(setting: node) }
    }
}

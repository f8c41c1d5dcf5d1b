import ServiceKernel
import ServiceKernelTesting
import Testing

/// What every worker must do, whatever it is for.
@Suite(.serialized) struct ConformanceTests {
    @Test(arguments: fleet.workers.map(\.name)) func conforms(_ name: String) async throws {
        let entry = try #require(fleet.worker(named: name))
        // The first case whose settings are accepted: one that shows a refusal is no example.
        let example = try Repository.cases(of: entry).first { $0.settings != nil && $0.isExample }
        let failures = await Conformance(entry, example: example, here: Repository.folder(of: entry)).check()
        if !failures.isEmpty { Issue.record("\(failures.joined(separator: "\n"))") }
    }
}

import ServiceKernel
import ServiceKernelTesting
import Testing

/// One case of one worker.
struct WorkerCase: Sendable, CustomTestStringConvertible {
    let entry: RosterEntry
    let one: Case
    var testDescription: String { "\(entry.name): \(one.title)" }
}

/// All cases of all workers: data beside the workers, run here.
@Suite(.serialized) struct CaseTests {
    static let all: [WorkerCase] = fleet.workers.flatMap { entry in
        // Files that cannot be read are reported by their own test.
        ((try? Repository.cases(of: entry)) ?? []).map { WorkerCase(entry: entry, one: $0) }
    }

    @Test(arguments: fleet.workers.map(\.name)) func hasCases(_ name: String) throws {
        let entry = try #require(fleet.worker(named: name))
        #expect(!(try Repository.cases(of: entry)).isEmpty, "\(name) has no cases in \(Repository.folder(of: entry))/cases")
    }

    @Test(arguments: all) func passes(_ one: WorkerCase) async {
        let failures = await CaseRunner(one.entry, here: Repository.folder(of: one.entry)).run(one.one)
        if !failures.isEmpty { Issue.record("\(failures.joined(separator: "\n  "))") }
    }
}

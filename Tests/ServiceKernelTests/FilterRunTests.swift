import Foundation
import Glibc
import IDF
import ServiceKernelTesting
import TestSupport
import Testing

@testable import ServiceKernel

/// One-time runs: what is read, what is written, and the exit code.
@Suite(.serialized) struct FilterRunTests {
    /// Runs a worker over an input with standard output in a pipe.
    private func run(_ name: String, _ input: [UInt8], limit: Int = .max, file: String = "input") async throws -> (
        FilterRun.Outcome, [Event]
    ) {
        let folder = TemporaryFolder()
        try Data(input).write(to: URL(fileURLWithPath: "\(folder.path)/\(file)"))
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        // Room for what these tests write, so that nobody has to read meanwhile.
        _ = fcntl(ends[1], setPipeSize, 1 << 20)
        let kept = dup(STDOUT_FILENO)
        dup2(ends[1], STDOUT_FILENO)
        close(ends[1])
        var outcome = FilterRun.Outcome()
        do {
            let filter = try FilterRun(try configuration("worker: \(name)\nlog: {level: critical}\n"), limit: limit)
            await filter.run("\(folder.path)/\(file)", into: &outcome)
            await filter.finish()
        } catch {
            Issue.record(error)
        }
        dup2(kept, STDOUT_FILENO)
        close(kept)
        let bytes = readAll(ends[0]) ?? []
        close(ends[0])
        // Other tests may write words to the same place meanwhile.
        let lines = bytes.split(separator: 0x0A).filter { $0.first == 0x7B }
        return (outcome, try lines.flatMap { try Packet(decoding: Array($0)).events })
    }

    /// A pipe that stays open: what has come is worked on meanwhile, and a line may come in two pieces.
    @Test func packetsAreTakenAsTheyCome() async throws {
        let folder = TemporaryFolder()
        try #require(mkfifo("\(folder.path)/pipe", 0o600) == 0)
        let input = open("\(folder.path)/pipe", O_RDWR | O_CLOEXEC)
        defer { close(input) }
        let channel = RecordingChannel()
        let service = try service("obedient-expert", edges: [("a", channel)])
        let run = Task {
            var outcome = FilterRun.Outcome()
            await FilterRun(service, limit: 3).run("\(folder.path)/pipe", into: &outcome)
            return outcome
        }
        let line = packet("one").encoded()
        #expect(writeAll(input, Array(line[..<40])))
        #expect(writeAll(input, line[40...] + [0x0A]))
        // More than is looked at to tell packets from reports.
        #expect(writeAll(input, packet("two", String(repeating: "x", count: 2000)).encoded() + [0x0A]))
        #expect(await eventually { channel.messages.count == 3 })
        #expect(await run.value.accepted == 3)
        await service.close()
    }

    @Test func aFileThatIsNotThereIsNamed() async throws {
        let service = try service("line-parser", edges: [("a", RecordingChannel())])
        for file in ["/nowhere/report.csv", "/tmp"] {
            var outcome = FilterRun.Outcome()
            await FilterRun(service, limit: .max).run(file, into: &outcome)
            #expect(outcome.exitCode == 74)
            #expect(outcome.problem?.hasPrefix("cannot read \(file): ") == true)
        }
        await service.close()
    }

    private func messages(_ events: [Event]) -> [String] { events.compactMap { $0[Key<String>("message")] } }

    @Test func packetsLineByLine() async throws {
        let input = packet("one", "drop").encoded() + [0x0A, 0x0A] + packet("two").encoded()
        let (outcome, events) = try await run("obedient-expert", input)
        #expect(outcome.exitCode == 0)
        #expect(outcome.accepted == 3)
        #expect(messages(events) == ["one", "two"])
    }

    @Test func aBrokenLineIsNamed() async throws {
        let input = packet("one").encoded() + [0x0A] + Array("{\"IntelMQ-IDF\": nonsense}\n".utf8) + packet("two").encoded()
        let (outcome, events) = try await run("obedient-expert", input, file: "in.ndjson")
        #expect(outcome.exitCode == 65)
        #expect(outcome.problem?.contains("in.ndjson, line 2") == true)
        #expect(messages(events) == ["one"])
    }

    @Test func reportsAndBadRows() async throws {
        let (outcome, events) = try await run("line-parser", Array("one\nbad\ntwo\n".utf8), file: "report.txt")
        #expect(outcome.exitCode == 0)
        #expect(outcome.accepted == 2)
        #expect(outcome.failed == 1)
        #expect(messages(events) == ["one", "two"])
    }

    @Test func parsersReadPacketsOfReports() async throws {
        let (outcome, events) = try await run("line-parser", Packet(reports: [Report(content: Array("a\nb".utf8))]).encoded())
        #expect(outcome.exitCode == 0)
        #expect(messages(events) == ["a", "b"])
    }

    @Test(arguments: [0, 1, 2, 5, -1]) func stopsAfter(_ limit: Int) async throws {
        let (outcome, events) = try await run("obedient-expert", packet("a", "b", "c").encoded(), limit: limit)
        #expect(outcome.exitCode == 0)
        #expect(messages(events).count == min(3, max(0, limit)))
        let (_, rows) = try await run("line-parser", Array("a\nb\nc\n".utf8), limit: limit)
        #expect(messages(rows).count == min(3, max(0, limit)))
    }

    @Test func emptyInput() async throws {
        for name in ["obedient-expert", "line-parser"] {
            let (outcome, events) = try await run(name, [])
            #expect(outcome.exitCode == 0)
            #expect(events.isEmpty)
        }
    }

    @Test func temporaryFailuresHaveTheirCode() async throws {
        #expect(try await run("obedient-expert", packet("unavailable").encoded()).0.exitCode == 69)
        #expect(try await run("line-parser", Array("stop".utf8)).0.exitCode == 65)
    }
}

/// `F_SETPIPE_SZ` (linux/fcntl.h), which is a macro of a sum.
private let setPipeSize: Int32 = 1031

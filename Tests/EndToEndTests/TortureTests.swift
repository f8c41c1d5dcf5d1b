import Foundation
import Testing
import TestSupport

/// The short form of `make torture`: services are killed, stopped and ended, and no acknowledged event is lost.
@Suite(.serialized) struct TortureTests {
    @Test(.timeLimit(.minutes(20)))
    func `what was acknowledged survives twelve seconds of kills`() async throws {
        let tool = URL(fileURLWithPath: Program.path).deletingLastPathComponent().appendingPathComponent("torture")
        let folder = try Folder()
        let (code, report) = try await Program.blocking {
            let output = URL(fileURLWithPath: "\(folder.path)/report.txt")
            _ = FileManager.default.createFile(atPath: output.path, contents: nil)
            let file = try FileHandle(forWritingTo: output)
            let process = Process()
            process.executableURL = tool
            process.arguments = [Program.path, "--seconds", "12"]
            process.currentDirectoryURL = URL(fileURLWithPath: sourceTree)
            process.standardOutput = file
            process.standardError = file
            try process.run()
            process.waitUntilExit()
            return (process.terminationStatus, try String(contentsOf: output, encoding: .utf8))
        }
        #expect(code == 0, "\(report)")
        #expect(report.contains("events acknowledged"))
        // Each part has said something, and no part that it fails.
        for part in ["every acknowledged event", "downstream down", "disk full", "bit flipped", "clock jumps", "power cut"] {
            #expect(report.contains("pass    \(part)") || report.contains("skipped \(part)"), "\(part): \(report)")
        }
    }
}

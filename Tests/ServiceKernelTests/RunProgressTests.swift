import Bulk
import Synchronization
import Testing

@testable import ServiceKernel

/// How far a one-time run is, in a line.
@Suite struct RunProgressTests {
    @Test func aReportIsMeasuredByItsLines() {
        let events = Mutex(0)
        let progress = RunProgress(total: 2_000_000) { events.withLock { $0 } }
        #expect(progress.line.hasPrefix("[--------------------]   0 %  0.0 of 2.0 MB  0 events"))
        progress.begin(
            BulkBytes(
                Array("0123456789\n".utf8) + Array(repeating: 0x0A, count: 99) + Array(repeating: 0x30, count: 999_890)))
        events.withLock { $0 = 50 }
        #expect(progress.line.hasPrefix("[#####---------------]  25 %  0.5 of 2.0 MB  50 events"))
        // More events than lines, as from a report in one line, is not more than all of it.
        events.withLock { $0 = 1000 }
        #expect(progress.line.contains(" 50 %  1.0 of 2.0 MB"))
        progress.end()
        #expect(progress.line.contains(" 50 %"))
        progress.add(1_000_000)
        #expect(progress.line.hasPrefix("[####################] 100 %  2.0 of 2.0 MB  1000 events"))
    }

    @Test func inputOfUnknownSizeHasNoBar() {
        let progress = RunProgress(total: 0) { 7 }
        #expect(progress.line.hasPrefix("7 events  "))
        #expect(RunProgress.size(of: ["-"]) == 0 && RunProgress.size(of: ["/nowhere"]) == 0)
    }
}

import Glibc
import IDF
import Logging
import Synchronization
import Testing

@testable import ServiceKernel

/// What a log has written, and a clock.
private final class Sink: Sendable {
    private let written = Mutex<[UInt8]>([])
    private let clock: Clock
    let repetition: LogRepetition

    init() {
        let clock = Clock()
        self.clock = clock
        repetition = LogRepetition { clock.now.load(ordering: .relaxed) }
    }

    func advance(seconds: UInt64) { clock.now.add(seconds * 1_000_000_000, ordering: .relaxed) }

    var text: String { written.withLock { String(decoding: $0, as: UTF8.self) } }
    var lines: [String] { text.split(separator: "\n").map(String.init) }

    func log(_ form: StandardErrorLog.Form, level: Logger.Level = .info) -> Log {
        Logger(label: "parser") { label in
            StandardErrorLog(label: label, form: form, ownLevel: level, repetition: self.repetition) { bytes in
                self.written.withLock { $0 += bytes }
            }
        }
    }
}

private final class Clock: Sendable {
    let now = Atomic<UInt64>(1)
}

@Suite(.serialized, .timeLimit(.minutes(1))) struct LogTests {
    @Test func jsonHasTheNamesOfECS() throws {
        let sink = Sink()
        var log = sink.log(.json)
        log[metadataKey: "worker"] = "mine"
        log.warning("a \"thing\"\n", metadata: ["trace.id": "4bf9", "packet.id": "0198", "message": "a trap"])
        let line = try JSONValue(parsing: Array(sink.text.utf8))
        #expect(sink.lines.count == 1)
        #expect(line["message"]?.string == "a \"thing\"\n")
        #expect(line["log.level"]?.string == "warning")
        #expect(line["service.name"]?.string == "parser")
        #expect(line["trace.id"]?.string == "4bf9")
        #expect(line["packet.id"]?.string == "0198")
        #expect(line["ecs.version"]?.string == Packet.ecsVersion)
        #expect(line["@timestamp"]?.string?.hasSuffix("Z") == true)
        #expect(Set(line.members?.map(\.name) ?? []).count == line.members?.count, "no name twice")
    }

    @Test func textIsForPeopleAndTheJournalKnowsPriorities() {
        let sink = Sink()
        sink.log(.text).notice("started", metadata: ["listen": "port 1", "ack": "relay", "empty": "", "q": "a\"b"])
        #expect(sink.lines[0].hasSuffix(#"Z parser notice: started ack=relay empty="" listen="port 1" q="a\"b""#))
        let journal = sink.log(.journal, level: .trace)
        for level in Logger.Level.allCases { journal.log(level: level, "x") }
        #expect(sink.lines.dropFirst().map { String($0.prefix(3)) } == ["<7>", "<7>", "<6>", "<5>", "<4>", "<3>", "<2>"])
        #expect(sink.lines.last == "<2>parser critical: x")
    }

    @Test func nothingReachesTheTerminalThatItWouldObey() throws {
        let bad = "a\u{1B}[2Jb\u{9B}c\u{7F}\r\nd\u{202E}e\u{2028}f\u{0}"
        let sink = Sink()
        sink.log(.text).error("\(bad)", metadata: ["k\u{1B}": "\(bad)"])
        sink.log(.journal).error("\(bad)")
        sink.log(.json).error("\(bad)", metadata: ["k\u{1B}": "\(bad)"])
        #expect(sink.lines.count == 3, "one event a line")
        let controls = sink.text.unicodeScalars.filter { $0.properties.generalCategory == .control && $0 != "\n" }
        #expect(controls.isEmpty)
        #expect(!sink.lines[0].unicodeScalars.contains("\u{202E}"))
        #expect(try JSONValue(parsing: Array(sink.lines[2].utf8))["message"]?.string == bad, "JSON keeps all, escaped")
    }

    @Test func longTextsAreCut() {
        let sink = Sink()
        sink.log(.text).error(
            "\(String(repeating: "é", count: 100_000))", metadata: ["k": "\(String(repeating: "x", count: 100_000))"])
        #expect(sink.text.utf8.count < 20_000)
        #expect(sink.text.contains("…"))
    }

    @Test func repetitionIsCountedAndSaidOnce() {
        let sink = Sink()
        let log = sink.log(.text)
        for number in 0..<100 { log.warning("edge is down", metadata: ["try": "\(number)"]) }
        for _ in 0..<3 { log.error("edge is down") }
        #expect(sink.lines.count { $0.contains("warning: edge is down") } == LogRepetition.most)
        #expect(sink.lines.count { $0.contains("error: edge is down") } == 3, "another level is another message")
        sink.advance(seconds: 5)
        sink.repetition.sweep()
        #expect(!sink.text.contains("repeated"))
        sink.advance(seconds: 6)
        sink.repetition.sweep()
        #expect(sink.lines.last?.hasSuffix("parser warning: repeated 90 times: edge is down") == true)
        sink.repetition.sweep()
        #expect(sink.lines.count { $0.contains("repeated") } == 1)
        log.warning("edge is down")
        #expect(sink.lines.last?.hasSuffix("warning: edge is down") == true, "afterwards it is news again")
    }

    @Test func theEndSaysWhatIsLeft() {
        let sink = Sink()
        for _ in 0...LogRepetition.most { sink.log(.text).info("again") }
        sink.repetition.sweep(all: true)
        #expect(sink.lines.last?.hasSuffix("info: repeated 1 time: again") == true)
    }

    @Test func recordsAndDebuggingAreAlwaysWritten() {
        let sink = Sink()
        let log = sink.log(.text, level: .debug)
        for _ in 0..<50 {
            log.info("a dead letter was deleted", metadata: [Log.everyOne: "true", "by": "somebody"])
            log.debug("packet taken")
        }
        #expect(sink.lines.count == 100)
        #expect(!sink.text.contains(Log.everyOne))
    }

    @Test func memoryIsBounded() {
        let sink = Sink()
        let log = sink.log(.text)
        for number in 0..<5000 { log.info("message \(number)") }
        #expect(sink.lines.count == 5000, "what is not remembered is written")
        sink.advance(seconds: 20)
        for _ in 0..<50 { log.info("new") }
        #expect(sink.lines.count == 5010, "the old ones have made room")
    }

    @Test func theLevelChangesWhileRunning() {
        let sink = Sink()
        let (quiet, loud) = (sink.log(.text, level: .critical), sink.log(.text, level: .info))
        quiet.error("1")
        loud.info("2")
        LogLevel.current = .error
        quiet.error("3")
        loud.warning("4")
        LogLevel.current = nil
        quiet.error("5")
        loud.info("6")
        #expect(sink.lines.compactMap { $0.split(separator: " ").last } == ["2", "3", "6"])
    }

    @Test func theJournalIsKnownByDeviceAndInode() throws {
        let descriptor = open("/dev/null", O_WRONLY)
        defer { close(descriptor) }
        var status = stat()
        try #require(fstat(descriptor, &status) == 0)
        #expect(StandardErrorLog.leads(to: "\(status.st_dev):\(status.st_ino)", descriptor))
        #expect(!StandardErrorLog.leads(to: "\(status.st_dev):\(status.st_ino + 1)", descriptor))
        #expect(!StandardErrorLog.leads(to: nil, descriptor) && !StandardErrorLog.leads(to: "", descriptor))
        #expect(!StandardErrorLog.leads(to: "\(status.st_dev):\(status.st_ino)", -1))
    }
}

import CSV
import Glibc
import IDF
import ServiceKernel
import Synchronization

/// Appends events to a file: one JSON object a line, or rows of chosen fields.
struct FileOutput: Output {
    static let spec = Spec("file", "Appends events to a file, as JSON lines, CSV or messages of IntelMQ 3.")

    enum Format: String, SettingChoice, SettingValue { case ndjson, csv, dho }

    @Setting("File to append to; made if it is not there.", example: "/var/lib/intelmq/events.ndjson") var path: String
    @Setting("ndjson (one event a line), csv, or dho (one message of IntelMQ 1 to 3 a line).") var format = Format.ndjson
    @Setting("Columns of a CSV file, in order; needed for csv.", example: "[\"@timestamp\", source.ip]") var fields: [FieldID] =
        []

    @Setting(
        "The one field to write of each event, one value a line: intelmq.output, what a converter has made; null: the event.")
    var singleKey: FieldID? = nil

    private var file: GroupWriter<[UInt8]>?

    mutating func prepare(_ context: WorkerContext) throws(Rejection) {
        if format != .ndjson, singleKey != nil { throw .malformed("single-key is written as it is, so it wants format ndjson") }
        if format == .csv, fields.isEmpty { throw .missing("format csv needs the setting fields: the columns in order") }
        var header: [UInt8] = []
        if format == .csv {
            var writer = CSVWriter()
            for field in fields { writer.append(field.name) }
            writer.endRecord()
            header = writer.take()
        }
        try makeFolder(ofFile: path, isTrial: context.isTrial)
        if context.isTrial { return }
        let opened = try AppendFile(path: path, header: header)
        file = GroupWriter { batches throws(Rejection) in try opened.append(Array(batches.joined())) }
    }

    func write(_ events: [Event]) async throws(Rejection) -> [RejectedEvent] {
        guard let file else { throw .unavailable("the file is not open") }
        var lines: [UInt8] = []
        lines.reserveCapacity(events.count * 1024)
        switch format {
        case .ndjson, .dho:
            for event in events {
                if let singleKey {
                    let start = lines.count
                    guard event.appendFirst(singleKey, to: &lines) else { continue }
                    // One value is one line, whatever the value.
                    for index in start..<lines.count where lines[index] == 0x0A { lines[index] = 0x20 }
                } else if format == .dho {
                    DHO.message(event).append(to: &lines)
                } else {
                    event.encode(into: &lines)
                }
                lines.append(0x0A)
            }
        case .csv:
            var writer = CSVWriter()
            for event in events {
                for field in fields { writer.append(event.text(field) ?? "") }
                writer.endRecord()
            }
            lines = writer.take()
        }
        try await file.write(lines)
        return []
    }
}

/// A file that grows by whole batches: a batch is synced, or taken back as if it had never begun. Used by one thread at a time.
final class AppendFile: Sendable {
    private let path: String
    private let header: [UInt8]
    /// Used by the writer's thread only, but for the opening.
    private let descriptor: Mutex<Int32>

    init(path: String, header: [UInt8]) throws(Rejection) {
        self.path = path
        self.header = header
        descriptor = Mutex(try Self.open(path, header))
    }

    deinit { close(descriptor.withLock { $0 }) }

    private static func open(_ path: String, _ header: [UInt8]) throws(Rejection) -> Int32 {
        let descriptor = Glibc.open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw .unavailable("cannot open \(path) for writing: \(String(cString: strerror(errno)))") }
        do throws(Rejection) {
            // Two writers would take back each other's lines when the disk is full. One that is just ending may take a moment.
            var tries = 0
            while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
                tries += 1
                guard tries < 50 else { throw .unavailable("\(path) is written by another process") }
                usleep(10_000)
            }
            let size = lseek(descriptor, 0, SEEK_END)
            if size > 0 { try cutHalfLine(descriptor, path, size) }
            if lseek(descriptor, 0, SEEK_END) == 0, !header.isEmpty { try write(header, descriptor, path) }
            return descriptor
        } catch {
            close(descriptor)
            throw error
        }
    }

    func append(_ bytes: [UInt8]) throws(Rejection) {
        try descriptor.withLock { (descriptor) throws(Rejection) in
            // The file may have been renamed or removed, as log rotation does: then a new one is begun.
            var (here, there) = (stat(), stat())
            if fstat(descriptor, &here) != 0 || stat(path, &there) != 0 || here.st_ino != there.st_ino
                || here.st_dev != there.st_dev
            {
                let fresh = try Self.open(path, header)
                close(descriptor)
                descriptor = fresh
            }
            try Self.write(bytes, descriptor, path)
        }
    }

    private static func write(_ bytes: [UInt8], _ descriptor: Int32, _ path: String) throws(Rejection) {
        let before = lseek(descriptor, 0, SEEK_END)
        // Pipes and devices have nothing to sync.
        if writeAll(descriptor, bytes), fdatasync(descriptor) == 0 || errno == EINVAL { return }
        let reason = String(cString: strerror(errno))
        ftruncate(descriptor, before)
        throw .unavailable("cannot write \(path): \(reason)")
    }

    /// A process that was killed while it wrote leaves half a line, which no reader may see.
    private static func cutHalfLine(_ descriptor: Int32, _ path: String, _ size: off_t) throws(Rejection) {
        var at = size
        var byte: UInt8 = 0
        while at > 0, pread(descriptor, &byte, 1, at - 1) == 1, byte != 0x0A { at -= 1 }
        if at < size, ftruncate(descriptor, at) != 0 {
            throw .unavailable("\(path) ends in half a line that cannot be cut off: \(String(cString: strerror(errno)))")
        }
    }
}

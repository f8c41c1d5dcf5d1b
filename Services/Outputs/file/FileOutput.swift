import CSV
import Glibc
import IDF
import ServiceKernel
import Synchronization

/// Appends events to a file: one JSON object a line, or rows of chosen fields.
struct FileOutput: Output {
    static let spec = Spec("file", "Appends events to a file, as JSON lines or CSV.")

    enum Format: String, SettingChoice, SettingValue { case ndjson, csv }

    @Setting("File to append to; made if it is not there.", example: "/var/lib/intelmq/events.ndjson") var path: String
    @Setting("ndjson (one event a line) or csv.") var format = Format.ndjson
    @Setting("Columns of a CSV file, in order; needed for csv.", example: "[\"@timestamp\", source.ip]") var fields: [FieldID] = []

    private var file: AppendFile?

    mutating func prepare(_ context: WorkerContext) throws(Rejection) {
        if format == .csv, fields.isEmpty { throw .missing("format csv needs the setting fields: the columns in order") }
        var header: [UInt8] = []
        if format == .csv {
            var writer = CSVWriter()
            for field in fields { writer.append(field.name) }
            writer.endRecord()
            header = writer.take()
        }
        file = try AppendFile(path: path, header: header)
    }

    func write(_ events: [Event]) async throws(Rejection) -> [RejectedEvent] {
        guard let file else { throw .unavailable("the file is not open") }
        var lines: [UInt8] = []
        lines.reserveCapacity(events.count * 1024)
        switch format {
        case .ndjson:
            for event in events {
                event.encode(into: &lines)
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
        try file.append(lines)
        return []
    }
}

/// A file that grows by whole batches: a batch is synced, or taken back as if it had never begun.
final class AppendFile: Sendable {
    private let descriptor: Int32
    private let path: String
    private let lock = Mutex(())

    init(path: String, header: [UInt8]) throws(Rejection) {
        self.path = path
        descriptor = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw .unavailable("cannot open \(path) for writing: \(String(cString: strerror(errno)))") }
        // A process that was killed while it wrote leaves half a line, which no reader may see.
        let size = lseek(descriptor, 0, SEEK_END)
        if size > 0 { try cutHalfLine(size) }
        if lseek(descriptor, 0, SEEK_END) == 0, !header.isEmpty { try append(header) }
    }

    deinit { close(descriptor) }

    func append(_ bytes: [UInt8]) throws(Rejection) {
        let failure: String? = lock.withLock { _ in
            let before = lseek(descriptor, 0, SEEK_END)
            let done = bytes.withUnsafeBytes { buffer in
                var written = 0
                while written < buffer.count {
                    let count = Glibc.write(descriptor, buffer.baseAddress! + written, buffer.count - written)
                    if count < 0, errno == EINTR { continue }
                    if count <= 0 { return false }
                    written += count
                }
                return true
            }
            if done, fdatasync(descriptor) == 0 { return nil }
            let reason = String(cString: strerror(errno))
            ftruncate(descriptor, before)
            return reason
        }
        if let failure { throw .unavailable("cannot write \(path): \(failure)") }
    }

    private func cutHalfLine(_ size: off_t) throws(Rejection) {
        var at = size
        var byte: UInt8 = 0
        while at > 0, pread(descriptor, &byte, 1, at - 1) == 1, byte != 0x0A { at -= 1 }
        if at < size, ftruncate(descriptor, at) != 0 {
            throw .unavailable("\(path) ends in half a line that cannot be cut off: \(String(cString: strerror(errno)))")
        }
    }
}

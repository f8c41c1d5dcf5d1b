import CZlib
import Glibc
import IDF

/// A table of announced networks in text form, plain or with gzip: pyasn's or CAIDA's.
struct TextTable: Sendable {
    /// The global table has 1.3 million networks; this keeps a hostile archive from filling the memory.
    private static let countLimit = 8_000_000
    /// No honest line comes near it.
    private static let lineLimit = 64 * 1024

    private let v4: PrefixTable<UInt32>
    private let v6: PrefixTable<UInt128>

    var count: Int { v4.count + v6.count }

    init(file: borrowing DatabaseFile) throws(ASNDatabaseError) {
        var v4: [PrefixTable<UInt32>.Row] = []
        var v6: [PrefixTable<UInt128>.Row] = []
        try Self.forEachLine(of: file) { number, line throws(ASNDatabaseError) in
            switch TextTableLine(line) {
            case .nothing: return
            case .v4(let row): v4.append(row)
            case .v6(let row): v6.append(row)
            case .bad(let wanted):
                throw .badLine(path: file.path, line: number, found: TextTableLine.shown(line), wanted: wanted)
            }
            if v4.count + v6.count > Self.countLimit { throw .tooLarge(path: file.path, limit: Self.countLimit) }
        }
        guard !v4.isEmpty || !v6.isEmpty else { throw .empty(path: file.path) }
        self.v4 = PrefixTable(rows: v4)
        v4 = []
        self.v6 = PrefixTable(rows: v6)
    }

    func system(announcing address: IPAddress) -> AutonomousSystem? {
        if address.isV4 {
            guard let row = v4.row(containing: UInt32(truncatingIfNeeded: address.bits)) else { return nil }
            return Self.answer(row.system, UInt128(row.start), row.length, isV4: true)
        }
        guard let row = v6.row(containing: address.bits) else { return nil }
        return Self.answer(row.system, row.start, row.length, isV4: false)
    }

    /// System 0 marks a network that nobody may announce (RFC 7607).
    private static func answer(_ system: UInt32, _ start: UInt128, _ length: UInt8, isV4: Bool) -> AutonomousSystem? {
        let address = IPAddress(bits: start, isV4: isV4)
        guard system != 0, let network = IPNetwork(address: address, prefixLength: length) else { return nil }
        return AutonomousSystem(number: system, name: nil, network: network)
    }

    /// Calls `body` with each line, numbered from 1, without its line end.
    private static func forEachLine(
        of file: borrowing DatabaseFile, _ body: (Int, ByteView) throws(ASNDatabaseError) -> Void
    ) throws(ASNDatabaseError) {
        // gzclose closes its descriptor, so it gets one of its own; gzread passes plain files through.
        let copy = dup(file.descriptor)
        guard copy >= 0, lseek(copy, 0, SEEK_SET) == 0, let stream = gzdopen(copy, "rb") else {
            let reason = DatabaseFile.reason()
            if copy >= 0 { close(copy) }
            throw .unreadable(path: file.path, reason: reason)
        }
        defer { gzclose(stream) }
        gzbuffer(stream, 128 * 1024)

        let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 4 * lineLimit)
        defer { buffer.deallocate() }
        guard let base = buffer.baseAddress else { return }
        var filled = 0
        var lineNumber = 0
        while true {
            let got = gzread(stream, base + filled, UInt32(buffer.count - filled))
            let isLast = Int(got) < buffer.count - filled
            if isLast { try check(stream, file.path) }
            let isFirst = lineNumber == 0
            filled += Int(max(got, 0))
            if isFirst, ByteView(start: base, count: filled).contains(0) {
                throw .wrongKind(
                    path: file.path,
                    found: "binary data without the mark of a MaxMind database (cut short, or packed in another way?)")
            }
            var start = 0
            while start < filled, let end = memchr(base + start, 0x0A, filled - start) {
                let length = UnsafeRawPointer(base + start).distance(to: end)
                lineNumber += 1
                try body(lineNumber, ByteView(start: base + start, count: length))
                start += length + 1
            }
            filled -= start
            if start > 0 { memmove(base, base + start, filled) }
            if isLast || filled > lineLimit {
                guard filled > 0 else { return }
                lineNumber += 1
                try body(lineNumber, ByteView(start: base, count: min(filled, lineLimit)))
                guard !isLast else { return }
                throw .badLine(
                    path: file.path, line: lineNumber, found: TextTableLine.shown(.init(start: base, count: filled)),
                    wanted: "a line of at most \(lineLimit) bytes")
            }
        }
    }

    private static func check(_ stream: gzFile, _ path: String) throws(ASNDatabaseError) {
        var code: CInt = 0
        let text = gzerror(stream, &code)
        switch code {
        case Z_OK, Z_STREAM_END: return
        case Z_ERRNO: throw .unreadable(path: path, reason: DatabaseFile.reason())
        case Z_BUF_ERROR: throw .corrupt(path: path, reason: "the gzip data end too early")
        default: throw .corrupt(path: path, reason: text.map { String(cString: $0) } ?? "gzip error \(code)")
        }
    }
}

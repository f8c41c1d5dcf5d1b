import Glibc

/// What the edges' accounts said after the last commit of packets, in a small file beside the spool's own.
///
/// A log that was cut at its end, or whose last frames changed, looks like one whose last transaction never was finished: what was
/// acknowledged in it would be gone without a word, and the accounts of it too. The tally is written after the commit and is not
/// synced: a killed process leaves it as it was, a power cut may leave an older one, but it never says more than was synced.
final class Tally {
    private let descriptor: Int32

    /// Opens the file for writing. Without it the spool works as well, and only finds less.
    init(path: String) { descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o640) }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// What the file says.
    struct Contents {
        /// The number of the last packet.
        let last: Int64
        let rows: [EdgeRow]
    }

    /// Replaces what the file says.
    func write(_ contents: Contents) {
        guard descriptor >= 0 else { return }
        var body: [UInt8] = []
        func append(_ number: Int64) { withUnsafeBytes(of: number.littleEndian) { body.append(contentsOf: $0) } }
        append(contents.last)
        for row in contents.rows {
            append(Int64(row.name.utf8.count))
            body.append(contentsOf: row.name.utf8)
            for number in [row.accepted, row.acknowledged, row.deadLettered, row.dropped, row.lost] { append(number) }
        }
        let sum = checksum(body)
        let accounts = body
        body = []
        append(sum)
        append(Int64(accounts.count))
        body += accounts
        // In one piece: a process can be killed before or after it.
        _ = pwrite(descriptor, body, body.count, 0)
    }

    /// Reads the file; nil where there is none, or it is not as it was written.
    static func read(_ path: String) -> Contents? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        guard count >= 24 else { return nil }
        return bytes.withUnsafeBytes { bytes in
            func number(_ at: Int) -> Int64 { Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: Int64.self)) }
            guard let length = Int(exactly: number(8)), length >= 8, length <= count - 16 else { return nil }
            let body = UnsafeBufferPointer(rebasing: bytes.bindMemory(to: UInt8.self)[16..<16 + length])
            guard checksum(of: body) == number(0) else { return nil }
            var rows: [EdgeRow] = []
            var at = 24
            while at + 8 <= 16 + length, let size = Int(exactly: number(at)), size >= 0, size <= 16 + length - at - 48 {
                let name = String(decoding: bytes[(at + 8)..<(at + 8 + size)], as: UTF8.self)
                at += 8 + size
                rows.append(
                    EdgeRow(
                        name: name, cursor: 0, acknowledged: number(at + 8), deadLettered: number(at + 16),
                        dropped: number(at + 24), accepted: number(at), lost: number(at + 32)))
                at += 40
            }
            return Contents(last: number(16), rows: rows)
        }
    }
}

extension EdgeRow {
    /// Brings the accounts in line with the tally; answers how many events are lost that the file knows nothing of.
    /// - Parameter isNew: whether the file has lost the edge as well.
    mutating func compare(_ tally: EdgeRow?, isNew: Bool, backlog: Int) -> Int64 {
        guard let tally, until == nil, tally.accepted > accepted else { return 0 }
        let before = lost
        accepted = tally.accepted
        if isNew {
            (acknowledged, deadLettered, dropped) = (tally.acknowledged, tally.deadLettered, tally.dropped)
            lost = max(lost, tally.lost)
        }
        settleAccounts(backlog: backlog)
        return lost - before
    }
}

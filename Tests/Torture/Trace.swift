import Glibc

/// What strace saw a service do to files and connections, in the order in which it began and ended.
struct Trace {
    /// One end of a system call.
    struct Step: Sendable {
        enum Call: String, Sendable {
            case openat, pwrite64, write, writev, sendto, sendmsg, recvfrom, read, fdatasync, fsync, ftruncate, rename, unlink,
                mkdir
        }

        let call: Call
        /// Which call it is; the beginning and the end of one have the same number.
        let number: Int
        let isBegin: Bool
        /// Of a file its path; of a connection its addresses.
        let target: String
        /// All that stands in quotation marks, one after the other.
        let bytes: [UInt8]
        /// For `pwrite64` the place, for `ftruncate` the length.
        let offset: Int
        /// Whether `openat` may make the file.
        let makes: Bool
        /// What it answered; nil at its beginning.
        let result: Int?
    }

    /// The system calls to be traced.
    static let calls = "openat,pwrite64,write,writev,sendto,sendmsg,recvfrom,read,fdatasync,fsync,ftruncate,rename,unlink,mkdir"

    private(set) var steps: [Step] = []
    private var open: [Int: (number: Int, text: [UInt8])] = [:]
    private var last = 0
    private let folder: [UInt8]

    /// - Parameter folder: files elsewhere are left out.
    init(_ path: String, folder: String) throws(TortureError) {
        guard let file = fopen(path, "r") else { throw TortureError("cannot read \(path): \(Machine.reason(errno))") }
        defer { fclose(file) }
        self.folder = Array(folder.utf8)
        var line: UnsafeMutablePointer<CChar>?
        var room = 0
        defer { free(line) }
        while case let length = getline(&line, &room, file), length > 0 {
            guard let line else { break }
            take(UnsafeRawBufferPointer(start: line, count: length - 1))
        }
    }

    private mutating func take(_ line: UnsafeRawBufferPointer) {
        guard let space = line.firstIndex(of: 0x20), let process = Int(String(decoding: line[..<space], as: UTF8.self)),
            let start = line[space...].firstIndex(where: { $0 != 0x20 })
        else { return }
        let text = line[start...]
        if text.starts(with: "<... ".utf8) {
            // The rest of a call that another thread came into.
            guard let (number, before) = open.removeValue(forKey: process), let end = text.firstRange(of: " resumed>".utf8)
            else { return }
            enter(before + text[end.upperBound...], number: number, ends: true)
        } else if let cut = text.suffix(32).firstRange(of: " <unfinished ...>".utf8) {
            last += 1
            let before = Array(text[..<cut.lowerBound])
            open[process] = (last, before)
            enter(before, number: last, ends: false)
        } else {
            last += 1
            let whole = Array(text)
            enter(whole, number: last, ends: false)
            enter(whole, number: last, ends: true)
        }
    }

    private mutating func enter(_ text: [UInt8], number: Int, ends: Bool) {
        guard let bracket = text.firstIndex(of: 0x28),
            let call = Step.Call(rawValue: String(decoding: text[..<bracket], as: UTF8.self))
        else { return }
        var target: [UInt8] = []
        if call != .rename, call != .unlink, call != .mkdir, call != .openat {
            guard let from = text[bracket...].firstIndex(of: 0x3C), let to = Self.end(of: text, from) else { return }
            target = Self.decoded(text[(from + 1)..<to])
            let isConnection = target.starts(with: "TCP:".utf8)
            guard isConnection || target.starts(with: folder) else { return }
        }
        var bytes: [UInt8] = []
        var afterQuotes = bracket
        while let from = text[afterQuotes...].firstIndex(of: 0x22),
            let to = text[(from + 1)...].firstIndex(of: 0x22)
        {
            if !target.isEmpty || bytes.isEmpty || call == .rename {
                if call == .rename, !bytes.isEmpty { bytes.append(0) }
                bytes += Self.decoded(text[(from + 1)..<to])
            }
            afterQuotes = to + 1
        }
        if target.isEmpty {
            guard bytes.starts(with: folder) else { return }
            target = bytes
        }
        let tail = String(decoding: text[afterQuotes...], as: UTF8.self)
        let answer = tail.firstRange(of: ") = ").map { tail[$0.upperBound...] } ?? Self.answer(tail)
        let arguments = tail.split(separator: ")").first.map { $0.split(separator: ",") } ?? []
        let offset = arguments.last.flatMap { Int($0.filter(\.isNumber)) } ?? 0
        steps.append(
            Step(
                call: call, number: number, isBegin: !ends, target: String(decoding: target, as: UTF8.self), bytes: bytes,
                offset: offset, makes: tail.contains("O_CREAT"),
                result: ends ? answer.flatMap { Int($0.prefix { $0 == "-" || $0.isNumber }) } : nil))
    }

    /// The answer where strace has put blanks before it.
    private static func answer(_ tail: String) -> Substring? {
        guard let equals = tail.lastIndex(of: "=") else { return nil }
        return tail[tail.index(after: equals)...].drop { $0 == " " }
    }

    /// Where the name of a descriptor ends: addresses have an arrow in them.
    private static func end(of text: [UInt8], _ from: Int) -> Int? {
        var at = from + 1
        while at < text.count {
            if text[at] == 0x3E, text[at - 1] != 0x2D { return at }
            at += 1
        }
        return nil
    }

    /// `\xNN` as bytes; what is not written so stays.
    private static func decoded(_ text: ArraySlice<UInt8>) -> [UInt8] {
        text.withUnsafeBufferPointer { text in
            [UInt8](unsafeUninitializedCapacity: text.count) { out, count in
                var at = 0
                while at < text.count {
                    if text[at] == 0x5C, at + 3 < text.count, text[at + 1] == 0x78 {
                        out[count] = digit(text[at + 2]) << 4 | digit(text[at + 3])
                        at += 4
                    } else {
                        out[count] = text[at]
                        at += 1
                    }
                    count += 1
                }
            }
        }
    }

    private static func digit(_ byte: UInt8) -> UInt8 { byte < 0x3A ? byte & 0xF : (byte & 0xF) + 9 }
}

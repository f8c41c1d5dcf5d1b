import Foundation
import SQLite
import Synchronization
import Testing
import TestSupport

@testable import Spool

/// A directory of its own for one test, removed at the end.
final class Place: Sendable {
    let path: String
    private let isOwn: Bool

    init(_ parent: String = "/tmp") {
        path = "\(parent)/spool-test-\(getpid())-\(UInt64.random(in: .min ... .max))"
        mkdir(path, 0o700)
        isOwn = true
    }

    /// A directory that stays.
    init(at path: String) {
        self.path = path
        isOwn = false
    }

    deinit { if isOwn { try? FileManager.default.removeItem(atPath: path) } }

    var names: [String] { files(in: path) }

    func size(_ name: String) -> Int {
        var status = stat()
        return stat("\(path)/\(name)", &status) == 0 ? Int(status.st_size) : -1
    }

    func read(_ name: String) -> [UInt8] {
        let descriptor = open("\(path)/\(name)", O_RDONLY)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: max(0, size(name)))
        var at = 0
        while at < bytes.count {
            let got = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress! + at, $0.count - at, at) }
            if got <= 0 { break }
            at += got
        }
        return bytes
    }

    func write(_ name: String, _ bytes: [UInt8], at offset: Int = 0) {
        let descriptor = open("\(path)/\(name)", O_RDWR | O_CREAT, 0o600)
        defer { close(descriptor) }
        var at = 0
        while at < bytes.count {
            let put = bytes.withUnsafeBytes { pwrite(descriptor, $0.baseAddress! + at, $0.count - at, offset + at) }
            if put <= 0 { break }
            at += put
        }
    }

    func cut(_ name: String, to size: Int) { truncate("\(path)/\(name)", size) }

    /// What a killed process would leave: the files as they are now.
    func copy(_ names: [String] = ["spool.sqlite", "spool.sqlite-wal"]) -> Place {
        let copy = Place()
        for name in names where size(name) >= 0 { copy.write(name, read(name)) }
        return copy
    }

    func spool(_ edges: [String] = ["a"], limit: Int64 = 1 << 30) throws -> Spool {
        try Spool(directory: path, edges: edges, limitBytes: limit)
    }
}

func uuid(_ number: Int) -> String {
    let digits = String(number, radix: 16)
    return "00000000-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
}

/// A packet whose bytes follow from its number, so that they can be checked anywhere.
func packet(_ number: Int, size: Int = 100) -> SpoolPacket {
    var state = UInt64(number) &* 0x9E37_79B9_7F4A_7C15 | 1
    // Words first, cut to size at the end: quick also without optimisation.
    let words = [UInt64](unsafeUninitializedCapacity: (size + 7) / 8) { words, count in
        while count < words.count {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            words[count] = state
            count += 1
        }
    }
    let bytes = words.withUnsafeBytes { [UInt8]($0.prefix(size)) }
    return SpoolPacket(id: uuid(number), events: number % 7 + 1, bytes: bytes)
}

extension SpoolPacket {
    /// Whether it is the packet of its own number, whatever its size.
    var isIntact: Bool {
        guard let number = Int(id.suffix(12), radix: 16) else { return false }
        let original = packet(number, size: bytes.count).bytes
        return events == number % 7 + 1 && original.count == bytes.count && memcmp(original, bytes, bytes.count) == 0
    }
}

extension [SpoolPacket] {
    var areIntact: Bool { allSatisfy(\.isIntact) }
}

extension Spool {
    /// The next packet, or nil when there is none within some seconds: a test must fail rather than wait for ever.
    func take(_ edge: String, seconds: Double = 20) async -> SpooledPacket? {
        let task = Task { await next(edge: edge) }
        let clock = Task {
            try await Task.sleep(nanoseconds: UInt64(seconds * 1e9))
            task.cancel()
        }
        defer { clock.cancel() }
        return await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
    }

    /// Takes and acknowledges what the edge has.
    func drain(_ edge: String = "a") async -> [SpoolPacket] {
        var packets: [SpoolPacket] = []
        while backlog(edge) > 0, let next = await take(edge) {
            packets.append(next.packet)
            await acknowledge(edge: edge, sequence: next.sequence)
        }
        return packets
    }

    func edge(_ name: String) -> SpoolStatus.Edge {
        status().edges.first { $0.name == name } ?? Spool.noEdge
    }

    /// What an edge that is not there has.
    static let noEdge = SpoolStatus.Edge(
        name: "", backlogPackets: -1, backlogEvents: -1, inFlight: -1, acknowledgedEvents: -1, deadLetteredEvents: -1,
        droppedEvents: -1, acceptedEvents: -1, lostEvents: -1, isRetained: false)

    var isBalanced: Bool { status().edges.allSatisfy(\.isBalanced) }

    func backlog(_ edge: String) -> Int { status().edges.first { $0.name == edge }?.backlogPackets ?? 0 }
}

/// Numbers that are the same in every run.
struct Dice: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

/// Statements on a file, as a person with a shell would run them.
enum SQL {
    static func run(_ sql: String, in path: String) throws { try SQLiteDatabase(path: path, access: .readWrite).execute(sql) }
}

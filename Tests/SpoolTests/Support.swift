import Glibc
import Spool
import Synchronization
import Testing

/// A directory of its own for one test, removed at the end.
final class Place: Sendable {
    let path: String

    init(_ parent: String = "/tmp") {
        path = "\(parent)/spool-test-\(getpid())-\(UInt64.random(in: .min ... .max))"
        mkdir(path, 0o700)
    }

    deinit { Place.remove(path) }

    static func names(_ path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    static func remove(_ path: String) {
        for name in names(path) {
            if unlink("\(path)/\(name)") != 0 { remove("\(path)/\(name)") }
        }
        rmdir(path)
    }

    var names: [String] { Place.names(path) }

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
    func copy() -> Place {
        let copy = Place()
        for name in ["spool.sqlite", "spool.sqlite-wal"] where size(name) >= 0 { copy.write(name, read(name)) }
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
    var bytes = [UInt8](repeating: 0, count: size)
    bytes.withUnsafeMutableBytes { bytes in
        var at = 0
        while at < size {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let part = UnsafeMutableRawBufferPointer(rebasing: bytes[at..<min(size, at + 8)])
            withUnsafeBytes(of: state) { part.copyBytes(from: $0.prefix(part.count)) }
            at += 8
        }
    }
    return SpoolPacket(id: uuid(number), events: number % 7 + 1, bytes: bytes)
}

extension Spool {
    /// Takes and acknowledges what the edge has.
    func drain(_ edge: String = "a") async -> [SpoolPacket] {
        var packets: [SpoolPacket] = []
        while backlog(edge) > 0, let next = await next(edge: edge) {
            packets.append(next.packet)
            await acknowledge(edge: edge, sequence: next.sequence)
        }
        return packets
    }

    func backlog(_ edge: String) -> Int { status().edges.first { $0.name == edge }?.backlogPackets ?? 0 }
}

/// Waits until it is so, or fails after some seconds.
func eventually(_ seconds: Double = 10, _ isSo: () async throws -> Bool) async rethrows -> Bool {
    for _ in 0..<Int(seconds * 50) {
        if try await isSo() { return true }
        try? await Task.sleep(nanoseconds: 20_000_000)
    }
    return false
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

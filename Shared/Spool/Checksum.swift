/// XXH64 with seed 0 (<https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md>): tells a packet that the disk changed.
func checksum(_ bytes: [UInt8]) -> Int64 {
    bytes.withUnsafeBytes { Int64(bitPattern: xxh64($0)) }
}

/// The same of bytes that are not copied.
func checksum(of bytes: UnsafeBufferPointer<UInt8>) -> Int64 {
    Int64(bitPattern: xxh64(UnsafeRawBufferPointer(bytes)))
}

private let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
private let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
private let prime3: UInt64 = 0x1656_67B1_9E37_79F9
private let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
private let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

@inline(__always) private func rotated(_ value: UInt64, _ by: UInt64) -> UInt64 { (value &<< by) | (value &>> (64 &- by)) }

@inline(__always) private func round(_ accumulator: UInt64, _ input: UInt64) -> UInt64 {
    rotated(accumulator &+ input &* prime2, 31) &* prime1
}

@inline(__always) private func merged(_ accumulator: UInt64, _ lane: UInt64) -> UInt64 {
    (accumulator ^ round(0, lane)) &* prime1 &+ prime4
}

@inline(__always) private func word(_ bytes: UnsafeRawBufferPointer, _ at: Int) -> UInt64 {
    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self))
}

private func xxh64(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var at = 0
    var hash: UInt64
    if bytes.count >= 32 {
        var a = prime1 &+ prime2
        var b = prime2
        var c: UInt64 = 0
        var d = 0 &- prime1
        while at &+ 32 <= bytes.count {
            a = round(a, word(bytes, at))
            b = round(b, word(bytes, at &+ 8))
            c = round(c, word(bytes, at &+ 16))
            d = round(d, word(bytes, at &+ 24))
            at &+= 32
        }
        hash = rotated(a, 1) &+ rotated(b, 7) &+ rotated(c, 12) &+ rotated(d, 18)
        hash = merged(merged(merged(merged(hash, a), b), c), d)
    } else {
        hash = prime5
    }
    hash &+= UInt64(bytes.count)
    while at &+ 8 <= bytes.count {
        hash = rotated(hash ^ round(0, word(bytes, at)), 27) &* prime1 &+ prime4
        at &+= 8
    }
    if at &+ 4 <= bytes.count {
        let half = UInt64(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self)))
        hash = rotated(hash ^ (half &* prime1), 23) &* prime2 &+ prime3
        at &+= 4
    }
    while at < bytes.count {
        hash = rotated(hash ^ (UInt64(bytes[at]) &* prime5), 11) &* prime1
        at &+= 1
    }
    hash = (hash ^ (hash &>> 33)) &* prime2
    hash = (hash ^ (hash &>> 29)) &* prime3
    return hash ^ (hash &>> 32)
}

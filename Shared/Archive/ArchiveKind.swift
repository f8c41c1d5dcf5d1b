/// What a file is by its content.
enum ArchiveKind {
    case plain, gzip, zip, tar, bzip2, xz, zstd

    init(of bytes: UnsafeBufferPointer<UInt8>) {
        func begins(_ magic: [UInt8]) -> Bool { bytes.starts(with: magic) }
        if begins([0x1F, 0x8B]) {
            self = .gzip
        } else if begins([0x50, 0x4B, 0x03, 0x04]) || begins([0x50, 0x4B, 0x05, 0x06]) || begins([0x50, 0x4B, 0x07, 0x08]) {
            self = .zip
        } else if begins([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]) {
            self = .xz
        } else if begins([0x28, 0xB5, 0x2F, 0xFD]) {
            self = .zstd
        } else if Self.isBzip2(bytes) {
            self = .bzip2
        } else if Self.isTar(bytes) {
            self = .tar
        } else {
            self = .plain
        }
    }

    /// "BZh", the block size, then the magic number of a block or of the end: text that begins with "BZh" is not enough.
    private static func isBzip2(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard bytes.count >= 10, bytes.starts(with: [0x42, 0x5A, 0x68]), 0x31...0x39 ~= bytes[3] else { return false }
        let magic = bytes[4..<10]
        return magic.elementsEqual([0x31, 0x41, 0x59, 0x26, 0x53, 0x59])
            || magic.elementsEqual([0x17, 0x72, 0x45, 0x38, 0x50, 0x90])
    }

    /// The header's checksum decides, because tar files older than POSIX have no magic number.
    private static func isTar(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard bytes.count >= 512, bytes[0] != 0 else { return false }
        var stored = 0
        var digits = 0
        for byte in bytes[148..<156] {
            if 0x30...0x37 ~= byte {
                stored = stored * 8 + Int(byte - 0x30)
                digits += 1
            } else if byte == 0x20 && digits == 0 {
                continue
            } else if byte == 0x20 || byte == 0 {
                break
            } else {
                return false
            }
        }
        guard digits > 0 else { return false }
        var sum = 8 * 0x20
        var signedSum = sum
        for (index, byte) in bytes[..<512].enumerated() where !(148..<156).contains(index) {
            sum += Int(byte)
            signedSum += Int(Int8(bitPattern: byte))
        }
        return stored == sum || stored == signedSum
    }
}

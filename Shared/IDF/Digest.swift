internal import CCrypto

/// The first 16 bytes of SHA-256, as two numbers that sort like them.
func digest(of bytes: [UInt8]) -> (UInt64, UInt64) {
    var digest = (UInt64(0), UInt64(0), UInt64(0), UInt64(0))
    let done = withUnsafeMutableBytes(of: &digest) {
        ccrypto_sha256(bytes, bytes.count, $0.baseAddress!.assumingMemoryBound(to: UInt8.self))
    }
    precondition(done == 1, "libcrypto has no SHA-256")
    return (UInt64(bigEndian: digest.0), UInt64(bigEndian: digest.1))
}

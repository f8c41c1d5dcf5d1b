import Bulk
internal import CCrypto

/// The first 16 bytes of SHA-256, as two numbers that sort like them.
func digest(of bytes: [UInt8]) -> (UInt64, UInt64) { bytes.withUnsafeBufferPointer { digest(of: $0) } }

/// The same of bytes of any number, by the digests of their pieces.
func digest(of content: BulkBytes) -> (UInt64, UInt64) {
    var pieces: [UInt8] = []
    content.eachPiece { piece in
        let (high, low) = digest(of: piece)
        UUID(high: high, low: low).appendBytes(to: &pieces)
    }
    return digest(of: pieces)
}

private func digest(of bytes: UnsafeBufferPointer<UInt8>) -> (UInt64, UInt64) {
    var digest = (UInt64(0), UInt64(0), UInt64(0), UInt64(0))
    let done = withUnsafeMutableBytes(of: &digest) {
        ccrypto_sha256(bytes.baseAddress, bytes.count, $0.baseAddress!.assumingMemoryBound(to: UInt8.self))
    }
    precondition(done == 1, "libcrypto has no SHA-256")
    return (UInt64(bigEndian: digest.0), UInt64(bigEndian: digest.1))
}

/// Bit masks of the special bytes in a block of 64: bit i stands for byte i.
struct CSVMasks {
    /// Delimiters, CR and LF.
    var ends: UInt64 = 0
    /// CR and LF.
    var lines: UInt64 = 0
    var quotes: UInt64 = 0
}

/// Finds special bytes, 64 at a time.
struct CSVScanner {
    static let blockSize = 64

    let base: UnsafePointer<UInt8>
    let count: Int
    private let delimiter: SIMD16<UInt8>
    private let quote: SIMD16<UInt8>
    private let hasQuote: Bool
    private(set) var masks = CSVMasks()
    private var block = -1

    init(_ bytes: ByteView, delimiter: UInt8, quote: UInt8?) {
        // The address is never read from when there are no bytes.
        base = bytes.baseAddress ?? UnsafePointer(bitPattern: 1).unsafelyUnwrapped
        count = bytes.count
        self.delimiter = SIMD16(repeating: delimiter)
        self.quote = SIMD16(repeating: quote ?? 0)
        hasQuote = quote != nil
    }

    /// Loads the masks of the block that holds `offset`, which must be less than `count`.
    @inline(__always)
    mutating func load(_ offset: Int) {
        let wanted = offset & ~(Self.blockSize - 1)
        if wanted != block { loadBlock(wanted) }
    }

    /// Offset of the first delimiter or line end in `from..<limit`, or `limit`.
    @inline(__always)
    mutating func nextEnd(from: Int, limit: Int) -> Int {
        var offset = from
        while offset < limit {
            load(offset)
            let rest = masks.ends &>> UInt64(truncatingIfNeeded: offset & 63)
            if rest != 0 { return min(offset &+ rest.trailingZeroBitCount, limit) }
            offset = (offset | 63) &+ 1
        }
        return limit
    }

    /// Offset of the first quote in `from..<limit`, or `limit`; `sawLine` is set when line ends were in the blocks passed.
    @inline(__always)
    mutating func nextQuote(from: Int, limit: Int, sawLine: inout Bool) -> Int {
        var offset = from
        while offset < limit {
            load(offset)
            let shift = UInt64(truncatingIfNeeded: offset & 63)
            let rest = masks.quotes &>> shift
            let lines = masks.lines &>> shift
            // Only line ends before the quote matter; without a quote, all of them.
            if lines & (rest &- 1) & ~rest != 0 { sawLine = true }
            if rest != 0 { return min(offset &+ rest.trailingZeroBitCount, limit) }
            offset = (offset | 63) &+ 1
        }
        return limit
    }

    /// Offset of the first CR or LF in `from..<limit`, or `limit`.
    mutating func nextLineEnd(from: Int, limit: Int) -> Int {
        var offset = from
        while offset < limit {
            load(offset)
            let rest = masks.lines &>> UInt64(truncatingIfNeeded: offset & 63)
            if rest != 0 { return min(offset &+ rest.trailingZeroBitCount, limit) }
            offset = (offset | 63) &+ 1
        }
        return limit
    }

    /// Behind the line end at `offset`: one byte, or two for CR LF.
    @inline(__always)
    func afterLineEnd(_ offset: Int) -> Int {
        if base[offset] == 0x0D, offset &+ 1 < count, base[offset &+ 1] == 0x0A { return offset &+ 2 }
        return offset &+ 1
    }

    private mutating func loadBlock(_ start: Int) {
        block = start
        if start + Self.blockSize <= count {
            masks = Self.masks(UnsafeRawPointer(base + start), delimiter, quote, hasQuote)
            return
        }
        withUnsafeTemporaryAllocation(byteCount: Self.blockSize, alignment: 16) { buffer in
            guard let address = buffer.baseAddress else { return }
            buffer.initializeMemory(as: UInt8.self, repeating: 0)
            address.copyMemory(from: base + start, byteCount: count - start)
            masks = Self.masks(UnsafeRawPointer(address), delimiter, quote, hasQuote)
        }
        // The padding may look like a delimiter or quote of NUL.
        let valid = (1 as UInt64) << UInt64(count - start) - 1
        masks.ends &= valid
        masks.lines &= valid
        masks.quotes &= valid
    }

    @inline(__always)
    private static func masks(
        _ block: UnsafeRawPointer, _ delimiter: SIMD16<UInt8>, _ quote: SIMD16<UInt8>, _ hasQuote: Bool
    ) -> CSVMasks {
        let lineFeed = SIMD16<UInt8>(repeating: 0x0A)
        let carriageReturn = SIMD16<UInt8>(repeating: 0x0D)
        var masks = CSVMasks()
        for part in 0..<4 {
            let bytes = block.loadUnaligned(fromByteOffset: part * 16, as: SIMD16<UInt8>.self)
            let shift = UInt64(part * 16)
            let lines = (bytes .== lineFeed) .| (bytes .== carriageReturn)
            masks.lines |= bits(lines) &<< shift
            masks.ends |= bits(lines .| (bytes .== delimiter)) &<< shift
            if hasQuote { masks.quotes |= bits(bytes .== quote) &<< shift }
        }
        return masks
    }

    /// One bit for each lane. Swift has no such operation on masks; the product gathers the lowest bits of 8 bytes in its
    /// top byte, and compilers make few instructions of it.
    @inline(__always)
    private static func bits(_ mask: SIMDMask<SIMD16<Int8>>) -> UInt64 {
        let lanes = unsafeBitCast(mask, to: SIMD2<UInt64>.self)
        let low = ((lanes.x & 0x0101_0101_0101_0101) &* 0x0102_0408_1020_4080) &>> 56
        let high = ((lanes.y & 0x0101_0101_0101_0101) &* 0x0102_0408_1020_4080) &>> 56
        return low | high &<< 8
    }
}

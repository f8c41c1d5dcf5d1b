/// One record, reused from record to record so that reading allocates nothing once it is warm.
///
/// All views are valid until the row is read into again, and no longer than the bytes given to the reader.
public struct CSVRow: ~Copyable {
    /// Position of a cell, relative to the record or, with the top bit set, to the scratch.
    struct Cell {
        var start: UInt32
        var length: UInt32
        static let inScratch: UInt32 = 1 << 31
    }

    /// The bytes of the whole record as in the source, without its line end.
    public internal(set) var raw = ByteView(start: nil, count: 0)
    /// The record's first line, counted from 1.
    public internal(set) var line = 0
    /// What is wrong with the record; then `raw` is its first line only.
    public internal(set) var problem: CSVProblem?
    /// How many cells the record has; at least one but for records that are too long.
    public internal(set) var count = 0

    var cells: UnsafeMutablePointer<Cell>
    var cellCapacity = 64
    /// Unescaped copies of cells with doubled quotes.
    var scratch: UnsafeMutablePointer<UInt8>
    var scratchCapacity = 1024
    var scratchCount = 0

    /// Makes an empty row.
    public init() {
        cells = .allocate(capacity: cellCapacity)
        scratch = .allocate(capacity: scratchCapacity)
    }

    deinit {
        cells.deallocate()
        scratch.deallocate()
    }

    /// The bytes of a cell, unquoted and unescaped; empty for a cell the record does not have (compare `count`).
    public subscript(index: Int) -> ByteView {
        guard index >= 0, index < count else { return ByteView(start: nil, count: 0) }
        let cell = cells[index]
        let length = Int(cell.length)
        if cell.start & Cell.inScratch != 0 {
            return ByteView(start: scratch + Int(cell.start & ~Cell.inScratch), count: length)
        }
        return ByteView(rebasing: raw[Int(cell.start)..<(Int(cell.start) + length)])
    }

    mutating func growCells() {
        let larger = UnsafeMutablePointer<Cell>.allocate(capacity: cellCapacity * 2)
        larger.update(from: cells, count: cellCapacity)
        cells.deallocate()
        cells = larger
        cellCapacity *= 2
    }

    /// Copies a quoted cell's inside with each doubled quote once, and what follows the closing quote as it is.
    mutating func unescape(
        _ source: UnsafePointer<UInt8>, _ length: Int, quote: UInt8, followedBy rest: UnsafePointer<UInt8>? = nil,
        _ restLength: Int = 0
    ) -> Cell {
        if scratchCount + length + restLength > scratchCapacity {
            let capacity = max(scratchCapacity * 2, scratchCount + length + restLength)
            let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
            larger.update(from: scratch, count: scratchCount)
            scratch.deallocate()
            scratch = larger
            scratchCapacity = capacity
        }
        let start = scratchCount
        var target = start
        var offset = 0
        while offset < length {
            let byte = source[offset]
            scratch[target] = byte
            target += 1
            offset += byte == quote ? 2 : 1
        }
        if let rest {
            (scratch + target).update(from: rest, count: restLength)
            target += restLength
        }
        scratchCount = target
        return Cell(start: UInt32(start) | Cell.inScratch, length: UInt32(target - start))
    }
}

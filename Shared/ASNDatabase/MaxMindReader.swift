import CMaxMindDB
import Glibc
import IDF

/// A MaxMind database with autonomous systems.
///
/// Opening walks the whole search tree once and keeps number and name of every data record, so that damage shows at
/// the start instead of in the middle of the work and no look-up decodes a record or makes a String.
// @unchecked: the handle and everything else are only read after init; libmaxminddb is thread-safe for that.
final class MaxMindReader: @unchecked Sendable {
    /// Number and name of a data record.
    struct Holder: Sendable {
        let number: UInt32
        let name: String?
    }

    /// Bounds the memory for records known beforehand; GeoLite2-ASN has about 80,000. Those beyond are decoded when asked for.
    private static let knownLimit = 1_000_000

    private let handle: UnsafeMutablePointer<MMDB_s>
    private let v4: SearchTree
    private let v6: SearchTree
    private let known: HolderTable
    let buildTime: Int64
    /// Networks as the tree holds them.
    let networkCount: Int

    init(file: borrowing DatabaseFile) throws(ASNDatabaseError) {
        let handle = UnsafeMutablePointer<MMDB_s>.allocate(capacity: 1)
        let status = Self.open(file, into: handle)
        guard status == MMDB_SUCCESS else {
            handle.deallocate()
            throw .corrupt(path: file.path, reason: String(cString: MMDB_strerror(status)))
        }
        do throws(ASNDatabaseError) {
            (known, networkCount) = try Self.walk(handle, path: file.path)
        } catch {
            MMDB_close(handle)
            handle.deallocate()
            throw error
        }
        self.handle = handle
        v4 = SearchTree(v4In: handle)
        v6 = SearchTree(v6In: handle)
        buildTime = Int64(clamping: handle.pointee.metadata.build_epoch)
    }

    deinit {
        MMDB_close(handle)
        handle.deallocate()
    }

    func system(announcing address: IPAddress) -> AutonomousSystem? {
        guard let found = (address.isV4 ? v4 : v6).find(address.bits), let holder = holder(at: found.place),
            holder.number != 0, let network = IPNetwork(address: address, prefixLength: UInt8(clamping: found.length))
        else { return nil }
        return AutonomousSystem(number: holder.number, name: holder.name, network: network)
    }

    private func holder(at place: UInt32) -> Holder? {
        if let holder = known[place] { return holder }
        let entry = MMDB_entry_s(mmdb: handle, offset: place)
        guard !known.isComplete, let record = try? Self.record(entry, path: "") else { return nil }
        return Holder(number: record.number, name: Self.name(record))
    }
}

// MARK: Opening

extension MaxMindReader {
    /// Opens a private copy, because libmaxminddb maps its file: cutting a mapped file short would end the process (SIGBUS).
    private static func open(_ file: borrowing DatabaseFile, into handle: UnsafeMutablePointer<MMDB_s>) -> CInt {
        let copy = cmaxminddb_memory_file("asn-database")
        guard copy >= 0 else { return MMDB_open(file.path, UInt32(MMDB_MODE_MMAP), handle) }
        defer { close(copy) }
        guard copyBytes(from: file.descriptor, to: copy) else { return MMDB_IO_ERROR }
        // The mapping outlives the descriptor.
        let path = "/proc/self/fd/\(copy)"
        let status = MMDB_open(path, UInt32(MMDB_MODE_MMAP), handle)
        return status == MMDB_FILE_OPEN_ERROR ? MMDB_open(file.path, UInt32(MMDB_MODE_MMAP), handle) : status
    }

    private static func copyBytes(from source: CInt, to target: CInt) -> Bool {
        withUnsafeTemporaryAllocation(byteCount: 256 * 1024, alignment: 16) { buffer in
            var offset: off_t = 0
            while true {
                let got = pread(source, buffer.baseAddress, buffer.count, offset)
                if got == 0 { return true }
                if got < 0, errno == EINTR { continue }
                guard got > 0, write(target, buffer.baseAddress, got) == got else { return false }
                offset += off_t(got)
            }
        }
    }

    /// Visits every node once, in the order of the file: loops and shared branches of a hostile tree cost nothing.
    private static func walk(
        _ handle: UnsafeMutablePointer<MMDB_s>, path: String
    ) throws(ASNDatabaseError) -> (HolderTable, Int) {
        var builder = HolderTable.Builder(limit: knownLimit)
        var networks = 0
        func visit(_ type: UInt8, _ entry: MMDB_entry_s, of number: UInt32) throws(ASNDatabaseError) {
            if type == MMDB_RECORD_TYPE_INVALID {
                throw .corrupt(path: path, reason: "node \(number) of the search tree points outside the file")
            }
            guard type == MMDB_RECORD_TYPE_DATA else { return }
            networks += 1
            guard builder.wants(entry.offset) else { return }
            let record = try record(entry, path: path)
            let nameOffset = record.name.map { UInt32(truncatingIfNeeded: handle.pointee.data_section.distance(to: $0)) }
            builder.add(entry.offset, number: record.number, nameOffset: nameOffset) { name(record) }
        }
        var node = MMDB_search_node_s()
        for number in 0..<handle.pointee.metadata.node_count {
            let status = MMDB_read_node(handle, number, &node)
            guard status == MMDB_SUCCESS else {
                throw .corrupt(path: path, reason: "node \(number): \(String(cString: MMDB_strerror(status)))")
            }
            try visit(node.left_record_type, node.left_record_entry, of: number)
            try visit(node.right_record_type, node.right_record_entry, of: number)
        }
        guard networks > 0 else { throw .empty(path: path) }
        let table = builder.finished()
        guard table.hasSystems else {
            let type = handle.pointee.metadata.database_type.map { String(cString: $0) } ?? "unknown"
            throw .wrongKind(
                path: path, found: "a MaxMind database of type \"\(type)\" whose records have no autonomous_system_number")
        }
        return (table, networks)
    }

    private struct Record {
        /// 0 where the record names no system.
        var number: UInt32 = 0
        var name: UnsafePointer<UInt8>?
        var nameLength = 0
    }

    private static func name(_ record: Record) -> String? {
        guard let name = record.name, record.nameLength > 0 else { return nil }
        return String(decoding: UnsafeBufferPointer(start: name, count: record.nameLength), as: UTF8.self)
    }

    private static func record(_ entry: MMDB_entry_s, path: String) throws(ASNDatabaseError) -> Record {
        var record = Record()
        guard let number = try value("autonomous_system_number", of: entry, path: path) else { return record }
        switch CInt(bitPattern: number.type) {
        case MMDB_DATA_TYPE_UINT16: record.number = UInt32(number.uint16)
        case MMDB_DATA_TYPE_UINT32: record.number = number.uint32
        case MMDB_DATA_TYPE_UINT64: record.number = UInt32(exactly: number.uint64) ?? 0
        case MMDB_DATA_TYPE_INT32: record.number = UInt32(exactly: number.int32) ?? 0
        default: return record
        }
        let name = try value("autonomous_system_organization", of: entry, path: path)
        if let name, CInt(bitPattern: name.type) == MMDB_DATA_TYPE_UTF8_STRING, let bytes = name.bytes {
            record.name = bytes
            record.nameLength = Int(name.data_size)
        }
        return record
    }

    private static func value(
        _ key: String, of entry: MMDB_entry_s, path: String
    ) throws(ASNDatabaseError) -> MMDB_entry_data_s? {
        var entry = entry
        var data = MMDB_entry_data_s()
        switch cmaxminddb_value(&entry, &data, key) {
        case MMDB_SUCCESS: return data.has_data ? data : nil
        case MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR, MMDB_INVALID_LOOKUP_PATH_ERROR: return nil
        case let status:
            let reason = String(cString: MMDB_strerror(status))
            throw .corrupt(path: path, reason: "record at byte \(entry.offset) of the data: \(reason)")
        }
    }
}

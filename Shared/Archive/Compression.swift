import Bulk
import CArchive

/// Unpacks one or more gzip members with zlib, because libarchive does not check their checksums.
func gunzip(_ input: UnsafeBufferPointer<UInt8>, limit: Int, fileName: String, folder: String?) throws(ArchiveError) -> BulkBytes
{
    var stream = z_stream()
    guard carchive_inflate_init_gzip(&stream) == Z_OK else {
        throw ArchiveError(.damaged, "\(fileName): not enough memory to unpack gzip")
    }
    defer { inflateEnd(&stream) }
    // The last four bytes hold the size modulo 4 GiB of the last member.
    let size = input.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
    var output = Output(
        limit: limit, expected: input.count >= 18 ? size : 0, input: input.count, fileName: fileName, folder: folder)
    var offset = 0
    var memberBegins = true
    while true {
        var status = Z_OK
        try output.fill { room in
            let given = min(input.count - offset, 1 << 30)
            stream.next_in = input.baseAddress.map { UnsafeMutablePointer(mutating: $0 + offset) }
            stream.avail_in = UInt32(given)
            stream.next_out = room.baseAddress
            stream.avail_out = UInt32(room.count)
            status = inflate(&stream, Z_NO_FLUSH)
            offset += given - Int(stream.avail_in)
            return room.count - Int(stream.avail_out)
        }
        if status == Z_STREAM_END {
            memberBegins = true
            // Tapes and some writers pad with zeros.
            if input[offset...].allSatisfy({ $0 == 0 }) { return try output.finish() }
            inflateReset(&stream)
        } else if status == Z_BUF_ERROR || (status == Z_OK && offset == input.count && stream.avail_out > 0) {
            throw ArchiveError(
                .damaged,
                "\(fileName): the gzip data is cut off after \(offset) bytes, \(output.count) bytes could be unpacked; "
                    + "fetch it again")
        } else if status != Z_OK {
            let reason = stream.msg.map { String(cString: $0) } ?? "status \(status)"
            throw ArchiveError(
                .damaged,
                "\(fileName): the gzip data is damaged near byte \(offset) (\(reason))"
                    + (memberBegins && offset > 0 ? ", something else follows the gzip data" : "")
                    + ", \(output.count) bytes could be unpacked; fetch it again")
        } else {
            memberBegins = false
        }
    }
}

/// The file name a gzip header may hold, read as UTF-8.
func gzipName(_ bytes: UnsafeBufferPointer<UInt8>) -> String? {
    guard bytes.count > 10, bytes[3] & 0x08 != 0 else { return nil }
    var offset = 10
    if bytes[3] & 0x04 != 0 {
        guard bytes.count > 12 else { return nil }
        offset = 12 + Int(bytes[10]) + Int(bytes[11]) << 8
    }
    guard offset < bytes.count else { return nil }
    let name = bytes[offset...].prefix(1024).prefix { $0 != 0 }
    return name.isEmpty ? nil : String(decoding: name, as: UTF8.self)
}

/// Unpacks one or more zstd frames whose windows are at most 2 to the power of `windowLimit` bytes.
func unzstd(
    _ source: UnsafeBufferPointer<UInt8>, limit: Int, windowLimit: Int32, fileName: String, folder: String?
) throws(ArchiveError) -> BulkBytes {
    guard let context = ZSTD_createDCtx() else {
        throw ArchiveError(.damaged, "\(fileName): not enough memory to unpack zstd")
    }
    defer { ZSTD_freeDCtx(context) }
    ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, windowLimit)
    let claimed = ZSTD_getFrameContentSize(source.baseAddress, source.count)
    // The two highest numbers mean unknown and error.
    var output = Output(
        limit: limit, expected: claimed >= .max - 1 ? 0 : Int(clamping: claimed), input: source.count, fileName: fileName,
        folder: folder)
    var input = ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: 0)
    while true {
        var status = 0
        var isFull = false
        try output.fill { room in
            var target = ZSTD_outBuffer(dst: room.baseAddress, size: room.count, pos: 0)
            status = ZSTD_decompressStream(context, &target, &input)
            isFull = target.pos == target.size
            return target.pos
        }
        if ZSTD_isError(status) != 0 {
            let isWindow = ZSTD_getErrorCode(status) == ZSTD_error_frameParameter_windowTooLarge
            throw ArchiveError(
                isWindow ? .unsupported : .damaged,
                "\(fileName): the zstd data \(isWindow ? "needs a window above 2^\(windowLimit) bytes" : "is damaged")"
                    + " near byte \(input.pos) (\(String(cString: ZSTD_getErrorName(status)))), "
                    + "\(output.count) bytes could be unpacked; \(isWindow ? "compress without --long" : "fetch it again")")
        }
        if input.pos == input.size, status == 0 { return try output.finish() }
        if input.pos == input.size, !isFull {
            throw ArchiveError(
                .damaged,
                "\(fileName): the zstd data is cut off after \(input.pos) bytes, \(output.count) bytes could be unpacked; "
                    + "fetch it again")
        }
    }
}

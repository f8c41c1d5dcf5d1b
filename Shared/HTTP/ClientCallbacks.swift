import CCurl

// What libcurl calls on the client's thread: functions, because a closure would inherit the isolation of where it is written.

/// Called with each part of the body; another number than the bytes given aborts the transfer.
func clientData(_ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?) -> Int {
    let total = size * count
    guard let bytes, let context, total > 0 else { return total }
    return Unmanaged<ClientTransfer>.fromOpaque(context)._withUnsafeGuaranteedRef { transfer in
        var announced = 0
        if transfer.received == 0, let easy = transfer.easy {
            announced = Int(curl_shim_get_offset(easy.handle, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T))
        }
        let raw = UnsafeRawPointer(bytes).assumingMemoryBound(to: UInt8.self)
        return transfer.data(UnsafeBufferPointer(start: raw, count: total), announced: announced) ? total : -1
    }
}

/// Called with each line of the head, its end included.
func clientHeader(_ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?) -> Int {
    let total = size * count
    guard let bytes, let context, total > 0 else { return total }
    return Unmanaged<ClientTransfer>.fromOpaque(context)._withUnsafeGuaranteedRef { transfer in
        let raw = UnsafeRawPointer(bytes).assumingMemoryBound(to: UInt8.self)
        return transfer.header(UnsafeBufferPointer(start: raw, count: total)) ? total : -1
    }
}

/// Called for each next part of a body that may lie in a file.
func clientBody(_ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?) -> Int {
    guard let bytes, let context else { return 0 }
    return Unmanaged<ClientTransfer>.fromOpaque(context)._withUnsafeGuaranteedRef { transfer in
        let raw = UnsafeMutableRawPointer(bytes).assumingMemoryBound(to: UInt8.self)
        return transfer.send(into: UnsafeMutableBufferPointer(start: raw, count: size * count))
    }
}

/// Called when a kept connection turned out to be dead and the body must begin anew.
func clientSeek(_ context: UnsafeMutableRawPointer?, _ offset: curl_off_t, _ origin: Int32) -> Int32 {
    guard let context, origin == 0 else { return CURL_SEEKFUNC_CANTSEEK }
    return Unmanaged<ClientTransfer>.fromOpaque(context)._withUnsafeGuaranteedRef { transfer in
        transfer.seek(to: Int(offset)) ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL
    }
}

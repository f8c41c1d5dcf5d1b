import CCurl
import Synchronization
import Threads

/// The client's thread and its door. One multi handle, touched by the thread only, except for waking it.
final class ClientCore: @unchecked Sendable {
    private struct Inbox: @unchecked Sendable {
        var submitted: [ClientTransfer] = []
        var cancelled: [ClientTransfer] = []
        var isClosed = false
        /// Whether the thread has been woken and has not looked yet.
        var isAwake = false
        /// nil once the thread has ended.
        var multi: UnsafeMutableRawPointer?
    }

    private let inbox: Mutex<Inbox>
    // The thread's own.
    private var running: [UnsafeMutableRawPointer: ClientTransfer] = [:]
    private var idle: [ClientEasy] = []

    private static let idleLimit = 64

    init(connectionsPerHost: Int) {
        ignoreBrokenPipes()
        let multi = ClientEasy.isLibraryReady ? curl_multi_init() : nil
        if let multi {
            curl_shim_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, connectionsPerHost)
            curl_shim_multi_set_long(multi, CURLMOPT_MAXCONNECTS, max(64, connectionsPerHost * 4))
        }
        inbox = Mutex(Inbox(isClosed: multi == nil, multi: multi))
        guard let multi else { return }
        if !startThread({ self.loop() }) {
            inbox.withLock { $0 = Inbox(isClosed: true) }
            curl_multi_cleanup(multi)
        }
    }

    // MARK: From any thread

    func run(_ transfer: ClientTransfer) async -> Result<HTTPClientResponse, HTTPClientError> {
        if Task.isCancelled { return .failure(.cancelled) }
        return await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                transfer.wait(continuation)
                let isTaken = post { $0.submitted.append(transfer) }
                if !isTaken { transfer.finish(.failure(.closed)) }
            }
        } onCancel: {
            _ = post { $0.cancelled.append(transfer) }
        }
    }

    func close() {
        _ = post { $0.isClosed = true }
    }

    private func post(_ change: (inout Inbox) -> Void) -> Bool {
        inbox.withLock { inbox in
            guard !inbox.isClosed, let multi = inbox.multi else { return false }
            change(&inbox)
            if !inbox.isAwake {
                inbox.isAwake = true
                curl_multi_wakeup(multi)
            }
            return true
        }
    }

    // MARK: The thread

    private func loop() {
        guard let multi = inbox.withLock({ $0.multi }) else { return }
        while true {
            let (submitted, cancelled, isClosed) = inbox.withLock { inbox in
                defer {
                    inbox.submitted.removeAll()
                    inbox.cancelled.removeAll()
                    inbox.isAwake = false
                }
                return (inbox.submitted, inbox.cancelled, inbox.isClosed)
            }
            for transfer in submitted { start(transfer, multi) }
            for transfer in cancelled { cancel(transfer, multi) }
            if isClosed { break }
            var count: Int32 = 0
            curl_multi_perform(multi, &count)
            collect(multi)
            // The library shortens this to its own next time limit.
            curl_multi_poll(multi, nil, 0, 60_000, nil)
        }
        for transfer in running.values { end(transfer, multi, .failure(.closed)) }
        idle.removeAll()
        inbox.withLock { $0.multi = nil }
        curl_multi_cleanup(multi)
    }

    private func start(_ transfer: ClientTransfer, _ multi: UnsafeMutableRawPointer) {
        guard !transfer.isCancelled else { return transfer.finish(.failure(.cancelled)) }
        guard let easy = idle.popLast() ?? ClientEasy() else {
            return transfer.finish(.failure(.connect("libcurl has no memory for another request; send fewer at once")))
        }
        do throws(HTTPClientError) {
            try easy.prepare(transfer)
        } catch {
            recycle(easy)
            return transfer.finish(.failure(error))
        }
        transfer.easy = easy
        running[easy.handle] = transfer
        if curl_multi_add_handle(multi, easy.handle) != CURLM_OK {
            end(transfer, multi, .failure(.protocol("libcurl refused the request")))
        }
    }

    private func cancel(_ transfer: ClientTransfer, _ multi: UnsafeMutableRawPointer) {
        transfer.isCancelled = true
        if transfer.easy != nil { end(transfer, multi, .failure(.cancelled)) }
    }

    private func collect(_ multi: UnsafeMutableRawPointer) {
        var code = CURLE_OK
        while let handle = curl_shim_next_done(multi, &code) {
            guard let transfer = running[handle], let easy = transfer.easy else { continue }
            end(transfer, multi, easy.result(code, transfer))
        }
    }

    private func end(
        _ transfer: ClientTransfer, _ multi: UnsafeMutableRawPointer, _ result: Result<HTTPClientResponse, HTTPClientError>
    ) {
        if let easy = transfer.easy {
            curl_multi_remove_handle(multi, easy.handle)
            running[easy.handle] = nil
            transfer.easy = nil
            recycle(easy)
        }
        transfer.finish(result)
    }

    private func recycle(_ easy: ClientEasy) {
        easy.clear()
        if idle.count < Self.idleLimit { idle.append(easy) }
    }
}

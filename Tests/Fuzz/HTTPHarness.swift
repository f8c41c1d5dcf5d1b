import Glibc
import IDF
import ServiceKernel
import YAML

/// A service as it runs, on a port of its own; nil only when the machine has no port left.
private let service: ServiceRunner? = {
    let text = """
        worker: fuzz-expert
        listen: 127.0.0.1:0
        settings: {text: x}
        limits: {body: 1 MiB, idle: 5 s}
        log: {level: critical}
        """
    do {
        let document = try YAMLDocument.parse(Array(text.utf8), file: "fuzz-expert.yaml")
        let configuration = try ConfigurationReader.read(document, roster: Roster([RosterEntry(FuzzExpert.self)]))
        return try ServiceRunner(configuration)
    } catch {
        fatalError("the service does not start: \(error)")
    }
}()

nonisolated(unsafe) private var runs = 0

/// The input goes to a service in pieces, whose size the first byte says. The connection must end in time, and the service live.
func fuzzHTTP(_ bytes: UnsafePointer<UInt8>?, _ count: Int) {
    guard let bytes, count > 0, let port = service?.port else { return }
    let size = bytes[0] == 0 ? count : Int(bytes[0])
    _ = answer(port, UnsafeRawBufferPointer(start: bytes + 1, count: count - 1), pieces: size, patience: 3)
    runs += 1
    if runs % 32 == 0 { checkHealth(port) }
}

private func checkHealth(_ port: UInt16) {
    let event = Event()
    let body = String(decoding: Packet(events: [event]).encoded(), as: UTF8.self)
    let requests = [
        "GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /v1/lookup/192.0.2.1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "POST /v1/packets HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: \(Packet.mediaType)\r\n"
            + "Prefer: return=representation\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)",
    ]
    for request in requests {
        let found = Array(request.utf8).withUnsafeBytes { answer(port, $0, pieces: $0.count, patience: 5000) }
        expect(found.starts(with: Array("HTTP/1.1 200".utf8)), "a good request is answered: \(shown(found)): \(request)")
    }
}

/// Everything the service answers until it closes, once it is told that no more will come.
/// - Parameter patience: milliseconds to wait for an answer before that is said.
private func answer(_ port: UInt16, _ request: UnsafeRawBufferPointer, pieces: Int, patience: Int32) -> [UInt8] {
    let socket = connection(port)
    defer { close(socket) }
    var start = 0
    while start < request.count {
        let count = min(pieces, request.count - start)
        let sent = send(socket, request.baseAddress! + start, count, Int32(MSG_NOSIGNAL))
        // The fuzzer's own alarm comes every second.
        if sent < 0, errno == EINTR { continue }
        if sent <= 0 { break }
        start += sent
    }
    var found: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 65_536)
    var isTold = false
    while true {
        var wait = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        // A service that cuts idle connections after five seconds, and looks every two, has done so after ten.
        if poll(&wait, 1, isTold ? 15_000 : patience) == 0 {
            expect(!isTold, "the service neither answers nor closes")
            isTold = true
            shutdown(socket, 1)
            continue
        }
        let count = recv(socket, &part, part.count, 0)
        if count < 0, errno == EINTR { continue }
        if count <= 0 { return found }
        found.append(contentsOf: part[..<count])
    }
}

private func connection(_ port: UInt16) -> Int32 {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    expect(socket >= 0, "no socket: \(errno)")
    var on: Int32 = 1
    setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    // Ends with a reset, so that ten thousand connections do not leave ten thousand ports in TIME_WAIT.
    var reset = linger(l_onoff: 1, l_linger: 0)
    setsockopt(socket, SOL_SOCKET, SO_LINGER, &reset, socklen_t(MemoryLayout<linger>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let code = withUnsafeBytes(of: address) { bytes in
        bytes.baseAddress.map { connect(socket, $0.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count)) }
    }
    if code != 0, errno == EINTR {
        // By the fuzzer's own alarm, which comes every second; the connection is made all the same.
        var wait = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
        while poll(&wait, 1, 15_000) < 0, errno == EINTR {}
        expect(wait.revents == Int16(POLLOUT), "the service takes no connection: events \(wait.revents)")
        return socket
    }
    expect(code == 0, "the service takes no connection: \(errno)")
    return socket
}

import Glibc
import ServiceKernel

/// A program that reads its input and answers lines: both at once, so that neither waits for the other, and not for ever.
final class ProgramRun {
    private static let longestLine = 16 << 20

    private let name: String
    private let process: pid_t
    private var input: Int32
    private let output: Int32
    private let bytes: [UInt8]
    private var written = 0
    private var read: [UInt8] = []
    private var searched = 0
    private var start = 0
    private var isAtEnd = false
    private var status: Int32?
    private let deadline: ContinuousClock.Instant

    init(_ program: String, _ arguments: [String], input bytes: [UInt8], seconds: Double) throws(Rejection) {
        name = program
        self.bytes = bytes
        deadline = .now + .milliseconds(Int64(seconds * 1000))
        // A socket, because writing to one that is closed can be kept from raising a signal.
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw .unavailable("no socket: \(String(cString: strerror(errno)))")
        }
        let (theirInput, ourInput) = (ends[0], ends[1])
        let (ourOutput, theirOutput): (Int32, Int32)
        do throws(Rejection) { (ourOutput, theirOutput) = try Self.pipe() } catch {
            close(theirInput)
            close(ourInput)
            throw error
        }
        defer {
            close(theirInput)
            close(theirOutput)
        }
        var spawn = Spawn([])
        spawn.arguments = [program] + arguments
        spawn.input = theirInput
        spawn.standardOutput = theirOutput
        spawn.isGroup = true
        do throws(Rejection) { process = try spawn.start() } catch {
            close(ourInput)
            close(ourOutput)
            throw error
        }
        (input, output) = (ourInput, ourOutput)
        for end in [input, output] { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
    }

    private static func pipe() throws(Rejection) -> (read: Int32, write: Int32) {
        var ends: [Int32] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else { throw .unavailable("no pipe: \(String(cString: strerror(errno)))") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    /// The next line without its end; nil at the end.
    func nextLine() throws(Rejection) -> [UInt8]? {
        while true {
            if let end = read[searched...].firstIndex(of: 0x0A) {
                defer { (start, searched) = (end + 1, end + 1) }
                return Array(read[start..<end])
            }
            searched = read.count
            if isAtEnd {
                defer { start = read.count }
                return start < read.count ? Array(read[start...]) : nil
            }
            read.removeSubrange(..<start)
            (start, searched) = (0, read.count)
            guard read.count < Self.longestLine else { throw .malformed("\(name) wrote a line of more than 16 MiB") }
            try move()
        }
    }

    private func move() throws(Rejection) {
        let left = (deadline - .now) / .milliseconds(1)
        guard left > 0 else { throw .unavailable("\(name) took too long and was ended; see the setting timeout") }
        var ends = [
            pollfd(fd: output, events: Int16(POLLIN), revents: 0), pollfd(fd: input, events: Int16(POLLOUT), revents: 0),
        ]
        guard poll(&ends, 2, Int32(min(left, 60_000)) + 1) > 0 else { return }
        if ends[1].revents != 0 { write() }
        guard ends[0].revents != 0 else { return }
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        let count = Glibc.read(output, &piece, piece.count)
        if count > 0 { read.append(contentsOf: piece[..<count]) }
        if count == 0 || count < 0 && errno != EAGAIN && errno != EINTR { isAtEnd = true }
    }

    private func write() {
        let count = bytes.withUnsafeBytes { send(input, $0.baseAddress! + written, $0.count - written, Int32(MSG_NOSIGNAL)) }
        if count > 0 { written += count }
        // A program that does not read all may still answer.
        if written == bytes.count || count < 0 && errno != EAGAIN && errno != EINTR { closeInput() }
    }

    private func closeInput() {
        if input >= 0 { close(input) }
        input = -1
    }

    /// Ends it, if it has not ended, with all that it has started.
    /// - Returns: its exit code, or 128 and the signal that ended it.
    @discardableResult
    func end() -> Int32 {
        if let status { return status }
        closeInput()
        close(output)
        // At the end of its output it is about to end by itself.
        var raw: Int32 = 0
        var ended: pid_t = 0
        while isAtEnd, ended == 0, .now < deadline {
            ended = waitpid(process, &raw, WNOHANG)
            if ended == 0 { usleep(5000) }
        }
        kill(-process, SIGKILL)
        while ended == 0 || ended < 0 && errno == EINTR { ended = waitpid(process, &raw, 0) }
        let code = raw & 0x7F == 0 ? raw >> 8 & 0xFF : 128 + raw & 0x7F
        status = code
        return code
    }
}

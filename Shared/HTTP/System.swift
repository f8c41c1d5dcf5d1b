import Glibc

/// The process must outlive a peer that hangs up while being written to.
func ignoreBrokenPipes() {
    _ = brokenPipesIgnored
}

private let brokenPipesIgnored: Bool = {
    signal(SIGPIPE, SIG_IGN)
    return true
}()

/// How `shutdown` ends what we send; the C constant does not reach Swift.
let shutSending: Int32 = 1

/// How `shutdown` ends both directions; the C constant does not reach Swift.
let shutBoth: Int32 = 2

/// What `poll` says when the peer will send nothing more (POLLRDHUP); the C constant does not reach Swift.
let hungUp: Int16 = 0x2000

/// Milliseconds of a clock that never goes back.
func monotonicMilliseconds() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
}

/// What the system says of an error number.
func systemReason(_ number: Int32) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
        guard let base = buffer.baseAddress, strerror_r(number, base, 256) == 0 else { return "error \(number)" }
        return String(cString: base)
    }
}

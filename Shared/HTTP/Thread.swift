import Glibc

/// Starts a detached thread that leaves signals to the others; false when the system has no thread left.
func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    let box = Unmanaged.passRetained(ThreadBody(body))
    var all = sigset_t()
    var before = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_BLOCK, &all, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    var thread = pthread_t()
    guard pthread_create(&thread, &attributes, runThread, box.toOpaque()) == 0 else {
        box.release()
        return false
    }
    return true
}

private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

private func runThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue().run()
    return nil
}

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

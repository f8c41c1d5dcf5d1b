import CPCRE2
import Glibc
import IDF

/// What PCRE2 works with: one for each thread, kept as long as the thread lives.
final class Scratch {
    /// As PCRE2 counts them, which is about once for every backtrack; anew for every place where a match could begin.
    private static let stepLimit: UInt32 = 10_000
    private static let depthLimit: UInt32 = 1000
    /// KiB.
    private static let heapLimit: UInt32 = 1024
    /// Nanoseconds for a value that is searched in several windows.
    private static let timeLimit = 2_000_000

    enum Answer {
        case found, missing
        /// A limit was reached, or there was no memory.
        case givenUp
    }

    private let data: OpaquePointer
    private let context: OpaquePointer
    private let stack: OpaquePointer?
    private let empty = UnsafeMutablePointer<UInt8>.allocate(capacity: 1)

    private init?() {
        guard let data = pcre2_match_data_create_8(1, nil) else { return nil }
        guard let context = pcre2_match_context_create_8(nil) else {
            pcre2_match_data_free_8(data)
            return nil
        }
        self.data = data
        self.context = context
        stack = pcre2_jit_stack_create_8(32 * 1024, 512 * 1024, nil)
        empty.initialize(to: 0)
        pcre2_set_match_limit_8(context, Self.stepLimit)
        pcre2_set_depth_limit_8(context, Self.depthLimit)
        pcre2_set_heap_limit_8(context, Self.heapLimit)
        if let stack { pcre2_jit_stack_assign_8(context, nil, UnsafeMutableRawPointer(stack)) }
    }

    deinit {
        pcre2_jit_stack_free_8(stack)
        pcre2_match_context_free_8(context)
        pcre2_match_data_free_8(data)
        empty.deallocate()
    }

    /// Looks for a match that begins anywhere.
    ///
    /// The limit of steps bounds what grows exponentially. What grows with the square of the value's length it does not bound,
    /// because it counts anew from every place on; so a long value is searched in windows of places to begin at, with an eye on
    /// the clock. Windows grow, since within one PCRE2 remembers what cannot match: with small ones, `a.*b` would be such a
    /// case, too.
    func search(_ value: ByteView, for code: OpaquePointer) -> Answer {
        var window = max(16, 500_000 / max(value.count, 1))
        let greatest = window * 16
        guard window < value.count else { return match(value, code, 0, upTo: nil) }
        var clock = Clock()
        var start = 0
        while start <= value.count {
            let last = start + window
            switch match(value, code, start, upTo: last < value.count ? last : nil) {
            case .missing where last < value.count: break
            case let answer: return answer
            }
            if clock.isOver(Self.timeLimit) { return .givenUp }
            start = last + 1
            window = min(window * 2, greatest)
            // A character is not cut.
            while start < value.count, value[start] & 0xC0 == 0x80 { start += 1 }
        }
        return .missing
    }

    private func match(_ value: ByteView, _ code: OpaquePointer, _ start: Int, upTo last: Int?) -> Answer {
        pcre2_set_offset_limit_8(context, last ?? ~0)
        let result = pcre2_match_8(code, value.baseAddress ?? UnsafePointer(empty), value.count, start, 0, data, context)
        // Zero: more groups than there is room for, of which nobody asks.
        return result >= 0 ? .found : result == PCRE2_ERROR_NOMATCH ? .missing : .givenUp
    }

    private static let key: pthread_key_t? = {
        var key = pthread_key_t()
        let status = pthread_key_create(&key) { if let kept = $0 { Unmanaged<Scratch>.fromOpaque(kept).release() } }
        return status == 0 ? key : nil
    }()

    /// The calling thread's; nil only when there is no memory.
    static var current: Scratch? {
        guard let key else { return Scratch() }
        if let kept = pthread_getspecific(key) { return Unmanaged<Scratch>.fromOpaque(kept).takeUnretainedValue() }
        guard let scratch = Scratch() else { return nil }
        let kept = Unmanaged.passRetained(scratch)
        if pthread_setspecific(key, kept.toOpaque()) != 0 { kept.release() }
        return scratch
    }
}

/// Counts the time that the thread worked, not the time that it waited for a processor. Since the former costs a system call,
/// it is asked only once the latter is over.
private struct Clock {
    private var kind = CLOCK_MONOTONIC
    private var start = Self.read(CLOCK_MONOTONIC)

    mutating func isOver(_ nanoseconds: Int) -> Bool {
        guard Self.read(kind) - start > nanoseconds else { return false }
        if kind == CLOCK_THREAD_CPUTIME_ID { return true }
        kind = CLOCK_THREAD_CPUTIME_ID
        start = Self.read(kind)
        return false
    }

    private static func read(_ kind: clockid_t) -> Int {
        var time = timespec()
        clock_gettime(kind, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }
}

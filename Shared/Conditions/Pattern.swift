import CPCRE2
import IDF
import Synchronization

/// A compiled regular expression.
///
/// Steps, memory and time of a match are limited, so that a pattern that explodes on some text costs little, and counts as no
/// match.
// @unchecked: the code is only read after init, which PCRE2 allows from several threads.
final class Pattern: @unchecked Sendable, Equatable {
    /// Why a pattern could not be compiled, and at which of its bytes.
    struct Failure: Error {
        let message: String
        let offset: Int
    }

    /// Longer values are not looked at.
    static let valueLimit = 65_536

    let text: String
    private let code: OpaquePointer
    private let hits = Atomic<Int>(0)

    init(_ text: String) throws(Failure) {
        var number: Int32 = 0
        var offset = 0
        // Values that are not UTF-8 after all do no harm.
        let options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_USE_OFFSET_LIMIT
        let code = text.withBytes { pcre2_compile_8($0.baseAddress, $0.count, UInt32(options), &number, &offset, nil) }
        guard let code else {
            var buffer = [UInt8](repeating: 0, count: 256)
            let length = pcre2_get_error_message_8(number, &buffer, buffer.count)
            throw Failure(
                message: length > 0 ? String(decoding: buffer.prefix(Int(length)), as: UTF8.self) : "error \(number)",
                offset: min(offset, text.utf8.count))
        }
        // Where the system allows no JIT, matching is slower but the same.
        pcre2_jit_compile_8(code, UInt32(PCRE2_JIT_COMPLETE))
        self.code = code
        self.text = text
    }

    deinit { pcre2_code_free_8(code) }

    /// How often a match was given up.
    var limitHits: Int { hits.load(ordering: .relaxed) }

    /// Whether the pattern is found anywhere in the value.
    func isFound(in value: ByteView) -> Bool {
        if value.count <= Self.valueLimit, let scratch = Scratch.current {
            switch scratch.search(value, for: code) {
            case .found: return true
            case .missing: return false
            case .givenUp: break
            }
        }
        hits.add(1, ordering: .relaxed)
        return false
    }

    static func == (left: Pattern, right: Pattern) -> Bool { left.text == right.text }
}

import CIDN2
import Glibc

/// Names in other scripts (internationalised domain names).
enum IDNA {
    /// Lends the ASCII form of a name that holds characters beyond ASCII: IDNA2008 over the mapping of UTS #46 in its
    /// transitional form, by libidn2; so `straße` is `strasse`, as old programs have it.
    /// Returns false without lending when the name is no name or longer than a thousand bytes.
    static func withASCII(_ name: ByteView, _ body: (ByteView) -> Bool) -> Bool {
        guard name.count > 0, name.count <= 1000 else { return false }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: name.count + 1) { copy in
            for index in 0..<name.count { copy[index] = CChar(bitPattern: name[index]) }
            copy[name.count] = 0
            var result: UnsafeMutablePointer<CChar>?
            guard let start = copy.baseAddress, cidn2_to_ascii(start, &result) == 0, let result else { return false }
            defer { cidn2_free(result) }
            let length = strlen(result)
            return result.withMemoryRebound(to: UInt8.self, capacity: length) { body(ByteView(start: $0, count: length)) }
        }
    }
}

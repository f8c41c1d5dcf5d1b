import CIDN2
import CPSL

/// The public suffix list: under which names anybody may register one (`com`, `co.uk`), by libpsl; and so which part of a name
/// belongs to one owner.
public final class PublicSuffixList: @unchecked Sendable {
    /// Whose suffixes count.
    public enum Rules: Sendable {
        /// Those of registries: `com`, `co.uk`.
        case icann
        /// Also those of companies that give names to their customers: `github.io`.
        case all
    }

    /// The parts of a name; of `a.b.example.co.uk` these are `co.uk`, `example.co.uk` and `a.b`.
    public struct Parts: Sendable, Equatable {
        /// The public suffix.
        public let suffix: String
        /// The suffix and one label more; nil where the name is a suffix itself.
        public let registeredDomain: String?
        /// What stands before; nil where nothing does.
        public let subdomain: String?
    }

    /// The list of the system, or that of the library if it is newer; in the library's own words where neither can be read.
    public static let system = PublicSuffixList(psl_latest(nil))

    // Nothing in the list changes after it was read, so any thread may ask it.
    private let list: OpaquePointer

    /// Reads a list from a file, as text (public_suffix_list.dat) or compiled (.dafsa); nil where that cannot be done.
    public convenience init?(file: String) {
        guard let list = psl_load_file(file) else { return nil }
        self.init(list)
    }

    private init(_ list: OpaquePointer?) { self.list = list ?? psl_builtin() }

    deinit { psl_free(list) }

    /// The parts of a domain name, in lower case and A-labels (`xn--…`); nil for addresses, for what is no name, and where
    /// no rule knows the suffix, as of `example.local`.
    public func parts(of name: String, rules: Rules = .all) -> Parts? {
        guard let name = Self.canonical(name) else { return nil }
        let kind = (rules == .icann ? PSL_TYPE_ICANN : PSL_TYPE_ANY) | PSL_TYPE_NO_STAR_RULE
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        // The longest suffix of the name that is public.
        for first in labels.indices {
            let suffix = labels[first...].joined(separator: ".")
            guard psl_is_public_suffix2(list, suffix, kind) == 1 else { continue }
            return Parts(
                suffix: suffix, registeredDomain: first > 0 ? labels[(first - 1)...].joined(separator: ".") : nil,
                subdomain: first > 1 ? labels[..<(first - 1)].joined(separator: ".") : nil)
        }
        return nil
    }

    /// The name in lower case and ASCII without the dot at its end.
    private static func canonical(_ name: String) -> String? {
        var name = name
        if name.utf8.last == 0x2E { name.removeLast() }
        guard !name.isEmpty, name.utf8.count <= 1000, !name.utf8.contains(0) else { return nil }
        if name.utf8.contains(where: { $0 >= 0x80 }) {
            var result: UnsafeMutablePointer<CChar>?
            guard cidn2_to_ascii(name, &result) == 0, let result else { return nil }
            defer { cidn2_free(result) }
            name = String(cString: result)
        }
        guard name.utf8.count <= 253, !name.utf8.starts(with: ".".utf8), name.firstRange(of: "..") == nil else { return nil }
        return name.lowercased()
    }
}

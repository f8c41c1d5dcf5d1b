import Foundation
import Testing

@testable import PublicSuffix

struct PublicSuffixListTests {
    /// A list of our own, so that no test depends on what the list of the system says today.
    private static let text = """
        // ===BEGIN ICANN DOMAINS===
        com
        uk
        co.uk
        *.ck
        !www.ck
        公司.cn
        cn
        // ===END ICANN DOMAINS===
        // ===BEGIN PRIVATE DOMAINS===
        pages.com
        // ===END PRIVATE DOMAINS===
        """

    private func list() throws -> PublicSuffixList {
        let path = NSTemporaryDirectory() + "suffixes-\(UUID().uuidString).dat"
        try Self.text.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try #require(PublicSuffixList(file: path))
    }

    @Test(arguments: [
        ("a.b.example.co.uk", "co.uk", "example.co.uk", "a.b"),
        ("Example.COM.", "com", "example.com", nil),
        ("com", "com", nil, nil),
        ("x.site.pages.com", "pages.com", "site.pages.com", "x"),
        ("x.y.z.ck", "z.ck", "y.z.ck", "x"),
        ("a.www.ck", "ck", "www.ck", "a"),
        ("www.食狮.公司.cn", "xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn", "www"),
        ("www.xn--85x722f.xn--55qx5d.cn", "xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn", "www"),
    ])
    func partsOfNames(_ name: String, _ suffix: String, _ registered: String?, _ subdomain: String?) throws {
        let wanted = PublicSuffixList.Parts(suffix: suffix, registeredDomain: registered, subdomain: subdomain)
        #expect(try list().parts(of: name) == wanted)
    }

    @Test func rulesOfCompaniesMayBeLeftOut() throws {
        let parts = try list().parts(of: "x.site.pages.com", rules: .icann)
        #expect(parts?.suffix == "com")
        #expect(parts?.registeredDomain == "pages.com")
        #expect(parts?.subdomain == "x.site")
    }

    @Test(arguments: ["", ".", "192.0.2.1", "2001:db8::1", "host.local", "exe", ".com", "a..com", "\u{0}.com", "a\u{0}b.com"])
    func whatHasNoPublicSuffix(_ name: String) throws { #expect(try list().parts(of: name) == nil) }

    @Test func longNamesAreNone() throws {
        #expect(try list().parts(of: String(repeating: "a.", count: 2000) + "com") == nil)
        #expect(try list().parts(of: String(repeating: "ä", count: 100_000) + ".com") == nil)
    }

    @Test func aListThatIsNotThereIsNone() { #expect(PublicSuffixList(file: "/nowhere/list.dat") == nil) }

    @Test func theListOfTheSystemKnowsTheBigOnes() {
        #expect(PublicSuffixList.system.parts(of: "www.example.org")?.registeredDomain == "example.org")
    }
}

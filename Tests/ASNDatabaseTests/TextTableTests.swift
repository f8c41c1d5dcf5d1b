import ASNDatabase
import Glibc
import IDF
import Testing

@Suite struct TextTableTests {
    private let pyasn = """
        ; IP-ASN32-DAT file
        ; Original file : invented
        192.0.2.0/24\t64496
        192.0.2.128/25\t64497
        192.0.2.128/32\t64498
        203.0.113.0/24\t0
        2001:db8::/32\t65536
        2001:db8:1::/48\t65551

        """

    private let caida = "192.0.2.0\t24\t64500_64501\n198.51.100.0\t24\t64502,64503_64504\r\n2001:db8::\t32\t4294967295\n"

    @Test(
        arguments: [
            ("192.0.2.127", 64496, "192.0.2.0/24"), ("192.0.2.129", 64497, "192.0.2.128/25"),
            ("192.0.2.128", 64498, "192.0.2.128/32"), ("192.0.2.255", 64497, "192.0.2.128/25"),
            ("2001:db8:2::", 65536, "2001:db8::/32"), ("2001:db8:1:ffff::1", 65551, "2001:db8:1::/48"),
            ("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 65536, "2001:db8::/32"),
        ] as [(String, UInt32, String)])
    func answersFromPyasn(text: String, number: UInt32, prefix: String) throws {
        let folder = TestFolder()
        for path in [folder.file(pyasn), folder.packed(pyasn)] {
            let database = try ASNDatabase(path: path)
            let expected = try AutonomousSystem(number: number, name: nil, network: network(prefix))
            #expect(database.system(announcing: address(text)) == expected)
            #expect(database.entryCount == 6)
        }
    }

    @Test(arguments: ["192.0.1.255", "192.0.3.0", "203.0.113.1", "0.0.0.0", "255.255.255.255", "2001:db7::", "2001:db9::", "::"])
    func knowsNobody(text: String) throws {
        let folder = TestFolder()
        #expect(try ASNDatabase(path: folder.file(pyasn)).system(announcing: address(text)) == nil)
    }

    @Test func takesFirstOriginOfCAIDA() throws {
        let folder = TestFolder()
        for path in [folder.file(caida), folder.packed(caida)] {
            let database = try ASNDatabase(path: path)
            #expect(database.system(announcing: address("192.0.2.1"))?.number == 64500)
            #expect(database.system(announcing: address("198.51.100.1"))?.number == 64502)
            #expect(database.system(announcing: address("2001:db8::"))?.number == .max)
        }
    }

    @Test func acceptsOddForms() throws {
        let folder = TestFolder()
        // Whole address space, host bits set, one network twice, no order, no newline at the end.
        let text = "198.51.100.77/24 64499\n0.0.0.0/0\t64496\n198.51.100.0/24\t64498\n# comment\n\n::/0\t65536"
        let database = try ASNDatabase(path: folder.file(text))
        #expect(try database.system(announcing: address("255.255.255.255"))?.network == network("0.0.0.0/0"))
        #expect(try database.system(announcing: address("ffff::"))?.network == network("::/0"))
        let system = database.system(announcing: address("198.51.100.1"))
        #expect(try system == AutonomousSystem(number: 64498, name: nil, network: network("198.51.100.0/24")))
        #expect(database.entryCount == 3)
    }

    @Test(arguments: [
        "192.0.2.0/33\t64496", "2001:db8::/129\t64496", "192.0.2/24\t64496", "192.0.2.256/24\t64496", "192.0.2.0.0/24\t1",
        "192.0.2.0/24", "192.0.2.0/24\t", "192.0.2.0/\t64496", "192.0.2.0\t64496", "192.0.2.0/24\t4294967296",
        "192.0.2.0/24\t99999999999999999999", "192.0.2.0/24\tAS64496", "192.0.2.0/24\t-1", "2001:db8:::/32\t1",
        "2001:db8::%eth0/32\t1", "/24\t1", "hello", "192.0.2.0/24\t64496 more", "1234567890123456/24\t1", "::ffffffff/1\t1",
    ])
    func refusesLine(line: String) throws {
        let folder = TestFolder()
        let path = folder.file("; comment\n192.0.2.0/24\t64496\n\(line)\n")
        guard case .badLine(path, 3, _, let wanted)? = errorOpening(path) else {
            Issue.record("\(line): \(String(describing: errorOpening(path)))")
            return
        }
        #expect(!wanted.isEmpty)
    }

    @Test func showsBadLineInPrintableForm() throws {
        let folder = TestFolder()
        let path = folder.file("192.0.2.0/24\tß\u{1B}[31m" + String(repeating: "x", count: 500))
        let error = try #require(errorOpening(path))
        #expect(error.description.contains(#", line 1: found "192.0.2.0/24\t\xc3\x9f\x1b[31mxxx"#))
        #expect(error.description.utf8.count < 500)
    }

    @Test func refusesEndlessLine() {
        let folder = TestFolder()
        let path = folder.file("192.0.2.0/24\t64496\n" + String(repeating: "1", count: 3_000_000))
        guard case .badLine(path, 2, _, _)? = errorOpening(path) else {
            Issue.record("\(String(describing: errorOpening(path)))")
            return
        }
        // A comment without an end is no better.
        #expect(errorOpening(folder.file(";" + String(repeating: "x", count: 3_000_000))) != nil)
    }

    @Test func linesMayLieAcrossReads() throws {
        let folder = TestFolder()
        let comment = ";" + String(repeating: "x", count: 50_000) + "\n"
        let text = String(repeating: comment, count: 20) + "192.0.2.0/24\t64496\n" + String(repeating: comment, count: 20)
        for path in [folder.file(text), folder.packed(text)] {
            #expect(try ASNDatabase(path: path).system(announcing: address("192.0.2.1"))?.number == 64496)
        }
    }

    @Test func refusesDamagedGzip() throws {
        let folder = TestFolder()
        let text = (0..<256).map { "10.\($0).0.0/16\t\($0 * 7_919 + 1)\n" }.joined()
        let whole = bytes(ofFile: folder.packed(text))
        let cut = folder.file(whole.prefix(whole.count / 2))
        #expect(errorOpening(cut) == .corrupt(path: cut, reason: "the gzip data end too early"))
        var changed = whole
        changed[whole.count - 6] ^= 0xFF
        guard case .corrupt? = errorOpening(folder.file(changed)) else {
            Issue.record("a wrong checksum was accepted")
            return
        }
    }

    @Test func noticesChange() throws {
        let folder = TestFolder()
        let path = folder.file(pyasn)
        let first = try ASNDatabase(path: path)
        #expect(!first.changedOnDisk())
        #expect(first.buildTime > 1_600_000_000)
        folder.file(caida)
        #expect(first.changedOnDisk())
        #expect(try ASNDatabase(path: path).build != first.build)
    }
}

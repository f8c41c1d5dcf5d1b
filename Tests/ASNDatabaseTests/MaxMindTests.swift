import ASNDatabase
import Glibc
import IDF
import Testing

@Suite struct MaxMindTests {
    @Test(
        arguments: [
            ("192.0.2.0", 64496, "Example Carrier", "192.0.2.0/28"),
            ("192.0.2.95", 64501, "Documentation University", "192.0.2.80/28"),
            ("198.51.100.9", 65537, "Sample Hosting International", "198.51.100.8/29"),
            ("203.0.113.223", 65546, "Esempio Fibra International", "203.0.113.192/27"),
            ("192.0.2.64", 64500, "Beispielnetz Österreich", "192.0.2.64/28"),
            ("2001:db8::1", 65551, nil, "2001:db8::/48"),
            ("2001:db8:0:ffff::1", 65551, nil, "2001:db8::/48"),
            ("2001:db8:7c01::", 65551, nil, "2001:db8:7c01::/48"),
        ] as [(String, UInt32, String?, String)])
    func answers(text: String, number: UInt32, name: String?, prefix: String) throws {
        let database = try ASNDatabase(path: fixture("asn.mmdb"))
        let system = try #require(database.system(announcing: address(text)))
        #expect(try system == AutonomousSystem(number: number, name: name, network: network(prefix)))
    }

    @Test(arguments: ["203.0.113.224", "10.0.0.1", "0.0.0.0", "255.255.255.255", "2001:db8:8000::", "::", "::1", "ffff::"])
    func knowsNobody(text: String) throws {
        #expect(try ASNDatabase(path: fixture("asn.mmdb")).system(announcing: address(text)) == nil)
    }

    @Test func readsTreeForIPv4Only() throws {
        let database = try ASNDatabase(path: fixture("ipv4.mmdb"))
        let system = try #require(database.system(announcing: address("192.0.2.17")))
        #expect(try system == AutonomousSystem(number: 64497, name: "Sample Hosting", network: network("192.0.2.16/28")))
        #expect(database.system(announcing: address("2001:db8::1")) == nil)
    }

    /// Every address agrees with the networks the fixture was made of, in order from large to small.
    @Test func agreesWithSourceForEveryAddress() throws {
        let database = try ASNDatabase(path: fixture("asn.mmdb"))
        for last in 0..<256 as Range<UInt32> {
            let first = database.system(announcing: IPAddress(bits: UInt128(0xC000_0200 + last), isV4: true))
            #expect(first?.number == 64496 + last / 16)
            let second = database.system(announcing: IPAddress(bits: UInt128(0xC633_6400 + last), isV4: true))
            #expect(second?.number == (last / 8 % 4 == 1 ? 65537 + last / 8 / 4 * 2 : 65536))
            let third = database.system(announcing: IPAddress(bits: UInt128(0xCB00_7100 + last), isV4: true))
            #expect(third?.number == (last < 224 ? 65540 + last / 32 : nil))
        }
    }

    @Test func tellsEdition() throws {
        let database = try ASNDatabase(path: fixture("asn.mmdb"))
        #expect(database.buildTime == 1_795_132_800)
        #expect(database.build == "1795132800")
        #expect(database.entryCount > 90)
        #expect(database.path == fixture("asn.mmdb"))
        #expect(!database.changedOnDisk())
    }

    @Test func refusesDatabaseWithoutSystems() throws {
        let error = try #require(errorOpening(fixture("city.mmdb")))
        let found = "a MaxMind database of type \"Demo-City\" whose records have no autonomous_system_number"
        #expect(error == .wrongKind(path: fixture("city.mmdb"), found: found))
        #expect(error.description.contains("GeoLite2-ASN.mmdb"))
    }

    @Test func survivesEveryTruncation() {
        let folder = TestFolder()
        let whole = bytes(ofFile: fixture("asn.mmdb"))
        for length in stride(from: 0, to: whole.count, by: 13) {
            #expect(errorOpening(folder.file(whole.prefix(length))) != nil, "cut to \(length) bytes")
        }
    }

    /// Changed bytes are refused or give some answer; they never end the process.
    @Test func survivesChangedBytes() {
        let folder = TestFolder()
        let whole = bytes(ofFile: fixture("asn.mmdb"))
        var random = Random(state: 7)
        for _ in 0..<600 {
            var changed = whole
            for _ in 0..<(1 + Int(random.next() % 4)) {
                changed[Int(random.next() % UInt64(whole.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            guard let database = try? ASNDatabase(path: folder.file(changed)) else { continue }
            for _ in 0..<20 {
                let v4 = 0xC000_0200 + UInt128(random.next() % 256)
                _ = database.system(announcing: IPAddress(bits: v4, isV4: true))
                let v6 = UInt128(0x2001_0db8) << 96 | UInt128(random.next()) << 64
                _ = database.system(announcing: IPAddress(bits: v6, isV4: false))
            }
        }
    }

    /// A mapped file would end the process with SIGBUS here.
    @Test func survivesFileCutShortWhileOpen() throws {
        let folder = TestFolder()
        let path = folder.file(bytes(ofFile: fixture("asn.mmdb")))
        let database = try ASNDatabase(path: path)
        folder.file([])
        #expect(database.system(announcing: address("192.0.2.1"))?.number == 64496)
        #expect(database.changedOnDisk())
        unlink(path)
        #expect(!database.changedOnDisk())
    }

    @Test func answersManyThreads() async throws {
        let database = try ASNDatabase(path: fixture("asn.mmdb"))
        let wrong = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    (0..<20_000).count { index in
                        let bits = 0xC000_0200 + UInt128(index % 256)
                        let system = database.system(announcing: IPAddress(bits: bits, isV4: true))
                        return system?.number != 64496 + UInt32(index % 256) / 16
                    }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(wrong == 0)
    }
}

/// Numbers that are the same in every run.
struct Random: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

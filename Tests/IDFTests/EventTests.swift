import Testing

@testable import IDF

/// `#expect` takes no call that changes a value.
func yes(_ found: Bool, _ words: Comment? = nil, at place: SourceLocation = #_sourceLocation) {
    #expect(found, words, sourceLocation: place)
}

func no(_ found: Bool, at place: SourceLocation = #_sourceLocation) { #expect(!found, sourceLocation: place) }

@Suite struct EventValueTests {
    @Test func fillKeepsWhatIsThere() {
        var event = Event()
        yes(event.fill(.sourceASName, "first"))
        no(event.fill(.sourceASName, "second"))
        no(event.fill(.sourceASName, nil))
        #expect(event[.sourceASName] == "first")
        event.fillOverwrites = true
        yes(event.fill(.sourceASName, "third"))
        no(event.fill(.sourceASName, nil))
        #expect(event[.sourceASName] == "third")
    }

    @Test func fillsPlacesOfAlignedLists() {
        var event = Event()
        event.set(.sourceIP, to: ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map { IPAddress($0) })
        yes(event.fill(.sourceASNumber, 64498, at: 2))
        #expect(event.aligned(.sourceASNumber) == [nil, nil, 64498])
        #expect(event[.sourceASNumber] == 64498)
        yes(event.fill(.sourceASNumber, 64496, at: 0))
        no(event.fill(.sourceASNumber, 1, at: 2))
        no(event.fill(.sourceASNumber, nil, at: 1))
        #expect(event.aligned(.sourceASNumber) == [64496, nil, 64498])
        #expect(String(decoding: event.encoded(), as: UTF8.self).contains("[64496,null,64498]"))
        event.fillOverwrites = true
        yes(event.fill(.sourceASNumber, 65551, at: 1))
        yes(event.fill(.sourceASNumber, 65552, at: 0))
        #expect(event.aligned(.sourceASNumber) == [65552, 65551, 64498])
    }

    @Test func setsLists() {
        var event = Event()
        event.set(.sourceDomain, to: ["a.example", nil, "b.example", nil, nil])
        #expect(event.aligned(.sourceDomain) == ["a.example", nil, "b.example"])
        event.set(.sourceDomain, to: ["c.example"])
        #expect(event.json(Key<String>.sourceDomain.id) == .string("c.example"))
        event.set(.sourceDomain, to: [nil, nil])
        #expect(!event.has(Key<String>.sourceDomain.id))
        event[.sourcePort] = 80
        event[.sourcePort] = nil
        #expect(event.isEmpty)
    }

    @Test(arguments: [Int.min, .min + 1, -1, 0, 1, .max]) func wholeNumbersOfAllSizes(_ number: Int) throws {
        let bytes = Key<Int>("event.severity")
        var event = Event()
        event[bytes] = number
        #expect(event[bytes] == number)
        #expect(try Packet(decoding: Packet(events: [event]).encoded()).events[0][bytes] == number)
    }

    @Test(arguments: ["9223372036854775808", "-9223372036854775809", "-", "", "99999999999999999999", "1x"])
    func whatIsNoWholeNumber(_ text: String) {
        #expect(Array(text.utf8).withUnsafeBufferPointer { Int(field: $0) } == nil)
    }

    @Test func textsAreEscaped() throws {
        var event = Event()
        let hard = "quote \" back \\ tab \t nul \u{0} del \u{7F} é 😀 \u{2028}"
        event[Key<String>("message")] = hard
        event.set(Key<String>("tags"), to: ["a\"b", "c\\", "]", ","])
        event[custom: "k\"\\\u{1}"] = .string(hard)
        #expect(event[Key<String>("message")] == hard)
        #expect(event.all(Key<String>("tags")) == ["a\"b", "c\\", "]", ","])
        let read = try Packet(decoding: Packet(events: [event]).encoded()).events[0]
        #expect(read[Key<String>("message")]?.contains("quote \" back \\ tab \t") == true)
        #expect(read.all(Key<String>("tags")) == ["a\"b", "c\\", "]", ","])
        #expect(read[custom: "k\"\\\u{1}"] == .string(hard))
    }

    @Test func addsTexts() {
        var event = Event()
        yes(event.add(Key<IPAddress>.sourceIP.id, text: " 192.0.2.1 "))
        no(event.add(Key<IPAddress>.sourceIP.id, text: "nowhere"))
        #expect(event[.sourceIP]?.description == "192.0.2.1")
        #expect(event.text(Key<IPAddress>.sourceIP.id) == "192.0.2.1")
        #expect(event.text(Key<String>.sourceDomain.id) == nil)
        event.set(.sourceASNumber, to: [nil, 64496])
        #expect(event.text(Key<UInt32>.sourceASNumber.id) == "64496")
    }

    @Test func originalsOfAnyBytes() {
        for bytes: [UInt8] in [Array("plain".utf8), [0xFF, 0xFE], Array("é\0".utf8), [0x0A]] {
            var event = Event()
            event.setOriginal([0xFF])
            event.setOriginal(bytes)
            #expect(event.originalBytes == bytes)
            #expect(event.fields.count == 1)
        }
        var event = Event()
        event.setOriginal([])
        #expect(event.originalBytes == nil)
    }

    @Test func customMembers() {
        var event = Event()
        event.setCustom(path: ["a", "b", "c"], to: .integer(1))
        event.setCustom(path: ["a", "b", "d"], to: .integer(2))
        event.setCustom(path: [], to: .null)
        #expect(event[custom: "a"] == .object(["b": .object(["c": .integer(1), "d": .integer(2)])]))
        event.setCustom(path: ["a", "b"], to: .string("x"))
        event.setCustom(path: ["a", "b", "c"], to: .boolean(true))
        #expect(event[custom: "a"] == .object(["b": .object(["c": .boolean(true)])]))
        event[custom: "z"] = .null
        #expect(event.freeMembers("custom").map(\.name) == ["a", "z"])
        event[custom: "a"] = nil
        #expect(event.freeMembers("custom").map(\.name) == ["z"])
        event.removeFree("custom")
        #expect(event.isEmpty)
    }

    /// A name that later hops refuse is not taken, and does no harm.
    @Test func hostileCustomNames() throws {
        for length in [1, 4000, 5000, 65_533, 70_000] {
            var event = Event()
            let name = String(repeating: "n", count: length)
            event[custom: name] = .integer(7)
            #expect(event[custom: name] == (length <= 4000 ? .integer(7) : nil))
            _ = try Packet(decoding: Packet(events: [event]).encoded())
        }
    }
}

@Suite struct IdentityTests {
    @Test func idsGrow() throws {
        var last = UUID.v7()
        for _ in 0..<20_000 {
            let next = UUID.v7()
            #expect(next > last)
            last = next
        }
        #expect(last.high >> 12 & 15 == 7)
        #expect(last.low >> 62 == 2)
        #expect(UUID(last.description) == last)
        #expect(UUID(last.description.uppercased()) == last)
        #expect(last.description.utf8.count == 36)
        for bad in [
            "", "0198f000-0000-7000-8000-00000000000", "0198f000-0000-7000-8000-00000000000g",
            "0198f00000007000800000000000000a0000",
        ] {
            #expect(UUID(bad) == nil)
        }
    }

    @Test func idsAreUniqueAcrossThreads() async {
        let all = await withTaskGroup(of: [UUID].self) { group in
            for _ in 0..<8 { group.addTask { (0..<2000).map { _ in UUID.v7() } } }
            return await group.reduce(into: Set<UUID>()) { $0.formUnion($1) }
        }
        #expect(all.count == 16_000)
    }

    @Test func fingerprintsDoNotDependOnOrder() throws {
        let orders = [
            #""source":{"ip":"192.0.2.1","port":80},"custom":{"b":{"y":1,"x":2},"a":"t"},"message":"m""#,
            #""message":"m","custom":{"a":"t","b":{"x":2,"y":1}},"source":{"port":80,"ip":["192.0.2.1"]}"#,
        ]
        var prints: [String] = []
        for order in orders {
            let event = try Packet(decoding: packet(event: order)).events[0]
            prints.append("\(event.fingerprint(ignoring: []))")
        }
        var built = Event()
        built[custom: "a"] = .string("t")
        built[custom: "b"] = .object(["x": .integer(2), "y": .integer(1)])
        built[.sourcePort] = 80
        built[Key<String>("message")] = "m"
        built[.sourceIP] = IPAddress("192.0.2.1")
        prints.append("\(built.fingerprint(ignoring: []))")
        #expect(Set(prints).count == 1)
        // Documented, and the same in every version: SHA-256 over "name 0x1F value 0x1E" in the order of names.
        let before = built.fingerprint(ignoring: [])
        built.id = .v7()
        #expect(built.fingerprint(ignoring: []) == before)
        built[.sourcePort] = 81
        #expect(built.fingerprint(ignoring: []) != before)
        #expect(built.fingerprint(of: [Key<IPAddress>.sourceIP.id]) != before)
        let ignoring = built.fingerprint(ignoring: [Key<Int>.sourcePort.id])
        built[.sourcePort] = nil
        #expect(built.fingerprint(ignoring: []) == ignoring)
    }

    @Test func fingerprintIsTheDocumentedOne() {
        var event = Event()
        event[.sourcePort] = 80
        // printf 'source.port\x1f80\x1e' | sha256sum
        let print = event.fingerprint(ignoring: [])
        #expect(String(print.0, radix: 16) == "11ff80715f207cc1")
    }

    @Test func fingerprintsOfManyMembersAreTheDocumentedOnes() throws {
        let event = try Packet(
            decoding: packet(
                event: #""@timestamp":"2026-11-20T00:00:00Z","threat":{"feed":{"name":"f"}},"tags":["b","a"],"#
                    + #""source":{"ip":"192.0.2.1","port":80},"intelmq":{"output":{"z":1,"y":2},"severity":"high"},"#
                    + #""n6":{"id":"x"},"custom":{"zz":1,"aaaaaaab":true,"aaaaaaa":"t\u0041","o":{"b":[1, 2],"a":null}}"#)
        ).events[0]
        let wanted = [
            "@timestamp=\"2026-11-20T00:00:00Z\"", "custom.aaaaaaa=\"tA\"", "custom.aaaaaaab=true",
            #"custom.o={"a":null,"b":[1,2]}"#, "custom.zz=1", #"intelmq.output={"y":2,"z":1}"#, "intelmq.severity=\"high\"",
            "n6.id=\"x\"", "source.ip=\"192.0.2.1\"", "source.port=80", #"tags=["b","a"]"#, "threat.feed.name=\"f\"",
        ]
        let text = wanted.map { $0.replacing("=", with: "\u{1F}", maxReplacements: 1) + "\u{1E}" }.joined()
        #expect(event.fingerprint(ignoring: []) == digest(of: Array(text.utf8)))
    }

    @Test func everyFieldAloneFitsWhereItIsWritten() throws {
        for field in FieldTable.shared.fields where field.type == .keyword {
            var event = Event()
            let id = try #require(FieldID(field.name))
            let isAdded = event.add(id, text: "x")
            #expect(isAdded)
            var bytes: [UInt8] = []
            event.encodeAttributes(into: &bytes)
            #expect(bytes.count <= event.sizeLimit)
            let back = try Packet(decoding: packet(event: String(decoding: bytes.dropFirst().dropLast(), as: UTF8.self))).events[
                0]
            #expect(back.text(id) == "x")
        }
    }
}

@Suite struct Base64Tests {
    @Test func roundTrip() {
        for length in 0..<70 {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ length) }
            #expect(Base64.decode(Base64.encode(bytes).utf8) == bytes)
        }
    }

    @Test(arguments: [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9v\r\nYmFy\n", "foobar")])
    func known(_ text: String, _ plain: String) { #expect(Base64.decode(text.utf8) == Array(plain.utf8)) }

    @Test(arguments: ["Z", "Zg", "Zg=", "Zm9", "Zg==Zg==", "Zm9v=", "Zm9v====", "Z*==", "====", "Zm9v Yg==", "é"])
    func refused(_ text: String) { #expect(Base64.decode(text.utf8) == nil) }
}

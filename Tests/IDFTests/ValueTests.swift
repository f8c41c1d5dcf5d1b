import Testing

@testable import IDF

/// The canonical JSON of a text, nil where the type refuses it.
func sanitised(_ type: FieldType, _ text: String) -> String? {
    sanitised(type, bytes: Array(text.utf8))
}

func sanitised(_ type: FieldType, bytes: [UInt8]) -> String? {
    var out: [UInt8] = [0x40]
    let isValid = bytes.withUnsafeBufferPointer { type.sanitise($0, into: &out) }
    #expect(out[0] == 0x40)
    guard isValid else {
        #expect(out.count == 1, "\(type) left something behind for \(bytes)")
        return nil
    }
    return String(validating: out.dropFirst(), as: UTF8.self)
}

@Suite struct AddressTests {
    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"), ("255.255.255.255", "255.255.255.255"), ("::", "::"), ("::1", "::1"), ("1::", "1::"),
        ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"), ("2001:db8:0:1:0:0:0:1", "2001:db8:0:1::1"), ("1:0:0:2:0:0:0:3", "1:0:0:2::3"),
        ("1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"), ("::ffff:192.0.2.1", "::ffff:c000:201"),
        ("64:ff9b::192.0.2.1", "64:ff9b::c000:201"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
        ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
        ("0000:0000:0000:0000:0000:0000:0000:0001", "::1"),
    ]) func reads(_ text: String, _ canonical: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.description == canonical)
        #expect(IPAddress(canonical) == address)
    }

    @Test(arguments: [
        "", ".", ":", ":::", "::1::", "192.0.2", "192.0.2.", "192.0.2.256", "192.0.2.01", "192.0.2.1.5", " 192.0.2.1", "1.2.3.4 ",
        "[::1]", "12345::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::1%eth0", "1:2:3:4:5:6:7:1.2.3.4",
        ":1::2",
        "1::2:", "::1.2.3", "::1.2.3.4:5", "g::", "1..2.3", "999999999.1.1.1", "0x7f.0.0.1", "::1:2:3:4:5:6:7:8",
    ]) func refuses(_ text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test func networks() throws {
        func network(_ text: String) -> IPNetwork? { Array(text.utf8).withUnsafeBufferPointer { IPNetwork($0) } }
        let small = try #require(network("192.0.2.77/24"))
        #expect(small.description == "192.0.2.0/24")
        #expect(small.contains(try #require(IPAddress("192.0.2.255"))))
        #expect(!small.contains(try #require(IPAddress("192.0.3.0"))))
        #expect(!small.contains(try #require(IPAddress("::c000:200"))))
        #expect(network("192.0.2.0/255.255.255.0") == small)
        #expect(network("192.0.2.0/0.0.0.255") == small)
        #expect(network("2001:db8::1/32")?.description == "2001:db8::/32")
        #expect(network("::1")?.description == "::1/128")
        let all = try #require(network("::/0"))
        #expect(all.contains(try #require(IPAddress("ffff::"))))
        for text in [
            "", "/", "192.0.2.0/", "192.0.2.0/33", "::/129", "192.0.2.0/-1", "192.0.2.0/255.0.255.0", "1.2.3.4/24/8", "x/8", "10",
        ] {
            #expect(network(text) == nil, "\(text)")
        }
        #expect(IPNetwork(address: try #require(IPAddress("192.0.2.1")), prefixLength: 33) == nil)
    }

    @Test(arguments: [
        (" 192.0.2.1 ", "192.0.2.1"), ("192.0.2.1/32", "192.0.2.1"), ("fe80::1%eth0", "fe80::1"), ("167772161", "10.0.0.1"),
        ("4294967296", "::1:0:0"), ("2001:DB8::1/128", "2001:db8::1"),
    ]) func sanitises(_ text: String, _ wanted: String) {
        #expect(sanitised(.ip, text) == "\"\(wanted)\"")
    }

    @Test(arguments: [
        "0.0.0.0", "0", "080", "+80", "-1", "192.0.2.0/24", "340282366920938463463374607431768211456", "%", "/", "١.٢.٣.٤",
    ])
    func refusesAsField(_ text: String) {
        #expect(sanitised(.ip, text) == nil)
    }
}

@Suite struct TextValueTests {
    @Test(arguments: [
        (FieldType.keyword, " a\"b\\c\n\u{1}é ", #""a\"b\\c\n\u0001é""#), (.lowercase, "ÄB\"C", #""äb\"c""#),
        (.lowercase, "A\u{1F}B", #""a\u001fb""#),
        (.uppercase, "a\u{1B}b", #""A\u001bB""#), (.uppercase, "straße", #""STRASSE""#), (.printable, "A b", #""A b""#),
        (.printableLowercase, "Conficker.C", #""conficker.c""#), (.fileHash, "D41D8", #""D41D8""#),
        (.eventHash, "ab./9", #""AB./9""#),
        (.uuid, "0198F2C4-7D1E-7A2B-9C3D-4E5F60718293", #""0198f2c4-7d1e-7a2b-9c3d-4e5f60718293""#),
        (.countryCode, "at", #""AT""#),
        (.transport, "TCP", #""tcp""#), (.transport, "tp++", #""tp++""#), (.registry, "ripencc", #""RIPE""#),
        (.registry, "Ripe-NCC", #""RIPE""#),
        (.tlp, "tlp: amber", #""AMBER""#), (.tlp, "TLP:AMBER+STRICT", #""AMBER+STRICT""#), (.tlp, "clear", #""CLEAR""#),
        (.tlp, "Yellow", #""AMBER""#),
        (.taxonomy, "Malicious Code", #""malicious-code""#), (.classification, "C&C", #""c2-server""#),
        (.classification, "tor", #""tor""#),
        (.classification, "unauthorised-use-of-resources", #""unauthorized-use-of-resources""#),
        (.base64, "Zm9vYg==", #""Zm9vYg==""#),
        (.domain, "Exämple.COM.", #""xn--exmple-cua.com""#), (.domain, "_dmarc.Example.com", #""_dmarc.example.com""#),
        (.domain, "日本。jp", #""xn--wgv71a.jp""#), (.domain, "1.2.3.4.example", #""1.2.3.4.example""#),
        (.domain, #"a"b"#, #""a\"b""#),
        (.url, "hxxps://a.b/c", #""https://a.b/c""#), (.url, "file:///x", #""file://localhost/x""#), (.url, "//a/b", #""//a/b""#),
        (.url, "http://[2001:db8::1]/", #""http://[2001:db8::1]/""#),
        (.json, #" {"a" : [1, 2.50, "x y", null]} "#, #"{"a":[1,2.50,"x y",null]}"#),
        (.json, "no json", #""no json""#), (.json, "{\"a\": NaN}", #""{\"a\": NaN}""#), (.json, "1e400", #""1e400""#),
        (.json, " ", #"" ""#), (.keyword, "\u{FEFF}", "\"\u{FEFF}\""),
    ]) func sanitises(_ type: FieldType, _ text: String, _ wanted: String) {
        #expect(sanitised(type, text) == wanted)
    }

    @Test(arguments: [
        (FieldType.printable, "ä"), (.printable, "a\u{7F}"), (.eventHash, "xyz"), (.uuid, "0198f2c4-7d1e-7a2b-9c3d-4e5f6071829"),
        (.countryCode, "AUT"),
        (.transport, "http"), (.registry, "IANA"), (.tlp, "BLUE"), (.tlp, "TLP"), (.taxonomy, "phishing"),
        (.classification, "c2 server"),
        (.base64, "Zm9vYg"), (.base64, "===="), (.base64, "Zm9=Yg=="), (.domain, "exam ple.com"), (.domain, "a..b"),
        (.domain, "..."), (.domain, "192.0.2.1"),
        (.domain, "a:80"), (.domain, "a/b"), (.domain, "a\u{0}b"), (.domain, "１.2.3.4"), (.domain, "bü cher.de"),
        (.domain, "\u{200B}"), (.domain, "::1"),
        (.domain, String(repeating: "a", count: 64) + ".com"), (.url, "example.com/x"), (.url, "http:///path"),
        (.url, "http://[2001:db8::1"),
        (.url, "http://]a["), (.url, "mailto:a@b"), (.url, "h**p://a"), (.url, "hxxp://"),
        (.fileHash, String(repeating: "a", count: 201)),
    ]) func refuses(_ type: FieldType, _ text: String) {
        #expect(sanitised(type, text) == nil)
    }

    @Test func nothingIsNeverAValue() {
        for type in FieldType.allCases {
            #expect(sanitised(type, "") == nil, "\(type)")
            if type != .json { #expect(sanitised(type, " \t\u{A0}\u{2003}\r\n") == nil, "\(type)") }
            #expect(!type.wanted.isEmpty)
        }
    }

    @Test func bytesThatAreNoTextAreLeftOut() {
        #expect(sanitised(.keyword, bytes: [0x61, 0xFF, 0x62]) == "\"ab\"")
        #expect(sanitised(.keyword, bytes: [0xED, 0xA0, 0x80]) == nil)
        #expect(sanitised(.keyword, bytes: [0xC3]) == nil)
        // Without them it would be another name.
        for type in [FieldType.url, .domain] {
            #expect(sanitised(type, bytes: Array("http://a.example/".utf8) + [0xF0, 0x9F]) == nil)
        }
        #expect(sanitised(.domain, bytes: Array("ex".utf8) + [0xE4] + Array("mple.com".utf8)) == nil)
        #expect(sanitised(.ip, bytes: Array("192.0.2.1".utf8) + [0xFF]) == nil)
    }

    /// Whatever comes in: no crash, nothing left behind on refusal, and one well-formed JSON text on acceptance.
    @Test func hostileBytes() {
        var state: UInt64 = 42
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let alphabet = Array("0123456789..::--//%%+TZapm eE\"\\{}[],xn\u{FC}\u{20AC}".utf8) + [0x00, 0xFF, 0x0A]
        for _ in 0..<20_000 {
            let bytes = (0..<random(24)).map { _ in alphabet[random(alphabet.count)] }
            for type in FieldType.allCases {
                guard let json = sanitised(type, bytes: bytes) else { continue }
                var copy: [UInt8] = []
                #expect(
                    Array(json.utf8).withUnsafeBufferPointer { JSONText.appendCompact($0, to: &copy) }, "\(type) \(bytes) \(json)"
                )
                guard type.jsonKind == .string else { continue }
                // What comes out is canonical: it goes in again unchanged.
                if !json.contains("\\") {
                    #expect(sanitised(type, String(json.dropFirst().dropLast())) == json, "\(type) \(bytes)")
                }
            }
        }
        for type in FieldType.allCases {
            for byte in [UInt8(ascii: "1"), UInt8(ascii: "["), UInt8(ascii: ":"), UInt8(ascii: "a"), 0xFF, 0xC3] {
                _ = sanitised(type, bytes: [UInt8](repeating: byte, count: 100_000))
            }
        }
    }

    @Test func taxonomy() throws {
        #expect(ClassificationType.all.count == 44)
        #expect(ClassificationType.all.filter(\.isRSIT).count == 39)
        let type = try #require(ClassificationType("c2server"))
        #expect(type.name == "c2-server")
        #expect(type.taxonomy == .maliciousCode)
        #expect(type.machineTag == "rsit:malicious-code=\"c2-server\"")
        #expect(type.eventKind == "enrichment" && type.eventCategories == ["threat"] && type.eventType == "indicator")
        let own = try #require(ClassificationType("unauthorized-use-of-resources"))
        #expect(own.machineTag == "rsit:fraud=\"unauthorised-use-of-resources\"")
        #expect(own.eventCategories.isEmpty && own.eventType == nil)
        #expect(ClassificationType("scanner")?.eventCategories == ["intrusion_detection", "network"])
        #expect(ClassificationType("tor")?.machineTag == nil)
        #expect(TaxonomyClass.allCases.count == 11)
        #expect(TaxonomyClass.vulnerable.types.count == 5)
        for type in ClassificationType.all { #expect(ClassificationType(type.name) == type) }
    }
}

@Suite struct NumberValueTests {
    @Test(arguments: [
        (FieldType.asn, "AS65536", "65536"), (.asn, "as 64496", "64496"), (.asn, "+080", "80"), (.port, "0", "0"),
        (.port, "065535", "65535"),
        (.integer, "-1", "-1"), (.integer, "-0", "0"), (.integer, "-9223372036854775808", "-9223372036854775808"),
        (.integer, "0000000000000000000000000042", "42"), (.integer, "9223372036854775807", "9223372036854775807"),
        (.float, "1e3", "1000"), (.float, "-31.e-2", "-0.31"), (.float, "48.208488", "48.208488"), (.float, "80.0", "80"),
        (.float, "-0.0", "0"),
        (.float, ".5", "0.5"), (.latitude, "-90", "-90"), (.longitude, "180.0", "180"), (.accuracy, "50.5", "50.5"),
        (.boolean, "TRUE", "true"),
    ]) func sanitises(_ type: FieldType, _ text: String, _ wanted: String) {
        #expect(sanitised(type, text) == wanted)
    }

    /// Numbers come out as they read back, whichever way they took.
    @Test func floatsReadBack() {
        for step in stride(from: -1_800_001, through: 1_800_001, by: 4_241) {
            for digits in 0...9 {
                let scale = (0..<digits).reduce(1) { scale, _ in scale * 10 }
                let number = Double(step) / Double(scale)
                let whole = step.magnitude / UInt(scale)
                let rest = String(step.magnitude % UInt(scale))
                let padded = String(repeating: "0", count: max(0, digits - rest.count)) + rest
                let text = (step < 0 ? "-" : "") + "\(whole)" + (digits > 0 ? "." + padded : "")
                #expect(sanitised(.float, text).flatMap(Double.init) == number, "\(text)")
                let shortest = number.description
                #expect(
                    sanitised(.float, text) == (shortest.hasSuffix(".0") ? String(shortest.dropLast(2)) : shortest), "\(text)")
            }
        }
    }

    @Test(arguments: [
        (FieldType.asn, "0"), (.asn, "4294967296"), (.asn, "AS"), (.asn, "ASN1"), (.asn, "1.10"), (.port, "65536"), (.port, "-1"),
        (.integer, "1.0"),
        (.integer, "9223372036854775808"), (.integer, "-9223372036854775809"), (.integer, "1_000"), (.integer, "+"),
        (.integer, "٣"),
        (.float, "nan"), (.float, "inf"), (.float, "1e400"), (.float, "0x10"), (.float, "."), (.float, "1e"), (.float, "1_0"),
        (.latitude, "90.1"),
        (.longitude, "-181"), (.accuracy, "101"), (.accuracy, "-1"), (.boolean, "1"), (.boolean, "yes"),
    ]) func refuses(_ type: FieldType, _ text: String) {
        #expect(sanitised(type, text) == nil)
    }
}

import Testing

@testable import IDF

/// The table of fields is the source of schema, pages and converters, so it must hold together.
@Suite struct SchemaTests {
    @Test func namesAreUniqueAndFound() {
        #expect(Set(Field.all.map(\.name)).count == Field.all.count)
        for field in Field.all {
            #expect(FieldID(field.name)?.field.name == field.name)
            #expect(!field.summary.isEmpty && field.summary.last == ".", "\(field.name): \(field.summary)")
            #expect(field.name.split(separator: ".").allSatisfy { !$0.isEmpty })
            // A field is a leaf: no other field stands below it.
            #expect(!Field.all.contains { $0.name.hasPrefix(field.name + ".") }, "\(field.name) is a field and an object")
        }
        for bad in ["", ".", "source", "source.", "source.ip.", "custom", "Source.ip"] { #expect(FieldID(bad) == nil, "\(bad)") }
    }

    @Test func everyFieldIsWrittenAndRead() throws {
        let samples: [FieldType: String] = [
            .ip: "192.0.2.1", .network: "192.0.2.0/24", .time: "2026-11-20T12:00:00Z", .asn: "64496", .integer: "5", .port: "443",
            .float: "1.5", .latitude: "48.2", .longitude: "16.4", .accuracy: "50", .boolean: "true", .registry: "RIPE",
            .taxonomy: "malicious-code", .classification: "c2-server", .tlp: "RED", .base64: "Zm8=", .domain: "a.example",
            .url: "http://a.example/", .uuid: "0198f000-0000-7000-8000-00000000000a", .countryCode: "AT", .transport: "tcp",
            .eventHash: "ABCDEF01", .uppercase: "UP", .json: "{}",
        ]
        var event = Event()
        for field in Field.all.reversed() where field.type != .json {
            let text = samples[field.type] ?? "text"
            yes(event.add(try #require(FieldID(field.name)), text: text), "\(field.name) does not take \(text)")
        }
        let bytes = Packet(events: [event]).encoded()
        let read = try Packet(decoding: bytes).events[0]
        #expect(read.fields == event.fields)
        #expect(read.fields.count == Field.all.filter { $0.type != .json }.count)
        for field in read.fields { #expect(read.json(field) == event.json(field), "\(field.name)") }
        #expect(
            try JSONValue(parsing: bytes)["data"]?.items?.first?["attributes"]?["source"]?["as"]?["number"] == .integer(64496))
    }

    @Test func idsFollowTheTreeOfNames() {
        // Members of one object are neighbours, else it would be opened twice on the wire.
        var closed: Set<String> = []
        var open = ""
        for id in FieldTable.shared.fields.indices.map({ FieldID(raw: UInt16($0)) }) {
            let root = id.name.split(separator: ".").first.map(String.init) ?? ""
            if root != open {
                #expect(closed.insert(root).inserted, "\(root) comes twice")
                open = root
            }
        }
    }

    @Test(arguments: FieldType.allCases) func saysWhatItWants(_ type: FieldType) { #expect(!type.wanted.isEmpty) }
}

import Conditions
import IDF
import Testing

@Suite struct ErrorTests {
    /// What is wrong in the condition, and words that message or help must have.
    static let wrong: [(text: String, part: String, words: [String])] = [
        // Fields
        (#"source.prt == 5"#, "source.prt", ["no field", "source.port"]),
        (#"source.fqdn == "a.example""#, "source.fqdn", ["in IDF it is source.domain"]),
        (#"exists time.source"#, "time.source", ["in IDF it is @timestamp"]),
        (#"extra.colour == "red""#, "extra.colour", ["custom.colour"]),
        (#"country_iso_code == "AT""#, "country_iso_code", ["source.geo.country_iso_code"]),
        (#"source.geo == "AT""#, "source.geo", ["source.geo.country_iso_code"]),
        (#"source.port:443"#, "source.port:443", ["source.port == 443"]),
        (#"exists custom"#, "custom", ["custom.colour"]),
        (#"custom.a..b == 1"#, ".b", ["no path"]),
        (#"custom.a$b == 1"#, "$", ["wanted"]),
        (#""AT" == source.geo.country_iso_code"#, #""AT""#, ["the field stands first"]),
        (#"443 == source.port"#, "443", ["the field stands first"]),
        (#"source.tor_node"#, "source.tor_node", ["source.tor_node == true"]),
        (#"source.port and source.ip in 10.0.0.0/8"#, "and", ["wanted an operator"]),
        (#"source.ip == destination.ip"#, "destination.ip", ["is a field"]),
        // Types
        (#"source.port == "80""#, #""80""#, ["is a number", "80 without quotes"]),
        (#"source.port == "http""#, #""http""#, ["is a number", "0 to 65535"]),
        (#"source.port == 70000"#, "70000", ["never", "65535"]),
        (#"source.port == 80.5"#, "80.5", ["never"]),
        (#"source.port in [9..7]"#, "9..7", ["empty", "7..9"]),
        (#"source.as.number == AS64496"#, "AS64496", ["write 64496"]),
        (#"source.as.number == 0"#, "0", ["never"]),
        (#"source.ip == "localhost""#, #""localhost""#, ["is an address"]),
        (#"source.ip == 5"#, "5", ["is an address"]),
        (#"source.ip == 10.0.0.0/8"#, "10.0.0.0/8", ["use in 10.0.0.0/8"]),
        (#"source.ip in 10.0.0.0/33"#, "10.0.0.0/33", ["no network"]),
        (#"source.ip in 10.0.0.1"#, "10.0.0.1", ["in [10.0.0.1]"]),
        (#"source.ip == 10.0.0.256"#, "10.0.0.256", ["no number, address"]),
        (#"source.ip < 10.0.0.1"#, "<", ["numbers and times"]),
        (#"source.ip contains "10.""#, "contains", ["use in with a network"]),
        (#"@timestamp < 5"#, "5", ["is a time"]),
        (#"@timestamp < "yesterday""#, #""yesterday""#, ["is a time"]),
        (#"@timestamp < now - 2 d"#, "2", ["no duration"]),
        (#"@timestamp < now - 99999999999d"#, "99999999999d", ["no duration"]),
        (#"@timestamp in [2026-11-20]"#, "2026-11-20", ["a list has no times"]),
        (#"source.port == now"#, "now", ["is a number"]),
        (#"source.geo.country_iso_code == 5"#, "5", ["is a text", #""5""#]),
        (#"source.geo.country_iso_code == AT"#, "AT", [#"texts stand in quotes: "AT""#]),
        (#"source.geo.country_iso_code == "Austria""#, #""Austria""#, ["never", "two letters"]),
        (#"source.geo.country_iso_code > "AT""#, ">", ["numbers and times"]),
        (#"source.tor_node == "true""#, #""true""#, ["without quotes"]),
        (#"source.tor_node == 1"#, "1", ["true or false"]),
        (#"source.tor_node contains "t""#, "contains", ["is for texts"]),
        (#"intelmq.output == "a""#, #""a""#, ["use exists intelmq.output"]),
        (#"intelmq.classification.type == "c2_servr""#, #""c2_servr""#, [#"did you mean "c2-server""#, "phishing"]),
        (#"intelmq.classification.taxonomy in ["other", "bad"]"#, #""bad""#, ["there are", "malicious-code"]),
        (#"threat.indicator.marking.tlp == "PURPLE""#, #""PURPLE""#, ["AMBER+STRICT"]),
        (#"event.category == "Malware""#, #""Malware""#, [#""malware""#]),
        (#"event.category == "nonsense""#, #""nonsense""#, ["there are: api"]),
        (#"source.registry != "RIPEX""#, #""RIPEX""#, ["RIPE"]),
        (#"message == """#, #""""#, ["never"]),
        (#"message contains """#, #""""#, ["empty text"]),
        (#"source.port in ["a"]"#, #""a""#, ["is a number"]),
        (#"custom.x in ["a", 5]"#, "5", ["one kind"]),
        (#"custom.x in [true]"#, "true", ["a list has no"]),
        (#"custom.x == 1..2"#, "1..2", ["use in [1..2]"]),
        (#"custom.x == 10.0.0.0/8"#, "10.0.0.0/8", ["use in"]),
        (#"custom.x contains 5"#, "5", [#""5""#]),
        (#"source.port == 1e999"#, "1e999", ["no number"]),
        // Regular expressions
        (#"message matches 'a(b'"#, "'", ["bad regular expression", "parenthes"]),
        (#"message matches 'x[z-a]'"#, "a", ["bad regular expression", "range out of order"]),
        (#"message matches "\\d[z-a]""#, "a", ["range out of order"]),
        (#"message matches '\C'"#, "'", ["bad regular expression"]),
        // Grammar
        (#"source.port = 80"#, "=", ["write =="]),
        (#"source.port == 80 && source.port == 81"#, "&&", ["write and"]),
        (#"source.port == 80 AND source.port == 81"#, "AND", ["write and"]),
        (#"source.port == 80 adn source.port == 81"#, "adn", ["write and"]),
        (#"message =~ "a""#, "=~", ["write matches"]),
        (#"source.ip << 10.0.0.0/8"#, "<<", ["write in"]),
        (#"! exists source.ip"#, "!", ["write not"]),
        (#"source.port in {80}"#, "{", ["write ["]),
        (#"source.port in []"#, "]", ["the list is empty"]),
        (#"source.port in [80,]"#, "]", ["behind the comma"]),
        (#"source.port in [80 81]"#, "81", [", or ]"]),
        (#"source.port in [80"#, "[", ["not closed"]),
        (#"source.port == [80]"#, "[", ["use in"]),
        (#"(source.port == 80"#, "(", ["not closed"]),
        (#"source.port == 80)"#, ")", ["or the end"]),
        (#"source.port not == 80"#, "==", ["in, contains"]),
        (#"message starts "a""#, #""a""#, ["wanted with"]),
        (#"message == "a"#, #""a"#, ["no closing quote"]),
        (#"message == "\.""#, #"\."#, ["single quotes"]),
        (#"message == "\ud800""#, #"\ud800"#, ["no character"]),
        (#"message == "\ud800\u0041""#, #"\ud800"#, ["no character"]),
        (#"message == "\u12""#, #"\u12""#, ["no character"]),
        (#"and exists source.ip"#, "and", ["wanted a field"]),
    ]

    @Test(arguments: wrong) func saysWhatAndWhere(_ wrong: (text: String, part: String, words: [String])) throws {
        let error = try failure(wrong.text)
        let found = Array(wrong.text.utf8)[error.range]
        #expect(String(decoding: found, as: UTF8.self) == wrong.part, "\(error)")
        for word in wrong.words { #expect("\(error.message) | \(error.help ?? "")".contains(word), "\(error)") }
        #expect(error.description.hasPrefix("error: \(error.message)\n  --> condition:\(error.line):\(error.column)\n"))
        #expect(error.description.contains("^"))
    }

    @Test func marksThePlace() throws {
        #expect(
            try failure("message == \"ö\" and\n  source.prt == 5").description == """
                error: no field source.prt in the data format
                  --> condition:2:3
                   |    source.prt == 5
                   |    ^^^^^^^^^^  did you mean source.port?
                """)
        for text in [
            "", "  \n", "not", "(", "exists", "source.port", "source.port ==", "source.port in", "source.port in [",
            "source.port not",
        ] {
            let error = try failure(text)
            #expect(error.range.upperBound <= text.utf8.count)
            #expect(error.description.contains("^"))
        }
    }

    @Test func showsTheSurroundingsOfLongLinesAndNothingThatSteersATerminal() throws {
        let long =
            String(repeating: "exists source.ip and ", count: 100) + "message == \"\u{1B}[31m\u{202E}\" and source.prt == 5 and "
        let error = try failure(long + String(repeating: "exists source.ip and ", count: 100))
        #expect(error.column == 1 + long.unicodeScalars.count - "source.prt == 5 and ".count)
        #expect(!error.description.unicodeScalars.contains("\u{1B}") && !error.description.unicodeScalars.contains("\u{202E}"))
        #expect(error.description.split(separator: "\n").allSatisfy { $0.count < 160 })
    }
}

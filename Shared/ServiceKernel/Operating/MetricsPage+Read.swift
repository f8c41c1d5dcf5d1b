extension MetricsPage {
    /// Reads a page in Prometheus' text format 0.0.4.
    /// - Parameter number: which of several pages it is, for messages.
    init(reading page: String, number: Int) throws(MetricsPageError) {
        var reader = PageReader()
        for (index, line) in page.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            guard reader.take(line) else {
                let found = printable(line.prefix(120))
                throw MetricsPageError(
                    description:
                        "page \(number), line \(index + 1): \(reader.problem); found \"\(found)\", wanted a line like name{label=\"value\"} 1"
                )
            }
        }
        if let name = reader.unfinished {
            throw MetricsPageError(
                description: "page \(number), at its end: the histogram \(name) has no bucket le=\"+Inf\"; is the page cut short?"
            )
        }
        sections = reader.sections
    }
}

/// Reads line after line.
private struct PageReader {
    private(set) var sections: [MetricsPage.Section] = []
    /// Why `take` has refused a line.
    private(set) var problem = ""
    private var sectionPlaces: [String: Int] = [:]
    /// Places of series by the name of their section and their labels.
    private var places: [String: Int] = [:]

    /// A histogram without its last bucket.
    var unfinished: String? {
        sections.first { section in
            section.series.contains {
                if case .histogram(let buckets) = $0.points { buckets.counts.last?.bound != .infinity } else { false }
            }
        }?.name
    }

    private mutating func refuse(_ why: String) -> Bool {
        problem = why
        return false
    }

    /// The place of a family, made at its first line.
    private mutating func section(_ name: Substring) -> Int {
        if let place = sectionPlaces[String(name)] { return place }
        sectionPlaces[String(name)] = sections.count
        sections.append(MetricsPage.Section(name: String(name), type: nil, help: ""))
        return sections.count - 1
    }

    /// False for a line that cannot be read.
    mutating func take(_ line: Substring) -> Bool {
        let line = line.drop { $0 == " " || $0 == "\t" }
        if line.isEmpty { return true }
        guard line.first == "#" else { return sample(line) }
        let words = line.split(separator: " ", maxSplits: 3)
        guard words.count >= 3, words[0] == "#", words[1] == "HELP" || words[1] == "TYPE" else { return true }
        guard Self.isName(words[2]) else { return refuse("\"\(words[2].prefix(40))\" is no name of a measure") }
        let place = section(words[2])
        if words[1] == "HELP" {
            sections[place].help = words.count > 3 ? String(words[3]) : ""
            return true
        }
        let word = words.count > 3 ? words[3].trimmed : ""
        sections[place].type = MetricsPage.Kind(rawValue: word)
        return sections[place].type != nil || word == "untyped"
            || refuse("pages with the type \"\(word)\" cannot be put together")
    }

    private static func isName(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return text.utf8.allSatisfy { byte in
            (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x5F
                || byte == 0x3A
        }
    }

    private mutating func sample(_ line: Substring) -> Bool {
        let name = line.prefix { $0 != "{" && $0 != " " && $0 != "\t" }
        guard Self.isName(name) else { return refuse("no name of a measure") }
        var rest = line[name.endIndex...]
        var labels: [(name: Substring, text: Substring)] = []
        if rest.first == "{" {
            guard let found = Self.labels(&rest) else { return refuse("the labels cannot be read") }
            labels = found
        }
        let words = rest.split { $0 == " " || $0 == "\t" }
        guard (1...2).contains(words.count), let value = Self.number(words[0]), words.count == 1 || Int64(words[1]) != nil else {
            return refuse("no value")
        }
        return add(name, labels, value)
    }

    private static func number(_ text: Substring) -> Double? {
        switch text {
        case "+Inf", "Inf": .infinity
        case "-Inf": -.infinity
        case "NaN": .nan
        default: text.utf8.allSatisfy { (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) } ? Double(text) : nil
        }
    }

    /// `{a="b",c="d"}`, taken from the front; values stay as they are written.
    private static func labels(_ rest: inout Substring) -> [(name: Substring, text: Substring)]? {
        var found: [(Substring, Substring)] = []
        rest.removeFirst()
        while true {
            rest = rest.drop { $0 == " " || $0 == "," }
            if rest.first == "}" {
                rest.removeFirst()
                return found
            }
            let name = rest.prefix { $0 != "=" }
            rest = rest[name.endIndex...].dropFirst()
            guard isName(name), rest.first == "\"" else { return nil }
            let start = rest.startIndex
            var end = rest.utf8.index(after: start)
            while end < rest.endIndex, rest.utf8[end] != 0x22 {
                if rest.utf8[end] == 0x5C { end = rest.utf8.index(after: end) }
                if end < rest.endIndex { end = rest.utf8.index(after: end) }
            }
            guard end < rest.endIndex else { return nil }
            end = rest.utf8.index(after: end)
            found.append((name, rest[start..<end]))
            rest = rest[end...]
        }
    }

    private mutating func add(_ name: Substring, _ labels: [(name: Substring, text: Substring)], _ value: Double) -> Bool {
        for suffix in ["_bucket", "_sum", "_count"] where name.hasSuffix(suffix) {
            let family = name.dropLast(suffix.count)
            guard let place = sectionPlaces[String(family)], sections[place].type == .histogram else { continue }
            return add(suffix, labels, value, to: place)
        }
        let place = section(name)
        guard sections[place].type != .histogram else { return refuse("a histogram has no values of its own") }
        let text = Self.joined(labels)
        guard places["\(place) \(text)"] == nil else { return refuse("the same labels a second time") }
        places["\(place) \(text)"] = sections[place].series.count
        sections[place].series.append(.init(text, .value(value)))
        return true
    }

    private static func joined(_ labels: [(name: Substring, text: Substring)]) -> String {
        labels.map { "\($0.name)=\($0.text)" }.joined(separator: ",")
    }

    /// One line of a histogram.
    private mutating func add(
        _ suffix: String, _ labels: [(name: Substring, text: Substring)], _ value: Double, to place: Int
    ) -> Bool {
        let text = Self.joined(labels.filter { $0.name != "le" })
        let found = places["\(place) \(text)"] ?? sections[place].series.count
        if found == sections[place].series.count {
            places["\(place) \(text)"] = found
            sections[place].series.append(.init(text, .histogram(MetricsPage.Buckets())))
        }
        guard case .histogram(var buckets) = sections[place].series[found].points else { return refuse("not a histogram") }
        switch suffix {
        case "_sum": buckets.sum = value
        // The last bucket says the same.
        case "_count": break
        default:
            guard let le = labels.first(where: { $0.name == "le" })?.text.dropFirst().dropLast(), let bound = Self.number(le)
            else {
                return refuse("a bucket without le")
            }
            guard buckets.counts.last.map({ $0.bound < bound }) ?? true else { return refuse("buckets do not rise") }
            buckets.counts.append((bound, value))
        }
        sections[place].series[found].points = .histogram(buckets)
        return true
    }
}

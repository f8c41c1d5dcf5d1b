/// Makes nodes of events, within bounds.
struct YAMLBuilder: ~Copyable {
    /// A node with what is needed to bound the ways in which aliases multiply it.
    private struct Built {
        let node: YAMLNode
        /// Levels below and including this one.
        let height: Int
        /// Values below and including this one, aliases expanded.
        let weight: Int
    }

    private static let depthLimit = 100
    private static let weightLimit = 1_000_000

    private var events: YAMLEvents
    private let source: YAMLSource
    private var anchors: [String: Built] = [:]
    private var weight = 0

    /// Reads the only document of a source.
    static func build(_ source: YAMLSource) throws(YAMLError) -> YAMLNode {
        do {
            return try build(source, reading: source.bytes)
        } catch {
            // JSON writes characters beyond U+FFFF as two escapes, which libyaml refuses; as one it takes them.
            guard error.message.contains("Unicode character escape"), let joined = joinSurrogates(source.bytes) else {
                throw error
            }
            return try build(source, reading: joined)
        }
    }

    private static func build(_ source: YAMLSource, reading bytes: [UInt8]) throws(YAMLError) -> YAMLNode {
        try bytes.withUnsafeBufferPointer { (view) throws(YAMLError) in
            var builder = YAMLBuilder(events: try YAMLEvents(view, source: source), source: source)
            return try builder.document()
        }
    }

    private init(events: consuming YAMLEvents, source: YAMLSource) {
        self.events = events
        self.source = source
    }

    private mutating func document() throws(YAMLError) -> YAMLNode {
        var root: YAMLNode?
        while true {
            let event = try events.next()
            switch event.kind {
            case .streamEnd:
                let start = YAMLMark(line: 1, column: 1)
                return root ?? YAMLNode(.scalar(text: "", plain: true), from: start, to: start)
            case .documentStart where root != nil:
                throw YAMLError(
                    "a second document begins here, only one is read", at: event.mark, in: source, width: 3,
                    help: "one file for each document")
            case .documentStart:
                root = try build(try events.next(), depth: 1).node
            default: break
            }
        }
    }

    private mutating func build(_ event: YAMLEvents.Event, depth: Int) throws(YAMLError) -> Built {
        let built: Built
        let name: String?
        switch event.kind {
        case .alias(let alias):
            return try resolve(alias, event, depth: depth)
        case .scalar(let text, let plain, let anchor, let tag):
            let isPlain = try isPlain(tag: tag, plain: plain, event)
            let node = YAMLNode(.scalar(text: text, plain: isPlain), from: event.mark, to: event.endMark)
            built = Built(node: node, height: 1, weight: 1 + text.utf8.count / 64)
            name = anchor
            try spend(1, event)
        case .sequenceStart(let anchor, let tag):
            try check(tag, is: "seq", event)
            built = try sequence(event, depth: depth)
            name = anchor
        case .mappingStart(let anchor, let tag):
            try check(tag, is: "map", event)
            built = try mapping(event, depth: depth)
            name = anchor
        default:
            throw YAMLError("a value is missing here", at: event.mark, in: source)
        }
        if let name { anchors[name] = built }
        return built
    }

    private mutating func sequence(_ start: YAMLEvents.Event, depth: Int) throws(YAMLError) -> Built {
        try enter(start, depth: depth)
        var items: [YAMLNode] = []
        var height = 0
        var weight = 1
        while true {
            let event = try events.next()
            if case .sequenceEnd = event.kind {
                let node = YAMLNode(.sequence(items), from: start.mark, to: event.endMark)
                return Built(node: node, height: height + 1, weight: weight)
            }
            let item = try build(event, depth: depth + 1)
            items.append(item.node)
            height = max(height, item.height)
            weight += item.weight
        }
    }

    private mutating func mapping(_ start: YAMLEvents.Event, depth: Int) throws(YAMLError) -> Built {
        try enter(start, depth: depth)
        var pairs: [(key: YAMLNode, value: YAMLNode)] = []
        var seen: [String: YAMLMark] = [:]
        var height = 0
        var weight = 1
        while true {
            let event = try events.next()
            if case .mappingEnd = event.kind {
                let node = YAMLNode(.mapping(pairs), from: start.mark, to: event.endMark)
                return Built(node: node, height: height + 1, weight: weight)
            }
            let key = try build(event, depth: depth + 1)
            guard let text = key.node.text else {
                throw YAMLError("a key must be a single value, not a list or a mapping", at: event.mark, in: source)
            }
            if let first = seen.updateValue(event.mark, forKey: text) {
                let width = event.endMark.line == event.mark.line ? event.endMark.column - event.mark.column : 1
                throw YAMLError(
                    "the key \"\(text.prefix(80))\" stands here a second time", at: event.mark, in: source, width: width,
                    help: "first in line \(first.line), column \(first.column)")
            }
            let value = try build(try events.next(), depth: depth + 1)
            pairs.append((key.node, value.node))
            height = max(height, value.height)
            weight += key.weight + value.weight
        }
    }

    private mutating func resolve(_ alias: String, _ event: YAMLEvents.Event, depth: Int) throws(YAMLError) -> Built {
        guard let target = anchors[alias] else {
            throw YAMLError(
                "the alias *\(alias.prefix(80)) has no anchor before it", at: event.mark, in: source,
                width: alias.unicodeScalars.count + 1, help: "an anchor is written &\(alias.prefix(80)) and cannot hold itself")
        }
        if depth - 1 + target.height > Self.depthLimit { throw tooDeep(event) }
        try spend(target.weight, event)
        return target
    }

    private mutating func spend(_ amount: Int, _ event: YAMLEvents.Event) throws(YAMLError) {
        weight += amount
        if weight > Self.weightLimit {
            throw YAMLError("more than \(Self.weightLimit) values, aliases expanded", at: event.mark, in: source)
        }
    }

    private mutating func enter(_ event: YAMLEvents.Event, depth: Int) throws(YAMLError) {
        if depth > Self.depthLimit { throw tooDeep(event) }
        try spend(1, event)
    }

    private func tooDeep(_ event: YAMLEvents.Event) -> YAMLError {
        YAMLError("nested deeper than \(Self.depthLimit) levels", at: event.mark, in: source)
    }

    private func check(_ tag: String?, is kind: String, _ event: YAMLEvents.Event) throws(YAMLError) {
        guard let tag, tag != "!", tag != "tag:yaml.org,2002:" + kind else { return }
        throw YAMLError("the tag \(tag.prefix(80)) does not fit this value", at: event.mark, in: source, help: "remove it")
    }

    /// Whether a scalar is read by the core schema: `!!str 5` is text, `!!int "5"` a number.
    private func isPlain(tag: String?, plain: Bool, _ event: YAMLEvents.Event) throws(YAMLError) -> Bool {
        switch tag {
        case nil: return plain
        case "!", "tag:yaml.org,2002:str": return false
        case "tag:yaml.org,2002:int", "tag:yaml.org,2002:float", "tag:yaml.org,2002:bool", "tag:yaml.org,2002:null":
            return true
        default:
            try check(tag, is: "str", event)
            return false
        }
    }

    /// Rewrites `\ud83d\ude00` as `\U0001f600`; nil when there is no such pair.
    private static func joinSurrogates(_ bytes: [UInt8]) -> [UInt8]? {
        func unit(_ start: Int) -> UInt32? {
            guard start + 6 <= bytes.count, bytes[start] == UInt8(ascii: "\\"), bytes[start + 1] == UInt8(ascii: "u") else {
                return nil
            }
            let digits = bytes[(start + 2)..<(start + 6)]
            guard digits.first != UInt8(ascii: "+"), digits.first != UInt8(ascii: "-") else { return nil }
            return UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
        }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var changed = false
        var offset = 0
        while offset < bytes.count {
            if bytes[offset] != UInt8(ascii: "\\") {
                result.append(bytes[offset])
                offset += 1
            } else if let high = unit(offset), 0xD800..<0xDC00 ~= high, let low = unit(offset + 6), 0xDC00..<0xE000 ~= low {
                let digits = String(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00), radix: 16)
                result.append(contentsOf: ("\\U" + String(repeating: "0", count: 8 - digits.utf8.count) + digits).utf8)
                changed = true
                offset += 12
            } else {
                // Two at once, so that the second of two backslashes begins nothing.
                result.append(contentsOf: bytes[offset..<min(offset + 2, bytes.count)])
                offset += 2
            }
        }
        return changed ? result : nil
    }
}

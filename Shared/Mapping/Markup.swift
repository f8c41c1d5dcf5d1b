public import IDF

/// HTML or XML taken apart: a list of tags and texts, with the end of each element. Forgives what pages forget to close.
public struct Markup {
    /// A tag or a text.
    public enum Token {
        /// A tag with its attributes; names are in lower case for HTML.
        case open(name: String, attributes: [(name: String, value: String)])
        case close(name: String)
        /// A text as it stands; `isPlain` where entities mean nothing.
        case text(ByteView, isPlain: Bool)
    }

    /// All tokens in order.
    public private(set) var tokens: [Token] = []
    /// Where in the source each token begins.
    private var starts: [Int] = []
    /// The line of each token, from 1.
    private var lines: [Int] = []
    /// For each opening tag the token behind its element.
    public private(set) var ends: [Int] = []
    private let source: ByteView
    private let isXML: Bool

    /// Takes a page or a document apart; its bytes must stay where they are while this is used.
    public init(_ source: ByteView, isXML: Bool = false) {
        self.source = source
        self.isXML = isXML
        var scanner = MarkupScanner(source, isXML: isXML)
        var line = 1
        var counted = 0
        while let (token, start) = scanner.next() {
            tokens.append(token)
            starts.append(start)
            while counted < start {
                if source[counted] == 0x0A { line += 1 }
                counted += 1
            }
            lines.append(line)
        }
        match()
    }

    /// Elements that hold nothing, and those whose next of the same kind ends them.
    private static let void: Set<String> = ["br", "hr", "img", "input", "meta", "link", "col", "base", "area", "source", "wbr"]

    private static func isEnded(_ open: String, by next: String) -> Bool {
        switch next {
        case "td", "th": open == "td" || open == "th"
        case "tr": open == "td" || open == "th" || open == "tr"
        case "tbody", "thead", "tfoot": ["td", "th", "tr", "tbody", "thead", "tfoot"].contains(open)
        case "li", "option", "p": open == next
        default: false
        }
    }

    private mutating func match() {
        ends = Array(repeating: 0, count: tokens.count)
        var stack: [(name: String, token: Int)] = []
        for (index, token) in tokens.enumerated() {
            switch token {
            case .text: continue
            case .open(let name, _):
                while !isXML, let last = stack.last, Self.isEnded(last.name, by: name) {
                    ends[last.token] = index
                    stack.removeLast()
                }
                if !isXML, Self.void.contains(name) { ends[index] = index + 1 } else { stack.append((name, index)) }
            case .close(let name):
                // A cell never closes the table around it.
                let barrier = !isXML && name != "table" ? stack.lastIndex { $0.name == "table" } : nil
                guard let at = stack.lastIndex(where: { $0.name == name }), at > (barrier ?? -1) else { continue }
                while stack.count > at {
                    ends[stack[stack.count - 1].token] = stack.count - 1 == at ? index + 1 : index
                    stack.removeLast()
                }
            }
        }
        for open in stack { ends[open.token] = tokens.count }
    }

    /// The opening tags of a name, in a range of tokens.
    public func elements(_ name: String, in range: Range<Int>? = nil) -> [Int] {
        (range ?? tokens.indices).filter { if case .open(name, _) = tokens[$0] { true } else { false } }
    }

    /// The opening tags of a name that stand in at most so many elements of that name: honest pages nest little,
    /// and what is looked at for each of them stays in proportion to the page.
    public func elements(_ name: String, in range: Range<Int>? = nil, nestedAtMost limit: Int) -> [Int] {
        var open: [Int] = []
        return elements(name, in: range).filter { element in
            while let end = open.last, end <= element { open.removeLast() }
            guard open.count <= limit else { return false }
            open.append(max(ends[element], element + 1))
            return true
        }
    }

    /// What is inside an element.
    public func inside(_ element: Int) -> Range<Int> { element + 1..<max(element + 1, ends[element]) }

    /// The value of an attribute.
    public func attribute(_ name: String, of element: Int) -> String? {
        guard case .open(_, let attributes) = tokens[element] else { return nil }
        return attributes.first { $0.name == name }?.value
    }

    /// The text of an element, entities as the characters they stand for.
    public func text(of element: Int) -> String {
        var bytes: [UInt8] = []
        for index in inside(element) {
            guard case .text(let text, let isPlain) = tokens[index] else { continue }
            if isPlain { bytes.append(contentsOf: text) } else { appendDecoded(text, to: &bytes) }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The source of an element with its tags.
    public func source(of element: Int) -> ByteView {
        let end = ends[element] < starts.count ? starts[ends[element]] : source.count
        return ByteView(rebasing: source[starts[element]..<max(starts[element], end)])
    }

    /// The line of an element, from 1.
    public func line(of element: Int) -> Int { lines[element] }

    /// An element as JSON: members named like its children, several of a name as a list; without children its text.
    public func json(_ element: Int, depth: Int = 32) -> JSONValue {
        var members: [JSONValue.Member] = []
        var index = element + 1
        let end = inside(element).upperBound
        while index < end, depth > 0 {
            guard case .open(let name, _) = tokens[index] else {
                index += 1
                continue
            }
            let value = json(index, depth: depth - 1)
            if let at = members.firstIndex(where: { $0.name == name }) {
                members[at].value = .array((members[at].value.items ?? [members[at].value]) + [value])
            } else {
                members.append(.init(name, value))
            }
            index = max(index + 1, ends[index])
        }
        return members.isEmpty ? .string(text(of: element)) : .object(members)
    }
}

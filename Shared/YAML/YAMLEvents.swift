import CYAML

/// libyaml's event parser as a pull iterator.
struct YAMLEvents: ~Copyable {
    enum Kind {
        case streamStart, streamEnd, documentStart, documentEnd, sequenceEnd, mappingEnd
        case alias(String)
        case scalar(text: String, plain: Bool, anchor: String?, tag: String?)
        case sequenceStart(anchor: String?, tag: String?)
        case mappingStart(anchor: String?, tag: String?)
    }

    struct Event {
        let kind: Kind
        let mark: YAMLMark
        let endMark: YAMLMark
    }

    // On the heap because libyaml keeps a pointer to the parser inside the parser.
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let source: YAMLSource

    /// `bytes` must outlive this value; `source` is what messages show.
    init(_ bytes: UnsafeBufferPointer<UInt8>, source: YAMLSource) throws(YAMLError) {
        parser = .allocate(capacity: 1)
        parser.initialize(to: yaml_parser_t())
        self.source = source
        guard yaml_parser_initialize(parser) == 1 else {
            throw YAMLError("not enough memory to read YAML", at: nil, in: source)
        }
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
    }

    /// The next event.
    mutating func next() throws(YAMLError) -> Event {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { throw failure() }
        defer { yaml_event_delete(&event) }
        return Event(kind: Self.kind(event), mark: Self.mark(event.start_mark), endMark: Self.mark(event.end_mark))
    }

    private static func mark(_ mark: yaml_mark_t) -> YAMLMark {
        YAMLMark(line: Int(clamping: mark.line) + 1, column: Int(clamping: mark.column) + 1)
    }

    private static func text(_ pointer: UnsafeMutablePointer<UInt8>?) -> String? {
        pointer.map { String(cString: $0) }
    }

    private static func kind(_ event: yaml_event_t) -> Kind {
        switch event.type {
        case YAML_STREAM_END_EVENT: return .streamEnd
        case YAML_DOCUMENT_START_EVENT: return .documentStart
        case YAML_DOCUMENT_END_EVENT: return .documentEnd
        case YAML_SEQUENCE_END_EVENT: return .sequenceEnd
        case YAML_MAPPING_END_EVENT: return .mappingEnd
        case YAML_ALIAS_EVENT: return .alias(text(event.data.alias.anchor) ?? "")
        case YAML_SEQUENCE_START_EVENT:
            let start = event.data.sequence_start
            return .sequenceStart(anchor: text(start.anchor), tag: text(start.tag))
        case YAML_MAPPING_START_EVENT:
            let start = event.data.mapping_start
            return .mappingStart(anchor: text(start.anchor), tag: text(start.tag))
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            return .scalar(
                text: String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self),
                plain: scalar.style == YAML_PLAIN_SCALAR_STYLE, anchor: text(scalar.anchor), tag: text(scalar.tag))
        default: return .streamStart
        }
    }

    private func failure() -> YAMLError {
        let problem = parser.pointee.problem.map { String(cString: $0) } ?? "the text is not YAML"
        if parser.pointee.error == YAML_MEMORY_ERROR {
            return YAMLError("not enough memory to read YAML", at: nil, in: source)
        }
        if parser.pointee.error == YAML_READER_ERROR {
            let mark = source.mark(at: parser.pointee.problem_offset)
            let value = parser.pointee.problem_value
            if problem.contains("control") {
                return YAMLError("\(problem): number \(value)", at: mark, in: source, help: "remove it, or escape it in quotes")
            }
            return YAMLError("invalid UTF-8: \(problem)", at: mark, in: source, help: "save the file as UTF-8")
        }
        let mark = Self.mark(parser.pointee.problem_mark)
        let line = source.line(mark.line)
        if line.prefix(mark.column).last == "\t", line.prefix(mark.column).allSatisfy({ $0 == " " || $0 == "\t" }) {
            return YAMLError("a tab cannot indent", at: mark, in: source, help: "use spaces")
        }
        var message = problem
        if let context = parser.pointee.context {
            let place = Self.mark(parser.pointee.context_mark)
            message += " " + String(cString: context)
            if place.line != mark.line { message += " that begins in line \(place.line)" }
        }
        return YAMLError(message, at: mark, in: source)
    }
}

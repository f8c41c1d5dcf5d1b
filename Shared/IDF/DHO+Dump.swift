extension DHO {
    /// One entry of a `.dump` file of IntelMQ 3: a message that a bot could not process.
    public struct DumpEntry: Sendable, Hashable {
        /// When, as it is written: the member's name.
        public var time: String
        /// Which bot.
        public var botID: String?
        /// The queue the message came from.
        public var queue: String?
        /// What went wrong, line by line.
        public var traceback: [String] = []
        /// The message as it was serialised, or the bytes of one that is no text.
        public var content: Content

        /// What a bot could not process.
        public enum Content: Sendable, Hashable {
            /// A serialised message.
            case text(String)
            /// Bytes that are no text.
            case bytes([UInt8])
        }

        /// An entry made at that time.
        public init(time: String, content: Content) {
            self.time = time
            self.content = content
        }

        /// The event or the report that the entry holds.
        public func item() throws(Problem) -> Item {
            guard case .text(let text) = content else {
                throw Problem(422, "not-dho", "the message is bytes, wanted JSON")
            }
            let message: JSONValue
            do { message = try JSONValue(parsing: text.utf8) } catch {
                throw Problem(422, "not-dho", "the message is no JSON: \(error)")
            }
            return try DHO.item(message)
        }
    }

    /// Reads a dump file: one object, each member a message. Entries that are none are refused one by one.
    public static func dump(_ root: JSONValue) throws(Problem) -> [(time: String, entry: Result<DumpEntry, Problem>)] {
        guard let members = root.members else {
            throw Problem(422, "not-a-dump", "a dump file is one object {\"TIME\": {\"message\": …, \"traceback\": […]}}")
        }
        return members.map { member in
            (member.name, Result { () throws(Problem) in try entry(member.name, member.value) })
        }
    }

    /// Whether it looks like a dump file: an object of objects with messages.
    public static func isDump(_ root: JSONValue) -> Bool {
        guard let members = root.members, !members.isEmpty else { return false }
        return members.allSatisfy { $0.value["message"] != nil && $0.value["traceback"] != nil }
    }

    private static func entry(_ time: String, _ value: JSONValue) throws(Problem) -> DumpEntry {
        guard let text = value["message"]?.string else { throw Problem(422, "not-a-dump", "it has no \"message\"") }
        var entry = DumpEntry(time: time, content: .text(text))
        if value["message_type"]?.string == "base64" {
            guard let bytes = Base64.decode(text.utf8) else {
                throw Problem(422, "not-a-dump", "the message is no base64")
            }
            entry.content = .bytes(bytes)
        }
        entry.botID = value["bot_id"]?.string
        entry.queue = value["source_queue"]?.string
        entry.traceback = value["traceback"]?.items?.compactMap(\.string) ?? value["traceback"]?.string.map { [$0] } ?? []
        return entry
    }

    /// Writes a dump file that `intelmqdump` reads.
    public static func dump(_ entries: [DumpEntry]) -> JSONValue {
        .object(
            entries.map { entry in
                var members: [JSONValue.Member] = [
                    .init("bot_id", entry.botID.map { .string($0) } ?? .null),
                    .init("source_queue", entry.queue.map { .string($0) } ?? .null),
                    .init("traceback", .array(entry.traceback.map { .string($0) })),
                ]
                switch entry.content {
                case .text(let text): members.append(.init("message", .string(text)))
                case .bytes(let bytes):
                    members.append(.init("message", .string(Base64.encode(bytes))))
                    members.append(.init("message_type", .string("base64")))
                }
                return .init(entry.time, .object(members))
            })
    }
}

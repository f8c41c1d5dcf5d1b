import IDF
import Spool

/// A `.dump` file of IntelMQ 3: one JSON object, each member a message that a bot could not process.
struct DumpFile {
    /// What could be read, as dead letters.
    private(set) var letters: [DeadLetter] = []
    /// What could not, and why.
    private(set) var refused: [String] = []

    /// - Parameters:
    ///   - bytes: the file.
    ///   - worker: who the letters belong to from now on.
    init(_ bytes: [UInt8], worker: String) throws(Rejection) {
        let root: JSONValue
        do { root = try JSONValue(parsing: bytes) } catch { throw .malformed("the dump file is no JSON: \(error)") }
        guard let entries = root.members else {
            throw .malformed("a dump file is one object {\"TIME\": {\"message\": …, \"traceback\": […]}}")
        }
        for entry in entries {
            do throws(Rejection) {
                letters.append(try Self.letter(entry.name, entry.value, worker))
            } catch {
                refused.append("\(entry.name): \(error.detail)")
            }
        }
    }

    private static func letter(_ time: String, _ entry: JSONValue, _ worker: String) throws(Rejection) -> DeadLetter {
        guard let text = entry["message"]?.string else { throw .malformed("it has no \"message\"") }
        let when = Array(time.utf8).withUnsafeBufferPointer { Timestamp($0) } ?? .now()
        let reason = entry["traceback"]?.items?.compactMap(\.string).last ?? entry["traceback"]?.string ?? "no traceback"
        var letter = DeadLetter(
            eventID: "", packetID: "", worker: worker, edge: nil, code: "imported",
            detail:
                "\(entry["bot_id"]?.string ?? "a bot") of IntelMQ: \(String(reason.drop { $0 == " " }.prefix { $0 != "\n" }))",
            tries: 1,
            firstTime: when.nanoseconds / 1_000_000, lastTime: when.nanoseconds / 1_000_000, original: [],
            mediaType: "application/octet-stream")
        if entry["message_type"]?.string == "base64" {
            guard let bytes = Base64.decode(text.utf8) else { throw .malformed("the message is no base64") }
            letter.original = bytes
            return letter
        }
        let message: JSONValue
        do { message = try JSONValue(parsing: Array(text.utf8)) } catch { throw .malformed("the message is no JSON: \(error)") }
        var fields = Event()
        do { fields = try DHO.event(message) } catch { throw .malformed(error.description) }
        if message["__type"]?.string == "Report" {
            let content = fields.originalBytes ?? []
            fields.remove(Key<String>.original)
            fields.remove(Key<String>.rawBase64)
            letter.original = Packet(reports: [Report(content: content, fields: fields)]).encoded()
            letter.mediaType = Packet.mediaType
        } else {
            letter.eventID = fields.id.description
            letter.original = fields.encoded()
            letter.mediaType = "application/json"
        }
        return letter
    }
}

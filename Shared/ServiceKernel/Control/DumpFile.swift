import IDF
import Spool

/// A `.dump` file of IntelMQ 3 as dead letters.
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
        let entries: [(time: String, entry: Result<DHO.DumpEntry, Problem>)]
        do { entries = try DHO.dump(root) } catch { throw .malformed(error.detail) }
        for (time, entry) in entries {
            do throws(Problem) {
                letters.append(try Self.letter(try entry.get(), worker))
            } catch {
                refused.append("\(time): \(error)")
            }
        }
    }

    private static func letter(_ entry: DHO.DumpEntry, _ worker: String) throws(Problem) -> DeadLetter {
        let when = Array(entry.time.utf8).withUnsafeBufferPointer { Timestamp($0) } ?? .now()
        let reason = entry.traceback.last ?? "no traceback"
        var letter = DeadLetter(
            eventID: "", packetID: "", worker: worker, edge: nil, code: "imported",
            detail: "\(entry.botID ?? "a bot") of IntelMQ: \(String(reason.drop { $0 == " " }.prefix { $0 != "\n" }))",
            tries: 1, firstTime: when.nanoseconds / 1_000_000, lastTime: when.nanoseconds / 1_000_000, original: [],
            mediaType: "application/octet-stream")
        if case .bytes(let bytes) = entry.content {
            letter.original = bytes
            return letter
        }
        switch try entry.item() {
        case .report(let report):
            letter.original = Packet(reports: [report]).encoded()
            letter.mediaType = Packet.mediaType
        case .event(let event):
            letter.eventID = event.id.description
            letter.original = event.encoded()
            letter.mediaType = "application/json"
        }
        return letter
    }
}

import Foundation
import IDF
import ServiceKernel
import Synchronization

/// Workers that reach out: collectors bring reports, outputs leave files.
extension Counterpart {
    func run(_ collector: any Collector, _ vector: VectorCase, _ place: Place) async -> Outcome {
        let reports = Mutex<[Report]>([])
        var notes: [String] = []
        do {
            try await collector.collect(WorkerContext(stateDirectory: nil, log: Log(label: "vectors"))) { report in
                reports.withLock { $0.append(report) }
            }
        } catch {
            notes.append("failed: \(error)")
        }
        let ours = reports.withLock { $0 }.map { report -> JSONValue in
            var members = DHO.message(report.fields).members ?? []
            members.append(.init("raw", .string(Base64.encode(report.content.array))))
            if let name = report.fileName { members.append(.init("extra.file_name", .string(name))) }
            for index in members.indices where members[index].name == "feed.url" {
                members[index].value = .string(then(members[index].value.string ?? "", vector, place))
            }
            // IntelMQ says 100 where nobody has said anything.
            if vector["accuracy"] == nil { members.append(.init("feed.accuracy", .integer(100))) }
            return .object(members)
        }
        return verdict(vector, ours, notes)
    }

    /// A URL of this run as it would have been in the recording.
    private func then(_ url: String, _ vector: VectorCase, _ place: Place) -> String {
        if let server = place.vector.server, let recorded = vector["http_url"]?.string.flatMap({ URLComponents(string: $0) }) {
            return url.replacingOccurrences(of: server, with: "http://\(recorded.host ?? "")")
        }
        return url.replacingOccurrences(of: place.vector.folder, with: "").replacingOccurrences(of: vector.root, with: "")
    }

    func run(_ output: any Output, _ vector: VectorCase, _ place: Place) async -> Outcome {
        guard let file = vector.files("files_after").first else { return .skipped("\(bot): no file was recorded") }
        do {
            let events = try vector.input.map { try DHO.event($0) }
            _ = try await output.write(events)
        } catch {
            return .differs(["refused: \(error)"])
        }
        let theirs = file.content.split(separator: 0x0A).map { Array($0) }
        let ours = (place.read(file.name) ?? []).split(separator: 0x0A).map { Array($0) }
        if vector["single_key"] != nil {
            // The first line is the header. A CSV cell may be quoted.
            let cells = ours.dropFirst().map { String(decoding: $0, as: UTF8.self) }
            let same = cells.elementsEqual(theirs.map { String(decoding: $0, as: UTF8.self) }) { ours, theirs in
                let plain =
                    ours.hasPrefix("\"") ? ours.dropFirst().dropLast().replacingOccurrences(of: "\"\"", with: "\"") : ours
                let values = [plain, theirs].map { try? JSONValue(parsing: Array($0.utf8)) }
                return plain == theirs || values[0] != nil && values[0]?.sorted == values[1]?.sorted
            }
            return same ? .agrees : .differs(["theirs \(theirs.count) lines, ours \(cells)"])
        }
        let keepsRaw = vector["keep_raw_field"]?.bool == true
        func message(_ line: [UInt8]) -> JSONValue? {
            guard
                let event = try? Packet(
                    decoding: Array("{\"meta\":{\"format-name\":\"IntelMQ-IDF\",\"version\":\"3.1\"},\"data\":[".utf8) + line
                        + Array("]}".utf8)
                ).events.first
            else { return nil }
            return .object((DHO.message(event).members ?? []).filter { keepsRaw || $0.name != "raw" })
        }
        let found = Comparison.differences(
            theirs: theirs.map { Comparison.flattened((try? JSONValue(parsing: $0)) ?? .null) }, ours: ours.compactMap(message),
            isParser: false)
        return found.isEmpty ? .agrees : .differs(found)
    }
}

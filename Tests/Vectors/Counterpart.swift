import Collectors
import Control
import Experts
import Foundation
import IDF
import Outputs
import Parsers
import ServiceKernel
import YAML

/// A bot of IntelMQ and our worker that stands for it, as `config-convert` has them.
struct Counterpart: Sendable {
    let conversion: BotConversion
    var bot: String { conversion.module }
    var worker: String { conversion.worker }

    enum Settings {
        case given([JSONValue.Member])
        case impossible(String)
    }

    static let roster = Roster(collectors + parsers + experts + outputs)

    static let all = BotConversion.all.filter { roster.worker(named: $0.worker) != nil }.map { Counterpart(conversion: $0) }

    func run(_ vector: VectorCase) async -> Outcome {
        let place = Place(vector)
        defer { place.remove() }
        let settings: [JSONValue.Member]
        switch self.settings(place.vector) {
        case .impossible(let reason): return .skipped("\(bot): \(reason)")
        case .given(let given): settings = given
        }
        var configuration: [JSONValue.Member] = [.init("worker", .string(conversion.choose(vector.url) ?? worker))]
        if !settings.isEmpty { configuration.append(.init("settings", .object(settings))) }
        var made: any Worker
        do {
            let document = try YAMLDocument.parse(JSONValue.object(configuration).bytes, file: "case.yaml")
            made = try ConfigurationReader.read(document, roster: Self.roster).worker
            try made.prepare(WorkerContext(stateDirectory: nil, log: Log(label: "vectors")))
        } catch {
            // A refused configuration corresponds to a bot that refuses to start, or that fails on every line.
            return vector.failsToStart || vector.output.isEmpty ? .agrees : .differs(["refused: \(error)"])
        }
        if vector.failsToStart { return .differs(["theirs refuses to start, ours does not"]) }
        if let parser = made as? any Parser { return run(parser, vector) }
        if let expert = made as? any Expert { return run(expert, vector) }
        if let collector = made as? any Collector { return await run(collector, vector, place) }
        if let output = made as? any Output { return await run(output, vector, place) }
        return .skipped("\(bot): not of a kind that is run here")
    }

    private func run(_ parser: any Parser, _ vector: VectorCase) -> Outcome {
        var ours: [JSONValue] = []
        var notes: [String] = []
        for message in vector.input {
            guard let report = Self.report(message, overwrite: vector["overwrite"]?.bool ?? false) else {
                return .skipped("\(bot): the input is no message")
            }
            var events = ParsedEvents(report: report)
            do throws(Rejection) {
                try parser.parse(report, into: &events)
            } catch {
                notes.append("report refused: \(error)")
            }
            ours += events.events.map { DHO.message($0) }
            notes += events.rejected.map { "\($0.place) refused: \($0.rejection.detail)" }
        }
        return verdict(vector, ours, notes)
    }

    private func run(_ expert: any Expert, _ vector: VectorCase) -> Outcome {
        var ours: [JSONValue] = []
        var notes: [String] = []
        if let before = vector.content["cache_before"]?.members, !before.isEmpty, vector["bypass"]?.bool != true {
            // The keys are hashes of IntelMQ's own; that nothing was added tells that the event was known.
            let after = vector.content["cache_after"]?.members ?? []
            if Set(after.map(\.name)).isSubset(of: Set(before.map(\.name))),
                var event = try? DHO.event(vector.input.first ?? .null)
            {
                _ = try? expert.process(&event)
            }
        }
        for message in vector.input {
            if message["$bytes"] != nil { continue }
            guard message["__type"]?.string == "Event" || message["__type"] == nil else { continue }
            do {
                var event = try DHO.event(message)
                if try expert.process(&event) == .forward { ours.append(DHO.message(event)) }
            } catch {
                notes.append("refused: \(error)")
            }
        }
        return verdict(vector, ours, notes)
    }

    func verdict(_ vector: VectorCase, _ ours: [JSONValue], _ notes: [String]) -> Outcome {
        let isParser = worker.hasSuffix("-parser")
        let found = Comparison.differences(
            theirs: vector.output, ours: ours, isParser: isParser, ignoresTime: worker.hasSuffix("-collector"))
        if found.isEmpty { return .agrees }
        return Listed(vector: vector, notes: notes).rows(theirs: vector.output, ours: ours).map { .listed($0.sorted()) }
            ?? .differs(found + notes)
    }

    private static func report(_ message: JSONValue, overwrite: Bool) -> Report? {
        guard message.members != nil, message["$bytes"] == nil else { return nil }
        var report = Report(content: Base64.decode((message["raw"]?.string ?? "").utf8) ?? [])
        report.fields.fillOverwrites = overwrite
        for member in message.members ?? [] where member.name != "raw" && member.name != "__type" {
            if member.name == "extra.file_name" {
                report.fields.add(Key<String>.fileName.id, text: member.value.plain)
            } else {
                try? DHO.add(member.name, member.value, to: &report.fields)
            }
        }
        return report
    }
}

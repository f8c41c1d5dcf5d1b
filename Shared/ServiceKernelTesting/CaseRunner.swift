import Glibc
import IDF
import Logging
public import ServiceKernel
import YAML

/// Runs cases against workers. `{here}` in the settings of a case is the worker's folder, `{tmp}` a folder of the case's own.
public struct CaseRunner: Sendable {
    let entry: RosterEntry
    /// The worker's folder.
    let here: String

    /// A runner for a worker.
    /// - Parameter here: the folder of the worker, where its cases lie.
    public init(_ entry: RosterEntry, here: String) {
        self.entry = entry
        self.here = here
    }

    /// Runs one case and answers what went wrong, each in a sentence; empty when it passed.
    public func run(_ one: Case) async -> [String] {
        let run = CaseRun(entry: entry, one: one, here: here)
        do throws(CaseError) {
            var failures = try await run.failures()
            if !failures.isEmpty { failures.insert("\(entry.name), \(one)", at: 0) }
            return failures
        } catch {
            return ["\(entry.name), \(one)", error.description]
        }
    }
}

/// One case being run.
struct CaseRun {
    let entry: RosterEntry
    let one: Case
    let here: String
    let folder = TemporaryFolder()

    /// What came out of a worker.
    struct Outcome {
        var events: [Event] = []
        var rejections: [String] = []
        var drops: [String] = []
        /// Fields written without being declared.
        var undeclared: [String] = []
        /// What `expect` of an output names.
        var differences: [String] = []
    }

    private func member(_ name: String) -> YAMLNode? { one.node[name] }

    func failures() async throws(CaseError) -> [String] {
        for (key, value) in member("files")?.pairs ?? [] { folder.write((value.string ?? "").utf8, to: key.string ?? "file") }
        var outcome = Outcome()
        guard let worker = prepared(&outcome) else { return compare(outcome) }
        switch worker {
        case let expert as any Expert: try work(expert, &outcome)
        case let parser as any Parser: try parse(parser, &outcome)
        case let output as any Output: try await write(output, &outcome)
        case let collector as any Collector: await collect(collector, &outcome)
        default: break
        }
        return compare(outcome)
    }

    /// The worker with the settings of the case. A case may also show that settings are refused.
    private func prepared(_ outcome: inout Outcome) -> (any Worker)? {
        do throws(ConfigurationError) {
            var worker = try configuration().worker
            do throws(Rejection) {
                try worker.prepare(WorkerContext(stateDirectory: folder.path, log: .recording()))
            } catch {
                throw ConfigurationError([Diagnostic(stringLiteral: error.description)])
            }
            return worker
        } catch {
            outcome.rejections.append(error.description)
            return nil
        }
    }

    private func configuration() throws(ConfigurationError) -> ServiceConfiguration {
        var text = "worker: \(entry.name)\n"
        if let overwrite = member("overwrite") { text += "overwrite: \(flow(overwrite))\n" }
        if let settings = one.settings { text += "settings: \(flow(settings, place))\n" }
        return try readConfiguration(text, entry)
    }

    private func place(_ text: String) -> String { placed(text, here: here, folder: folder) }

    // MARK: the four families

    private func work(_ expert: any Expert, _ outcome: inout Outcome) throws(CaseError) {
        var given: [Event]
        if let lookup = member("lookup") {
            guard let field = entry.spec.lookup else {
                throw CaseError("the case looks something up, but the worker has no look-up field")
            }
            var event = Event()
            guard event.add(field, text: lookup.string ?? "") else {
                return outcome.rejections.append("found \(shown(lookup)), wanted \(field.field.type.wanted)")
            }
            given = [event]
        } else {
            guard let node = member("given") else { throw CaseError("the case of an expert needs given: or lookup:") }
            given = try events(node).events
        }
        for index in given.indices { given[index].fillOverwrites = member("overwrite")?.bool ?? false }
        for before in given {
            var event = before
            do throws(Rejection) {
                switch try expert.process(&event) {
                case .forward, .path:
                    outcome.events.append(event)
                    outcome.undeclared += undeclared(event, before: before)
                case .drop(let reason): outcome.drops.append(reason)
                }
            } catch {
                outcome.rejections.append(error.description)
            }
        }
    }

    private func parse(_ parser: any Parser, _ outcome: inout Outcome) throws(CaseError) {
        var report = Report(content: try content())
        if let feed = member("feed") {
            guard let fields = try events(feed, type: "report").reports.first?.fields else {
                throw CaseError("feed: is no mapping of fields")
            }
            report.fields = fields
        }
        if let name = member("file-name")?.string { report.fields.add(Key<String>.fileName.id, text: name) }
        var parsed = ParsedEvents(report: report, keepsOriginal: member("keep-original")?.bool ?? true)
        do throws(Rejection) {
            try parser.parse(report, into: &parsed)
        } catch {
            outcome.rejections.append(error.description)
        }
        outcome.events = parsed.events
        outcome.rejections += parsed.rejected.map { "\($0.place): \($0.rejection.detail)" }
        for event in parsed.events { outcome.undeclared += undeclared(event, before: parsed.template) }
    }

    private func content() throws(CaseError) -> [UInt8] {
        if let name = member("given-file")?.string {
            guard let bytes = readFile("\(here)/cases/\(name)") else { throw CaseError("cannot read \(here)/cases/\(name)") }
            return bytes
        }
        if let text = member("given-base64")?.string {
            guard let bytes = Base64.decode(text.utf8.filter { $0 != 0x20 }) else { throw CaseError("given-base64 is no base64") }
            return bytes
        }
        guard let text = member("given"), text.array == nil, text.pairs == nil else {
            throw CaseError("the case of a parser needs given: (the text of a report), given-file: or given-base64:")
        }
        return Array((text.string ?? "").utf8)
    }

    private func write(_ output: any Output, _ outcome: inout Outcome) async throws(CaseError) {
        guard let node = member("given") else { throw CaseError("the case of an output needs given: events") }
        do throws(Rejection) {
            outcome.rejections += try await output.write(try given(node)).map { "event \($0.index): \($0.rejection.detail)" }
        } catch {
            outcome.rejections.append(error.description)
        }
        guard let expect = member("expect") else { return }
        for one in expect.array ?? [expect] {
            guard let name = one["file"]?.string, let content = one["content"]?.string ?? (one["content"].map { _ in "" }) else {
                throw CaseError("expect of an output is {file: a name below {tmp}, content: its text}")
            }
            guard let found = readFile("\(folder.path)/\(name)") else {
                outcome.differences.append("the file \(name) is not there; there are \(fileNames(in: folder.path))")
                continue
            }
            outcome.differences += lineDifferences(found, Array(content.utf8)).map { "\(name), \($0)" }
        }
    }

    private func given(_ node: YAMLNode) throws(Rejection) -> [Event] {
        do throws(CaseError) { return try events(node).events } catch { throw .malformed(error.description) }
    }

    private func collect(_ collector: any Collector, _ outcome: inout Outcome) async {
        let channel = Reports()
        do throws(Rejection) {
            try await collector.collect(WorkerContext(stateDirectory: folder.path, log: .recording())) {
                report throws(Rejection) in
                await channel.add(report)
            }
        } catch {
            outcome.rejections.append(error.description)
        }
        // A report is compared like an event whose original is its content.
        for report in await channel.all {
            var event = report.fields
            report.content.withBytes { event.setOriginal($0) }
            outcome.events.append(event)
        }
    }

    private actor Reports {
        var all: [Report] = []
        func add(_ report: Report) { all.append(report) }
    }

    // MARK: what came out

    /// Fields whose values are not those from before and which the specification does not name.
    private func undeclared(_ event: Event, before: Event) -> [String] {
        guard !entry.spec.writesAny else { return [] }
        var allowed = entry.spec.writes
        // The kernel's own: the source row and the time.
        if entry.family == .parser { allowed += [Key<String>.original.id, Key<String>.rawBase64.id, Key<Timestamp>.created.id] }
        // Free members (custom and the like) belong to the user and are not declared.
        return Set(event.fields + before.fields).filter { field in
            FieldID(field.name) != nil && !allowed.contains(field) && event.json(field) != before.json(field)
        }.map(\.name).sorted()
    }

    private func compare(_ outcome: Outcome) -> [String] {
        var failures = outcome.differences
        if entry.family != .output {
            let wanted = member("expect").map { $0.array ?? [$0] } ?? []
            if outcome.events.count != wanted.count {
                failures.append("\(outcome.events.count) events came out, expected \(wanted.count)")
                for event in outcome.events.dropFirst(wanted.count).prefix(5) {
                    failures.append(
                        "not expected: "
                            + FlatEvent(event).members.map { "\($0.name): \(shown($0.value))" }.joined(separator: ", "))
                }
            }
            for (index, (event, node)) in zip(outcome.events, wanted).enumerated() {
                failures += FlatEvent(event, folder: folder.path).differences(from: node, id: event.id).map {
                    "event \(index): \($0)"
                }
            }
        }
        for name in Set(outcome.undeclared).sorted() {
            failures.append("\(name) was written, but the specification of \(entry.name) does not declare it (writes)")
        }
        failures += compare("rejected", outcome.rejections, member("reject")) { $0.contains($1) }
        // What is expected is exact, so it says by itself which events were dropped; `drop` adds the reason.
        if member("drop") != nil || member("expect") == nil {
            failures += compare("dropped", outcome.drops, member("drop")) { $0 == $1 }
        }
        return failures
    }

    /// One text stands for all that was rejected; a list names each.
    private func compare(_ verb: String, _ found: [String], _ wanted: YAMLNode?, _ fits: (String, String) -> Bool) -> [String] {
        guard let wanted else { return found.map { "\(verb): \($0)" } }
        if let items = wanted.array {
            guard items.count == found.count else { return ["\(verb) were \(found.count), expected \(items.count): \(found)"] }
            return zip(found, items).filter { !fits($0, $1.string ?? "") }.map { "\(verb): \($0), expected \(shown($1))" }
        }
        if found.isEmpty { return ["nothing was \(verb), expected \(shown(wanted))"] }
        return found.filter { !fits($0, wanted.string ?? "") }.map { "\(verb): \($0), expected \(shown(wanted))" }
    }

    private func lineDifferences(_ found: [UInt8], _ wanted: [UInt8]) -> [String] {
        guard found != wanted else { return [] }
        let found = found.split(separator: 0x0A, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
        let wanted = wanted.split(separator: 0x0A, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
        for (index, (a, b)) in zip(found, wanted).enumerated() where a != b {
            return ["line \(index + 1) is \(a), expected \(b)"]
        }
        return ["\(found.count - 1) lines, expected \(wanted.count - 1)"]
    }
}

/// The text of a setting with its folders: `{here}`, `{tmp}`, and names of files below the worker's folder, as `cases/schema.json`.
func placed(_ text: String, here: String, folder: TemporaryFolder) -> String {
    if text.contains("/"), !text.hasPrefix("/"), access("\(here)/\(text)", F_OK) == 0 { return "\(here)/\(text)" }
    return text.replacing("{here}", with: here).replacing("{tmp}", with: folder.path)
}

/// A configuration as a file of that text would give it.
func readConfiguration(_ text: String, _ entry: RosterEntry, file: String = "test.yaml") throws(ConfigurationError)
    -> ServiceConfiguration
{
    let document: YAMLDocument
    do throws(YAMLError) {
        document = try YAMLDocument.parse(Array(text.utf8), file: file)
    } catch {
        throw ConfigurationError([error.diagnostic])
    }
    return try ConfigurationReader.read(document, roster: Roster([entry]), expected: entry)
}

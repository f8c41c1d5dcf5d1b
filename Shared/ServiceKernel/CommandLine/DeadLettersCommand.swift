import ArgumentParser
import Glibc
import HTTP
import IDF

/// Which dead letters a verb concerns.
public struct DeadLetterOptions: ParsableArguments {
    /// Those of one edge.
    @Option(help: "Only those that this edge refused.") public var edge: String?
    /// Those of one code.
    @Option(help: "Only those with this code, as malformed.") public var code: String?
    /// Those of one event.
    @Option(help: "Only that of the event with this id.") public var event: String?
    /// Those of one packet.
    @Option(help: "Only those of the packet with this id.") public var packet: String?
    /// Those with a text.
    @Option(help: "Only those with this text in the reason or the original.") public var text: String?
    /// Not older.
    @Option(help: "Only those that failed last at or after this time.") public var since: String?
    /// Not newer.
    @Option(help: "Only those that failed last before this time.") public var until: String?

    /// No choice yet.
    public init() {}

    /// The same as a query of the control calls.
    public var query: [(String, String)] {
        [
            ("edge", edge), ("code", code), ("event", event), ("packet", packet), ("text", text), ("since", since),
            ("until", until),
        ]
        .compactMap { name, value in value.map { (name, $0) } }
    }
}

/// The service that a verb concerns: given by its configuration, or as a node of a workflow.
package protocol ServiceChoice: ParsableArguments {
    /// Opens the service and runs `body`; says what went wrong and ends.
    /// - Parameter works: whether the worker of a stopped service must work; else nothing but its spool is opened.
    func with(works: Bool, _ body: (ControlClient) async throws(Rejection) -> Void) async throws
}

extension ServiceChoice {
    /// Opens the service of a configuration.
    package func open(
        _ configuration: ServiceConfiguration, works: Bool, _ body: (ControlClient) async throws(Rejection) -> Void
    ) async throws {
        let client: ControlClient
        do { client = try await ControlClient(configuration, works: works) } catch {
            say(error.description)
            throw ExitCode(Exit.configuration)
        }
        do throws(Rejection) {
            try await body(client)
            await client.close()
        } catch {
            await client.close()
            say("error: \(error.detail)")
            throw ExitCode(error.isTemporary ? Exit.unavailable : Exit.data)
        }
    }
}

extension ConfigurationOptions: ServiceChoice {
    package func with(works: Bool, _ body: (ControlClient) async throws(Rejection) -> Void) async throws {
        try await open(try reading { () throws(ConfigurationError) in try read(settings: works) }, works: works, body)
    }
}

extension WorkerCommand {
    /// Dead letters: what could not be processed or delivered.
    struct DeadLetters: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "dead-letters", abstract: "Events that could not be processed or delivered, with reason and original.",
            subcommands: [
                ListDeadLetters<ConfigurationOptions>.self, ShowDeadLetter<ConfigurationOptions>.self,
                EditDeadLetter<ConfigurationOptions>.self, DeleteDeadLetters<ConfigurationOptions>.self,
                ReplayDeadLetters<ConfigurationOptions>.self, ImportDeadLetters<ConfigurationOptions>.self,
            ], defaultSubcommand: ListDeadLetters<ConfigurationOptions>.self)
    }
}

/// `dead-letters list`
package struct ListDeadLetters<Service: ServiceChoice>: AsyncParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: "list", abstract: "Lists dead letters, oldest first.")
    }
    @OptionGroup var service: Service
    @OptionGroup var which: DeadLetterOptions
    @Option(help: "At most so many.") var limit = 20
    @Option(help: "Begin after this number.") var after = 0
    @Flag(help: "One JSON object a line.") var json = false

    package init() {}

    package func run() async throws {
        try await service.with(works: false) { client throws(Rejection) in
            let answer = try await client.call(
                .get, "/v1/dead-letters", which.query + [("limit", "\(limit)"), ("after", "\(after)")])
            DeadLetterText.put(answer, prefix: "", json: json)
        }
    }
}

/// `dead-letters show`
package struct ShowDeadLetter<Service: ServiceChoice>: AsyncParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: "show", abstract: "Shows one dead letter with its original.")
    }
    @OptionGroup var service: Service
    @Argument(help: "Its number.") var id: Int
    @Flag(help: "Only the original, to be edited.") var original = false

    package init() {}

    package func run() async throws {
        try await service.with(works: false) { client throws(Rejection) in
            let letter = try await client.call(.get, "/v1/dead-letters/\(id)")["data"]?["attributes"] ?? .null
            if original {
                let bytes =
                    letter["original"]?.string.map { Array($0.utf8) }
                    ?? letter["original-base64"]?.string.flatMap { Base64.decode($0.utf8) } ?? []
                _ = writeAll(STDOUT_FILENO, bytes)
            } else {
                put(letter.pretty())
            }
        }
    }
}

/// `dead-letters edit`
package struct EditDeadLetter<Service: ServiceChoice>: AsyncParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "edit",
            abstract: "Replaces the original of a dead letter by standard input; replay sends it.",
            discussion:
                "show ID --original > event.json; edit event.json; dead-letters edit ID < event.json; dead-letters replay ID")
    }
    @OptionGroup var service: Service
    @Argument(help: "Its number.") var id: Int

    package init() {}

    package func run() async throws {
        try await service.with(works: false) { client throws(Rejection) in
            guard let bytes = readAll(STDIN_FILENO), !bytes.isEmpty else { throw .malformed("standard input is empty") }
            _ = try await client.call(.put, "/v1/dead-letters/\(id)", body: bytes)
            put("edited \(id)")
        }
    }
}

/// `dead-letters delete`
package struct DeleteDeadLetters<Service: ServiceChoice>: AsyncParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: "delete", abstract: "Deletes dead letters, by number or by what they are.")
    }
    @OptionGroup var service: Service
    @OptionGroup var which: DeadLetterOptions
    @Argument(help: "Their numbers.") var ids: [Int] = []
    @Flag(help: "All of them.") var all = false

    package init() {}

    package func run() async throws {
        try await service.with(works: false) { client throws(Rejection) in
            var count = 0
            for id in ids { count += try await client.call(.delete, "/v1/dead-letters/\(id)").count("deleted") }
            if ids.isEmpty {
                let query = try DeadLetterText.chosen(which.query, all: all)
                count = try await client.call(.delete, "/v1/dead-letters", query).count("deleted")
            }
            put("deleted \(count)")
        }
    }
}

/// `dead-letters replay`
package struct ReplayDeadLetters<Service: ServiceChoice>: AsyncParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "replay",
            abstract: "Sends dead letters again, by number or by what they are; those that fail again stay.")
    }
    @OptionGroup var service: Service
    @OptionGroup var which: DeadLetterOptions
    @Argument(help: "Their numbers.") var ids: [Int] = []
    @Flag(help: "All of them.") var all = false
    @Flag(help: "Only try whether it would work: nothing is sent.") var dryRun = false

    package init() {}

    package func run() async throws {
        try await service.with(works: true) { client throws(Rejection) in
            try await DeadLetterText.replay(client, ids, which.query, all: all, dryRun: dryRun)
        }
    }
}

/// `dead-letters import`
package struct ImportDeadLetters<Service: ServiceChoice>: AsyncParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: "import", abstract: "Takes over a .dump file of IntelMQ 3 as dead letters.")
    }
    @OptionGroup var service: Service
    @Argument(help: "The dump file.") var file: String

    package init() {}

    package func run() async throws {
        try await service.with(works: false) { client throws(Rejection) in
            guard let bytes = readFile(file) else {
                throw .missing("cannot read \(file): \(String(cString: strerror(errno)))")
            }
            let answer = try await client.call(.post, "/v1/dead-letters/import", body: bytes)
            for line in answer["meta"]?["refused"]?.items ?? [] { say("not imported: \(line.string ?? "")") }
            put("imported \(answer.count("imported"))")
        }
    }
}

/// How dead letters are shown to people; also by `intelmqctl`.
public enum DeadLetterText {
    /// Prints a list that a service has answered.
    /// - Parameter prefix: what stands before the numbers: the node.
    public static func put(_ answer: JSONValue, prefix: String, json: Bool) {
        let letters = answer["data"]?.items ?? []
        for one in letters {
            let (id, letter) = (one["id"]?.string ?? "", one["attributes"] ?? .null)
            if json {
                ServiceKernel.put(String(decoding: one.bytes, as: UTF8.self))
                continue
            }
            let edge = letter["edge"]?.string.map { "  edge \($0)" } ?? ""
            ServiceKernel.put(
                "\(prefix)\(id)  \(letter["last-time"]?.string ?? "")  \(letter["code"]?.string ?? "")\(edge)  "
                    + printable(letter["detail"]?.string ?? "") + "\n      " + printable(letter["excerpt"]?.string ?? ""))
        }
        let total = answer["meta"]?["total"]?.integer ?? 0
        if total == 0 { say("\(prefix)no dead letters") }
        if total > letters.count { say("\(prefix)\(letters.count) of \(total); more with --limit and --after") }
    }

    /// The query for letters that are not named by number; all of them must be meant expressly.
    static func chosen(_ query: [(String, String)], all: Bool) throws(Rejection) -> [(String, String)] {
        guard all || !query.isEmpty else {
            throw .malformed(
                "this would concern every dead letter: name which (by number, --code, --edge, --event, --text, --since …) or say --all"
            )
        }
        return query + (all ? [("all", "true")] : [])
    }

    /// Sends letters again and prints what became of them.
    public static func replay(
        _ client: ControlClient, _ ids: [Int], _ query: [(String, String)], all: Bool, dryRun: Bool
    ) async throws(Rejection) {
        let dry = dryRun ? [("dry", "true")] : []
        var answers: [JSONValue] = []
        for id in ids { answers.append(try await client.call(.post, "/v1/dead-letters/\(id)/replay", dry)) }
        if ids.isEmpty {
            answers.append(
                try await client.call(.post, "/v1/dead-letters/replay", try chosen(query, all: all) + dry))
        }
        var failed = 0
        for answer in answers {
            for one in answer["meta"]?["failed"]?.items ?? [] {
                failed += 1
                say("\(one["id"]?.string ?? "") failed again: \(printable(one["detail"]?.string ?? ""))")
            }
            if let why = answer["meta"]?["stopped"]?.string { throw .unavailable(why) }
        }
        let word = dryRun ? "would-replay" : "replayed"
        ServiceKernel.put("\(word.replacing("-", with: " ")) \(answers.reduce(0) { $0 + $1.count(word) }), failed \(failed)")
    }
}

extension JSONValue {
    /// A number in the `meta` of an answer.
    fileprivate func count(_ name: String) -> Int { self["meta"]?[name]?.integer ?? 0 }
}

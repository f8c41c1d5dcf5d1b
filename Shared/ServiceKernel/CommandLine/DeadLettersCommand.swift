import ArgumentParser
import IDF
import Spool

extension WorkerCommand {
    /// Shows what could not be processed.
    struct DeadLetters: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "dead-letters", abstract: "Lists the events that could not be processed, with reason and original.")
        @OptionGroup var options: ConfigurationOptions
        @Option(help: "At most so many.") var limit = 20
        @Flag(help: "One JSON object a line.") var json = false

        func run() async throws {
            let configuration = try reading { () throws(ConfigurationError) in try options.read() }
            guard let state = configuration.state else {
                say("error: \(configuration.name) has no state: folder, so it keeps no dead letters")
                throw ExitCode(Exit.configuration)
            }
            let letters: [StoredDeadLetter]
            do {
                letters = try Spool.deadLetters(in: state, limit: limit)
            } catch {
                say("error: cannot read the spool in \(state): \(error)")
                throw ExitCode(Exit.io)
            }
            for stored in letters {
                let letter = stored.letter
                let original = String(decoding: letter.original, as: UTF8.self)
                if json {
                    put(
                        String(
                            decoding: JSONValue.object([
                                "id": .integer(stored.id), "event": .string(letter.eventID), "packet": .string(letter.packetID),
                                "worker": .string(letter.worker), "code": .string(letter.code), "detail": .string(letter.detail),
                                "tries": .integer(letter.tries), "last": .integer(letter.lastTime), "original": .string(original),
                            ]).bytes, as: UTF8.self))
                } else {
                    put("\(stored.id)  \(letter.code)  \(printable(letter.detail))\n      \(printable(original.prefix(160)))")
                }
            }
            if letters.isEmpty { say("no dead letters") }
        }
    }
}

import IDF
import ServiceKernel

/// A bot of IntelMQ and the worker that stands for it.
package struct BotConversion: Sendable {
    /// Its module, without `intelmq.bots.`.
    package let module: String
    /// Our worker.
    package let worker: String
    /// Turns the bot's parameters into settings, or says why the bot has no counterpart with these.
    package let convert: @Sendable (inout BotParameters) throws(NoCounterpart) -> Void
    /// Another worker, for a bot that reads what several of ours read: by the URL that the first report comes from.
    package var choose: @Sendable (_ url: String) -> String? = { _ in nil }

    /// Why there is no counterpart.
    package struct NoCounterpart: Error {
        /// The reason, as a sentence.
        package let reason: String
    }

    /// The bots that have a counterpart. A bot that is added here is converted by `config-convert` and compared by `vectors`.
    package static let all: [BotConversion] =
        [
            BotConversion(module: "parsers.shadowserver.parser", worker: "shadowserver-parser", convert: shadowserver),
            BotConversion(module: "parsers.generic.parser_csv", worker: "csv-parser", convert: csv),
            BotConversion(module: "experts.asn_lookup.expert", worker: "asn-lookup-expert", convert: asnLookup),
            BotConversion(module: "experts.taxonomy.expert", worker: "taxonomy-expert") { _ in },
            BotConversion(module: "experts.deduplicator.expert", worker: "deduplicator-expert", convert: deduplicator),
            BotConversion(module: "collectors.file.collector_file", worker: "file-collector", convert: files),
            BotConversion(module: "collectors.http.collector_http", worker: "http-collector", convert: download),
            BotConversion(module: "outputs.file.output", worker: "file-output", convert: fileOutput),
            BotConversion(module: "outputs.sql.output", worker: "sql-output", convert: sql),
        ] + generic + feeds

    /// The conversion of a module, named as IntelMQ does.
    static func of(_ module: String) -> BotConversion? {
        let name = module.hasPrefix("intelmq.bots.") ? String(module.dropFirst("intelmq.bots.".count)) : module
        return all.first { $0.module == name }
    }

    /// Parameters that any bot may have and that mean the same for all of them.
    static func takeCommon(_ parameters: inout BotParameters, isCollector: Bool) {
        if let value = parameters.take("logging_level") {
            let level = value.string?.lowercased() ?? ""
            if !["debug", "info", "warning", "error", "critical"].contains(level) {
                parameters.note(.lost, "logging_level", value, "wanted DEBUG, INFO, WARNING, ERROR or CRITICAL")
            } else if level != "info" {
                parameters.members.append(.init("log", .object(["level": .string(level)])))
            }
        }
        if let value = parameters.take("instances_threads") {
            if let threads = value.integer, (0...256).contains(threads) {
                if threads > 1 { parameters.members.append(.init("threads", .integer(threads))) }
            } else {
                parameters.note(.lost, "instances_threads", value, "wanted a number up to 256")
            }
        }
        if let overwrite = parameters.take("overwrite")?.bool {
            parameters.members.append(.init("overwrite", .boolean(overwrite)))
        }
        if let keep = parameters.take("save_original_message")?.bool {
            parameters.members.append(.init("keep-original", .boolean(keep)))
        }
        if let pause = parameters.rest.first(where: { $0.name == "rate_limit" })?.value.double {
            parameters.drop(["rate_limit"], "only collectors pause; nodes take what comes", pause > 0 ? .lost : .replaced)
        }
        if parameters.rest.contains(where: { $0.name == "error_procedure" && $0.value == .string("stop") }) {
            parameters.drop(["error_procedure"], "a node never stops because of an event; the event becomes a dead letter", .lost)
        }
        if !isCollector { parameters.drop(["accuracy"], "collectors say it of their feed") }
        for member in parameters.rest {
            if let reason = reason(for: member.name) { parameters.drop([member.name], reason) }
        }
    }

    /// How a parameter of the old machinery is done now; nil when it is none.
    static func reason(for name: String) -> String? {
        replaced.first { $0.names.contains { name == $0 || $0.hasSuffix("_") && name.hasPrefix($0) } }?.reason
    }

    private static let replaced: [(names: [String], reason: String)] = [
        (["source_pipeline_", "destination_pipeline_"], "nodes hand packets on over HTTP; there is no broker"),
        (
            ["error_dump_message", "error_log_message", "error_log_exception", "error_procedure"],
            "what cannot be processed becomes a dead letter with its reason"
        ),
        (
            ["error_max_retries", "error_retry_delay", "http_timeout_max_tries"],
            "what fails for a time is tried again until it passes, the rest becomes a dead letter"
        ),
        (["log_processed_messages_", "statistics_"], "every node counts what it does, see /metrics"),
        (
            ["logging_handler", "logging_path", "logging_syslog", "logging_max_"],
            "nodes log to standard error; who runs them keeps it"
        ),
        (["http_user_agent"], "collectors name themselves; their setting headers can say something else"),
        (["process_manager", "intelmqctl_"], "statusd runs and watches the nodes"),
        (
            ["redis_cache_host", "redis_cache_port", "redis_cache_db", "redis_cache_password"],
            "a worker that remembers does so in its own state folder"
        ),
    ]
}

extension JSONValue {
    /// A number of seconds as an interval.
    var seconds: JSONValue { .string("\(plain) s") }
}

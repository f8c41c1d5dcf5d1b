import IDF
import ServiceKernel

/// Collectors, experts and outputs.
extension BotConversion {
    /// What collectors say of their feed.
    private static func feed(_ parameters: inout BotParameters) {
        let members = ["name", "provider", "code", "documentation", "accuracy"].compactMap { name in
            parameters.take(name).map { JSONValue.Member(name, $0) }
        }
        if !members.isEmpty { parameters.set("feed", .object(members)) }
        if let pause = parameters.take("rate_limit"), pause.double ?? 0 > 0 { parameters.set("interval", pause.seconds) }
    }

    @Sendable static func files(_ parameters: inout BotParameters) throws(NoCounterpart) {
        parameters.carry("path")
        parameters.carry("postfix")
        parameters.carry("delete_file", as: "delete")
        parameters.drop(
            ["chunk_size", "chunk_replicate_header"], "a report is handed on whole; its events go on while the rest is read")
        feed(&parameters)
    }

    @Sendable static func download(_ parameters: inout BotParameters) throws(NoCounterpart) {
        for name in ["verify_pgp_signatures", "verify_gpg_signatures"] where parameters.take(name)?.bool == true {
            throw NoCounterpart(
                reason: "signatures (PGP) are not verified here, and what is signed should not be taken unverified")
        }
        if let formatting = parameters.take("http_url_formatting"), formatting != .boolean(false) {
            throw NoCounterpart(reason: "http_url_formatting: dates are not put into URLs")
        }
        let url = parameters.take("http_url")
        if let url { parameters.setAddress("url", url) }
        // True, false, or the names of the members to take.
        if let names = parameters.rest.first(where: { $0.name == "extract_files" })?.value, names.items != nil {
            parameters.set("extract", .boolean(true))
            parameters.carry("extract_files", as: "members")
        } else {
            parameters.set("extract", parameters.take("extract_files") ?? .boolean(false))
        }
        parameters.carry("http_username", as: "username")
        if let password = parameters.take("http_password") { parameters.setSecret("password", password) }
        if let header = parameters.take("http_header"), let members = decoded(header).members, !members.isEmpty {
            parameters.setSecrets("headers", members)
        }
        parameters.carry("http_timeout_sec", as: "timeout") { $0.seconds }
        let verifies = parameters.take("http_verify_cert")
        if verifies == .boolean(false) { parameters.set("verify-certificate", .boolean(false)) }
        for (name, value) in [("http_verify_cert", verifies), ("ssl_ca_certificate", parameters.take("ssl_ca_certificate"))] {
            guard let value, value.string != nil else { continue }
            parameters.note(.lost, name, value, "trust this authority in the system's store of certificates")
        }
        // IntelMQ uses a proxy only when both are named.
        let proxies = (http: parameters.take("http_proxy"), https: parameters.take("https_proxy"))
        let isTLS = url?.string?.hasPrefix("https:") == true
        if let http = proxies.http, let https = proxies.https {
            parameters.setAddress("proxy", isTLS ? https : http)
        } else if let one = proxies.http ?? proxies.https {
            parameters.note(
                .lost, proxies.http == nil ? "https_proxy" : "http_proxy", .string(withoutSecrets(one.string ?? "")),
                "IntelMQ uses a proxy only when both are named")
        }
        parameters.drop(["gpg_keyring", "signature_url", "signature_url_formatting"], "nothing verifies a signature")
        feed(&parameters)
    }

    @Sendable static func asnLookup(_ parameters: inout BotParameters) throws(NoCounterpart) {
        guard let database = parameters.take("database") else { throw NoCounterpart(reason: "no database is named") }
        parameters.set("database", database)
        parameters.drop(["autoupdate_cached_database"], "the tool that fetches the database replaces the file; it is opened anew")
    }

    @Sendable static func deduplicator(_ parameters: inout BotParameters) throws(NoCounterpart) {
        var fields: [JSONValue] = []
        for part in (parameters.take("filter_keys")?.string ?? "").split(separator: ",") {
            let name = String(part.filter { $0 != " " })
            guard name != "extra" else { throw NoCounterpart(reason: "filter_keys: all of extra cannot be named as a field") }
            // A key that is no field changes nothing for either.
            guard let field = DHO.field(name) else { continue }
            fields.append(.string(field.name))
            if name == "raw" { fields.append(.string("intelmq.raw_base64")) }
        }
        let isList = parameters.take("filter_type")?.string == "whitelist"
        parameters.set(isList ? "fields" : "ignore", .array(fields))
        parameters.carry("redis_cache_ttl", as: "time-to-live") { $0.seconds }
        parameters.carry("bypass")
    }

    @Sendable static func fileOutput(_ parameters: inout BotParameters) throws(NoCounterpart) {
        guard parameters.take("format_filename")?.bool != true else {
            throw NoCounterpart(reason: "format_filename: event data never chooses a path")
        }
        parameters.carry("file", as: "path")
        if let key = parameters.take("single_key")?.string {
            guard let field = DHO.field(key) else { throw NoCounterpart(reason: "single_key: \(key) is no field") }
            parameters.set("format", .string("csv"))
            parameters.set("fields", .array([.string(field.name)]))
        }
        let isNested = parameters.take("hierarchical_output") == .boolean(true)
        if isNested {
            parameters.note(
                .replaced, "hierarchical_output", .boolean(true), "events are written in the data format of today, nested")
        } else if !parameters.settings.contains(where: { $0.name == "format" }) {
            // What reads the file goes on reading it.
            parameters.set("format", .string("dho"))
        }
        parameters.drop(["keep_raw_field"], "raw is written when a parser keeps it; keep-original: false there leaves it out")
        parameters.drop(["message_with_type", "message_jsondict_as_string"], "messages are written in one form")
        parameters.drop(["encoding_errors_mode"], "events are UTF-8 when they come in")
    }

    @Sendable static func sql(_ parameters: inout BotParameters) throws(NoCounterpart) {
        let engine = parameters.take("engine")?.string ?? "postgresql"
        guard engine == "sqlite" else { throw NoCounterpart(reason: "engine \(engine): events are stored in SQLite only") }
        parameters.carry("database")
        parameters.carry("table")
        parameters.drop(
            ["fields", "jsondict_as_string", "message_jsondict_as_string"],
            "the table has the columns of sql-output, and the whole event")
        parameters.drop(
            ["autocommit", "reconnect_delay", "fail_on_errors"], "a packet is one transaction, tried until it is stored")
        parameters.drop(["host", "port", "user", "password", "sslmode"], "SQLite has no server")
    }
}

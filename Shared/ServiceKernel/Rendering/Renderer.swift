public import IDF

/// Everything that is written about a worker, from its specification and settings.
public enum Renderer {
    /// The OpenAPI 3.1 document of a worker.
    public static func openAPI(of worker: RosterEntry) -> JSONValue { OpenAPI.document(of: worker) }

    private static func settings(of worker: RosterEntry) -> [NamedSetting] { NamedSetting.all(of: worker.make()) }

    /// A configuration file with every setting, the optional ones at their defaults and behind a comment sign.
    public static func sample(of worker: RosterEntry) -> String {
        var lines = ["# \(worker.programName): \(worker.spec.summary)", "worker: \(worker.name)"]
        if worker.family != .collector { lines.append("listen: 127.0.0.1:8080") }
        if worker.family != .output { lines += ["edges:", "  - to: http://127.0.0.1:8081"] }
        lines += [
            "# When the service acknowledges: relay (after every next hop) or durable (after its own disk).",
            "#ack: \(worker.ack.rawValue)",
            "# Folder for the spool, dead letters and the worker's state.", "state: /var/lib/intelmq/\(worker.name)",
        ]
        let settings = settings(of: worker)
        if !settings.isEmpty {
            // A file whose settings are all optional must not hold an empty mapping's name only.
            let required = settings.contains(where: \.isRequired)
            lines.append(required ? "settings:" : "#settings:")
            for setting in settings {
                lines.append("  # \(setting.slot.summary)")
                let value = setting.isRequired ? setting.slot.example.map(yamlExample) ?? "…" : setting.slot.defaultText ?? "null"
                let example = setting.slot.example.map { setting.isRequired || $0 == value ? "" : "  # as: \($0)" } ?? ""
                lines.append("  \(setting.isRequired ? "" : "#")\(setting.name): \(value)\(example)")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// What a worker is for, and the schema of its configuration: `GET /v1/spec`.
    static func specification(of worker: RosterEntry) -> JSONValue {
        let spec = worker.spec
        return .object([
            "worker": .string(worker.name), "family": .string(worker.family.rawValue), "summary": .string(spec.summary),
            "ack": .string(worker.ack.rawValue), "reads": .array(spec.reads.map { .string($0.name) }),
            "writes": spec.writesAny ? .string("any") : .array(spec.writes.map { .string($0.name) }),
            "lookup": spec.lookup.map { .string($0.name) } ?? .null, "version": .string(Version.current),
            "configuration": schema(of: worker),
        ])
    }

    /// JSON Schema (2020-12) of the configuration file.
    public static func schema(of worker: RosterEntry) -> JSONValue {
        let settings = settings(of: worker)
        let properties = settings.map { setting -> JSONValue.Member in
            var members = setting.slot.schema.members ?? []
            members.append(.init("description", .string(setting.slot.summary)))
            if let example = setting.slot.example { members.append(.init("examples", .array([.string(example)]))) }
            return .init(setting.name, .object(members))
        }
        func text(_ summary: String) -> JSONValue { .object(["type": .string("string"), "description": .string(summary)]) }
        func choice(_ words: [String]) -> JSONValue { .object(["enum": .array(words.map { .string($0) })]) }
        let required = settings.filter(\.isRequired).map { JSONValue.string($0.name) }
        var settingsSchema: [JSONValue.Member] = [
            .init("type", .string("object")), .init("additionalProperties", .boolean(false)),
            .init("properties", .object(properties)),
        ]
        if !required.isEmpty { settingsSchema.append(.init("required", .array(required))) }
        return .object([
            "$schema": .string("https://json-schema.org/draft/2020-12/schema"),
            "title": .string("Configuration of \(worker.programName)"),
            "description": .string(worker.spec.summary), "type": .string("object"), "additionalProperties": .boolean(false),
            "required": .array(required.isEmpty ? [.string("worker")] : [.string("worker"), .string("settings")]),
            "properties": .object([
                "worker": choice([worker.name]), "name": text("Name of the service."),
                "listen": text("Address and port, or unix:/path."),
                "edges": .object([
                    "type": .string("array"),
                    "items": .object([
                        "anyOf": .array([
                            .object(["type": .string("string")]),
                            .object([
                                "type": .string("object"), "additionalProperties": .boolean(false),
                                "required": .array([.string("to")]),
                                "properties": .object([
                                    "to": text("Target."), "name": text("Name of the edge."), "token": SecretFile.schema,
                                    "when": text("Only events that fulfil this condition (docs/conditions.md)."),
                                    "tlp-max": choice(EdgeFilter.TLP.allCases.map(\.rawValue)),
                                    "on": text("error: only events that cannot be processed; path:NAME: only those sent there."),
                                    "share": text("Edges of one group take turns, a packet each."),
                                    "ca": text("PEM file of the authorities to trust there."), "ending": Bool.schema,
                                ]),
                            ]),
                        ])
                    ]),
                ]), "ack": choice(AckMode.allCases.map(\.rawValue)), "state": text("Folder for spool, dead letters and state."),
                "threads": .object(["type": .string("integer"), "minimum": .number("1")]), "insecure": Bool.schema,
                "overwrite": Bool.schema,
                "keep-original": Bool.schema, "encoding": Encoding.schema, "producer": text("Organisation written into packets."),
                "limits": .object(["type": .string("object")]), "log": .object(["type": .string("object")]),
                "control": text("Folder of the control socket; the folder of the state without."),
                "tokens": .object(["type": .string("array"), "items": AccessToken.schema]), "tls": TLSConfiguration.schema,
                "statusd": .object([
                    "type": .string("object"), "additionalProperties": .boolean(false),
                    "properties": .object([
                        "listen": text("Address and port of the status daemon."),
                        "processes": .object(["type": .string("integer"), "minimum": .number("1")]),
                    ]),
                ]), "vars": .object(["type": .string("object"), "description": .string("Variables, as {{ vars.name }}.")]),
                "settings": .object(settingsSchema),
            ]),
        ])
    }

    /// What `--help` says about the worker: fields, acknowledgement, settings.
    public static func help(of worker: RosterEntry) -> String { Help.discussion(of: worker) }

    /// The facts at the head of a worker's README.
    public static func readme(of worker: RosterEntry) -> String {
        let spec = worker.spec
        var text = "# \(worker.name)\n\n\(spec.summary)\n\n"
        text += "| | |\n|---|---|\n| program | `\(worker.programName)` |\n| family | \(worker.family.rawValue) |\n"
        text += "| acknowledges | \(worker.ack.rawValue) |\n"
        if !spec.reads.isEmpty { text += "| reads | \(spec.reads.map { "`\($0.name)`" }.joined(separator: ", ")) |\n" }
        if spec.writesAny { text += "| writes | any field |\n" }
        if !spec.writes.isEmpty { text += "| writes | \(spec.writes.map { "`\($0.name)`" }.joined(separator: ", ")) |\n" }
        if let lookup = spec.lookup { text += "| look-up | `GET /v1/lookup/{\(lookup.name)}` |\n" }
        let settings = settings(of: worker)
        if !settings.isEmpty {
            text += "\n| setting | default | what |\n|---|---|---|\n"
            for setting in settings {
                let value = setting.isRequired ? "required" : setting.slot.defaultText.map { "`\($0)`" } ?? ""
                let example = setting.slot.example.map { " As `\($0)`." } ?? ""
                text += "| `\(setting.name)` | \(value) | \(setting.slot.summary)\(example) |\n".replacing("\\|", with: "|")
            }
        }
        return text
    }

    /// The manual page in troff.
    public static func man(of worker: RosterEntry) -> String {
        func escape(_ text: String) -> String { text.replacing("\\", with: "\\e").replacing("-", with: "\\-") }
        var text = ".TH \"\(worker.programName.uppercased())\" 1 \"\" \"IntelMQ Fleet \(Version.current)\" \"IntelMQ Fleet\"\n"
        text += ".SH NAME\n\(escape(worker.programName)) \\- \(escape(worker.spec.summary))\n"
        text +=
            ".SH SYNOPSIS\n.B \(escape(worker.programName))\n[serve|run|check|sample|schema|openapi|man|self\\-test|update\\-db|dead\\-letters|version] [options]\n"
        text += ".SH DESCRIPTION\n\(escape(Help.facts(of: worker)).split(separator: "\n").joined(separator: "\n.br\n"))\n"
        let settings = settings(of: worker)
        if !settings.isEmpty {
            text += ".SH SETTINGS\n"
            for setting in settings {
                let value = setting.isRequired ? "required" : "default \(setting.slot.defaultText ?? "null")"
                text += ".TP\n.B \(escape(setting.name))\n\(escape(setting.slot.summary)) (\(escape(value)))\n"
            }
        }
        text += """
            .SH OPTIONS
            .TP
            .B \\-\\-config FILE
            Configuration file of this service.
            .TP
            .B \\-\\-set NAME=VALUE
            A setting on the command line.
            .TP
            .B \\-\\-stop\\-after N
            Ends a one\\-time run after N events.
            .TP
            .B \\-\\-daemon
            Goes on in the background.
            .SH EXIT STATUS
            0 fine, 1 failure, 64 usage, 65 bad data, 69 unavailable, 74 input or output, 78 configuration.
            .SH FILES
            $INTELMQ_CONFIG_DIR/\(escape(worker.name)).yaml, ./etc/config.d/, /etc/intelmq/config.d/

            """
        return text
    }
}

/// Words for `--help`.
enum Help {
    static func facts(of worker: RosterEntry) -> String {
        let spec = worker.spec
        var lines: [String] = []
        if !spec.reads.isEmpty { lines.append("reads    " + spec.reads.map(\.name).joined(separator: ", ")) }
        if spec.writesAny { lines.append("writes   any field") }
        if !spec.writes.isEmpty { lines.append("writes   " + spec.writes.map(\.name).joined(separator: ", ")) }
        if let lookup = spec.lookup { lines.append("look-up  GET /v1/lookup/{\(lookup.name)}") }
        lines.append("ack      \(worker.ack.rawValue)")
        return lines.joined(separator: "\n")
    }

    static func discussion(of worker: RosterEntry) -> String {
        let settings = NamedSetting.all(of: worker.make()).map { setting in
            let value = setting.isRequired ? "required" : setting.slot.defaultText ?? "null"
            return "  \(setting.name) (\(value))\n      \(setting.slot.summary)"
        }
        return facts(of: worker) + (settings.isEmpty ? "" : "\n\nsettings:\n" + settings.joined(separator: "\n"))
    }
}

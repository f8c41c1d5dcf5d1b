import IDF

extension ServiceConfiguration {
    /// The configuration in force, as `GET /v1/config` shows it: no secret is in it, no password in a URL.
    var shown: JSONValue {
        var members: [JSONValue.Member] = [.init("worker", .string(entry.name)), .init("name", .string(name))]
        func text(_ name: String, _ value: String?) { if let value { members.append(.init(name, .string(value))) } }
        text("listen", listen)
        text("state", state)
        text("control", control)
        text("producer", producer)
        members += [
            .init("ack", .string(ack.rawValue)), .init("threads", .integer(threads)), .init("insecure", .boolean(isInsecure)),
            .init("overwrite", .boolean(overwrite)), .init("keep-original", .boolean(keepsOriginal)),
            .init("edges", .array(edges.map(\.shown))),
            .init(
                "tokens",
                .array(
                    tokens.map {
                        .object(["file": .string($0.file.path), "roles": .array($0.roles.map { .string($0.rawValue) })])
                    })),
        ]
        if let tls {
            members.append(
                .init(
                    "tls",
                    .object([
                        "certificate": .string(tls.certificate), "key": .string(tls.key),
                        "client-ca": tls.clientAuthority.map { .string($0) } ?? .null,
                        "client-roles": .array(tls.clientRoles.map { .string($0.rawValue) }),
                    ])))
        }
        members += [
            .init(
                "statusd",
                .object(["listen": statusd.listen.map { .string($0) } ?? .null, "processes": .integer(statusd.processes)])),
            .init("log", .object(["level": .string(logLevel.rawValue), "format": .string(logFormat.rawValue)])),
            .init("limits", limits.shown),
            .init(
                "settings",
                .object(
                    NamedSetting.all(of: worker).map {
                        .init($0.name, (maskedSettings[$0.name] ?? $0.slot.shown).map { .string(withoutSecrets($0)) } ?? .null)
                    })),
        ]
        return .object(members)
    }
}

extension EdgeConfiguration {
    fileprivate var shown: JSONValue {
        var members: [JSONValue.Member] = [.init("name", .string(name)), .init("to", .string(withoutSecrets(to)))]
        if let token { members.append(.init("token", .object(["file": .string(token.path)]))) }
        if let when = filter?.when { members.append(.init("when", .string(when.text))) }
        if let ceiling = filter?.ceiling { members.append(.init("tlp-max", .string(ceiling.rawValue))) }
        if let authority { members.append(.init("ca", .string(authority))) }
        return .object(members)
    }
}

extension ServiceConfiguration.Limits {
    fileprivate var shown: JSONValue {
        .object([
            "body": .string(body.sample), "report": .string(report.sample), "events": .integer(events),
            "spool": .string(spool.sample), "batch": .integer(batch), "in-flight": .integer(inFlight),
            "connections": .integer(connections), "timeout": .string(timeout.sample), "idle": .string(idle.sample),
            "drain": .string(drain.sample),
        ])
    }
}

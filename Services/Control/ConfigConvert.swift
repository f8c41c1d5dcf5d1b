import ArgumentParser
import Glibc
import IDF
import ServiceKernel
import Workflow
import YAML

extension ControlCommand {
    struct ConfigConvert: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "config-convert",
            abstract: "Turns the configuration of IntelMQ 2.x or 3.x into a workflow, and lists what could not be carried over.",
            discussion: """
                Writes workflow.yaml, conversion.txt (the list) and secrets/ (passwords and keys, which the workflow names as files).
                Exit code 0: all is carried over and the workflow's configuration is right; 1: not all, see the list; 78: a file cannot
                be read; 73: the folder cannot be written.
                """)
        @Option(name: .customLong("from"), help: "runtime.yaml (3.x) or runtime.conf (2.x).") var runtime: String
        @Option(help: "pipeline.conf (2.x).") var pipeline: String?
        @Option(help: "defaults.conf (2.x).") var defaults: String?
        @Option(name: .customLong("to"), help: "Folder to write into; made if it is not there.") var folder: String
        @Option(help: "Port of the first node; the others follow.") var port = 8701
        @Flag(help: "Write over what an earlier conversion has written.") var force = false
        @Flag(help: "Print JSON.") var json = false

        func validate() throws {
            guard (1...65535).contains(port) else { throw ValidationError("--port is a number from 1 to 65535") }
        }

        func run() throws {
            let result: Result
            do throws(ConfigurationError) {
                result = try convert(roster: ControlProgram.roster)
            } catch {
                say(error.description)
                throw ExitCode(78)
            }
            do throws(Rejection) { try write(result) } catch {
                say("error: \(error.detail)")
                throw ExitCode(73)
            }
            let problems = Graph.check(path: "\(folder)/workflow.yaml", roster: ControlProgram.roster).findings
            put(json ? result.json(folder, problems).pretty() : result.text(folder, problems))
            if !result.conversion.lost.isEmpty || problems.contains(where: \.isError) { throw ExitCode(1) }
        }

        struct Result {
            let conversion: Conversion
            let graph: String
            let report: String
        }

        func convert(roster: Roster) throws(ConfigurationError) -> Result {
            func read(_ path: String?) throws(ConfigurationError) -> YAMLDocument? {
                guard let path else { return nil }
                do { return try YAMLDocument.read(path: path) } catch { throw ConfigurationError([error.diagnostic]) }
            }
            guard let document = try read(runtime) else { throw ConfigurationError(["error: no file is named"]) }
            let botnet = try OldBotnet(runtime: document, pipeline: try read(pipeline), defaults: try read(defaults))
            let conversion = Conversion(botnet, roster: roster, secrets: "\(absoluteFolder)/secrets")
            guard conversion.nodes.count <= 65536 - port else {
                throw ConfigurationError(["error: \(conversion.nodes.count) nodes need more ports than there are above \(port)"])
            }
            let json = conversion.graph(title: "Converted from \(runtime)", firstPort: port)
            let graph: YAMLDocument
            do { graph = try YAMLDocument.parse(json.bytes, file: "workflow.yaml") } catch {
                throw ConfigurationError([error.diagnostic])
            }
            return Result(conversion: conversion, graph: graph.root.document, report: conversion.report(of: runtime))
        }

        private var absoluteFolder: String {
            guard !folder.hasPrefix("/"), let here = getcwd(nil, 0) else { return folder }
            defer { free(here) }
            return "\(String(cString: here))/\(folder)"
        }

        func write(_ result: Result) throws(Rejection) {
            guard force || access("\(folder)/workflow.yaml", F_OK) != 0 else {
                throw .unavailable("\(folder)/workflow.yaml is there already; give another folder, or --force to write over it")
            }
            try makeFolder(folder)
            let secrets = result.conversion.nodes.flatMap(\.parameters.secrets)
            if !secrets.isEmpty {
                try makeFolder("\(absoluteFolder)/secrets")
                chmod("\(absoluteFolder)/secrets", 0o700)
            }
            for secret in secrets { try replaceFile(secret.path, with: Array(secret.content.utf8), mode: 0o600) }
            // A URL may hold a key.
            try replaceFile("\(folder)/workflow.yaml", with: Array(result.graph.utf8), mode: 0o600)
            try replaceFile("\(folder)/conversion.txt", with: Array(result.report.utf8), mode: 0o600)
        }
    }
}

extension ControlCommand.ConfigConvert.Result {
    fileprivate func text(_ folder: String, _ problems: [Finding]) -> String {
        var text = report + "\nwritten: \(folder)/workflow.yaml, \(folder)/conversion.txt"
        if conversion.nodes.contains(where: { !$0.parameters.secrets.isEmpty }) { text += ", \(folder)/secrets/" }
        if !problems.isEmpty {
            text += "\n\nbefore it can start here:\n" + problems.map(\.diagnostic.description).joined(separator: "\n")
        }
        return text
    }

    fileprivate func json(_ folder: String, _ problems: [Finding]) -> JSONValue {
        func notes(_ kind: ConversionNote.Kind) -> JSONValue { .array(conversion.notes.filter { $0.kind == kind }.map(\.json)) }
        return .object([
            "workflow": .string("\(folder)/workflow.yaml"),
            "bots": .integer(conversion.botnet.bots.count),
            "carried": .array(
                conversion.nodes.map {
                    .object(["bot": .string($0.bot.id), "node": .string($0.name), "worker": .string($0.entry.name)])
                }),
            "not-carried": notes(.lost), "replaced": notes(.replaced), "problems": .array(problems.map(\.json)),
        ])
    }
}

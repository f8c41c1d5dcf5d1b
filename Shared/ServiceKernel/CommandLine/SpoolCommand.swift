import ArgumentParser
import Glibc
import IDF
import Spool

extension WorkerCommand {
    /// The spool on the disk, whether the service runs or not.
    struct SpoolGroup: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "spool", abstract: "Shows, checks and repairs the packets this worker keeps on its disk.",
            subcommands: [List.self, Check.self, Repair.self, Drop.self], defaultSubcommand: List.self)
    }
}

/// Where the spools of a worker are.
private struct SpoolFolders {
    let folders: [String]
    let configuration: ServiceConfiguration

    /// The state folder, and those of its slots (`--processes N`), as far as they hold a spool.
    init(_ options: ConfigurationOptions) throws {
        configuration = try reading { () throws(ConfigurationError) in try options.read(settings: false) }
        guard let state = configuration.state else {
            say("error: \(configuration.name) has no state: folder, so it keeps no packets")
            throw ExitCode(Exit.configuration)
        }
        folders = SpoolContents.spools(in: state)
        if folders.isEmpty { say("no spool in \(state)") }
    }
}

extension WorkerCommand.SpoolGroup {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ls", abstract: "Lists the packets that are not delivered yet, with the edges that still need them.")
        @OptionGroup var options: ConfigurationOptions
        @Option(help: "At most so many packets of each spool.") var limit = 20
        @Flag(help: "One JSON object a spool and line.") var json = false

        func run() async throws {
            guard limit >= 0 else { throw ValidationError("--limit must be 0 or more, not \(limit)") }
            var isUnreadable = false
            for folder in try SpoolFolders(options).folders {
                do throws(SpoolError) {
                    let seen = try Spool.inspect(directory: folder, limit: limit)
                    put(json ? String(decoding: seen.json.bytes, as: UTF8.self) : seen.text)
                } catch {
                    say("error: \(error)")
                    isUnreadable = true
                }
            }
            if isUnreadable { throw ExitCode(Exit.io) }
        }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Looks for damage: the log, the structure, each packet's checksum, the accounts of the edges.")
        @OptionGroup var options: ConfigurationOptions
        @Option(help: "At most so many problems of each spool.") var limit = 100
        @Flag(help: "One JSON object a spool and line.") var json = false

        func run() async throws {
            guard limit >= 0 else { throw ValidationError("--limit must be 0 or more, not \(limit)") }
            var isDamaged = false
            for folder in try SpoolFolders(options).folders {
                let problems = Spool.check(directory: folder)
                isDamaged = isDamaged || !problems.isEmpty
                if json {
                    let told = JSONValue.array(problems.prefix(limit).map { .string($0) })
                    put(
                        String(
                            decoding: JSONValue.object([
                                "directory": .string(folder), "ok": .boolean(problems.isEmpty), "problems": told,
                                "count": .integer(problems.count),
                            ]).bytes, as: UTF8.self))
                } else if problems.isEmpty {
                    put("\(folder): ok")
                } else {
                    for problem in problems.prefix(limit) { put("\(folder): \(printable(problem))") }
                    if problems.count > limit { put("\(folder): … \(problems.count - limit) more; see --limit") }
                }
            }
            if isDamaged {
                say("a running service repairs what it meets by itself; else: \(Called.current.worker.programName) spool repair")
                throw ExitCode(Exit.data)
            }
        }
    }

    struct Repair: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Repairs a damaged spool of a stopped service: keeps what is readable, sets the damaged files aside.")
        @OptionGroup var options: ConfigurationOptions
        @Flag(help: "One JSON object a spool and line.") var json = false

        func run() async throws {
            var isRefused = false
            for folder in try SpoolFolders(options).folders {
                do throws(SpoolError) {
                    let note = try Spool.repair(directory: folder)
                    if json {
                        put(
                            String(
                                decoding: JSONValue.object(["directory": .string(folder), "note": .string(note)]).bytes,
                                as: UTF8.self))
                    } else {
                        put(printable(note))
                    }
                } catch {
                    say("error: \(error)")
                    isRefused = true
                }
            }
            if isRefused { throw ExitCode(Exit.unavailable) }
        }
    }
}

extension WorkerCommand.SpoolGroup {
    struct Drop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Gives up what waits for an edge that the configuration does not have any more; the service must be stopped.",
            discussion: """
                These events were acknowledged and are gone then. To send them on instead, put the edge back for as long as it takes, as
                {to: ADDRESS, name: EDGE, ending: true}: it gets nothing new.
                """)
        @OptionGroup var options: ConfigurationOptions
        @Argument(help: "The edge.") var edge: String

        func run() async throws {
            let spools = try SpoolFolders(options)
            let names = spools.configuration.edges.map(\.name)
            guard !names.contains(edge) else {
                say(
                    "error: the edge \(edge) is in the configuration, and what waits for it is delivered; take it out there first"
                )
                throw ExitCode(Exit.usage)
            }
            var found = false
            var waiting: Set<String> = []
            for folder in spools.folders {
                do throws(SpoolError) {
                    let edges = try Spool.inspect(directory: folder, limit: 0).edges
                    waiting.formUnion(edges.filter { $0.backlogEvents > 0 && !names.contains($0.name) }.map(\.name))
                    guard let lost = edges.first(where: { $0.name == edge }) else { continue }
                    found = true
                    let spool = try Spool(
                        directory: folder, edges: names, limitBytes: Int64(spools.configuration.limits.spool.bytes))
                    do throws(SpoolError) { try await spool.discard(edge: edge) } catch {
                        await spool.close()
                        throw error
                    }
                    await spool.close()
                    put(
                        "\(folder): dropped \(lost.backlogEvents) events in \(lost.backlogPackets) packets that waited for \(edge)"
                    )
                } catch {
                    say("error: \(error)")
                    throw ExitCode(Exit.unavailable)
                }
            }
            guard found else {
                let others = waiting.isEmpty ? "for none" : waiting.sorted().joined(separator: ", ")
                say("error: nothing waits for an edge \(printable(edge)); events wait for edges that are no more: \(others)")
                throw ExitCode(Exit.data)
            }
        }
    }
}

extension SpoolInspection {
    fileprivate var json: JSONValue {
        .object([
            "directory": .string(directory), "format": .integer(formatVersion), "file_bytes": .integer(Int(fileBytes)),
            "log_bytes": .integer(Int(logBytes)), "in_use": .boolean(isInUse), "packets": .integer(packetCount),
            "packet_bytes": .integer(Int(packetBytes)), "dead_letters": .integer(deadLetters),
            "set_aside": .array(setAside.map { .string($0) }), "edges": .array(edges.map(\.json)),
            "oldest": .array(packets.map(\.json)),
        ])
    }

    fileprivate var text: String {
        var lines = [
            "\(directory): format \(formatVersion), \(isInUse ? "in use" : "not in use"), file \(fileBytes) bytes, log \(logBytes) bytes",
            "  \(packetCount) packets with \(packetBytes) bytes, \(deadLetters) dead letters",
        ]
        for edge in edges {
            var line = "  edge \(printable(edge.name)): accepted \(edge.acceptedEvents) events, acknowledged "
            line += "\(edge.acknowledgedEvents) (\(edge.deadLetteredEvents) as dead letters, \(edge.droppedEvents) dropped), "
            line += "waiting \(edge.backlogEvents) in \(edge.backlogPackets) packets, lost \(edge.lostEvents)"
            if edge.isRetained { line += "; no longer in the graph" }
            if !edge.isBalanced { line += "; DOES NOT ADD UP" }
            lines.append(line)
        }
        for packet in packets {
            let needed = packet.neededBy.map { printable($0) }.joined(separator: ", ")
            lines.append(
                "  \(packet.sequence)  \(printable(packet.id))  \(packet.events) events  \(packet.bytes) bytes  "
                    + "since \(packet.created / 1_000)  for \(needed)")
        }
        if packets.count < packetCount { lines.append("  … \(packetCount - packets.count) more packets; see --limit") }
        for name in setAside { lines.append("  set aside: \(printable(name))") }
        return lines.joined(separator: "\n")
    }
}

extension SpoolInspection.Packet {
    fileprivate var json: JSONValue {
        .object([
            "sequence": .integer(Int(sequence)), "id": .string(id), "events": .integer(events), "bytes": .integer(bytes),
            "created": .integer(Int(created)), "needed_by": .array(neededBy.map { .string($0) }),
        ])
    }
}

extension SpoolStatus.Edge {
    fileprivate var json: JSONValue {
        .object([
            "name": .string(name), "accepted": .integer(acceptedEvents), "acknowledged": .integer(acknowledgedEvents),
            "dead_lettered": .integer(deadLetteredEvents), "dropped": .integer(droppedEvents), "lost": .integer(lostEvents),
            "backlog_events": .integer(backlogEvents), "backlog_packets": .integer(backlogPackets),
            "retained": .boolean(isRetained), "balanced": .boolean(isBalanced),
        ])
    }
}

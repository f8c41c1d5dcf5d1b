import IDF
import ServiceKernel

/// An old botnet as a workflow of nodes, with the list of what could not be carried over.
struct Conversion {
    struct Node {
        let bot: OldBotnet.Bot
        let name: String
        let entry: RosterEntry
        let parameters: BotParameters
        var edges: [Edge] = []
    }

    struct Edge: Hashable {
        let to: String
        var on: String?
        var share: String?
    }

    /// Why a bot is no node.
    enum Absence {
        case disabled
        /// Events go by it to what stood behind it.
        case passedBy
        case gone
    }

    let botnet: OldBotnet
    var nodes: [Node] = []
    var absent: [String: Absence] = [:]
    var notes: [ConversionNote]

    /// - Parameters:
    ///   - secrets: folder for the secrets that the old files held.
    init(_ botnet: OldBotnet, roster: Roster, secrets: String) {
        self.botnet = botnet
        notes = botnet.notes
        var taken: Set<String> = []
        for bot in botnet.bots { convert(bot, roster, secrets, &taken) }
        for member in botnet.common where !taken.contains(member.name) && member.value != .null && member.value != .string("") {
            let reason = BotConversion.reason(for: member.name) ?? "no bot that is carried over uses it"
            notes.append(ConversionNote(.replaced, parameter: member.name, value: member.value, reason))
        }
        connect()
    }

    /// The bots that are nodes now.
    var carried: Int { nodes.count }
    /// What nobody does now.
    var lost: [ConversionNote] { notes.filter { $0.kind == .lost } }

    private mutating func convert(_ bot: OldBotnet.Bot, _ roster: Roster, _ secrets: String, _ taken: inout Set<String>) {
        guard bot.isEnabled else { return leave(bot, .disabled, "it is disabled; its events stayed in its queue") }
        guard let conversion = BotConversion.of(bot.module), var entry = roster.worker(named: conversion.worker) else {
            let isExpert = bot.module.contains(".experts.")
            let reason = isExpert ? "no worker does this; events go by it" : "no worker does this"
            return leave(bot, isExpert ? .passedBy : .gone, reason)
        }
        let urls = urls(before: bot)
        let chosen = Set(urls.map { conversion.choose($0) ?? conversion.worker })
        if chosen.count == 1, let other = roster.worker(named: chosen.first ?? "") { entry = other }
        if chosen.count > 1 {
            let names = chosen.sorted().joined(separator: " and ")
            lose(bot, "it reads what \(names) read here; \(entry.name) stands for it, add a node for the other")
        }
        let name = freeName(bot.id)
        var parameters = BotParameters(bot.parameters, common: botnet.common, secretPrefix: "\(secrets)/\(name)-")
        do throws(BotConversion.NoCounterpart) { try conversion.convert(&parameters) } catch {
            return leave(bot, entry.family == .expert ? .passedBy : .gone, error.reason)
        }
        BotConversion.takeCommon(&parameters, isCollector: entry.family == .collector)
        taken.formUnion(parameters.takenCommon)
        for var note in parameters.notes {
            note.bot = bot.id
            notes.append(note)
        }
        for member in parameters.rest {
            let reason = "\(entry.name) has no setting for it"
            notes.append(ConversionNote(.lost, bot: bot.id, parameter: member.name, value: member.value, reason))
        }
        if bot.isScheduled {
            let help = entry.family == .collector ? "it runs all the time and pauses for its interval" : "it runs all the time"
            lose(bot, "run_mode scheduled: \(help); for a run by cron: \(entry.programName) run --config FILE")
        }
        if name != bot.id { notes.append(ConversionNote(.replaced, bot: bot.id, "the node is called \(name)")) }
        nodes.append(Node(bot: bot, name: name, entry: entry, parameters: parameters))
    }

    mutating func lose(_ bot: OldBotnet.Bot, _ reason: String) {
        notes.append(ConversionNote(.lost, bot: bot.id, reason))
    }

    private mutating func leave(_ bot: OldBotnet.Bot, _ absence: Absence, _ reason: String) {
        absent[bot.id] = absence
        let rest = bot.parameters.filter { $0.value != .null && $0.value != .string("") }
        notes.append(
            ConversionNote(
                .lost, bot: bot.id, parameter: rest.isEmpty ? nil : "parameters", value: rest.isEmpty ? nil : .object(rest),
                "\(reason) (\(bot.module))"))
    }

    /// Two bots may differ in what names of nodes cannot tell.
    private func freeName(_ id: String) -> String {
        let name = nodeName(id)
        var number = 1
        func candidate() -> String { number == 1 ? name : "\(name)-\(number)" }
        while nodes.contains(where: { $0.name == candidate() }) { number += 1 }
        return candidate()
    }

    /// The bots that read a queue.
    func readers(of queue: String) -> [OldBotnet.Bot] { botnet.bots.filter { $0.sourceQueue == queue } }

    /// Where the collectors before a parser fetch their reports.
    private func urls(before bot: OldBotnet.Bot) -> [String] {
        botnet.bots.filter { $0.destinations.contains { $0.queues.contains(bot.sourceQueue) } }.compactMap { collector in
            collector.parameters.first { $0.name == "http_url" }?.value.string
        }
    }
}

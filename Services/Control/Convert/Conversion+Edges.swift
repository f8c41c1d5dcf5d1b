import ServiceKernel

extension Conversion {
    mutating func connect() {
        for index in nodes.indices {
            for (path, queues) in nodes[index].bot.destinations { connect(index, path, queues) }
            keepOtherEvents(index)
        }
        leaveLonely()
        let targets = Set(nodes.flatMap { $0.edges.map(\.to) })
        for node in nodes {
            if node.edges.isEmpty, !node.bot.destinations.isEmpty {
                lose(
                    node.bot,
                    "its events go nowhere: nothing that stood behind it is carried over; give it an edge before you start it")
            }
            if node.entry.family != .collector, !targets.contains(node.name) {
                lose(node.bot, "nothing feeds it: what stood before it is not carried over; it takes what is sent to its address")
            }
        }
    }

    private mutating func connect(_ index: Int, _ path: String, _ queues: [String]) {
        let bot = nodes[index].bot
        // Bots that read one queue take its messages by turns, as do the queues of a path that balances its load.
        var turns = queues.map { readers(of: $0).map(\.id) }
        for (queue, readers) in zip(queues, turns) where readers.isEmpty { lose(bot, "no bot reads the queue \(queue)") }
        if bot.isBalanced { turns = [turns.flatMap { $0 }] }
        for (number, readers) in turns.enumerated() {
            let targets = readers.map { next($0) }
            let all = targets.flatMap { $0 }.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
            var share: String?
            if all.count > 1, Set(targets.map(Set.init)).count > 1 {
                if targets.allSatisfy({ $0.count <= 1 }) {
                    share = "\(nodes[index].name)-\(nodeName(path))-\(number + 1)"
                } else {
                    lose(
                        bot,
                        "taking turns between \(readers.joined(separator: " and ")): all get all now, as those behind them differ"
                    )
                }
            }
            for to in all { add(Edge(to: to, on: Self.condition(path), share: share), to: index) }
        }
    }

    /// What an edge of a path says.
    private static func condition(_ path: String) -> String? {
        switch path {
        case "_default": nil
        case "_on_error": "error"
        default: "path:\(nodeName(path))"
        }
    }

    private mutating func add(_ edge: Edge, to index: Int) {
        guard let old = nodes[index].edges.first(where: { $0.to == edge.to }) else { return nodes[index].edges.append(edge) }
        guard old.on != edge.on else { return }
        lose(
            nodes[index].bot,
            "a second edge to \(edge.to), for \(edge.on ?? "all other events"): there is one for \(old.on ?? "those")")
    }

    /// The nodes that an event comes to which is meant for a bot: itself, or those behind it where no worker stands for it.
    private func next(_ id: String, _ passed: Set<String> = []) -> [String] {
        if let node = nodes.first(where: { $0.bot.id == id }) { return [node.name] }
        guard absent[id] == .passedBy, !passed.contains(id), let bot = botnet.bots.first(where: { $0.id == id }) else {
            return []
        }
        let queues = bot.destinations.filter { $0.path == "_default" }.flatMap(\.queues)
        var found: [String] = []
        for reader in queues.flatMap({ readers(of: $0) }) {
            for name in next(reader.id, passed.union([id])) where !found.contains(name) { found.append(name) }
        }
        return found
    }

    /// A node whose edges are all for named paths would lose everything else, and is refused.
    private mutating func keepOtherEvents(_ index: Int) {
        guard !nodes[index].edges.isEmpty, nodes[index].edges.allSatisfy({ $0.on != nil }) else { return }
        let names = nodes[index].edges.map { "\($0.on ?? "") to \($0.to)" }.joined(separator: ", ")
        nodes[index].edges = []
        lose(nodes[index].bot, "its edges (\(names)): beside them there must be one for all other events")
    }

    /// A collector whose reports nobody reads would fetch them for nothing, and to some outputs nothing would ever be sent.
    private mutating func leaveLonely() {
        let targets = Set(nodes.flatMap { $0.edges.map(\.to) })
        for node in nodes {
            if node.entry.family == .collector, node.edges.isEmpty {
                lose(node.bot, "it is left out: nobody reads its reports, as no parser behind it is carried over")
            } else if node.entry.family == .output, !targets.contains(node.name) {
                lose(node.bot, "it is left out: nothing is sent to it, as no bot before it is carried over")
            } else {
                continue
            }
            absent[node.bot.id] = .gone
        }
        nodes.removeAll { absent[$0.bot.id] != nil }
    }
}

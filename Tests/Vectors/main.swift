import Foundation
import IDF

// vectors DIR [BOT…] — runs recorded cases of IntelMQ through our workers and prints what agrees.
var arguments = Array(CommandLine.arguments.dropFirst())
var shown = 40
if let at = arguments.firstIndex(of: "--show"), at + 1 < arguments.count {
    shown = Int(arguments[at + 1]) ?? shown
    arguments.removeSubrange(at...(at + 1))
}
guard let directory = arguments.first, FileManager.default.fileExists(atPath: directory) else {
    print("skipped, no vectors\nusage: vectors DIR [--show N] [part of a bot's name…]")
    exit(0)
}
let wanted = arguments.dropFirst()

var tallies: [String: Tally] = [:]
for kind in ["collector", "parser", "expert", "output"] {
    for path in VectorCase.files(below: directory + "/" + kind) {
        guard let vector = VectorCase(path: path, root: directory) else { continue }
        let bot = vector.bot
        guard let counterpart = Counterpart.all.first(where: { bot.hasSuffix($0.bot) }) else { continue }
        if !wanted.isEmpty, !wanted.contains(where: { bot.contains($0) }) { continue }
        let outcome = await counterpart.run(vector)
        tallies[counterpart.bot, default: Tally()].add(outcome, vector)
    }
}

print("bot                              cases  agreeing  listed  differing  skipped")
var sum = Tally()
for (bot, tally) in tallies.sorted(by: { $0.key < $1.key }) {
    print(tally.line(bot))
    sum.merge(tally)
}
print(sum.line("all"))
for (row, count) in sum.listed.sorted(by: { $0.key < $1.key }) { print("listed \(count), in docs/differences.md: \(row)") }
for (reason, count) in sum.reasons.sorted(by: { $0.key < $1.key }) { print("skipped \(count): \(reason)") }
for text in sum.differences.prefix(shown) { print(text) }
if sum.differences.count > shown {
    print("… and \(sum.differences.count - shown) more; see them with --show \(sum.differences.count)")
}

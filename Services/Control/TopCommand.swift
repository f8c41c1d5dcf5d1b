import ArgumentParser
import Glibc
import ServiceKernel

extension ControlCommand {
    struct Top: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows the status of every node, anew each second, until ^C; where there is no terminal, as plain lines.")
        @OptionGroup var nodes: FleetNodes
        @Option(help: "Seconds between two looks.") var interval = 1.0
        @Option(help: "Ends after so many looks.") var count: Int?

        func validate() throws {
            guard (0.1...3600).contains(interval) else { throw ValidationError("--interval: wanted seconds from 0.1 to 3600") }
        }

        func run() async throws {
            var looks = 0
            while true {
                let all = try await nodes.status()
                show([NodeStatus.head] + all.map(\.line), isFirst: looks == 0)
                looks += 1
                if let count, looks >= count { return }
                try await Task.sleep(for: .seconds(interval))
            }
        }

        /// One screen: what does not fit is counted in its last line.
        private func show(_ lines: [String], isFirst: Bool) {
            guard let (rows, _) = Terminal.size else { return put(lines.joined(separator: "\n") + "\n") }
            var lines = lines
            if lines.count > max(3, rows) - 1 {
                let hidden = lines.count - (max(3, rows) - 2)
                lines.removeLast(hidden)
                lines.append("and \(hidden) more: intelmqctl status")
            }
            // Home, each line to its end, and nothing below: no flicker, as a cleared screen would.
            put((isFirst ? "\u{1B}[2J" : "") + "\u{1B}[H" + lines.map { "\($0)\u{1B}[K\n" }.joined() + "\u{1B}[J")
        }
    }
}

import Glibc

/// Which of several processes on one port this is: each has a spool, a control socket and a folder of its own.
public enum Slot {
    /// The environment variable by which a process knows its slot.
    static let variable = "INTELMQ_SLOT"
    /// The environment variable that says how many there are.
    static let countVariable = "INTELMQ_SLOTS"
    /// The slot of this process, if it is one of several.
    static var own: Int? { number(variable) }
    /// How many processes there are.
    static var count: Int { number(countVariable) ?? 1 }

    private static func number(_ variable: String) -> Int? { getenv(variable).flatMap { Int(String(cString: $0)) } }

    /// The folder of a slot below that of its service; nil stands for the only process.
    public static func folder(_ base: String, _ slot: Int?) -> String { slot.map { "\(base)/slot-\($0)" } ?? base }

    /// Folders of a service's state that no process has any more, since there are fewer processes than there were, or other ones.
    /// - Parameters:
    ///   - state: the folder of this process.
    ///   - slot: its slot.
    static func abandoned(beside state: String, slot: Int?) -> [String] {
        // One process is enough to look after them.
        guard slot ?? 0 == 0 else { return [] }
        let base =
            slot == nil ? state : state.split(separator: "/").dropLast().reduce(state.hasPrefix("/") ? "" : ".") { "\($0)/\($1)" }
        let others = fileNames(in: base).filter { name in
            guard name.hasPrefix("slot-"), let number = Int(name.dropFirst(5)) else { return false }
            return slot == nil || number >= count
        }
        return (slot == nil ? [] : [base]) + others.sorted().map { "\(base)/\($0)" }
    }
}
